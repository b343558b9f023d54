"""What a run is called among others."""

from pathlib import Path

from ganlab.spec.model import Node
from ganlab.tracking.identity import identity_of, tags_of
from tests.tracking.made import made_spec

RUN = Path("runs/experiment/20260101-120000")


def test_by_itself_it_belongs_to_its_experiment():
    identity = identity_of(made_spec(), RUN, None, {})
    assert identity.id == "experiment-20260101-120000"
    assert (identity.group, identity.job_type) == ("experiment", "train")


def test_the_group_of_the_spec_goes_before_all_others():
    environment = {"GANLAB_SWEEP": "losses", "GANLAB_TRIAL": "12"}
    assert identity_of(made_spec(), RUN, "mine", environment).group == "mine"


def test_two_trials_that_start_in_one_second_differ():
    found = [identity_of(made_spec(), RUN, None, {"GANLAB_SWEEP": "a/b", "GANLAB_TRIAL": n}) for n in ("3", "4")]
    assert [identity.id for identity in found] == [f"a_b-000{n}-experiment-20260101-120000" for n in (3, 4)]
    assert {identity.group for identity in found} == {"a/b"}
    assert {identity.job_type for identity in found} == {"sweep"}


def test_a_trial_of_a_hosted_sweep_has_its_id_as_group():
    identity = identity_of(made_spec(), RUN, None, {"WANDB_SWEEP_ID": "abc"})
    assert (identity.group, identity.job_type) == ("abc", "sweep")


def test_tags_are_words_that_w_and_b_takes():
    assert tags_of(made_spec()) == ("toy", "digits", "16px", "hinge", "seed-7")
    long = tags_of(made_spec(architecture=Node("architectures", "x" * 100)))
    assert long[0] == "x" * 64
    assert len(long) == 4, "there is no loss"

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlab import DataFacts
from ganlab.testing import build_experiment, parameter_count
from tests.toy import TOY_SPEC


@pytest.fixture
def path(toy, tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(TOY_SPEC)
    return path


def test_a_spec_is_built_with_its_overrides_and_facts_and_without_numbers(path):
    spec, facts, module = build_experiment(path, ["architecture.generator.latent_size=7"])
    assert spec.architecture.options["generator"].options["latent_size"] == module.generator.latent_size == 7
    assert facts.shape[1:] == (4, 4)
    assert all(parameter.is_meta for player in module.players().values() for parameter in player.parameters())


def test_facts_may_be_given_instead_of_those_of_the_data(path):
    given = DataFacts((1, 4, 4), 12, "given")
    assert build_experiment(path, facts=given).facts is given


def test_data_that_are_missing_have_the_facts_that_the_spec_implies(path):
    experiment = build_experiment(
        path, ["data={name: image_folder, path: nowhere, channels: 1, resolution: 4, labels: none}"]
    )
    assert experiment.facts.shape == (1, 4, 4)


def test_a_spec_that_does_not_imply_them_is_refused(path):
    with pytest.raises(AssertionError, match="does not say what the networks are; give 'facts'"):
        build_experiment(path, ["data={name: image_folder, path: nowhere}"])


def test_parameters_are_counted_and_buffers_are_not():
    network = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5))
    assert parameter_count(network) == (3 * 5 + 5) + 2 * 5
    with torch.device("meta"):
        assert parameter_count(nn.Conv2d(2, 4, 3, bias=False)) == 2 * 4 * 9

from __future__ import annotations

import pytest

from ganlab.errors import SpecError
from ganlab.schedules import Schedule
from ganlab.spec import load_spec, node_from, node_of_text, read_spec, resolve_with_origins
from ganlab.spec.model import MetricNode, Node, OptimizerNode, RegularizerNode


@pytest.fixture
def read(toy_spec):
    return lambda *overrides: read_spec(toy_spec, overrides)


def problems(read, *overrides):
    with pytest.raises(SpecError) as caught:
        read(*overrides)
    return str(caught.value)


def test_nodes_hold_what_constructors_take(read):
    spec = read()
    assert (spec.data.name, spec.data.options, spec.data.batch_size) == ("toy", {"resolution": 4, "size": 32}, 8)
    options = spec.architecture.options
    assert options["loss"] == Node("losses", "toy", {"margin": 1.0}, "ganlab-toy")
    assert options["regularizers"] == (
        RegularizerNode("regularizers", "toy", {"power": 2.0}, "ganlab-toy", weight=1.0, every=4),
    )
    assert options["discriminator"].options["normalizer"] == Node("normalizers", "toy", {}, "ganlab-toy")
    assert options["augmentation"] is None
    adam = spec.optimizers["generator"]
    assert isinstance(adam, OptimizerNode)
    assert adam.options["betas"] == (0.0, 0.99)
    assert spec.evaluation.metrics == (MetricNode("metrics", "toy", {"digits": 3}, "ganlab-toy"),)
    assert spec.snapshots.grid == (2, 2)


def test_facts_of_the_data_need_no_value_but_may_be_given(read):
    assert "shape" not in read().architecture.options["generator"].options
    given = read("architecture.generator.shape=[1, 4, 4]").architecture.options["generator"]
    assert given.options["shape"] == (1, 4, 4)


def test_sections_may_be_switched_off_where_they_are_optional(read):
    spec = read("ema=null", "evaluation=", "snapshots=null", "tracking.wandb=null")
    assert (spec.ema, spec.evaluation, spec.snapshots, spec.tracking.wandb) == (None, None, None, None)


def test_integers_are_numbers_but_nothing_else_is_converted(read):
    spec = read("optimizers.generator.lr=1", "kimg=2")
    assert spec.optimizers["generator"].options["lr"] == 1.0
    assert isinstance(spec.kimg, float)


RAMP = "{linear: [0.1, 0.2], over_kimg: 2}"
RAMP_SCHEDULE = Schedule("linear", ((0.0, 0.1), (2000.0, 0.2)))


def test_schedules_where_numbers_are_declared_scheduled(read):
    spec = read(
        f"architecture.loss.margin={RAMP}",
        f"architecture.regularizers.0.weight={RAMP}",
        f"ema.half_life_kimg={RAMP}",
        f"optimizers.generator.lr={RAMP}",
        f"optimizers.generator.betas=[0.5, {RAMP}]",
    )
    assert spec.architecture.options["loss"].options["margin"] == RAMP_SCHEDULE
    assert spec.architecture.options["regularizers"][0].weight == RAMP_SCHEDULE
    assert spec.ema.half_life_kimg == RAMP_SCHEDULE
    assert spec.optimizers["generator"].options["lr"] == RAMP_SCHEDULE
    assert spec.optimizers["generator"].options["betas"] == (0.5, RAMP_SCHEDULE)


def test_schedules_elsewhere_are_refused(read):
    assert "architecture.generator.width: cannot follow a schedule" in problems(
        read, f"architecture.generator.width={RAMP}"
    )


def test_all_problems_come_at_once_in_the_order_of_the_file(read, toy_spec):
    toy_spec.write_text(toy_spec.read_text().replace("margin: 1.0", "margin: x").replace("latent_size", "latents"))
    lines = problems(read, "kimg=x", "snapshots.grid=[0, 1]").splitlines()
    assert lines[0] == "the spec has 4 problems:"
    assert [line.split(": ")[1] for line in lines[1:]] == [
        "architecture.generator.latents",
        "architecture.loss.margin",
        "kimg",
        "snapshots.grid",
    ]
    assert f"{toy_spec}:11: architecture.generator.latents: unknown key" in lines[1]


def test_sentences_say_what_is_allowed(read):
    assert "needs tanh | relu, not 'tahn'; did you mean 'tanh'?" in problems(
        read, "architecture.discriminator.activation=tahn"
    )
    assert "needs an integer from 1 to 1,000,000, not 0" in problems(read, "data.batch_size=0")
    assert "a number of at least 0 and below 1], not [0.5]" in problems(read, "optimizers.generator.betas=[0.5]")
    assert "allowed here: name, margin; did you mean 'margin'?" in problems(read, "architecture.loss.margn=1")
    assert "needs a list, each item a node of the regularizers" in problems(read, "architecture.regularizers=toy")


def test_players_need_optimizers(read, toy_spec):
    toy_spec.write_text(toy_spec.read_text().replace("generator: {name: adam", "generatr: {name: adam"))
    sentence = problems(read)
    assert "optimizers.generator: is missing: toy has a player 'generator'" in sentence
    assert "optimizers.generatr: toy has no such player" in sentence


def test_regularizers_get_what_they_require(read):
    sentence = problems(read, "architecture.regularizers=[toy_styled]")
    assert "architecture.regularizers.0: 'toy_styled' requires toy_styles, which toy does not provide" in sentence


def test_a_batch_is_shared_equally(read):
    assert read("trainer.devices=4", "trainer.num_nodes=2").data.batch_size == 8
    assert "data.batch_size: 8 images cannot be shared equally by 3" in problems(read, "trainer.devices=3")
    assert "data.micro_batch: 5 images are more than the 4" in problems(read, "trainer.devices=2", "data.micro_batch=5")


def test_a_preset_stands_for_its_nodes(toy_spec):
    overrides = ["architecture.loss={name: toy_preset, strength: 2}", "architecture.regularizers=[toy_styled]"]
    document = load_spec(toy_spec, overrides)
    with pytest.raises(SpecError, match="toy_styles"):  # both regularizers are there: the preset's in front
        resolve_with_origins(document)
    resolution = resolve_with_origins(load_spec(toy_spec, [overrides[0], "architecture.regularizers=[]"]))
    options = resolution.spec.architecture.options
    assert options["loss"].options["margin"] == 2.0
    assert [(node.name, node.weight) for node in options["regularizers"]] == [("toy", 2.0)]
    assert options["discriminator_steps"] == 1  # the spec's own value wins
    assert str(resolution.origin(("architecture", "loss", "margin"))) == "preset toy_preset (ganlab-toy)"
    assert str(resolution.origin(("architecture", "regularizers", 0, "weight"))) == "preset toy_preset (ganlab-toy)"


def test_the_specs_own_node_of_a_name_wins_over_the_presets(read):
    (node,) = read("architecture.loss=toy_preset").architecture.options["regularizers"]
    assert (node.weight, node.every) == (1.0, 4)


def test_a_preset_takes_schedules(read):
    spec = read(f"architecture.loss={{name: toy_preset, strength: {RAMP}}}", "architecture.regularizers=[]")
    assert spec.architecture.options["regularizers"][0].weight == RAMP_SCHEDULE


def test_origins(toy_spec, tmp_path):
    (tmp_path / "top.yaml").write_text("extends: toy.yaml\narchitecture:\n  loss: {margin: 3}\n")
    resolution = resolve_with_origins(load_spec(tmp_path / "top.yaml", ["seed=5"]))
    origins = {key: str(resolution.origin(tuple(key.split(".")))) for key in ("seed", "kimg", "guard.limit")}
    assert origins == {"seed": "override 'seed=5'", "kimg": f"{toy_spec}:3", "guard.limit": "default"}
    assert str(resolution.origin(("architecture", "loss", "margin"))) == f"{tmp_path}/top.yaml:3"
    assert str(resolution.origin(("architecture", "generator", "width"))) == "default"


def test_a_broken_plugin_is_a_problem_of_the_spec_that_names_it(install, read):
    install("bad-pack", {"losses": {"bad": "bad_pack:Bad"}}, {"bad_pack": "import nothing_like_it"})
    assert "architecture.loss.name: plugin 'bad' (losses, bad-pack 1.0) cannot be imported" in problems(
        read, "architecture.loss=bad"
    )


def test_node_from_python(toy):
    assert node_from("losses", "toy") == Node("losses", "toy", {"margin": 1.0}, "ganlab-toy")
    with pytest.raises(SpecError, match="margn: unknown key"):
        node_from("losses", {"name": "toy", "margn": 2})
    with pytest.raises(SpecError, match="is a preset"):
        node_from("losses", "toy_preset")


SLOTS = """
from collections.abc import Mapping, Sequence
from ganlab.contracts import Discriminator, Generator, Loss
from ganlab.games.two_player import TwoPlayerGAN

class Special(Generator): ...

class Wide(TwoPlayerGAN):
    def __init__(self, generators: Mapping[str, Generator], critics: list[Discriminator] | None = None,
                 pair: tuple[Loss, ...] = (), special: Special | None = None, device: complex = 1j): ...

class Parent(TwoPlayerGAN):
    def __init__(self, *, depth: int = 3): ...
    def sample(self): ...

class Child(Parent):
    def __init__(self, width: int, **options): ...

def anything(resolution: int, **options): ...
"""


@pytest.fixture
def slots(install, toy):
    architectures = {"wide": "slots:Wide", "child": "slots:Child"}
    install("slots", {"architectures": architectures, "datasets": {"any": "slots:anything"}}, {"slots": SLOTS})


def test_nodes_in_mappings_lists_and_tuples(slots):
    node = node_from(
        "architectures",
        {"name": "wide", "generators": {"a": "toy", "b": {"name": "toy"}}, "critics": ["toy"], "pair": ["toy", "toy"]},
    )
    assert [node.options["generators"][key].name for key in "ab"] == ["toy", "toy"]
    assert node.options["critics"][0].kind == "discriminators"
    assert [part.kind for part in node.options["pair"]] == ["losses", "losses"]
    assert node.options["special"] is None
    special = node_from("architectures", {"name": "wide", "generators": {}, "special": "toy"})
    assert special.options["special"].kind == "generators"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "generators: is missing: wide needs a mapping of text to a node of the generators"),
        ({"generators": ["toy"]}, "generators: needs a mapping"),
        ({"generators": {"a": "nope"}}, "generators.a: there is no plugin 'nope'"),
        ({"generators": {}, "critics": {"a": "toy"}}, "critics: needs a list"),
        ({"generators": {}, "pair": [["toy"]]}, "pair.0: needs"),
        ({"generators": {}, "device": "cpu"}, "device: needs complex"),
    ],
)
def test_nodes_in_the_wrong_shape(slots, options, sentence):
    with pytest.raises(SpecError) as caught:
        node_from("architectures", {"name": "wide", **options})
    assert sentence in str(caught.value)


def test_keyword_arguments_passed_on_are_the_parents_options(slots):
    node = node_from("architectures", {"name": "child", "width": 2})
    assert node.options == {"width": 2, "depth": 3}
    with pytest.raises(SpecError, match="allowed here: name, width, depth"):
        node_from("architectures", {"name": "child", "width": 2, "more": 1})


def test_a_factory_with_keyword_arguments_takes_anything(slots):
    node = node_from("datasets", {"name": "any", "resolution": 4, "more": [1, {"a": None}], "flip": True})
    assert node.options == {"resolution": 4, "more": [1, {"a": None}]}
    assert node.flip


MIXTURES = """
import torch
from ganlab.contracts import DataFacts, Dataset

class Doubled:
    def __init__(self, inner: Dataset, further: tuple[Dataset, ...] = ()):
        self.inner, self.facts = inner, inner.facts
    def __len__(self): return len(self.inner)
    def __getitem__(self, index): return self.inner[index]
"""


def test_half_precision_is_refused_with_what_to_take(read):
    said = problems(read, "trainer.precision=16-mixed")
    assert "needs 32-true | bf16-mixed | 64-true, not '16-mixed'; take bf16-mixed: bfloat16 has the range" in said
    assert "did you mean" not in said


@pytest.mark.parametrize("key", ["flip", "workers", "batch_size", "micro_batch", "cache"])
def test_a_data_set_within_another_has_no_keys_of_the_loader(install, read, key):
    install("mixtures", {"datasets": {"doubled": "mixtures:Doubled"}}, {"mixtures": MIXTURES})
    assert read("data={name: doubled, inner: {name: toy, resolution: 4}}").data.options["inner"].name == "toy"
    for inner in (f"inner: {{name: toy, {key}: 2}}", f"inner: toy, further: [{{name: toy, {key}: 2}}]"):
        said = problems(read, f"data={{name: doubled, {inner}}}")
        assert f".{key}: is a key of the spec's own section" in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("toi", r"--inputs: there is no plugin 'toi' among the datasets"),
        ("{name: toy, resolutio: 4}", "--inputs: resolutio: unknown key.*did you mean 'resolution'"),
        ("{name: toy", "--inputs: this is not YAML"),
        ("{name: toy, resolution: many}", "--inputs: resolution: "),
    ],
)
def test_a_node_in_an_option_is_refused_at_the_option(toy_spec, text, sentence):
    with pytest.raises(SpecError, match=sentence):
        node_of_text("datasets", text, "--inputs")


def test_a_node_in_an_option_is_a_name_or_yaml(toy_spec):
    assert node_of_text("losses", "toy", "--loss") == node_from("losses", "toy")
    assert node_of_text("losses", "{name: toy, margin: 2}", "--loss").options == {"margin": 2.0}

"""Building: facts injected, contradictions refused with their place, schedules found, and rehearsal without data."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from torch import nn

from ganlab import build, builder
from ganlab.builder import Builder
from ganlab.errors import SpecError, UserError
from ganlab.facts import DataFacts, InputFacts
from ganlab.schedules import Schedule, Scheduled
from ganlab.spec import node_from
from ganlab.spec.model import Node, OptimizerNode, RegularizerNode
from ganlab.training.optimizers import adam

IMAGES = DataFacts((3, 16, 16), 10, "images", class_names=("a", "b"))
VECTORS = DataFacts((2,), 10, "vectors")


def every_node_is(monkeypatch: pytest.MonkeyPatch, load_factory: Any) -> None:
    """Let nodes stand for what a function makes of them, and for no installed plugin."""
    for module in (build, builder):
        monkeypatch.setattr(module, "load_factory", load_factory)


class Network(nn.Module):
    def __init__(self, resolution: int, channels: int, classes: int, width: int = 4) -> None:
        super().__init__()
        self.asked = (resolution, channels, classes, width)


class Wider(Network):
    def __init__(self, depth: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.depth = depth


class AnyShape(nn.Module):
    def __init__(self, facts: DataFacts, shape: tuple[int, ...], dimensions: int) -> None:
        super().__init__()
        self.asked = (facts, shape, dimensions)


class PairDistance:
    needs = frozenset({"fakes", "targets"})

    def update(self, images: Any, real: bool, targets: Any) -> None: ...
    def compute(self) -> dict[str, float]: ...
    def reset(self) -> None: ...


def test_a_metric_that_the_data_cannot_give_what_it_needs_is_refused_with_its_place(monkeypatch) -> None:
    every_node_is(monkeypatch, lambda node: PairDistance)
    with pytest.raises(SpecError, match=r"evaluation.metrics.0: the metric 'pairs' needs targets: .* no inputs"):
        build.build_metrics([Node("metrics", "pairs")], IMAGES)


class Penalty:
    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, target: Scheduled = 1.0) -> None:
        self.target = target


class Holder:
    def __init__(self, inner: Any, parts: tuple[Any, ...] = ()) -> None:
        self.inner = inner
        self.parts = parts


class Picky:
    def __init__(self, size: int) -> None:
        raise UserError(f"size {size} is too small")


class Translator(nn.Module):
    def __init__(self, photo: InputFacts, inputs: Mapping[str, InputFacts], pose: InputFacts | None = None) -> None:
        super().__init__()
        self.asked = (photo, inputs, pose)


class Cycle:
    domains: ClassVar[dict[str, str]] = {"backward": "photos"}

    def __init__(self, forward: Any, backward: Any, channels: int) -> None:
        self.parts = (forward, backward, channels)


@pytest.fixture(autouse=True)
def _factories(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = {c.__name__: c for c in (Network, Wider, AnyShape, Penalty, Holder, Picky, Translator, Cycle)}
    every_node_is(monkeypatch, lambda node: classes[node.name])


def test_facts_are_injected_where_a_constructor_asks_for_them() -> None:
    network = Builder(IMAGES).construct(Node("generators", "Network", {"width": 8}), "g")
    assert network.asked == (16, 3, 2, 8)
    assert Builder(VECTORS).construct(Node("generators", "AnyShape"), "g").asked == (VECTORS, (2,), 2)


def test_facts_pass_through_a_constructor_that_passes_its_arguments_on() -> None:
    assert Builder(IMAGES).construct(Node("generators", "Wider", {"depth": 2, "width": 8}), "g").asked == (16, 3, 2, 8)


def test_a_spec_may_repeat_a_fact_but_not_contradict_it() -> None:
    assert Builder(IMAGES).construct(Node("generators", "Network", {"channels": 3}), "g").asked[1] == 3
    with pytest.raises(SpecError, match=r"g\.channels: the spec says 1, but the data have 3"):
        Builder(IMAGES).construct(Node("generators", "Network", {"channels": 1}), "g")


@pytest.mark.parametrize("facts", [VECTORS, DataFacts((3, 16, 8), 10, "wide")])
def test_data_that_lack_a_fact_are_refused(facts: DataFacts) -> None:
    with pytest.raises(SpecError, match=r"g: Network needs .* but the data have the shape"):
        Builder(facts).construct(Node("generators", "Network"), "g")


def test_nested_nodes_are_built_first_and_a_refusal_names_its_place() -> None:
    node = Node("losses", "Holder", {"inner": Node("generators", "Network"), "parts": (Node("losses", "Penalty"),)})
    holder = Builder(IMAGES).construct(node, "top")
    assert isinstance(holder.inner, Network)
    assert isinstance(holder.parts[0], Penalty)
    picky = Node("losses", "Holder", {"inner": None, "parts": (Node("losses", "Picky", {"size": 3}),)})
    with pytest.raises(SpecError, match=r"top\.parts\.0: size 3 is too small"):
        Builder(IMAGES).construct(picky, "top")


def test_scheduled_options_start_at_their_first_value_and_are_set_later() -> None:
    fade = Schedule("linear", ((0.0, 1.0), (1000.0, 0.0)))
    builder = Builder(IMAGES)
    node = RegularizerNode("regularizers", "Penalty", {"target": fade}, weight=fade, every=2)  # type: ignore[arg-type]
    term = builder.construct(node, "r")
    assert (term.weight, term.every, term.regularizer.target) == (1.0, 2, 1.0)
    for option in builder.scheduled:
        option.apply(250)
    assert (term.weight, term.regularizer.target) == (0.75, 0.75)
    assert {option.name for option in builder.scheduled} == {"r.weight", "r.target"}


def test_facts_of_inputs_are_injected_by_their_annotation() -> None:
    photo = InputFacts((3, 16, 16), "images")
    facts = DataFacts((3, 16, 16), 10, "pairs", inputs={"photo": photo})
    assert Builder(facts).construct(Node("generators", "Translator"), "g").asked == (photo, {"photo": photo}, None)
    with pytest.raises(SpecError, match=r"g: Translator needs data with an input 'photo'; these have: none"):
        Builder(IMAGES).construct(Node("generators", "Translator"), "g")


def test_networks_in_the_slots_of_another_domain_see_its_facts() -> None:
    photos = DataFacts((1, 8, 8), 5, "photos")
    facts = DataFacts((3, 16, 16), 10, "two", class_names=("a", "b"), further={"photos": photos})
    slow = {"width": 8}
    node = Node(
        "architectures",
        "Cycle",
        {"forward": Node("generators", "Network", slow), "backward": Node("generators", "Network", slow)},
    )
    forward, backward, channels = Builder(facts).construct(node, "architecture").parts
    assert (forward.asked, backward.asked, channels) == ((16, 3, 2, 8), (8, 1, 0, 8), 3)
    with pytest.raises(SpecError, match=r"architecture\.backward: .*'photos'.*no further domains"):
        Builder(IMAGES).construct(node, "architecture")


def test_scheduled_options_in_another_domains_slots_are_found() -> None:
    facts = DataFacts((3, 16, 16), 10, "two", further={"photos": DataFacts((1, 8, 8), 5, "photos")})
    penalty = Node("regularizers", "Penalty", {"target": Schedule("linear", ((0.0, 1.0), (100.0, 3.0)))})
    builder = Builder(facts)
    builder.construct(Node("architectures", "Cycle", {"forward": None, "backward": penalty}), "architecture")
    assert [option.name for option in builder.scheduled] == ["architecture.backward.target"]


def _spec(**changes: Any) -> Any:
    return SimpleNamespace(total_images=1000, **changes)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"lr": -1.0}, "optimizers.generator: adam refuses its options: Invalid learning rate: -1.0"),
        ({"betas": (1.0, 1.0)}, "optimizers.generator: adam refuses its options: Invalid beta"),
        (
            {"lr": Schedule("linear", ((0.0, 1.0), (1000.0, -1.0)))},
            "adam refuses its options as they are after 1000 images: Invalid learning rate: -1.0",
        ),
    ],
)
def test_an_optimizer_that_refuses_its_options_is_told_before_training(monkeypatch, options, sentence) -> None:
    every_node_is(monkeypatch, lambda node: adam)
    with pytest.raises(SpecError, match=sentence):
        build.check_optimizers(_spec(optimizers={"generator": OptimizerNode("optimizers", "adam", options)}))


def test_optimizers_that_take_their_options_pass(monkeypatch) -> None:
    every_node_is(monkeypatch, lambda node: adam)
    fading = {"lr": Schedule("linear", ((0.0, 1.0), (1000.0, 0.0))), "betas": (0.0, 0.99)}
    build.check_optimizers(_spec(optimizers={"generator": OptimizerNode("optimizers", "adam", fading)}))


INSTALLED = builder.load_factory
DIVIDING = """\
from collections.abc import Sequence

from torch import nn


class Dividing(nn.Module):
    def __init__(self, size: int = 8, steps: Sequence[int] = (1,)) -> None:
        super().__init__()
        if steps[0] > 1:
            raise MemoryError("there is no room for so many steps")
        self.layer = nn.Linear(8 // size, steps[0])
"""


@pytest.mark.parametrize(
    ("size", "steps", "reason"),
    [
        (0, [1], "by zero"),
        (-1, [1], "negative dimension"),
        (1, [], "index out of range .*steps: \\[\\]"),
        (1, [9], "room"),
    ],
)
def test_whatever_a_constructor_makes_of_an_option_is_a_sentence(install, monkeypatch, size, steps, reason) -> None:
    every_node_is(monkeypatch, INSTALLED)
    install("ganlab-odd", {"generators": {"odd": "odd_networks:Dividing"}}, {"odd_networks": DIVIDING})
    node = node_from("generators", {"name": "odd", "size": size, "steps": steps})
    with pytest.raises(SpecError, match=f"generator: odd cannot be built: .*{reason}"):
        Builder(IMAGES).construct(node, "generator")

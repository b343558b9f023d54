"""Every loss with every regularizer and every normalizer that is installed: trains, or is refused before training.

Plugins are found from their entry points. The fast test takes enough combinations for every pair of choices to occur;
the slow one takes all of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field
from functools import cache
from typing import Any

import pytest
import torch

from ganlab.build import build_module, rehearse_for
from ganlab.contracts import DataFacts
from ganlab.data.loader import StepLoader
from ganlab.errors import DataMissing, SpecError, UserError
from ganlab.plugin_contracts import load
from ganlab.plugins import find, installed
from ganlab.spec import Document, Origin, Spec
from ganlab.spec.document import located
from ganlab.spec.resolution import resolve
from ganlab.testing import ExampleData
from ganlab.training.module import GANModule

STEPS = 3
IMAGES = DataFacts((3, 8, 8), 24, "matrix", class_names=("a", "b", "c"))
VECTORS = DataFacts((2,), 24, "matrix", value_range=(-1.0, 1.0))
FAMILIES: dict[str, tuple[DataFacts, dict[str, Any], dict[str, Any]]] = {
    "dcgan": (IMAGES, {"name": "dcgan", "width": 4, "latent_size": 8}, {"name": "dcgan", "width": 4}),
    "gan": (VECTORS, {"name": "mlp", "hidden": [8], "latent_size": 4}, {"name": "mlp", "hidden": [8]}),
}
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
NONE = "nothing"

pytestmark = pytest.mark.skipif(
    not set(FAMILIES) <= {plugin.name for plugin in installed("architectures")},
    reason="needs the families of the matrix",
)


@dataclass(frozen=True)
class Case:
    """One cell: the references of its plugins, a family and a precision."""

    loss: str
    regularizer: str
    normalizer: str
    family: str
    precision: str

    def __str__(self) -> str:
        return " / ".join(astuple(self))


def choices() -> list[list[str]]:
    """What each part of a case may be."""
    losses, regularizers, normalizers = (
        [plugin.reference for plugin in installed(kind)] for kind in ("losses", "regularizers", "normalizers")
    )
    at_hand = [name for name in regularizers if _has_its_files(name)]
    return [losses, [NONE, *at_hand], normalizers, list(FAMILIES), list(PRECISIONS)]


@cache
def _has_its_files(regularizer: str) -> bool:
    constructor = load(find("regularizers", regularizer))
    try:
        constructor(**getattr(constructor, "example", {}))
    except DataMissing:
        return False
    except (TypeError, UserError):  # for want of facts, or of an option that only a whole spec gives
        return True
    return True


def every_case() -> Iterator[Case]:
    return itertools.starmap(Case, itertools.product(*choices()))


def pairwise_cases() -> list[Case]:
    """Few cases in which every two choices of different parts meet: greedily, the case with most new pairs next."""
    return _pairwise(tuple(map(tuple, choices())))


@cache
def _pairwise(parts: tuple[tuple[str, ...], ...]) -> list[Case]:
    columns = list(itertools.combinations(range(len(parts)), 2))
    open_pairs = {(a, x, b, y) for a, b in columns for x in parts[a] for y in parts[b]}
    found = []
    while open_pairs:
        a, x, b, y = min(open_pairs)
        chosen: dict[int, str] = {a: x, b: y}
        for column, options in enumerate(parts):
            if column not in chosen:
                chosen[column] = max(options, key=lambda option: len(_pairs({**chosen, column: option}) & open_pairs))  # noqa: B023
        open_pairs -= _pairs(chosen)
        found.append(Case(*(chosen[column] for column in range(len(parts)))))
    return found


def _pairs(chosen: dict[int, str]) -> set[tuple[int, str, int, str]]:
    return {(a, chosen[a], b, chosen[b]) for a, b in itertools.combinations(sorted(chosen), 2)}


@cache
def _node(kind: str, reference: str) -> dict[str, Any]:
    return {"name": reference, **getattr(load(find(kind, reference)), "example", {})}


def spec_of(case: Case) -> Spec:
    """The checked spec of a case. Raises `SpecError` for one that is refused."""
    _, generator, discriminator = FAMILIES[case.family]
    normalizer = _node("normalizers", case.normalizer)
    regularizers = [] if case.regularizer == NONE else [_node("regularizers", case.regularizer)]
    architecture = {
        "name": case.family,
        "generator": {**generator, "normalizer": normalizer},
        "discriminator": {**discriminator, "normalizer": normalizer},
        "loss": _node("losses", case.loss),
        "regularizers": regularizers,
    }
    optimizer = {"name": "adam", "lr": 1e-3, "betas": [0.0, 0.99]}
    tree = {
        "name": "matrix",
        "kimg": 1,
        "data": {"name": "digits", "batch_size": 8},
        "architecture": architecture,
        "optimizers": {"generator": optimizer, "discriminator": optimizer},
    }
    return resolve(Document("matrix", located(tree, Origin("matrix"))))


def train(module: GANModule, precision: torch.dtype) -> None:
    """Three training steps as Lightning's trainer would run them, without its start."""
    module.configure_optimizers()
    loader = iter(StepLoader(ExampleData(module.facts), step_size=module.step_size, seed=0))
    for index in range(STEPS):
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            module.training_step(next(loader), index)
    assert module.clock.updates == {"discriminator": STEPS, "generator": STEPS}


def rehearse(spec: Spec, facts: DataFacts) -> None:
    """What `ganlab check` does with a spec, for data that are at hand. Raises `SpecError`."""
    rehearse_for(spec, facts, 1)


@dataclass
class Outcome:
    """What became of some cases: those that trained, those that were refused, and those that failed after all."""

    trained: list[Case] = field(default_factory=list)
    refused: dict[Case, str] = field(default_factory=dict)
    failed: dict[Case, str] = field(default_factory=dict)

    def check(self) -> None:
        """Nothing failed, and everything that the families have what it takes for was trained in some case."""
        report = "\n".join(f"{case}: {problem}" for case, problem in self.failed.items())
        assert not self.failed, f"{len(self.failed)} combinations were accepted and failed:\n{report[:8000]}"
        for index, options in enumerate(choices()):
            trained = {astuple(case)[index] for case in self.trained}
            lost = set(options) - trained
            assert lost <= self._undeclared(index), f"never trained: {lost}"

    def _undeclared(self, index: int) -> set[str]:
        """Choices that every refusal says to be about something that neither family offers."""
        refusals: dict[str, list[str]] = {}
        for case, sentence in self.refused.items():
            refusals.setdefault(astuple(case)[index], []).append(sentence)
        return {option for option, said in refusals.items() if all("does not provide" in each for each in said)}


def outcome(cases: Iterable[Case], rehearse_every: int = 1) -> Outcome:
    """Try the cases. What fails in training must have been refused before; of what trains, a share is rehearsed too."""
    result = Outcome()
    for number, case in enumerate(cases):
        facts = FAMILIES[case.family][0]
        try:
            spec = spec_of(case)
            if number % rehearse_every == 0:
                rehearse(spec, facts)
        except SpecError as error:
            result.refused[case] = str(error)
            continue
        try:
            train(build_module(spec, facts), PRECISIONS[case.precision])
            result.trained.append(case)
        except Exception as error:  # noqa: BLE001  # whatever it is, it should have been refused
            _refused_or_failed(result, case, spec, error)
    return result


def _refused_or_failed(result: Outcome, case: Case, spec: Spec, error: Exception) -> None:
    try:
        rehearse(spec, FAMILIES[case.family][0])
        result.failed[case] = f"{type(error).__name__}: {error}"
    except SpecError as refusal:
        result.refused[case] = str(refusal)


def test_every_pair_of_choices_trains_or_is_refused() -> None:
    outcome(pairwise_cases(), rehearse_every=5).check()


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("family", "precision"), list(itertools.product(FAMILIES, PRECISIONS)))
def test_every_combination_trains_or_is_refused(family: str, precision: str) -> None:
    result = outcome(case for case in every_case() if (case.family, case.precision) == (family, precision))
    assert not result.failed, "\n".join(f"{case}: {problem}" for case, problem in result.failed.items())[:8000]
    assert result.trained


def test_pairs_are_complete_and_few() -> None:
    cases = pairwise_cases()
    met = set().union(*(_pairs(dict(enumerate(astuple(case)))) for case in cases))
    parts = choices()
    wanted = {(a, x, b, y) for a, b in itertools.combinations(range(len(parts)), 2) for x in parts[a] for y in parts[b]}
    assert met == wanted
    largest = sorted(map(len, parts))[-2:]
    assert len(cases) <= 2 * largest[0] * largest[1]


OUTSIDE = """
from torch.nn.functional import softplus

class Outside:
    def discriminator(self, real_logits, fake_logits):
        return softplus(-real_logits).mean() + softplus(fake_logits).mean()

    def generator(self, real_logits, fake_logits):
        return {generator}
"""


@pytest.mark.parametrize(
    ("generator", "fails"), [("softplus(-fake_logits).mean()", False), ("real_logits.mean()", True)]
)
def test_a_plugin_from_outside_is_picked_up(install, generator: str, fails: bool) -> None:
    entries = {"losses": {"outside": "outside_objectives:Outside"}}
    install("outside-objectives", entries, {"outside_objectives": OUTSIDE.format(generator=generator)})
    cases = [case for case in pairwise_cases() if case.loss == "outside-objectives/outside"]
    assert {case.normalizer for case in cases} == set(choices()[2])
    result = outcome(cases[:6])
    assert not result.failed
    assert bool(result.trained) is not fails  # check finds it, by trying a round without memory
    assert len(result.trained) + len(result.refused) + len(result.failed) == 6

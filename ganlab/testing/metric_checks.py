"""What metrics must do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from unittest import SkipTest

import torch
from torch import Tensor, nn

from ganlab.contracts import DataFacts
from ganlab.data.scaling import scale_input
from ganlab.errors import DataMissing, UserError
from ganlab.evaluation.feature_set import Features
from ganlab.evaluation.needs import OF_FAKES, OF_FEATURES, contradictions, needs_of, takes
from ganlab.evaluation.quantise import frames_of, labels_of_frames
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.plugin_contracts import load
from ganlab.plugins import find
from ganlab.randomness import Randomness
from ganlab.testing.examples import (
    EXAMPLE_FACTS,
    ExampleData,
    accepted_facts,
    build_example,
    example_module,
    example_settings,
)
from ganlab.testing.extractor_checks import learn_from
from ganlab.training.module import GANModule

_COUNT = 64
_PARTS = 9  # examples at a time, which does not divide the count


def check_metric(name: str) -> None:
    """Its numbers are finite, and follow from the reals and the fakes since the last `reset`, however they are cut.

    It is shown what its `needs` name and nothing else. One for data of its own, such as sequences, has `example_facts`.
    """
    try:
        build_example("metrics", name, EXAMPLE_FACTS["images with classes"])
    except DataMissing as error:
        raise SkipTest(f"needs files: {error}") from error
    except UserError:
        pass  # it may take other data
    for facts in _accepted(name):
        metric = _metric(name, facts)
        for contradiction in contradictions(metric):
            raise AssertionError(f"the metric {contradiction}")
        show = _Show(metric, facts)
        first = _numbers(metric, show, "fakes")
        _check_numbers(first)
        _check_direction(metric, first)
        other = _numbers(metric, show, "other fakes")
        again = _numbers(metric, show, "fakes")
        assert _same(first, again, 0), (
            "reset() does not forget the fakes, or forgets the reals: the same fakes give "
            f"{first}, and {again} after others ({other}) and reset()"
        )
        parts = _metric(name, facts)
        cut = _numbers(parts, _Show(parts, facts, _PARTS), "fakes")
        assert _same(first, cut, 1e-4), (
            f"the numbers depend on how many examples update() gets at a time: {first} of {_COUNT}, {cut} of {_PARTS}"
        )


def _metric(name: str, facts: DataFacts) -> Any:
    plugin = load(find("metrics", name))
    extras, inputs = (getattr(plugin, f"example_{what}", {}) for what in ("extras", "inputs"))
    return build_example("metrics", name, replace(facts, size=_COUNT, extras=extras, inputs=inputs or facts.inputs))


def _accepted(name: str) -> Iterator[DataFacts]:
    own: DataFacts | None = getattr(load(find("metrics", name)), "example_facts", None)
    if own is not None:
        yield own
        return
    yield from (facts for _, facts in accepted_facts(lambda facts: _metric(name, facts)))


class _Show:
    """Shows a metric what it needs: the reals at once, what belongs to fakes when it is called."""

    def __init__(self, metric: Any, facts: DataFacts, size: int = _COUNT) -> None:
        self.metric = metric
        self.facts = facts
        own = getattr(metric, "example_inputs", facts.inputs)
        self.inputs_facts = replace(facts, size=_COUNT, class_names=(), inputs=own)
        self.size = size
        self.needs = needs_of(metric)
        if hasattr(metric, "extractor"):
            learn_from(metric.extractor, [_shown(facts, "reals")])
        if "reals" in self.needs and hasattr(metric, "update"):
            self._update("reals", real=True)

    def __call__(self, purpose: str) -> None:
        """Show the fakes of a purpose, and the generator."""
        if "fakes" in self.needs:
            self._update(purpose, real=False)
        if "generator" in self.needs:
            module = _game(self.metric, self.facts).eval()
            with torch.no_grad():
                self._try(partial(self.metric.measure, module, Randomness(purpose, count=_COUNT)), "measure")

    def _update(self, purpose: str, *, real: bool) -> None:
        images, belonging = _examples(self.facts, purpose), _examples(self.facts, f"targets of {purpose}")
        labels = torch.arange(_COUNT) % self.facts.classes if self.facts.classes else None
        values = ExampleData(self.inputs_facts).inputs
        inputs = {name: scale_input(value, self.inputs_facts.inputs[name]) for name, value in values.items()}
        for rows in torch.arange(_COUNT).split(self.size):
            given: dict[str, Any] = {
                "labels": None if labels is None else labels[rows],
                "targets": None if real else frames_of(belonging[rows], self.facts),
                "inputs": {"images": belonging[rows], **{name: value[rows] for name, value in inputs.items()}},
            }
            options = {argument: value for argument, value in given.items() if takes(self.metric, argument)}
            shown = frames_of(images[rows], self.facts)
            before = shown.clone()
            self._try(partial(self.metric.update, shown, real, **options), "update")
            assert torch.equal(shown, before), "update() changes the images, which other metrics see too"

    def compared(self, purpose: str) -> dict[str, Any]:
        """The numbers of a metric of features."""
        reals = self._features("reals") if "reals" in self.needs else None
        further = {w: self._features(w) for w in OF_FEATURES if takes(self.metric, w, "compare")}
        fakes = self._features(purpose)
        return dict(self._try(partial(self.metric.compare, reals, fakes, **further), "compare"))

    def _features(self, purpose: str) -> Features:
        images, labels = _shown(self.facts, purpose)
        with torch.no_grad():
            parts = [images[places] for places in torch.arange(len(images)).split(self.size)]
            rows = torch.cat([self.metric.extractor(part) for part in parts])
        return Features(rows.float(), labels)

    def _try(self, call: Callable[[], Any], method: str) -> Any:
        try:
            return call()
        except Exception as error:
            shown = ", ".join(sorted(self.needs))
            arguments = ", ".join(word for word in ("labels", *OF_FAKES) if takes(self.metric, word))
            raise AssertionError(
                f"{method}() fails with {type(error).__name__}: {error}. It was shown what it asks for: {shown}"
                f"{f', with {arguments}' if arguments else ''} (labels are None for data without classes, and targets "
                "for reals); whatever else it reads belongs into 'needs' or the arguments of update()"
            ) from error

    def compute(self) -> dict[str, Any]:
        """The numbers that it names."""
        return dict(self._try(self.metric.compute, "compute"))


def _numbers(metric: Any, show: _Show, purpose: str) -> dict[str, Any]:
    if hasattr(metric, "compare"):
        return show.compared(purpose)
    metric.reset()
    show(purpose)
    return show.compute()


def _shown(facts: DataFacts, purpose: str) -> tuple[Tensor, Tensor | None]:
    labels = torch.arange(_COUNT) % facts.classes if facts.classes else None
    return frames_of(_examples(facts, purpose), facts), labels_of_frames(labels, facts)


def _examples(facts: DataFacts, purpose: str) -> Tensor:
    numbers = Randomness("metric", purpose, count=_COUNT).uniform("images", *facts.shape)
    return (numbers * 255).to(torch.uint8) if facts.is_images else numbers


def _check_numbers(numbers: Mapping[str, Any]) -> None:
    assert numbers, "compute() names no number"
    for name, value in numbers.items():
        assert isinstance(value, float) or (isinstance(value, Tensor) and value.dim() == 0), (
            f"'{name}' is a {type(value).__name__}, not a float"
        )
        assert math.isfinite(value), f"'{name}' is {float(value)}"


def _check_direction(metric: Any, numbers: Mapping[str, Any]) -> None:
    """`higher_is_better` is a truth value for all numbers, or names some of those that are returned."""
    said = getattr(metric, "higher_is_better", None)
    if said is None or isinstance(said, bool):
        return
    assert isinstance(said, Mapping), f"higher_is_better is {said!r}, neither a truth value nor a mapping of them"
    for name, value in said.items():
        assert name in numbers, f"higher_is_better tells of '{name}', and the numbers are {', '.join(numbers)}"
        assert isinstance(value, bool), f"higher_is_better says {value!r} of '{name}', which is no truth value"


def _same(first: Mapping[str, Any], second: Mapping[str, Any], tolerance: float) -> bool:
    return first.keys() == second.keys() and all(
        math.isclose(value, second[name], rel_tol=tolerance, abs_tol=tolerance) for name, value in first.items()
    )


class _Painter(nn.Module):
    latent_size = 4

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.layer = nn.Linear(self.latent_size, math.prod(shape))

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        painted: Tensor = self.layer(latents).tanh().view(-1, *self.shape)
        return painted


class _Critic(nn.Module):
    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layer = nn.Linear(math.prod(shape), 1)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        logits: Tensor = self.layer(images.flatten(1)).flatten()
        return logits


class _Means:
    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return (fake_logits - real_logits).mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits.mean()


def _game(metric: Any, facts: DataFacts) -> GANModule:
    """A small game for metrics that look at the generator itself: the plain one, or that of `example_architecture`."""
    if hasattr(metric, "example_architecture"):
        return example_module(metric.example_architecture, facts)
    torch.manual_seed(0)
    module = TwoPlayerGAN(_Painter(facts.shape), _Critic(facts.shape), _Means())
    module.prepare(example_settings(module, facts))
    return module

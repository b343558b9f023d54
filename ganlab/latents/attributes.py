"""Attributes as directions in w, learned from samples that a classifier of reals has labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from ganlab.contracts import Dataset
from ganlab.errors import UserError
from ganlab.evaluation.quantise import for_metrics
from ganlab.evaluation.reals import real_blocks
from ganlab.evaluation.sampling import BLOCK
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.latents.directions import Directions, style_blocks
from ganlab.latents.plots import save_curves
from ganlab.latents.progress import watched
from ganlab.latents.space import Points, Space, with_styles
from ganlab.suggestions import did_you_mean

_LEAST = 10  # samples with an attribute, and without it, of which a direction is learned
_DECAY = 1e-2  # of the weights, of standardised styles
_STEPS = 200


@runtime_checkable
class Labeller(Protocol):
    """A metric that can label images: it learns from reals as metrics do, and tells probabilities."""

    def update(self, images: Tensor, real: bool, labels: Tensor | None = None) -> None: ...  # noqa: D102
    def probabilities(self, images: Tensor) -> Tensor: ...  # noqa: D102


@dataclass(frozen=True)
class Attributes:
    """Directions of attributes, one for each; `labeller` is what they were learned from, `names` all that it knows."""

    directions: Directions
    labeller: Labeller
    names: Sequence[str]

    def scores(
        self,
        generator: TrainedGenerator,
        number: int,
        strengths: Sequence[float],
        *,
        samples: int = 256,
        seed: int = 1,
        options: Mapping[str, Any] | None = None,
    ) -> Tensor:
        """Mean probabilities (strengths, attributes) of samples that are moved along a direction by so much.

        Samples of seed 0 are what directions are learned from.
        """
        space = Space(generator, "w", options)
        styles = torch.cat([part for _, part in style_blocks(generator, samples, seed)])
        means = []
        for strength in strengths:
            images = space.images(Points(self.directions.moved(styles, number, strength)))
            means.append(self.labeller.probabilities(for_metrics(images, generator.facts)).mean(0))
        return torch.stack(means)

    def report(
        self,
        generator: TrainedGenerator,
        number: int,
        strengths: Sequence[float],
        path: Path,
        *,
        options: Mapping[str, Any] | None = None,
    ) -> str:
        """Write curves of the probabilities of all attributes along a direction as PNG; returns a line about them."""
        scores = self.scores(generator, number, strengths, options=options)
        name = self.directions.names[number]
        curves = {other: scores[:, place].tolist() for place, other in enumerate(self.names)}
        save_curves(
            curves, path, strengths, ("standard deviations along the direction", "mean probability"), shown=name
        )
        own, others = curves.pop(name), list(curves.values())
        most = max((max(values) - min(values) for values in others), default=0.0)
        return f"{name}: probability {own[0]:.3f} to {own[-1]:.3f}; any other changes by {most:.3f} at most"


def attribute_directions(
    generator: TrainedGenerator,
    labeller: Labeller,
    dataset: Dataset,
    names: Sequence[str] = (),
    layers: Sequence[int] | None = None,
    *,
    samples: int = 5000,
    reals: int = 5000,
    keep_others: bool = False,
    seed: int = 0,
    show_progress: bool = False,
) -> Attributes:
    """Directions along which samples get an attribute (a class of the data set), from logistic regressions on styles.

    The labeller learns so many `reals` of the data set and labels samples of a seed; a direction is the gradient of an
    attribute's logit in w (Shen et al., 2020, with a regression in the place of a support vector machine). With
    `keep_others` it is made orthogonal to the directions of all other attributes (there, section 3.3). Raises
    `UserError` for attributes that there are not, or that too few samples have or lack.
    """
    styled = with_styles(generator, "a direction of an attribute")
    all_names = dataset.facts.class_names
    wanted = [_number(name, all_names) for name in names] or list(range(len(all_names)))
    for images, labels in real_blocks(dataset, reals, seed, BLOCK):
        labeller.update(images, real=True, labels=labels)
    vectors, probabilities = _labelled(generator, labeller, samples, seed, show_progress)
    shows = torch.stack([probabilities.argmax(1) == number for number in range(len(all_names))])
    for number in wanted:
        _check_shown(all_names[number], int(shows[number].sum()), samples)
    learnable = [n for n in range(len(all_names)) if _LEAST <= int(shows[n].sum()) <= samples - _LEAST]
    needed = learnable if keep_others else wanted
    found = {number: logit_direction(vectors, shows[number]) for number in needed}
    chosen = [_apart(found, number) if keep_others else found[number] for number in wanted]
    directions = torch.stack(chosen).to(torch.get_default_dtype())
    moved = list(range(styled.style_layers())) if layers is None else list(layers)
    deviations = (vectors.to(directions) @ directions.T).std(0)
    named = [all_names[number] for number in wanted]
    return Attributes(Directions(directions, deviations, named, moved), labeller, all_names)


def logit_direction(vectors: Tensor, shows: Tensor) -> Tensor:
    """The unit vector (size,), in float64, along which the log odds of `shows` (N,) grow fastest in `vectors`.

    A logistic regression on standardised vectors, with a slight penalty on its weights; both outcomes count as much.
    """
    numbers = vectors.double()
    mean, deviation = numbers.mean(0), numbers.std(0).clamp_min(1e-12)
    inputs, wanted = (numbers - mean) / deviation, shows.double()
    balance = ((1 - wanted.mean()) / wanted.mean()).clamp(1e-6, 1e6)
    weights = torch.zeros(inputs.shape[1] + 1, dtype=torch.float64, device=inputs.device, requires_grad=True)
    solver = torch.optim.LBFGS([weights], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        solver.zero_grad()
        logits = inputs @ weights[:-1] + weights[-1]
        error = binary_cross_entropy_with_logits(logits, wanted, pos_weight=balance)
        total = error + _DECAY / 2 * weights[:-1].square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    with torch.enable_grad():
        solver.step(loss)  # type: ignore[no-untyped-call]
    return normalize(weights.detach()[:-1] / deviation, dim=0)


def _labelled(
    generator: TrainedGenerator, labeller: Labeller, samples: int, seed: int, show_progress: bool
) -> tuple[Tensor, Tensor]:
    """Vectors (N, size) of samples, and what the labeller says of their images."""
    space, vectors, probabilities = Space(generator, "w"), [], []
    drawn = torch.cat([styles for _, styles in style_blocks(generator, samples, seed)])
    parts = drawn.split(BLOCK)
    for styles in watched(parts, "labelling samples", show_progress):
        images = space.images(Points(styles))
        vectors.append(styles[:, 0])
        probabilities.append(labeller.probabilities(for_metrics(images, generator.facts)))
    return torch.cat(vectors), torch.cat(probabilities).to(vectors[0].device)


def _apart(found: Mapping[int, Tensor], number: int) -> Tensor:
    """A direction without its part in the span of the others."""
    others = torch.stack([vector for other, vector in found.items() if other != number], dim=1)
    basis = torch.linalg.qr(others).Q
    return normalize(found[number] - basis @ (basis.T @ found[number]), dim=0)


def _number(name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise UserError(f"there is no attribute '{name}'; the classes: {', '.join(names)}{did_you_mean(name, names)}")
    return list(names).index(name)


def _check_shown(name: str, shown: int, samples: int) -> None:
    if not _LEAST <= shown <= samples - _LEAST:
        raise UserError(
            f"of {samples} samples, {shown} show '{name}' by the labeller: a direction needs {_LEAST} with the "
            f"attribute and {_LEAST} without it; give more --samples, or another attribute"
        )

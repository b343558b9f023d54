"""Projection: the point of a generator's space whose image is nearest to a given one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ganlab.evaluation.sampling import at_rest
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.latents.directions import style_blocks
from ganlab.latents.distances import Distance, distance_to
from ganlab.latents.files import save_points
from ganlab.latents.noise_maps import noise_penalty, normalise
from ganlab.latents.plots import save_curves
from ganlab.latents.progress import watched
from ganlab.latents.space import Points, Space, with_styles
from ganlab.latents.strip import Strip
from ganlab.randomness import Randomness, given_layer_draws, noted_layer_draws

ProjectionSpace = Literal["w", "w+", "z"]
_MEASURED = 10000  # styles whose mean is the start in w, and whose deviation is the scale of steps
_TRIED = 256  # latents of which the nearest is the start in z
_RAMP_UP, _RAMP_DOWN = 0.05, 0.25  # shares of the steps in which the learning rate rises and falls
_NOISY, _NOISE = 0.75, 0.05  # share of the steps in which points are disturbed, and by how much of their deviation


@dataclass(frozen=True)
class Projection:
    """What was found: points (1, ...), the noise of layers (1, 1, H, W) that belongs to them, and images (1, C, H, W).

    `distances` (steps,) are those to the target while searching, of disturbed points; `distance` is that of the result.
    """

    space: ProjectionSpace
    points: Points
    noise: Sequence[Tensor]
    start: Tensor
    image: Tensor
    distances: Tensor
    distance: float

    @property
    def first(self) -> float:
        """The distance at the first step."""
        return float(self.distances[0])

    def save(self, path: Path) -> None:
        """Write a `.npz` with points, noise (`noise0` ...) and distances; other tools take it for latents."""
        noise = {f"noise{number}": part for number, part in enumerate(self.noise)}
        more = {**noise, "distances": self.distances}
        save_points(path, "z" if self.space == "z" else "w", self.points.values, self.points.labels, **more)


def project(
    generator: TrainedGenerator,
    target: Tensor,
    space: ProjectionSpace | None = None,
    *,
    steps: int = 1000,
    distance: str | Distance = "pixels",
    learning_rate: float = 0.1,
    optimise_noise: bool = True,
    noise_weight: float = 1e5,
    label: str | int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    show_progress: bool = False,
) -> Projection:
    """Find the point nearest to a target (1, C, H, W) in [-1, 1] (Karras et al., 2020, appendix D).

    In `w` all layers have one style, in `w+` each its own; both start at the mean of styles, of a class if it is given.
    `z` starts at the nearest of some samples, for generators without styles. Adam minimises the `distance`, a name as
    in `distance_to` or a function. Noise of layers is optimised along, with a penalty of `noise_weight` on its
    correlation with itself. Raises `UserError` if the generator has no such space.
    """
    chosen: ProjectionSpace = space or ("w" if Space(generator).name == "w" else "z")
    if chosen != "z":
        with_styles(generator, f"projection into {chosen}")
    room = Space(generator, "z" if chosen == "z" else "w", options, seed)
    measure = distance if callable(distance) else distance_to(target, distance, generator, label)
    random = Randomness(seed, "projection", count=1, device=generator.device)
    search = _Search(chosen, room, measure, random, steps, learning_rate, optimise_noise, noise_weight)
    start, deviation = search.nearest_sample(label) if chosen == "z" else search.mean_style(label)
    return search.run(start, deviation, show_progress)


def save_projections(found: Sequence[Projection], target: Tensor, folder: Path, distance: str) -> None:
    """Write the points, `projection.png` (target, start, results) and `distance.png`, the curves."""
    columns = [target, found[0].start, *(projection.image for projection in found)]
    titles = ["target", "start", *(f"{projection.space}: {projection.distance:.3g}" for projection in found)]
    Strip(torch.stack(columns, dim=1), [], titles).save(folder / "projection.png")
    curves: dict[str, list[float]] = {projection.space: projection.distances.tolist() for projection in found}
    steps = range(max(map(len, curves.values())))
    save_curves(curves, folder / "distance.png", steps, ("step", f"distance ({distance})"), logarithmic=True)
    for projection in found:
        projection.save(folder / f"{projection.space}.npz")


@dataclass(frozen=True)
class _Search:
    """One projection: into what, what is minimised, and how."""

    name: ProjectionSpace
    space: Space
    measure: Distance
    random: Randomness
    steps: int
    learning_rate: float
    optimise_noise: bool
    noise_weight: float

    def mean_style(self, label: str | int | None) -> tuple[Points, float]:
        """The mean style, and the root mean square distance of styles from it."""
        blocks = style_blocks(self.space.generator, _MEASURED, self.random.seed("w"), label)
        vectors = torch.cat([found for found, _ in blocks])
        mean = vectors.mean(0)
        deviation = (vectors - mean).square().sum(1).mean().sqrt()
        return Points(mean.expand(1, 1 if self.name == "w" else self._layers(), -1)), float(deviation)

    def nearest_sample(self, label: str | int | None) -> tuple[Points, float]:
        """The latents nearest to the target of some samples, and their root mean square length."""
        points = self.space.of(self.space.generator.draw(_TRIED, self.random.seed("z"), label=label))
        best = int(self.measure(self.space.images(points)).argmin())
        rows = slice(best, best + 1)
        labels = None if points.labels is None else points.labels[rows]
        deviation = points.values.flatten(1).square().sum(1).mean().sqrt()
        return Points(points.values[rows], labels), float(deviation)

    def run(self, start: Points, deviation: float, show_progress: bool) -> Projection:
        """Minimise from a start."""
        module = self.space.module
        with at_rest(module, self.random.seed("network")), _frozen(module):
            with noted_layer_draws(self.space.noise) as noise:
                before = self._image(start.values, start.labels)
            maps = [part.clone().requires_grad_(self.optimise_noise and part.dim() == 4) for part in noise]
            values = start.values.clone().requires_grad_()
            solver = torch.optim.Adam([values, *(part for part in maps if part.requires_grad)])
            distances = []
            for step in watched(range(self.steps), f"projecting into {self.name}", show_progress):
                solver.param_groups[0]["lr"] = self.learning_rate * rate_at(step / self.steps)
                disturbance = self._disturbance(step, deviation, values)
                distances.append(self._step(solver, Points(values, start.labels), disturbance, maps))
            with given_layer_draws(maps):
                image = self._image(values, start.labels)
            final = float(self.measure(image))
        found = Points(self._expanded(values).detach().clone(), start.labels)
        kept = [part.detach() for part in maps]
        return Projection(self.name, found, kept, before, image, torch.stack(distances).cpu(), final)

    @torch.enable_grad()
    def _step(
        self, solver: torch.optim.Optimizer, points: Points, disturbance: Tensor, maps: Sequence[Tensor]
    ) -> Tensor:
        with given_layer_draws(maps):
            away = self.measure(self._image(points.values + disturbance, points.labels)).sum()
        penalty = noise_penalty([part for part in maps if part.requires_grad])
        solver.zero_grad()
        (away + self.noise_weight * penalty).backward()
        solver.step()
        normalise([part for part in maps if part.requires_grad])
        return away.detach()

    def _disturbance(self, step: int, deviation: float, values: Tensor) -> Tensor:
        strength = deviation * _NOISE * max(0.0, 1 - step / self.steps / _NOISY) ** 2
        return strength * self.random.scoped(step).normal("values", *values.shape[1:])

    def _image(self, values: Tensor, labels: Tensor | None) -> Tensor:
        return self.space.render(self._expanded(values), labels)

    def _expanded(self, values: Tensor) -> Tensor:
        """Points of the space, of which w has one style for all layers."""
        return values.expand(-1, self._layers(), -1) if self.name == "w" else values

    def _layers(self) -> int:
        """Those of styles, with the layers that a growing generator does not use yet."""
        return self.space.of(self.space.generator.draw(1)).values.shape[1]


def rate_at(share: float) -> float:
    """The learning rate's factor after a share of the steps: a linear rise, a rest, and a fall as a cosine."""
    fall = min(1.0, (1 - share) / _RAMP_DOWN)
    return min(1.0, share / _RAMP_UP) * (0.5 - 0.5 * math.cos(math.pi * fall))


@contextmanager
def _frozen(module: torch.nn.Module) -> Iterator[None]:
    """No parameter gets a gradient inside."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)

"""The spaces of a generator in which images are points: z, its latents, and w, its styles."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganlab.contracts import WithEncoder, WithStyles
from ganlab.errors import PluginError, UserError
from ganlab.evaluation.sampling import BLOCK, at_rest, get_ready
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.latents.files import load_points
from ganlab.latents.references import Given, Reference, read_references
from ganlab.latents.target import read_target
from ganlab.plugin_contracts import load
from ganlab.plugins import installed
from ganlab.randomness import derive_seed, of_samples, shared_layer_draws
from ganlab.spec.sampling import check_sampling
from ganlab.views import Latents

SpaceName = Literal["z", "w"]


@dataclass(frozen=True)
class Points:
    """Points of a space: `values` are latents (N, ...) of z or styles (N, layers, size) of w.

    `labels` belong to points of z: class numbers (N,) or shares of the classes (N, classes); None without classes and
    in w, whose styles know them.
    """

    values: Tensor
    labels: Tensor | None = None
    names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.values)


class Space:
    """A space of a generator; its images differ by their points alone, and have the noise of one sample.

    Args:
        generator: the generator; of images.
        name: `z`, or `w` for one with styles, which is the default for these.
        options: sampling options; those about styles, such as truncation, act on points as they are taken.
        noise_seed: seed of the sample whose noise all images have.
    """

    def __init__(
        self,
        generator: TrainedGenerator,
        name: SpaceName | None = None,
        options: Mapping[str, Any] | None = None,
        noise_seed: int = 0,
    ) -> None:
        check_images(generator)
        self.generator = generator
        self.module = generator.module
        self.name: SpaceName = name or ("w" if isinstance(self.module, WithStyles) else "z")
        self.options = check_sampling(type(self.module), options or {})
        self.noise = of_samples(noise_seed, 1, generator.device).scoped("layers")
        self.noise_seed = noise_seed
        if self.name == "w":
            self.styled = with_styles(generator, "the space w")

    def at(self, given: Given, label: str | None = None) -> Points:
        """The points of references, see `read_references`."""
        references = read_references(given, self.generator.facts, label)
        found = [self._at(reference) for reference in references]
        names = [name for points in found for name in points.names]
        labels = [points.labels for points in found if points.labels is not None]
        return Points(torch.cat([points.values for points in found]), torch.cat(labels) if labels else None, names)

    def of(self, latents: Latents) -> Points:
        """The points of latents."""
        if self.name == "z":
            return Points(latents.values, latents.labels)
        mapping = _those_of(self.styled.map, self.options)
        with self._at_rest():
            return Points(self.styled.map(latents, averaged=True, **mapping))

    def images(self, points: Points) -> Tensor:
        """Images (N, C, H, W) of points."""
        made = []
        for start in range(0, len(points), BLOCK):
            rows = slice(start, start + BLOCK)
            labels = None if points.labels is None else points.labels[rows]
            with self._at_rest(), shared_layer_draws(self.noise):
                made.append(self.render(points.values[rows], labels))
        return torch.cat(made)

    def render(self, values: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of values, which gradients can pass, with noise from wherever layers draw it now."""
        if self.name == "w":
            synthesis = _those_of(self.styled.synthesise, self.options)
            return self.styled.synthesise(values, averaged=True, **synthesis)
        return self.module.render(self._latents(values, labels), averaged=True, **self.options)

    def shares(self, labels: Tensor) -> Tensor:
        """Labels as shares of the classes (N, classes). Raises `UserError` if the generator takes numbers only."""
        if not self.module.blends_labels:
            raise UserError(
                f"{type(self.module).__name__} makes images of one class or another and of none between: give all "
                "points the same class"
            )
        values = one_hot(labels, self.generator.facts.classes) if labels.dim() == 1 else labels
        return values.to(torch.get_default_dtype())

    def _at(self, reference: Reference) -> Points:
        if reference.picture is not None:
            return self._of_picture(reference.picture, reference.label)
        if reference.file is None:
            assert reference.seed is not None
            points = self.of(self.generator.draw(1, reference.seed, label=reference.label))
            return replace(points, names=[reference.text])
        saved = load_points(reference.file, self.generator.device)
        if self.name == "w" and "styles" in saved:
            self._check(reference, saved["styles"], self._example().shape)
            return Points(saved["styles"], None, _numbered(reference, len(saved["styles"])))
        if "latents" not in saved:
            raise UserError(f"{reference.file} holds styles, points of w: they have no place in z; give --space w")
        points = self._saved_latents(reference, saved)
        return replace(points, names=_numbered(reference, len(points)))

    def _of_picture(self, path: Path, label: int | None) -> Points:
        """Where the encoder sees a picture."""
        if not isinstance(self.module, WithEncoder):
            raise UserError(
                f"{path}: {type(self.module).__name__} has no encoder that finds the latents of a picture; search for "
                "them with 'ganlab project', whose .npz can stand here"
            )
        drawn = self.generator.draw(1, label=label)
        image = read_target(path, self.generator.facts).to(self.generator.device)
        with self._at_rest():
            values = self.module.encode(image, drawn.labels)
        return replace(self.of(replace(drawn, values=values)), names=[path.stem])

    def _saved_latents(self, reference: Reference, saved: Mapping[str, Tensor]) -> Points:
        drawn = self.generator.draw(1)
        self._check(reference, saved["latents"], drawn.values.shape)
        if (drawn.labels is not None) != ("labels" in saved):
            raise UserError(f"{reference.file} and the generator do not agree on whether there are labels")
        return self.of(self._latents(saved["latents"], saved.get("labels")))

    def _check(self, reference: Reference, values: Tensor, wanted: torch.Size) -> None:
        if values.shape[1:] != wanted[1:]:
            raise UserError(
                f"{reference.file} holds points of the shape {tuple(values.shape[1:])}, those of this generator are "
                f"{tuple(wanted[1:])}: it belongs to another run"
            )

    def _example(self) -> Tensor:
        return self.of(self.generator.draw(1)).values

    def _latents(self, values: Tensor, labels: Tensor | None) -> Latents:
        """Latents with whatever else a family's have, as the sample of the noise's seed has it."""
        drawn = self.generator.draw(1, self.noise_seed)
        rest = {part.name: getattr(drawn, part.name) for part in fields(drawn) if part.name not in ("values", "labels")}
        alike = {name: _repeated(value, len(values)) for name, value in rest.items()}
        return replace(drawn, values=values, labels=labels, **{**alike, "random": None})

    @contextmanager
    def _at_rest(self) -> Iterator[None]:
        get_ready(self.module, True, self.options)
        with at_rest(self.module, derive_seed(self.noise_seed, "space")):
            yield


def check_images(generator: TrainedGenerator) -> None:
    """Raise `UserError` unless images are all that the generator makes, and random numbers what it makes them of."""
    facts = generator.facts
    if not facts.is_images or facts.frames:
        made = "sequences" if facts.frames else "vectors"
        raise UserError(f"{generator.name} makes {made}, and the tools for latents are for images")
    if facts.inputs or generator.module.sampled_from:
        raise UserError(
            f"{generator.name} makes images from inputs, and the tools for latents are for those from noise"
        )


def with_styles(generator: TrainedGenerator, what: str) -> WithStyles:
    """The architecture as one with styles. Raises `UserError` with `what` needs them if it has none."""
    module = generator.module
    if not isinstance(module, WithStyles):
        raise UserError(
            f"{what} needs styles, and {type(module).__name__} has none; architectures with styles: "
            f"{', '.join(_architectures_with_styles()) or 'none is installed'}"
        )
    return module


def _architectures_with_styles() -> list[str]:
    found = []
    for plugin in installed("architectures"):
        try:
            architecture = load(plugin)
        except PluginError:
            continue  # a broken one is no help
        if issubclass(architecture, WithStyles):
            found.append(plugin.name)
    return sorted(set(found))


def _repeated(value: Any, count: int) -> Any:
    """One row of a tensor, as many times; anything else as it is."""
    return value.expand(count, *value.shape[1:]) if isinstance(value, Tensor) else value


def _numbered(reference: Reference, count: int) -> list[str]:
    assert reference.file is not None
    name = reference.file.stem
    return [name] if count == 1 else [f"{name}.{number}" for number in range(count)]


def _those_of(method: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a method has as keyword arguments."""
    names = inspect.signature(method).parameters
    return {name: value for name, value in options.items() if name in names}

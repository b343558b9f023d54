"""A generator that was trained, to be sampled from Python: what `ganlab.load` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import DataFacts
from ganlab.errors import UserError
from ganlab.evaluation.sampling import BLOCK, at_rest, check_label, class_of, get_ready
from ganlab.randomness import derive_seed, layer_draws, of_samples
from ganlab.spec.constructor import Option
from ganlab.spec.sampling import check_sampling, sampling_options
from ganlab.training.module import GANModule
from ganlab.views import Latents


class TrainedGenerator:
    """The averaged generator of a trained architecture, ready to be sampled; its `module` is the architecture itself.

    Sample i of a seed is the same however many are asked for, here and from `ganlab sample`. Options are the sampling
    options of the architecture, listed in `options`. Images are floats in [-1, 1], (N, C, H, W), and may lie a little
    outside. `name` is what it was trained as.
    """

    def __init__(self, module: GANModule, name: str = "generator") -> None:
        self.module = module
        self.name = name

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.facts.shape))
        classes = f", {self.facts.classes} classes" if self.facts.classes else ""
        return f"<generator {self.name!r}: {type(self.module).__name__}, samples of {shape}{classes}, on {self.device}>"

    @property
    def facts(self) -> DataFacts:
        """What the data were that it was trained on: shape, classes and their names, and so on."""
        return self.module.facts

    @property
    def device(self) -> torch.device:
        """Where it works, and where latents and images are; `to` moves it."""
        return self.module.device

    @property
    def options(self) -> Mapping[str, Option]:
        """The sampling options by name, each with its `annotation`, `default` and `text`."""
        architecture: type = type(self.module)
        return sampling_options(architecture)

    def to(self, device: torch.device | str) -> TrainedGenerator:
        """The same generator, moved to a device."""
        self.module.to(device)
        return self

    def sample(
        self,
        count: int,
        seed: int = 0,
        *,
        label: str | int | Sequence[str | int] | Tensor | None = None,
        inputs: Mapping[str, Tensor] | None = None,
        **options: Any,
    ) -> Tensor:
        """Samples 0 to `count - 1` of a seed.

        `label` is one class for all, by name or number, or one for each, (N,); without it classes are drawn.
        Generators that make images from inputs get them as `inputs`, scaled as in training, with a row for each
        sample. Raises `UserError` for labels, inputs and options that there are not.
        """
        return self.render(self.draw(count, seed, label=label, inputs=inputs, options=options), **options)

    def draw(
        self,
        count: int,
        seed: int = 0,
        *,
        label: str | int | Sequence[str | int] | Tensor | None = None,
        inputs: Mapping[str, Tensor] | None = None,
        first: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> Latents:
        """What `count` samples of a seed from number `first` on are made of, to be looked at, changed and rendered.

        `options` are sampling options, where they decide what samples are made from.
        """
        if count < 1:
            raise UserError(f"'count' is {count}: ask for at least one sample")
        if first < 0:
            raise UserError(f"'first' is {first}: the samples of a seed are numbered from 0")
        also = self.module.made_from(check_sampling(type(self.module), options or {}))
        wanted = [name for name in (*self.facts.inputs, *also) if name not in (inputs or {})]
        if wanted:
            raise UserError(f"this generator makes images from inputs; give 'inputs' with: {', '.join(wanted)}")
        random = of_samples(seed, count, self.device, first)
        labels = self.labels_of(label, count)
        if labels is None and self.facts.classes:
            labels = random.integers("labels", self.facts.classes)
        with at_rest(self.module, derive_seed(seed, "draw")):
            return self.module.draw(random, labels, inputs)

    def render(self, latents: Latents, **options: Any) -> Tensor:
        """Images of latents, with the noise of those samples that they were drawn as.

        Latents that were made otherwise, and so have no random numbers, get the noise of seed 0.
        """
        checked = check_sampling(type(self.module), options)
        get_ready(self.module, True, checked)
        latents = latents if latents.random else replace(latents, random=of_samples(0, len(latents), self.device))
        pieces = []
        for piece in split(latents, BLOCK):
            assert piece.random is not None
            seed = derive_seed(piece.random.key[0], "network", piece.random.start)
            with at_rest(self.module, seed), layer_draws(piece.random.scoped("layers")):
                pieces.append(self.module.render(piece, averaged=True, **checked))
        return torch.cat(pieces)

    def labels_of(self, label: str | int | Sequence[str | int] | Tensor | None, count: int) -> Tensor | None:
        """Labels (N,) of one class for all, by name or number, or of one for each; None for none in particular.

        A tensor (N, classes) has shares of classes, where the generator takes these. Raises `UserError` for classes
        that there are not, and for another number of labels than of samples.
        """
        if label is None:
            return None
        if isinstance(label, str | int):
            return torch.full((count,), self._class(label), device=self.device)
        if isinstance(label, Tensor) and label.is_floating_point():
            labels = label.to(self.device)
        else:
            listed = label.tolist() if isinstance(label, Tensor) else list(label)
            labels = torch.tensor([self._class(each) for each in listed], device=self.device)
        if len(labels) != count:
            raise UserError(f"there are {len(labels)} labels for {count} samples: give one for each, or one for all")
        return labels

    def _class(self, label: str | int) -> int:
        number = class_of(label, self.facts) if isinstance(label, str) else label
        check_label(number, self.facts.classes)
        return number


def split(latents: Latents, size: int) -> Sequence[Latents]:
    """Consecutive parts of at most `size` rows."""
    return [rows_of(latents, slice(start, start + size)) for start in range(0, len(latents), size)]


def rows_of(latents: Latents, rows: slice) -> Latents:
    """Some rows of latents, of whatever a family keeps in them, and of their random numbers."""

    def part(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value[rows]
        return {name: part(one) for name, one in value.items()} if isinstance(value, Mapping) else value

    changed = {field.name: part(getattr(latents, field.name)) for field in fields(latents)}
    random = None if latents.random is None else latents.random.take(rows)
    return replace(latents, **{**changed, "random": random})

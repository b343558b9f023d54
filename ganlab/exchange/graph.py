"""A trained generator as a function of tensors alone, which is what other programs can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import UserError, reason
from ganlab.evaluation.sampling import at_rest, get_ready
from ganlab.evaluation.trained_generator import TrainedGenerator, rows_of
from ganlab.randomness import derive_seed, given_layer_draws, noted_layer_draws, of_samples, shared_layer_draws
from ganlab.spec.sampling import check_sampling
from ganlab.training.module import GANModule
from ganlab.views import Latents

NAMES = {"values": "z", "images": "input_images"}
"""What parts of latents and inputs are called in a graph, whose output is `images`."""
_TRACED = 2  # examples: a batch of one would be taken for a constant
_CHECKED = 3


class GeneratorGraph(nn.Module):
    """Images (N, ...) of latents `z`, `labels`, further parts of latents, inputs, and options that may be tensors.

    Whatever else a sample depends on is fixed: the noise of layers is that of the first sample of `noise_seed` for all
    images, and the other sampling options are the ones that were given.

    Args:
        generator: on the CPU.
        options: sampling options; the numbers among the architecture's `tensor_options` become inputs of the graph, for
            which these are the defaults.
        noise_seed: a seed whose noise the layers get, if they get any.

    Raises `UserError` for options that the architecture does not have.
    """

    def __init__(self, generator: TrainedGenerator, options: Mapping[str, Any], noise_seed: int = 0) -> None:
        super().__init__()
        self._whole = (generator,)  # in a tuple, so that the discriminator is no part of the graph
        self.networks = generator.module.averages.copies
        self.noise_seed = noise_seed
        self._given = dict(options)
        checked = check_sampling(type(self.module), options)
        known = generator.options
        self.numbers = {
            name: float(checked.pop(name, known[name].default)) for name in self.module.tensor_options if name in known
        }
        self.options = checked
        self._like = self._drawn(_TRACED)
        self.parts = [part.name for part in fields(self._like) if _holds_numbers(getattr(self._like, part.name))]
        self.input_names = list(self._like.inputs)
        batched = [*self.parts, *self.input_names]
        self.names = [*(NAMES.get(name, name) for name in batched), *self.numbers]
        self.batched = len(batched)
        get_ready(self.module, True, self.all_options())
        with self.resting(), noted_layer_draws(self._noise(_TRACED)) as maps:
            self.module.render(self._like, averaged=True, **self.all_options())
        self.maps = maps

    @property
    def generator(self) -> TrainedGenerator:
        """What the graph is of."""
        return self._whole[0]

    @property
    def module(self) -> GANModule:
        """Its architecture."""
        return self.generator.module

    def forward(self, *tensors: Tensor) -> Tensor:
        """Images of the tensors that `names` lists."""
        parts = dict(zip(self.parts, tensors, strict=False))
        inputs = dict(zip(self.input_names, tensors[len(self.parts) :], strict=False))
        numbers = dict(zip(self.numbers, tensors[self.batched :], strict=True))
        if "values" not in parts:  # a game without noise, whose latents still tell how many samples there are
            parts["values"] = tensors[0].new_zeros(tensors[0].shape[0], 0)
        latents = replace(self._like, **parts, inputs=inputs, random=None)
        with given_layer_draws(self.maps):
            return self.module.render(latents, averaged=True, **numbers, **self.options)

    def all_options(self) -> dict[str, Any]:
        """All sampling options that were given, and those that are inputs."""
        return {**self.numbers, **self.options}

    def examples(self) -> tuple[Tensor, ...]:
        """Tensors to trace the graph with."""
        return self._tensors(self._like, self.numbers)

    def expected(self) -> tuple[tuple[Tensor, ...], Tensor]:
        """Other tensors, of another batch size, and the images that the generator itself makes of them."""
        latents = self._drawn(_CHECKED)
        numbers = {name: value * 0.5 + 0.125 for name, value in self.numbers.items()}
        with self.resting(), shared_layer_draws(self._noise(_CHECKED)):
            images = self.module.render(latents, averaged=True, **numbers, **self.options)
        return self._tensors(latents, numbers), images

    def exported(self) -> torch.export.ExportedProgram:
        """The graph of any batch size in torch's operations. Raises `UserError` if the networks cannot be traced."""
        batch = torch.export.Dim.DYNAMIC
        shapes = tuple({0: batch} if place < self.batched else {} for place in range(len(self.names)))
        try:
            with self.resting():
                return torch.export.export(self, self.examples(), dynamic_shapes=(shapes,), strict=False)
        except UserError as error:
            raise UserError(f"'{self.generator.name}' cannot be exported so: {error}") from error
        except Exception as error:  # tracing foreign code fails in any way
            raise UserError(
                f"the networks of '{self.generator.name}' cannot be traced for any number of images: {reason(error)}; "
                "a network that asks for 'len(tensor)' must ask for 'tensor.shape[0]' instead"
            ) from error

    def _drawn(self, count: int) -> Latents:
        classes = self.module.facts.classes
        labels = torch.arange(count) % classes if classes else None
        drawn = self.generator.draw(count, 1, label=labels, inputs=self._inputs(count), options=self._given)
        return rows_of(drawn, slice(0, count))

    def _inputs(self, count: int) -> dict[str, Tensor]:
        """Examples of what the networks are given besides, made of noise."""
        facts, random = self.module.facts, of_samples(2, count, "cpu")
        inputs = {}
        for name, of_input in facts.inputs.items():
            if of_input.kind == "maps":
                inputs[name] = random.integers(name, max(of_input.classes, 2), *of_input.shape)
            else:
                inputs[name] = random.uniform(name, *of_input.shape) * 2 - 1
        for name in self.module.made_from(self.options):
            shape = facts.shape if name not in facts.further else facts.further[name].shape
            inputs[name] = random.uniform(name, *shape) * 2 - 1
        return inputs

    def _tensors(self, latents: Latents, numbers: Mapping[str, float]) -> tuple[Tensor, ...]:
        parts: Sequence[Tensor] = [getattr(latents, name) for name in self.parts]
        return (*parts, *latents.inputs.values(), *(torch.tensor(value) for value in numbers.values()))

    def _noise(self, count: int) -> Any:
        return of_samples(self.noise_seed, count, "cpu").scoped("layers")

    def resting(self) -> AbstractContextManager[None]:
        """Evaluation mode, without gradients."""
        return at_rest(self.module, derive_seed(self.noise_seed, "network", 0))


def _holds_numbers(part: Any) -> bool:
    """Whether a part of latents is a tensor that is not empty."""
    return isinstance(part, Tensor) and part.numel() > 0

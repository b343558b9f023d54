"""What the layers of a generator are conditioned on: classes, and parts of the latents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganlab.errors import UserError
from ganlab.nn import chosen_name
from ganlab_biggan.initialisation import Initialisation

SkipName = Literal["none", "chunks", "whole"]
InputName = Literal["normalization", "concatenated", "none"]
"""Where the class of a generator enters: gains and biases of its normalizations, or beside the latents."""


def input_of(chosen: InputName | None, classes: int, conditional: bool) -> tuple[int, bool]:
    """How many classes a generator is told, 0 if none, and whether they are concatenated to the latents."""
    name = chosen_name(chosen, "normalization", "none", classes, conditional)
    return 0 if name == "none" else classes, name == "concatenated"


CHUNK = 20  # numbers in a chunk of BigGAN's latents, at every resolution


class Conditions(nn.Module):
    """Latents and labels to what the first layer sees, and to the vector that conditions each block.

    Labels are whole numbers (N,), or weights (N, classes) of a mixture of classes. With an embedding, a class is a
    vector that all blocks share; without, it is one of `classes` numbers, so that each layer learns its own gains and
    biases for each class. With the skip `chunks` the latents are cut into equal parts, one for the first layer and one
    for each block; with `whole` all of them join the class everywhere, and the class joins them in the first layer.
    With `is_concatenated` the class joins the latents of the first layer, and no block.

    `first` is the size of what the first layer sees, `inside` that of a block's vector: None where there is nothing to
    be conditioned on.
    """

    def __init__(
        self,
        latent_size: int,
        blocks: int,
        classes: int,
        shared: int,
        skip: SkipName,
        initialise: Initialisation,
        is_concatenated: bool = False,
    ) -> None:
        super().__init__()
        if skip == "chunks" and latent_size % (blocks + 1):
            near = max(1, round(latent_size / (blocks + 1))) * (blocks + 1)
            raise UserError(
                f"'latent_size' is {latent_size}, which {blocks + 1} equal chunks, for the first layer and {blocks} "
                f"blocks, cannot share: take {near}, or null for {CHUNK} in each"
            )
        self.latent_size, self.blocks, self.classes, self.skip = latent_size, blocks, classes, skip
        self.embedding = initialise(nn.Embedding(classes, shared)) if classes and shared else None
        of_class = shared if self.embedding is not None else classes
        chunk = latent_size // (blocks + 1) if skip == "chunks" else latent_size
        self.is_concatenated = is_concatenated
        self.first = chunk + (of_class if skip == "whole" or is_concatenated else 0)
        self.inside = ((0 if skip == "none" else chunk) + (0 if is_concatenated else of_class)) or None

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Sequence[Tensor | None]]:
        """What the first layer sees, and one vector for each block."""
        vectors = self._of_classes(labels, latents) if self.classes else None
        of_first = vectors if self.is_concatenated or self.skip == "whole" else None
        of_blocks = None if self.is_concatenated else vectors
        if self.skip == "chunks":
            first, *others = latents.chunk(self.blocks + 1, dim=1)
            return _joined(first, of_first), [_joined(chunk, of_blocks) for chunk in others]
        inside = of_blocks if self.skip == "none" else _joined(latents, of_blocks)
        return _joined(latents, of_first), [inside] * self.blocks

    def _of_classes(self, labels: Tensor | None, latents: Tensor) -> Tensor:
        assert labels is not None, "a conditional generator is called with labels"
        if self.embedding is not None and not labels.is_floating_point():
            vectors: Tensor = self.embedding(labels)
            return vectors
        if not labels.is_floating_point():
            labels = one_hot(labels, self.classes)
        weights = labels.to(latents.dtype)
        return weights if self.embedding is None else weights @ self.embedding.weight


def _joined(latents: Tensor, vectors: Tensor | None) -> Tensor:
    return latents if vectors is None else torch.cat([latents, vectors], dim=1)

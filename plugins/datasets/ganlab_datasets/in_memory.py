"""Small data sets that are held in memory as tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import DataFacts


class InMemory:
    """Examples as stacked tensors: `images` (N, *shape) in their stored type, `labels` int64 (N,) or None.

    `inputs` are the further fields of the examples (N, ...) by name, of which the facts tell.
    """

    def __init__(
        self, images: Tensor, labels: Tensor | None, facts: DataFacts, inputs: Mapping[str, Tensor] | None = None
    ) -> None:
        self.images = images
        self.labels = labels
        self.facts = facts
        self.inputs = dict(inputs or {})

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        label = {} if self.labels is None else {"label": int(self.labels[index])}
        return {"images": self.images[index], **label, **{name: value[index] for name, value in self.inputs.items()}}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once."""
        rows = torch.as_tensor(indices)
        label = {} if self.labels is None else {"label": self.labels[rows]}
        return {"images": self.images[rows], **label, **{name: value[rows] for name, value in self.inputs.items()}}

    def every_label(self) -> Tensor | None:
        """The labels of all examples."""
        return self.labels


def content_fingerprint(preparation: str, *tensors: Tensor | None) -> str:
    """Identifies the content of tensors and how they were prepared."""
    digest = hashlib.blake2b(preparation.encode(), digest_size=16)
    for tensor in tensors:
        if tensor is not None:
            digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
            digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()

"""Labels as networks take them: class numbers, or for samples between classes shares of each."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot


def class_shares(labels: Tensor, classes: int) -> Tensor:
    """Class numbers (N,) one-hot (N, classes); shares of the classes (N, classes), floats, as they are.

    A generator that takes both says so with `blends_labels = True`.
    """
    return labels if labels.is_floating_point() else one_hot(labels, classes)


def with_label(vectors: Tensor, labels: Tensor | None, classes: int) -> Tensor:
    """Vectors (N, D) with one-hot labels, or shares, beside them: (N, D + classes); unchanged without classes."""
    if not classes:
        return vectors
    assert labels is not None, "a conditional network is called with labels"
    return torch.cat([vectors, class_shares(labels, classes).to(vectors)], dim=1)


def embedded(embedding: nn.Embedding, labels: Tensor) -> Tensor:
    """Vectors (N, size) of class numbers (N,), or for shares (N, classes) the mean vectors by these."""
    if labels.is_floating_point():
        return labels @ embedding.weight
    vectors: Tensor = embedding(labels)
    return vectors

"""Distances between features, block by block, so that memory does not grow with the square of their number."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK_BYTES = 2**27
"""Of distances that are there at a time."""


def nearest_others(rows: Tensor, k: int) -> Tensor:
    """Distances (N, k) from each row to its nearest others, nearest first, in ascending order."""
    centred = rows - rows.mean(0)
    found = []
    for start, block in _blocks(len(rows), len(rows)):
        distances = squared_distances(centred[start:block], centred)
        distances[torch.arange(block - start), torch.arange(start, block)] = torch.inf
        found.append(distances.topk(k, largest=False, sorted=True).values)
    return torch.cat(found).sqrt()


def nearest(queries: Tensor, rows: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Distances and places (Q, k) of the rows nearest to each query, nearest first."""
    centre = rows.mean(0)
    centred, asked = rows - centre, queries - centre
    found = []
    for start, end in _blocks(len(queries), len(rows)):
        found.append(squared_distances(asked[start:end], centred).topk(k, largest=False, sorted=True))
    return torch.cat([part.values for part in found]).sqrt(), torch.cat([part.indices for part in found])


def distance_blocks(queries: Tensor, rows: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Distances (B, N) from consecutive queries to all rows, with the places of these queries."""
    centre = rows.mean(0)
    centred, asked = rows - centre, queries - centre
    for start, end in _blocks(len(queries), len(rows)):
        yield slice(start, end), squared_distances(asked[start:end], centred).sqrt_()


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """(N, M) in float32, never negative; exact only as far as the rows are centred."""
    distances = torch.addmm(second.square().sum(1)[None], first, second.T, alpha=-2)
    return distances.add_(first.square().sum(1)[:, None]).clamp_(min=0)


def _blocks(queries: int, rows: int) -> Iterator[tuple[int, int]]:
    size = max(1, BLOCK_BYTES // (4 * max(rows, 1)))
    for start in range(0, queries, size):
        yield start, min(start + size, queries)

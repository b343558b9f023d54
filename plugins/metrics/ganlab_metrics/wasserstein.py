"""Wasserstein distances between samples on a line."""

from __future__ import annotations

import numpy as np


def wasserstein_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distance (rows,) between the sorted rows of (rows, N) and (rows, M): the area between their quantile functions.

    For N = M it is the mean absolute difference.
    """
    count, other = first.shape[1], second.shape[1]
    if count == other:
        return np.abs(first - second).mean(axis=1, dtype=np.float64)
    # In units of 1 / (N * M), the quantile functions jump at multiples of M and of N.
    ends = np.union1d(np.arange(1, count + 1) * other, np.arange(1, other + 1) * count)
    starts = np.concatenate([[0], ends[:-1]])
    widths = (ends - starts) / (count * other)
    return np.abs(first[:, starts // other] - second[:, starts // count]) @ widths

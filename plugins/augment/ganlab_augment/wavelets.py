"""Low-pass filters of the symlet wavelets; their squares sum to 1, and so they lose nothing."""

from __future__ import annotations

import torch
from torch import Tensor

SYMLET_2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)
SYMLET_6 = (
    *(0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633),
    *(0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252),
    *(-0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148),
)


def centre(taps: tuple[float, ...]) -> float:
    """The mean place of a filter's weights: how far it moves what it filters."""
    return sum(place * tap for place, tap in enumerate(taps)) / sum(taps)


def octave_bank(taps: tuple[float, ...], bands: int) -> Tensor:
    """Symmetric filters (bands, odd length) for the octaves of frequency, lowest first; they sum to the identity."""
    low = _autocorrelation(torch.tensor(taps, dtype=torch.float64)) / 2
    lags = torch.arange(len(low)) - len(low) // 2
    high = low * (1 - 2 * (lags % 2))
    filters, passed = [], torch.ones(1, dtype=torch.float64)
    for octave in range(bands - 1):
        filters.append(_convolve(passed, _stretched(high, 2**octave)))
        passed = _convolve(passed, _stretched(low, 2**octave))
    filters.append(passed)
    length = len(passed)
    padded = [torch.nn.functional.pad(each, [(length - len(each)) // 2] * 2) for each in reversed(filters)]
    return torch.stack(padded)


def _autocorrelation(taps: Tensor) -> Tensor:
    return _convolve(taps, taps.flip(0))


def _convolve(first: Tensor, second: Tensor) -> Tensor:
    product = torch.zeros(len(first) + len(second) - 1, dtype=first.dtype)
    for place, value in enumerate(second.tolist()):
        product[place : place + len(first)] += value * first
    return product


def _stretched(taps: Tensor, factor: int) -> Tensor:
    wide = torch.zeros((len(taps) - 1) * factor + 1, dtype=taps.dtype)
    wide[::factor] = taps
    return wide

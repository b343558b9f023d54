"""Spectral norm of weights.

Torch's own parametrization follows the same rule, but its power iteration runs in bfloat16 under CUDA autocast and
it divides by zero for a zero weight; this one is a float32 island and keeps a zero weight at zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils import parametrize

from ganlab.nn.autocast import without_autocast
from ganlab.nn.layer_weight import output_dimension, weight_of

_FIRST_ITERATIONS = 15  # u and v start close enough to the singular vectors for the first steps to be 1-Lipschitz


class _Update:
    """The update that is being made, if any."""

    current: ClassVar[object] = None


@contextmanager
def one_iteration() -> Iterator[None]:
    """Iterate for each weight once at most: reals and fakes, and all parts of a batch, then see the same weights.

    A compiled network iterates in each pass nevertheless.
    """
    _Update.current = object()
    try:
        yield
    finally:
        _Update.current = None


class SpectralNorm(nn.Module):
    """A parametrization: the weight divided by an estimate of its largest singular value (Miyato et al., 2018).

    The weight is seen as a matrix with one row for each index along `dim`. `iterations` power iterations run at each
    use of the weight in training mode, none in eval mode; `u` and `v` are buffers and constants for the gradient,
    which flows through the singular value. Within `one_iteration`, only the first use iterates.
    """

    averaged_over_ranks: ClassVar[bool] = True  # u and v, which rounding alone can set apart
    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor, dim: int = 0, eps: float = 1e-12, iterations: int = 1) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps
        self.iterations = iterations
        self._used_in: object = None
        matrix = weight.detach().movedim(dim, 0).flatten(1)
        self.register_buffer("u", normalize(torch.randn_like(matrix[:, 0]), dim=0, eps=eps))
        self.register_buffer("v", normalize(torch.randn_like(matrix[0]), dim=0, eps=eps))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with a largest singular value of about 1."""
        with without_autocast(weight.device):
            if self.training and self._is_first_use():
                self._iterate(weight.detach(), self.iterations)
            # The gradient of a product takes half as many passes over the weight as that of a quotient.
            return weight * self._estimate(weight).clamp_min(self.eps).reciprocal()

    def singular_value(self, weight: Tensor) -> Tensor:
        """The estimate of a weight's largest singular value as it is now, without an iteration."""
        with without_autocast(weight.device):
            return self._estimate(weight)

    def _estimate(self, weight: Tensor) -> Tensor:
        matrix, v = self._seen(weight)
        # Cloned: a second forward before the backward changes the buffers in place.
        return torch.dot(self.u.clone(), torch.mv(matrix, v.clone().flatten()))

    def right_inverse(self, weight: Tensor) -> Tensor:
        """What to store when a weight is assigned: the weight as it is, which `u` and `v` are iterated for anew."""
        if not weight.is_meta:  # where nothing is computed, and pretending to takes long
            self._iterate(weight.detach(), _FIRST_ITERATIONS)
        return weight

    @torch.no_grad()
    def _iterate(self, weight: Tensor, times: int) -> None:
        matrix, v = self._seen(weight)
        for _ in range(times):
            v.copy_(normalize(torch.mv(matrix.t(), self.u), dim=0, eps=self.eps).view(v.shape))
            self.u.copy_(normalize(torch.mv(matrix, v.flatten()), dim=0, eps=self.eps))

    def _is_first_use(self) -> bool:
        if torch.compiler.is_compiling() or _Update.current is None:
            return True
        before, self._used_in = self._used_in, _Update.current
        return before is not _Update.current

    def _seen(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The weight as a matrix, and `v` in the order of its columns with the dimensions that these had."""
        rows = weight.movedim(self.dim, 0)
        v = self.v.view(rows.shape[1:])
        if rows.dim() > 2 and rows.stride(1) == 1:  # channels last, which the weight would be copied to flatten
            rows, v = rows.movedim(1, -1), v.movedim(0, -1)
        return rows.flatten(1), v


def spectral_norm(layer: nn.Module, eps: float = 1e-12, iterations: int = 1) -> nn.Module:
    """Put spectral norm on the weight of a convolution, transposed convolution, linear layer or embedding.

    The layer is changed in place and returned.
    """
    norm = SpectralNorm(weight_of(layer), output_dimension(layer), eps, iterations)
    # unsafe=False would compute the parametrized weight twice more, to compare shapes that cannot differ here.
    parametrize.register_parametrization(layer, "weight", norm, unsafe=True)
    return layer

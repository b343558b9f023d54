"""The largest singular values of a network's weights, followed by power iteration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils import parametrize

from ganlab.nn.layer_weight import output_dimension
from ganlab.nn.spectral_norm import SpectralNorm
from ganlab.randomness import derive_seed

_FIRST_ITERATIONS = 10


class SingularValues:
    """Estimates, one for each layer with a `weight` of two dimensions or more, that get better from call to call.

    The weight is the one that the layer uses, as a matrix with a row for each output; where spectral norm divides it,
    the one before, whose singular value is the norm's own estimate. Other weights have one power iteration in each
    call, from where the last call ended, which is saved with the run.
    """

    def __init__(self) -> None:
        self._vectors: dict[str, Tensor] = {}

    @torch.no_grad()
    def measure(self, network: nn.Module, name: str = "") -> dict[str, float]:
        """The values by the layer's name; `name` is the network's, for what is remembered."""
        found: dict[str, Tensor] = {}
        for layer, weight, norm in _weights(network):
            matrix = weight.detach().movedim(output_dimension(network.get_submodule(layer)), 0).flatten(1)
            matrix = matrix.float() if matrix.dtype == torch.bfloat16 else matrix
            found[layer] = self._followed(f"{name}.{layer}", matrix) if norm is None else norm.singular_value(weight)
        if not found:
            return {}
        return dict(zip(found, torch.stack(list(found.values())).tolist(), strict=True))

    def _followed(self, name: str, matrix: Tensor) -> Tensor:
        rows = self._vectors.get(name)
        times = 1
        if rows is None or rows.shape != matrix.shape[:1]:
            generator = torch.Generator().manual_seed(derive_seed("singular values", name))
            rows, times = torch.randn(len(matrix), generator=generator), _FIRST_ITERATIONS
        rows = rows.to(matrix)
        for _ in range(times):
            columns = normalize(torch.mv(matrix.t(), rows), dim=0)
            product = torch.mv(matrix, columns)
            rows = normalize(product, dim=0)
        self._vectors[name] = rows
        value: Tensor = torch.linalg.vector_norm(product)
        return value

    def state_dict(self) -> dict[str, Tensor]:
        """Tensors for a checkpoint."""
        return dict(self._vectors)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` saved."""
        self._vectors = dict(state)


def _weights(network: nn.Module) -> Iterator[tuple[str, Tensor, SpectralNorm | None]]:
    """Layers with the weights that they use, or that spectral norm divides."""
    for name, layer in network.named_modules():
        weight, norm = (
            _used(layer) if parametrize.is_parametrized(layer, "weight") else (getattr(layer, "weight", None), None)
        )
        if isinstance(weight, Tensor) and weight.dim() > 1:
            yield name, weight, norm


def _used(layer: nn.Module) -> tuple[Tensor, SpectralNorm | None]:
    """A parametrized weight without a trace in buffers, up to a spectral norm."""
    chain: Any = layer.parametrizations
    steps = chain["weight"]
    norm = next((step for step in steps if isinstance(step, SpectralNorm)), None)
    modes = [(part, part.training) for part in steps.modules()]
    steps.eval()
    try:
        if norm is None:
            used: Tensor = layer.weight  # type: ignore[assignment]
            return used, None
        weight: Tensor = steps.original
        for step in list(steps)[: list(steps).index(norm)]:
            weight = step(weight)
        return weight, norm
    finally:
        for part, training in modes:
            part.training = training

"""Hidden activations by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from torch import nn

from ganlab import UserError
from ganlab.nn import Maxout

Activation = Literal["relu", "leaky_relu", "tanh", "sigmoid"]
Activations = Sequence[Activation]

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def each_of(activation: Activation | Activations, count: int) -> list[nn.Module]:
    """So many activations: the one that is named, or those of a list. Raises `UserError` for one of another length."""
    names = [activation] * count if isinstance(activation, str) else list(activation)
    if len(names) != count:
        raise UserError(
            f"'activation' lists {len(names)} for {count} hidden layers: give one for each, or a single name for all"
        )
    return [ACTIVATIONS[name]() for name in names]


__all__ = ["ACTIVATIONS", "Activation", "Activations", "Maxout", "each_of"]

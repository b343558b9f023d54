"""What relativistic losses ask of a margin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from torch import Tensor
from torch.nn.functional import relu, softplus

Inner = Literal["logistic", "hinge", "least_squares"]

INNER_FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "logistic": lambda margin: softplus(-margin),
    "hinge": lambda margin: relu(1 - margin),
    "least_squares": lambda margin: (margin - 1).square(),
}
"""Functions of a margin that should be large: minus its log-likelihood, its distance to 1 from below, and from both
sides."""

"""Whether operations are recorded, for functions that have gradients of their own when they are run."""

from __future__ import annotations

import torch


def is_traced() -> bool:
    """Whether what runs is recorded, to be compiled or exported: then it must be made of torch's own operations.

    A recording has no use for a gradient of our own, and the formats of other programs have no place for one.
    """
    return torch.compiler.is_compiling() or torch.jit.is_tracing()

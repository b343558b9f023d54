"""No normalization, by name."""

from __future__ import annotations

from ganlab.nn import Normalizer


class NoNormalizer(Normalizer):
    """Leaves weights and activations alone."""

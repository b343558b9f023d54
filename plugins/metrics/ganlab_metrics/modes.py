"""How many modes of a mixture of Gaussians are found, and how well."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Positive


class ModeCoverage:
    """For data whose facts tell the `centres` and the `standard_deviation` of equal round modes.

    A sample belongs to the nearest centre and is good within `deviations` standard deviations of it. `captured`:
    modes with at least one good sample, or, where that is more, `least` of their even share of all samples. `good`:
    share of good samples (in the plane, 98.9% of reals are within 3).
    `kl`: divergence in nats of the samples' modes from the uniform distribution, 0 at best. `modes`: how many there
    are.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"fakes"})
    higher_is_better: ClassVar[Mapping[str, bool]] = {"captured": True, "good": True, "kl": False}
    example_extras: ClassVar[Mapping[str, Any]] = {"centres": [[0.0, 0.0], [0.5, 0.5]], "standard_deviation": 0.1}

    def __init__(
        self, facts: DataFacts, deviations: Positive = 3.0, least: Annotated[float, Ge(0), Le(1)] = 0.0
    ) -> None:
        if facts.is_images or "centres" not in facts.extras:
            raise UserError(
                "the metric 'modes' counts the modes of a mixture, but these data have no 'centres'; "
                "use it with gaussian_mixture, or leave it out"
            )
        self.centres = torch.as_tensor(facts.extras["centres"], dtype=torch.float64)
        self.radius = deviations * float(facts.extras["standard_deviation"])
        self.least = least
        self.protocol = {"deviations": deviations, "least": least}
        self.reset()

    def update(self, images: Tensor, real: bool) -> None:
        """Show vectors (N, D) in the data's own units."""
        distances, nearest = torch.cdist(images.double().cpu(), self.centres).min(dim=1)
        self._samples += self._count(nearest)
        self._good += self._count(nearest[distances <= self.radius])

    def compute(self) -> dict[str, float]:
        """The four numbers for the fakes since the last reset."""
        total = int(self._samples.sum())
        if total == 0:
            raise ValueError("the metric 'modes' needs at least one sample")
        shares = self._samples[self._samples > 0] / total
        enough = max(1.0, self.least * total / len(self.centres))
        return {
            "captured": float((self._good >= enough).sum()),
            "modes": float(len(self.centres)),
            "good": float(self._good.sum()) / total,
            "kl": max(0.0, float((shares * shares.log()).sum()) + math.log(len(self.centres))),
        }

    def reset(self) -> None:
        """Forget the fakes."""
        self._samples = torch.zeros(len(self.centres), dtype=torch.int64)
        self._good = torch.zeros_like(self._samples)

    def _count(self, modes: Tensor) -> Tensor:
        return torch.bincount(modes, minlength=len(self.centres))

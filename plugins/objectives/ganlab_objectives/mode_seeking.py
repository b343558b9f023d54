"""Mode seeking."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from ganlab.contracts import Views
from ganlab.distributed import shared_mean


class ModeSeeking:
    """Different latents should give different images (Mao et al., 2019, "Mode Seeking GANs").

    1 / (r + 1e-5), where r is the mean over pairs of |G(z) - G(z')| / |z - z'|, each distance the mean magnitude of
    the differences. z' is drawn anew and gets the label of z. The mean is that of the whole batch, or of a part of it
    under gradient accumulation.
    """

    side: ClassVar[str] = "generator"
    requires: ClassVar[frozenset[str]] = frozenset({"latents", "fake_images", "generate", "draw_latents", "random"})

    def penalty(self, views: Views) -> Tensor:
        """The inverse of the mean ratio of distances."""
        others = views.draw_latents(views.random.scoped("mode_seeking"))
        ratios = _distances(views.fake_images, views.generate(others)) / _distances(views.latents, others)
        return 1 / (shared_mean(ratios) + 1e-5)


def _distances(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).abs().flatten(1).mean(1)

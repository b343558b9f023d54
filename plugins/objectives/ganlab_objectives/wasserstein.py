"""Wasserstein loss."""

from __future__ import annotations

from torch import Tensor


class Wasserstein:
    """Difference of mean logits (Arjovsky et al., 2017).

    It is a distance only while the discriminator is Lipschitz: add `gradient_penalty` (see `wgan_gp`) or use the
    normalizer `spectral`.
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Minus the estimated distance."""
        return fake_logits.mean() - real_logits.mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """Minus the mean logit of the fakes."""
        return -fake_logits.mean()

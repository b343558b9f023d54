"""The game of the original paper."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


class Minimax:
    """Cross-entropy for the discriminator; the generator maximises it (Goodfellow et al., 2014).

    The generator's gradient vanishes where the discriminator is sure; `non_saturating` is the practical form.
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Minus log-likelihood of telling reals from fakes."""
        return softplus(-real_logits).mean() + softplus(fake_logits).mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """log(1 - sigmoid(fake_logits))."""
        return -softplus(fake_logits).mean()

"""The original game with a generator's loss that keeps its gradient."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from ganlab_objectives.minimax import Minimax


class NonSaturating(Minimax):
    """The discriminator of `minimax`; the generator minimises -log sigmoid(fake_logits) (Goodfellow et al., 2014)."""

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """Minus log-likelihood of the fakes being taken for real."""
        return softplus(-fake_logits).mean()

"""LeCam regularization."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn.functional import relu

from ganlab.bounds import Natural
from ganlab.contracts import Views
from ganlab.nn import RunningMean


class LeCam(nn.Module):
    """Pulls reals down to the average fake logit and fakes up to the average real one (Tseng et al., 2021).

    mean relu(D(x) - a_fake)^2 + mean relu(a_real - D(G(z)))^2, where a_fake and a_real are moving averages of the
    mean logits of all updates before this one. It bounds a divergence for the Wasserstein loss and helps with few
    data.

    Args:
        decay: weight of the old average in an update, as one of the authors' two codes has it; the other has 0.9.
        warm_up: updates of the discriminator in which the averages are formed and nothing is penalised.
    """

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_logits", "fake_logits"})
    example: ClassVar[dict[str, int]] = {"warm_up": 0}

    def __init__(self, decay: Annotated[float, Ge(0), Lt(1)] = 0.99, warm_up: Natural = 1000) -> None:
        super().__init__()
        self.warm_up = warm_up
        self.real_average = RunningMean(decay, debias=True)
        self.fake_average = RunningMean(decay, debias=True)

    def penalty(self, views: Views) -> Tensor:
        """The squared excess of reals over the fakes' average and of the reals' average over fakes."""
        real_logits: Tensor = views.real_logits
        fake_logits: Tensor = views.fake_logits
        self.real_average.observe(real_logits)
        self.fake_average.observe(fake_logits)
        reals_above = relu(real_logits - self.fake_average.current()).square().mean()
        fakes_below = relu(self.real_average.current() - fake_logits).square().mean()
        # A product and not a branch, which would wait for the device.
        return (reals_above + fakes_below) * (self.real_average.updates >= self.warm_up)

"""Fakes with labels of their own: rare classes as often as others, whatever the data have.

`labels_of_fakes` is the only place that decides them. Loss and penalties see the fakes with their labels and the reals
with theirs: `r2`, for example, is the slope of the discriminator at a fake with the fake's label. For labels that are
simply uniform, or as frequent as in the data, the plain game has the option `fake_labels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganlab import Batch, TwoPlayerGAN, UserError
from ganlab.contracts import Discriminator, Generator


class OwnLabelsGAN(TwoPlayerGAN):
    """The plain game with labels of fakes drawn by weight.

    Args:
        generator: latents and labels to images.
        discriminator: images and labels to logits.
        classes: of the data.
        shares: how often each class is drawn, in any unit; nothing for all alike.
    """

    example: ClassVar[dict] = {"generator": "small", "discriminator": "small", "loss": "softplus"}

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        classes: int,
        shares: Sequence[float] = (),
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, **options)
        if classes == 0:
            raise UserError("labels of fakes need data with labels; choose other data, or another architecture")
        if shares and len(shares) != classes:
            raise UserError(f"'shares' has {len(shares)} numbers for {classes} classes; give one for each")
        self.shares = tuple(shares) or (1.0,) * classes

    def labels_of_fakes(self, batch: Batch) -> Tensor:
        """A row's label is a function of its random number alone, so that devices and parts change nothing."""
        shares = torch.tensor(self.shares, device=batch.images.device)
        places = batch.random.uniform("labels") * shares.sum()
        return torch.bucketize(places, shares.cumsum(0)[:-1].to(places), right=True)

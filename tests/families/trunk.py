"""A head on the discriminator's trunk tells the classes (AC-GAN: Odena et al., 2017).

The discriminator returns `Scores` with a head; both players' further terms read it from the pass that the loss is
about, so that it costs no second one. For a classifier of labels this is not needed: the plain game trains whatever a
discriminator returns as `class_scores`. A head is for what the platform does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganlab import Batch, Scores, TwoPlayerGAN, UserError, Views


class ClassifierGAN(TwoPlayerGAN):
    """The plain game, in which both players want fakes and reals to be of their classes."""

    example: ClassVar[dict] = {"generator": "small", "discriminator": "classifier", "loss": "softplus"}

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        terms = {"fake_classes": cross_entropy(views.fake_heads["classes"], views.fake_labels)}
        if player == "discriminator":
            terms["real_classes"] = cross_entropy(views.real_heads["classes"], views.labels)
        return terms


class ClassifyingDiscriminator(nn.Module):
    """Images to logits and, from the same features, to logits of the classes.

    Args:
        shape: shape of one example.
        classes: of the data.
        width: features of the trunk.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 16) -> None:
        super().__init__()
        if classes == 0:
            raise UserError("a classifier needs data with labels; choose other data, or another discriminator")
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), width), nn.LeakyReLU(0.2))
        self.real = nn.Linear(width, 1)
        self.classes = nn.Linear(width, classes)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        features = self.trunk(images)
        return Scores(
            logits=self.real(features).flatten(), features=[features], heads={"classes": self.classes(features)}
        )

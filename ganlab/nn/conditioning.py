"""How labels enter a discriminator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from ganlab.errors import UserError
from ganlab.nn.labels import class_shares
from ganlab.views import Scores

ConditioningName = Literal["projection", "classifier", "concatenated", "scores", "none"]
"""What a discriminator does with labels.

`projection` adds the inner product of the label's learned vector and the last features to the logit (Miyato and Koyama,
2018); `classifier` tells the classes beside the logit, from the same features, and does not see the label (Odena et
al., 2017); `concatenated` joins the one-hot label to the input, as a map of each class to images (Mirza and Osindero,
2014); `scores` has a logit for each class, of which the label's own counts; `none` leaves labels out.
"""

LabelInputName = Literal["embedded", "concatenated", "normalization", "none"]
"""What a generator does with labels: a learned vector, or the label one-hot, beside the latents; gains and biases of
its normalizations that are the label's; or nothing."""

Name = TypeVar("Name", bound=str)


class Projection(nn.Linear):
    """A vector for each class, whose inner product with features (N, size) is what the label adds to the logit."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__(size, classes, bias=False)

    def forward(self, features: Tensor, labels: Tensor | None) -> Tensor:  # type: ignore[override]
        """Numbers (N, 1) of features (N, size) and labels (N,)."""
        return (embedding(_given(labels), self.weight) * features).sum(1, keepdim=True)


@dataclass(frozen=True)
class Conditioning:
    """What a network with a choice of `ConditioningName` asks where it makes its layers, and ends with.

    `classes` is 0 where labels do not enter.
    """

    name: ConditioningName
    classes: int

    @property
    def channels(self) -> int:
        """How many channels, or numbers of a vector, labels add to the input."""
        return self.classes if self.name == "concatenated" else 0

    @property
    def projects(self) -> bool:
        """Whether the network needs a `Projection`, or a projection of its own."""
        return self.name == "projection"

    @property
    def classifies(self) -> bool:
        """Whether there is an auxiliary classifier."""
        return self.name == "classifier"

    @property
    def logits(self) -> int:
        """How many logits the last layer makes: one, or one for each class."""
        return self.classes if self.name == "scores" else 1

    @property
    def outputs(self) -> int:
        """How many numbers the network ends with: the logits, and behind them an auxiliary classifier's scores."""
        return self.logits + (self.classes if self.classifies else 0)

    def joined(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Images (N, C, H, W) or vectors (N, D) as the first layer takes them, with what labels add."""
        if not self.channels:
            return images
        shares = class_shares(_given(labels), self.classes).to(images.dtype)
        shape = images.shape[2:]
        return torch.cat([images, shares.view(*shares.shape, *[1] * len(shape)).expand(-1, -1, *shape)], dim=1)

    def scores(self, outputs: Tensor, features: Tensor, labels: Tensor | None) -> Scores:
        """What is thought of images, by the (N, `outputs`) that a network ends with, projection included."""
        logits = outputs.gather(1, _given(labels)[:, None]) if self.name == "scores" else outputs
        classes = outputs[:, 1:] if self.classifies else None
        return Scores(logits=logits[:, 0], features=(features,), class_scores=classes)


def scaled_product(outputs: Tensor, vectors: Tensor) -> Tensor:
    """Inner products (N, 1) of what a network ends with and vectors of labels, both (N, size), over the root of size.

    A projection without a part that is the same for all labels, as in StyleGAN2.
    """
    return (outputs * vectors).sum(1, keepdim=True) / math.sqrt(outputs.shape[1])


def conditioning_of(
    chosen: ConditioningName | None, usual: ConditioningName, classes: int, conditional: bool = True
) -> Conditioning:
    """The chosen conditioning of a discriminator, as `chosen_name` finds it."""
    name = chosen_name(chosen, usual, "none", classes, conditional)
    return Conditioning(name, 0 if name == "none" else classes)


def chosen_name(chosen: Name | None, usual: Name, none: Name, classes: int, conditional: bool) -> Name:
    """What an option `conditioning` means: the choice, or where nothing is chosen and the data have classes the usual.

    `conditional` is the option that leaves labels out. Raises `UserError` for a choice that the data, or this option,
    do not allow.
    """
    if chosen is None:
        return usual if classes and conditional else none
    if chosen == none:
        return none
    if not classes:
        raise UserError(
            f"'conditioning: {chosen}' needs data with labels, and these have none: leave it out, choose other data, "
            "or allow their labels ('data.labels: true') if they are hidden"
        )
    if not conditional:
        raise UserError(f"'conditioning: {chosen}' and 'conditional: false' contradict each other: leave one out")
    return chosen


def _given(labels: Tensor | None) -> Tensor:
    assert labels is not None, "a conditional discriminator is called with labels"
    return labels

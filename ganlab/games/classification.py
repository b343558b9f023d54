"""The auxiliary classifier's part in the plain game."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ganlab.views import Views


def classified(player: str, views: Views) -> dict[str, tuple[Tensor, Tensor]]:
    """Scores (N, classes) and labels (N,) of what a player wants to be told apart; none without a classifier.

    That are reals and fakes for the discriminator, fakes for the generator (Odena et al., 2017, section 3).
    """
    judged = {"fake": (views.fake_scores, views.fake_labels)}
    if player == "discriminator":
        judged = {"real": (views.real_scores, views.labels), **judged}
    return {
        name: (scores.class_scores, _known(labels))
        for name, (scores, labels) in judged.items()
        if scores.class_scores is not None
    }


def cross_entropies(judged: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
    """The sum over reals and fakes of their mean cross-entropy."""
    return torch.stack([cross_entropy(scores, labels) for scores, labels in judged.values()]).sum()


def accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """The share of the images whose class has the largest score."""
    return (scores.detach().argmax(1) == labels).float().mean()


def _known(labels: Tensor | None) -> Tensor:
    assert labels is not None, "a discriminator that classifies is for data with labels"
    return labels

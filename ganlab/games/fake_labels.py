"""Which labels fakes are made for: those of the reals beside them, or others."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ganlab.errors import UserError
from ganlab.facts import MISSING, DataFacts
from ganlab.randomness import Randomness

FakeLabels = Literal["reals", "uniform", "frequencies"]


def labels_of_fakes(how: FakeLabels, reals: Tensor, facts: DataFacts, random: Randomness) -> Tensor:
    """Labels (N,) of fakes, each a function of its own random number.

    Args:
        how: those of the `reals`, or drawn independently of them, every class as often as any other (`uniform`) or as
            often as the data have it (`frequencies`).
        reals: labels (N,) of the reals.
        facts: of the data.
        random: the draws of the fakes.

    Raises `UserError` for frequencies that nobody knows.
    """
    if how == "reals":
        return reals
    if how == "uniform" or facts.fingerprint == MISSING:  # a rehearsal without data
        return random.integers("labels", facts.classes)
    if not facts.class_counts:
        raise UserError(
            "'fake_labels: frequencies' needs to know how often the data have each class, and this data set does not "
            "tell its labels ('every_label'); take 'fake_labels: uniform', or the labels of the 'reals'"
        )
    bounds = torch.tensor(facts.class_counts, device=reals.device).cumsum(0)
    places = random.integers("labels", sum(facts.class_counts)).to(bounds.device)
    return torch.bucketize(places, bounds[:-1], right=True)

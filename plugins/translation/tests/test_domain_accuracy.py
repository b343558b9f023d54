from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from ganlab_datasets.coloured_digits import ColouredDigits
from ganlab_translation.domain_accuracy import DomainAccuracy
from ganlab_translation.domains import Changes, domain_set

from ganlab import Randomness, UserError
from ganlab.data.scaling import scale

RANDOM = Randomness(0, count=4)


class Painter:
    """Paints red what is not, and the other way round, if it is asked to; else leaves images as they are."""

    device = torch.device("cpu")

    def __init__(self, facts, able, exclusive=()) -> None:
        self.able = able
        self.changes = [Changes(domain_set(facts), exclusive)]

    def set_of(self, facts):
        return 0

    def changed(self, images, known, which):
        return images[:, [1, 0, 2]] if self.able else images


def test_it_tells_a_painter_from_one_that_does_nothing():
    data = ColouredDigits(8, ("red", "green"))
    for able, expected in ((True, 1.0), (False, 0.0)):
        metric = DomainAccuracy(data.facts, images=50, examples=200)
        metric.update(data.images[:200], True, data.labels[:200])
        metric.measure(Painter(data.facts, able), RANDOM)
        found = metric.compute()
        assert found["domain_accuracy"] == pytest.approx(expected, abs=0.05)
        assert (found["asked/red"] + found["asked/green"]) / 2 == pytest.approx(expected, abs=0.05)
        assert found["real_accuracy"] > 0.95
        assert found["reconstruction"] == 0
        assert "kept" not in found


def test_reconstruction_is_a_mean_over_changed_images():
    data = ColouredDigits(8, ("red", "green"))

    class Blackener(Painter):
        def changed(self, images, known, which):
            return torch.full_like(images, -1)

    metric = DomainAccuracy(data.facts, images=70, examples=100)
    metric.update(data.images[:100], True, data.labels[:100])
    metric.measure(Blackener(data.facts, True), RANDOM)
    expected = (scale(data.images[:70], (0.0, 255.0)) + 1).mean()
    assert metric.compute()["reconstruction"] == pytest.approx(float(expected), rel=1e-5)


TRAITS = ColouredDigits(8, ("red", "green", "blue"), labels="none", attributes=["colour", "barred"], bars=True)


class Clumsy(Painter):
    """Adds or takes away bars as it is asked to, and paints every image red, whatever colour it is asked for."""

    def changed(self, images, known, which):
        made = images.clone()
        strongest = images[..., 1:-1].amax(1, keepdim=True)
        made[:, :1, :, 1:-1], made[:, 1:, :, 1:-1] = strongest, -1
        for column in (0, -1):
            made[..., column] = torch.where(known[:, 3, None, None] > 0.5, 1.0, -1.0)
        return made


def measured(painter, data=TRAITS, count=300):
    metric = DomainAccuracy(data.facts, images=60, examples=count)
    inputs = {"attributes": data.inputs["attributes"].float()}
    for rows in torch.arange(count).split(64):
        metric.update(data.images[rows], True, None, {name: value[rows] for name, value in inputs.items()})
    metric.measure(painter, RANDOM)
    return metric.compute()


def test_of_attributes_it_counts_each_that_was_asked_for():
    """Against counts by loops over images and attributes, with colours and bars read from pixels."""
    found = measured(Clumsy(TRAITS.facts, True, [["red", "green", "blue"]]))
    asked = {name: [] for name in ("red", "green", "blue", "barred")}
    kept = []
    for values in TRAITS.inputs["attributes"][:60].tolist():
        for index, name in enumerate(asked):
            if index < 3 and values[index]:
                continue  # an image of this colour already
            wanted = list(values)
            if index < 3:
                wanted[:3] = [0, 0, 0]
            wanted[index] = 1 - values[index]
            shown = [1, 0, 0, wanted[3]]  # what the painter makes of any image
            asked[name].append(shown[index] == wanted[index])
            kept += [shown[k] == wanted[k] for k in range(4) if wanted[k] == values[k]]
    shares = {name: np.mean(right) for name, right in asked.items()}
    for name, share in shares.items():
        assert found[f"asked/{name}"] == pytest.approx(share, abs=0.04), name
    assert (shares["red"], shares["green"], shares["barred"]) == (1, 0, 1)
    assert found["domain_accuracy"] == pytest.approx(np.mean(list(shares.values())), abs=0.02)
    assert found["kept"] == pytest.approx(np.mean(kept), abs=0.03)
    assert min(found[f"real/{name}"] for name in asked) > 0.9


def test_attributes_outside_of_groups_are_turned_into_their_opposite():
    found = measured(Painter(TRAITS.facts, able=False))
    assert all(found[f"asked/{name}"] < 0.06 for name in TRAITS.facts.extras["attributes"])
    assert found["kept"] > 0.95


def test_what_too_few_have_is_left_out():
    few = ColouredDigits(8, labels="none", attributes=["colour", "barred"])  # none is barred
    found = measured(Painter(few.facts, able=False), few)
    assert "asked/barred" not in found
    assert "asked/red" in found
    with pytest.raises(UserError, match="each needs 20 reals that have it"):
        measured(Painter(few.facts, able=False), few, count=25)


def test_mistakes_end_in_a_sentence():
    facts = ColouredDigits(8).facts
    with pytest.raises(UserError, match="these data have none"):
        DomainAccuracy(replace(facts, class_names=()))
    with pytest.raises(UserError, match="change images between domains"):
        DomainAccuracy(facts).measure(object(), RANDOM)

"""Images that are enlarged and cut at random, with what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from ganlab.data.step_batch import StepPlan
from ganlab.data.stream import Stream
from ganlab.errors import DataError
from ganlab.facts import DataFacts, InputFacts


class Ramps:
    """Images that say where each of their pixels is, beside the same as a map and as an image of 16 bits."""

    def __init__(self, height: int = 16, width: int = 24, size: int = 5) -> None:
        self.ramp = (torch.arange(height).view(-1, 1) * 10 + torch.arange(width)).expand(height, width)
        inputs = {
            "places": InputFacts((height, width), "maps", classes=400),
            "deep": InputFacts((1, height, width), "images", (0.0, 65535.0)),
            "numbers": InputFacts((2,)),
        }
        self.facts = DataFacts((1, height, width), size, "ramps", inputs=inputs)

    def __len__(self) -> int:
        return self.facts.size

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return {
            "images": self.ramp.to(torch.uint8)[None],
            "places": self.ramp,
            "deep": (self.ramp[None] * 200).to(torch.uint16),
            "numbers": torch.tensor([1.0, 2.0]),
        }


def batch_of(jitter: int | None, *, position: int = 0, count: int = 5, flip: bool = False) -> Any:
    return Stream(Ramps(), 0, flip, jitter)[StepPlan(position, position, count, 1, 0, count)]


def test_shapes_and_types_stay() -> None:
    plain, moved = batch_of(None), batch_of(27)
    assert moved.images.shape == plain.images.shape
    assert moved.images.dtype == torch.uint8
    for name, value in plain.inputs.items():
        assert (moved.inputs[name].shape, moved.inputs[name].dtype) == (value.shape, value.dtype)
    assert torch.equal(moved.inputs["numbers"], plain.inputs["numbers"])


@pytest.mark.parametrize("flip", [False, True])
def test_what_belongs_together_is_cut_at_one_place(flip: bool) -> None:
    moved = batch_of(27, flip=flip)
    assert len({int(image[0, 5, 5]) for image in moved.images}) > 1
    image, places = moved.images[:, 0].double(), moved.inputs["places"].double()
    deep = moved.inputs["deep"][:, 0].double() / 200
    # Nearest pixels are at most one row and one column away; the bicubic filter overshoots by less than one.
    assert (image - places).abs().max() <= 12
    assert (image - deep).abs().max() <= 0.6


def test_places_are_a_function_of_seed_and_position() -> None:
    whole = batch_of(27, count=12)
    later = batch_of(27, position=6, count=6)
    assert torch.equal(whole.images[6:], later.images)
    assert not torch.equal(whole.images[:5], whole.images[5:10])


def test_the_same_side_changes_nothing() -> None:
    assert torch.equal(batch_of(24).images, batch_of(None).images)


@pytest.mark.parametrize(("jitter", "sentence"), [(20, "larger side has 24 pixels"), (23, "such as 27")])
def test_a_smaller_side_is_refused(jitter: int, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        batch_of(jitter)


def test_vectors_are_refused() -> None:
    class Vectors(Ramps):
        facts = DataFacts((2,), 5, "vectors")

        def __init__(self) -> None:
            pass

    with pytest.raises(DataError, match="vectors; remove it"):
        Stream(Vectors(), 0, jitter=8)

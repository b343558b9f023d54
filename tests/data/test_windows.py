from __future__ import annotations

import pytest
import torch

from ganlab.data import StepPlan, Stream
from ganlab.data.jitter import jitter_examples
from ganlab.data.loader import StepLoader
from ganlab.data.opening import Wishes, arrange
from ganlab.data.reduction import reduce_inputs
from ganlab.data.stream import mirror_examples
from ganlab.errors import DataError
from ganlab.facts import DataFacts, InputFacts
from tests.data.toys import Sequences

FACTS = DataFacts(
    (4, 1, 6, 8),
    3,
    "flowing",
    frames=4,
    inputs={
        "flow": InputFacts((4, 3, 6, 8), "flows"),
        "map": InputFacts((4, 1, 6, 8), "maps", classes=2),
        "pose": InputFacts((4,)),
    },
)


def flows():
    """A flow to the right by 2, down by 1, known in the left half."""
    flow = torch.zeros(3, 4, 3, 6, 8)
    flow[:, :, 0], flow[:, :, 1], flow[:, :, 2, :, :4] = 2.0, 1.0, 1.0
    return flow


def examples():
    return {"images": torch.zeros(3, 4, 1, 6, 8), "map": torch.zeros(3, 4, 1, 6, 8), "flow": flows()}


def test_facts_of_other_lengths_and_of_frames():
    assert FACTS.inputs_of_frames == ("flow", "map")
    longer = FACTS.with_frames(9)
    assert (longer.shape, longer.frames) == ((9, 1, 6, 8), 9)
    assert [facts.shape for facts in longer.inputs.values()] == [(9, 3, 6, 8), (9, 1, 6, 8), (4,)]
    assert FACTS.of_frames.inputs["map"].shape == (1, 6, 8)
    assert longer.with_frames(4) == FACTS


def test_a_mirrored_flow_goes_the_other_way():
    mirrored = examples()
    mirror_examples(mirrored, torch.tensor([True, False, True]), FACTS)
    assert (mirrored["flow"][[0, 2], :, 0] == -2).all()
    assert (mirrored["flow"][0, :, 1] == 1).all()
    assert (mirrored["flow"][0, :, 2, :, 4:] == 1).all()
    assert not mirrored["flow"][0, :, 2, :, :4].any()
    assert torch.equal(mirrored["flow"][1], flows()[1])


def test_flows_are_counted_in_the_pixels_that_there_are():
    smaller = reduce_inputs({"flow": flows()}, FACTS, 2)["flow"]
    assert smaller.shape == (3, 4, 3, 3, 4)
    assert (smaller[:, :, 0] == 1).all()
    assert (smaller[:, :, 1] == 0.5).all()
    assert set(smaller[:, :, 2].unique().tolist()) == {0.0, 1.0}
    larger = examples()
    jitter_examples(larger, torch.zeros(3, 2), 1.5, FACTS)
    assert (larger["flow"][:, :, 0] == 3).all()
    assert (larger["flow"][:, :, 2, :, :6] == 1).all()


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_windows_of_sequences_that_are_no_longer_are_cut_from_them(frames):
    stream = Stream(Sequences(6), seed=2)
    seen = set()
    for epoch in range(12):
        shown = stream[StepPlan(6 * epoch, 0, 6, 1, 0, 6, frames=frames)].images[:, :, 0, 0, 1].int()
        assert shown.shape == (6, frames)
        assert (shown.diff(dim=1) == 1).all()
        seen |= set((shown[:, 0] % 10).tolist())
    assert seen == set(range(4 - frames))


def test_a_loader_takes_windows_as_long_as_the_moment_says():
    loader = StepLoader(Sequences(6), seed=0, step_size=lambda seen: (2, 1), frames=lambda seen: 1 + seen // 4)
    batches = iter(loader)
    assert [next(batches).images.shape[1] for _ in range(6)] == [1, 1, 2, 2, 3, 3]
    loader.restart(8, 8)
    again = next(iter(loader))
    assert (again.images.shape[1], again.plan.frames) == (3, 3)


def test_films_that_are_longer_than_examples_are_not_cached(tmp_path):
    class Longer(Sequences):
        def take_windows(self, indices, places, frames):
            return {"images": self.images[list(indices)][:, :frames]}

    with pytest.raises(DataError, match=r"'data.cache' would keep one window of each sequence"):
        arrange(Longer(6), Wishes(cache=tmp_path))
    held = arrange(Longer(6), Wishes(holdout=0.5))
    assert held.take_windows([0, 1], torch.zeros(2), 2)["images"].shape == (2, 2, 1, 4, 4)

from __future__ import annotations

import pytest
import torch

from ganlab.data import StepPlan, Stream
from ganlab.errors import DataError
from tests.data.toys import Numbered, Points


def plan(position, batch_size, steps=1, start=0, count=None):
    return StepPlan(position, position, batch_size, steps, start, batch_size if count is None else count)


def test_every_epoch_shows_each_example_once_in_another_order():
    stream = Stream(Numbered(50), seed=3)
    epochs = [stream.locate(torch.arange(50 * epoch, 50 * epoch + 50))[0].tolist() for epoch in range(4)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_an_index_depends_on_seed_and_position_only():
    positions = torch.tensor([149, 3, 77, 50, 49, 1000])
    alone = [Stream(Numbered(50), seed=3).locate(positions[i : i + 1])[0].item() for i in range(6)]
    assert Stream(Numbered(50), seed=3).locate(positions)[0].tolist() == alone
    assert Stream(Numbered(50), seed=4).locate(positions)[0].tolist() != alone


def test_a_batch_longer_than_the_data_set_goes_through_several_epochs():
    batch = Stream(Numbered(3), seed=0)[plan(1, 8)]
    assert batch.images.shape == (8, 1, 2, 2)
    assert sorted(batch.images[2:5, 0, 0, 0].tolist()) == [0, 1, 2]


def test_a_batch_holds_the_examples_at_its_positions():
    stream = Stream(Numbered(50), seed=3)
    batch = stream[plan(90, 8, steps=2, start=4, count=4)]
    expected = stream.locate(torch.tensor([94, 95, 96, 97, 102, 103, 104, 105]))[0]
    assert batch.images[:, 0, 0, 0].tolist() == expected.tolist()
    assert batch.labels.tolist() == (expected % 3).tolist()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.float32])
def test_flips_mirror_about_half_of_the_images_and_differ_between_epochs(dtype):
    plain, flipped = (Stream(Numbered(200, dtype), seed=1, flip=flip) for flip in (False, True))
    positions = torch.arange(400)
    mirrored = flipped.locate(positions)[1]
    assert 60 < mirrored[:200].sum() < 140
    orders = flipped.locate(positions)[0]
    of_example = [mirrored[:200][orders[:200].argsort()], mirrored[200:][orders[200:].argsort()]]
    assert not torch.equal(*of_example)
    before, after = plain[plan(0, 400)].images, flipped[plan(0, 400)].images
    assert before.dtype == after.dtype == dtype
    for row in range(400):
        expected = before[row].float().flip(-1) if mirrored[row] else before[row].float()
        assert torch.equal(after[row].float(), expected)


def test_flips_are_refused_where_they_would_be_wrong():
    with pytest.raises(DataError, match="vectors"):
        Stream(Points(torch.zeros(4, 2)), seed=0, flip=True)
    with pytest.raises(DataError, match="mask"):
        Stream(Numbered(4, extra=True), seed=0, flip=True)[plan(0, 2)]


def test_further_tensors_arrive_by_name():
    batch = Stream(Numbered(5, extra=True), seed=0)[plan(0, 5)]
    assert batch.inputs["mask"].shape == (5, 2, 2)
    assert torch.equal(batch.inputs["mask"][:, 0, 0], batch.images[:, 0, 0, 0].float())


def test_contradictions_to_the_facts_are_data_errors():
    wrong = Numbered(5)
    wrong.facts = type(wrong.facts)((3, 2, 2), 5, "x", class_names=("a", "b", "c"))
    with pytest.raises(DataError, match=r"shape \(1, 2, 2\).*\(3, 2, 2\)"):
        Stream(wrong, seed=0)[plan(0, 2)]
    few = Numbered(5)
    few.facts = type(few.facts)((1, 2, 2), 5, "x", class_names=("a", "b"))
    with pytest.raises(DataError, match="2 classes allow 0 to 1"):
        Stream(few, seed=0)[plan(0, 5)]
    with pytest.raises(DataError, match="int64"):
        Stream(Numbered(5, torch.int64), seed=0)[plan(0, 2)]
    with pytest.raises(DataError, match="empty"):
        Stream(Numbered(0), seed=0)

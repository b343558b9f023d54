"""Images from the cache equal those that are reduced on the way, and are read from nowhere else."""

from __future__ import annotations

import pickle
from itertools import islice

import pytest
import torch

from ganlab.contracts import DataFacts
from ganlab.data import StepLoader
from ganlab.data.cache import CachedDataset
from ganlab.data.examples import read_examples
from ganlab.data.reduction import reduce_images
from ganlab.errors import DataError
from tests.tiny import TinyData


class Counting(TinyData):
    reads = 0

    def __getitem__(self, index):
        self.reads += 1
        return super().__getitem__(index)


def resolution_at(images_seen):
    return 4 if images_seen < 24 else 8 if images_seen < 48 else 16


def batches(dataset, **options):
    loader = StepLoader(
        dataset, seed=0, step_size=lambda images: (8, 1), resolution=resolution_at, flip=True, **options
    )
    return list(islice(iter(loader), 8))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.float32])
def test_reduced_images_are_means(dtype):
    images = (torch.rand(2, 3, 8, 8) * 255).to(dtype)
    means = images.double().unfold(2, 4, 4).unfold(3, 4, 4).mean((4, 5))
    reduced = reduce_images(images, 2)
    assert reduced.dtype == dtype
    assert torch.allclose(reduced.double(), means if dtype == torch.float32 else means.round(), rtol=1e-6)
    assert reduce_images(images, 8) is images


@pytest.mark.parametrize("workers", [0, 2])
def test_steps_are_the_same_with_a_cache(tmp_path, workers):
    data = Counting(30, (3, 16, 16))
    cached = CachedDataset(data, tmp_path)
    cached.prepare()
    for first, second in zip(batches(data), batches(cached, workers=workers), strict=True):
        side = resolution_at(first.images_seen)
        assert first.images.shape == second.images.shape == (8, 3, side, side)
        assert first.images.dtype == torch.uint8
        assert torch.equal(first.images, second.images)
        assert torch.equal(first.labels, second.labels)


def test_small_images_come_from_the_files(tmp_path):
    data = Counting(70, (1, 16, 16))
    cached = CachedDataset(data, tmp_path)
    cached.prepare()
    assert sorted(path.name for path in cached.folder.iterdir()) == ["16.npy", "4.npy", "8.npy", "label.npy"]
    data.reads = 0
    again = CachedDataset(data, tmp_path)
    again.prepare()
    after_check = data.reads
    again = pickle.loads(pickle.dumps(again))
    examples = read_examples(again, [69, 0, 3], 8)
    assert torch.equal(examples["images"], reduce_images(data.images[[69, 0, 3]], 8))
    assert again.dataset.reads == after_check <= 2  # a look at one example, whatever the size
    assert torch.equal(read_examples(again, [5])["images"], data.images[[5]])
    assert torch.equal(again[7]["images"], data.images[7])
    assert again.dataset.reads == after_check
    assert torch.equal(read_examples(again, [5], 2)["images"], reduce_images(data.images[[5]], 2))


def test_rectangles_are_kept_by_their_larger_side(tmp_path):
    data = Counting(20, (1, 12, 16))
    cached = CachedDataset(data, tmp_path)
    cached.prepare()
    assert cached.resolutions == [16, 8, 4]
    for examples in (read_examples(cached, [7, 3], 4), read_examples(data, [7, 3], 4)):
        assert torch.equal(examples["images"], reduce_images(data.images[[7, 3]], 4))
        assert examples["images"].shape == (2, 1, 3, 4)


def test_other_data_have_other_files(tmp_path):
    data = TinyData(10, (1, 8, 8))
    CachedDataset(data, tmp_path).prepare()
    data.facts = DataFacts((1, 8, 8), 10, "changed", class_names=("a", "b"))
    CachedDataset(data, tmp_path).prepare()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changed", "tiny"]


def test_an_interrupted_preparation_leaves_nothing(tmp_path):
    class Broken(TinyData):
        def __getitem__(self, index):
            if index == 80:
                raise DataError("damaged")
            return super().__getitem__(index)

    cached = CachedDataset(Broken(100, (1, 8, 8)), tmp_path)
    with pytest.raises(DataError, match="damaged"):
        cached.prepare()
    assert list(cached.folder.iterdir()) == []


def test_images_that_are_not_square_are_kept_whole(tmp_path):
    data = Counting(10, (1, 8, 6))
    cached = CachedDataset(data, tmp_path)
    assert torch.equal(read_examples(cached, [3])["images"], data.images[[3]])
    assert not cached.folder.exists()
    cached.prepare()
    assert sorted(path.name for path in cached.folder.iterdir()) == ["4.npy", "8.npy", "label.npy"]
    data.reads = 0
    examples = read_examples(cached, [9, 0])
    assert torch.equal(examples["images"], data.images[[9, 0]])
    assert examples["label"].tolist() == [data[9]["label"], data[0]["label"]]


def test_all_that_cannot_be_read_is_named(tmp_path):
    class Broken(TinyData):
        def __getitem__(self, index):
            if index in (3, 5, 80):
                raise DataError(f"picture {index} is damaged")
            return super().__getitem__(index)

    with pytest.raises(DataError, match=r"(?s)3 of 100 examples.*picture 3 .*picture 5 .*picture 80 is damaged"):
        CachedDataset(Broken(100, (1, 8, 8)), tmp_path).prepare()


def test_refuses_what_it_cannot_keep(tmp_path):
    data = TinyData(10, (4,))
    with pytest.raises(DataError, match="are vectors"):
        CachedDataset(data, tmp_path)

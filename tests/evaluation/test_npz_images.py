"""Images in an `.npz`: those of ADM are read, and nothing else is."""

import numpy as np
import pytest
import torch

from ganlab.errors import DataError
from ganlab.evaluation.npz_images import NpzImages
from ganlab.evaluation.reference_files import PublishedStatistics
from ganlab.run.measuring import open_pictures, open_reference

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), dtype=np.uint8)


@pytest.fixture
def file(tmp_path):
    """A batch of samples as ADM's scripts write it: images, and classes beside them."""
    np.savez(tmp_path / "samples.npz", IMAGES, np.arange(7))
    return tmp_path / "samples.npz"


def test_images_have_their_channels_first(file):
    data = NpzImages(file)
    assert (len(data), data.facts.shape, data.facts.classes) == (7, (3, 4, 5), 0)
    assert torch.equal(data[2]["images"], torch.from_numpy(IMAGES[2]).permute(2, 0, 1))
    assert open_pictures(str(file), "--images").facts == open_reference(str(file)).facts == data.facts


def test_a_reference_with_statistics_gives_these_and_its_images_where_they_are_named(tmp_path):
    path = tmp_path / "VIRTUAL.npz"
    np.savez(path, arr_0=IMAGES, mu=np.zeros(3), sigma=np.eye(3), mu_s=np.zeros(2), sigma_s=np.eye(2))
    statistics = open_reference(str(path))
    assert isinstance(statistics, PublishedStatistics)
    assert statistics.features.dimensions == 3
    assert len(open_reference(f"{path}:arr_0")) == 7
    with pytest.raises(DataError, match=r"are called 'arr_0', as in '.*VIRTUAL.npz:arr_0'"):
        open_reference(f"{path}:images")


@pytest.mark.parametrize(
    "images", [IMAGES / 255, IMAGES[0], IMAGES[:0], np.zeros((2, 3, 8, 8), np.uint8), np.array([{}, {}])]
)
def test_what_are_no_images_is_told(tmp_path, images):
    np.savez(tmp_path / "other.npz", images)
    with pytest.raises(DataError, match=r"images are bytes \(uint8\) of the shape|is no .npz of plain arrays"):
        NpzImages(tmp_path / "other.npz")


def test_other_files_are_sentences(tmp_path, file):
    np.savez(tmp_path / "named.npz", pictures=IMAGES)
    with pytest.raises(DataError, match="holds pictures; images are 'arr_0'"):
        NpzImages(tmp_path / "named.npz")
    np.save(tmp_path / "one.npy", IMAGES)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    file.write_bytes(file.read_bytes()[:100])
    for path, sentence in (("one.npz", "one array alone"), ("samples.npz", "is no .npz"), ("none.npz", "cannot be")):
        with pytest.raises(DataError, match=sentence):
            NpzImages(tmp_path / path)

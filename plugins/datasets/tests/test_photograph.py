"""One picture: of scikit-learn or of a file, made smaller, with a mask."""

import numpy as np
import pytest
import torch
from ganlab_datasets.photograph import Photograph
from PIL import Image
from sklearn.datasets import load_sample_image

from ganlab.errors import DataError, DataMissing


def picture(path, height=30, width=60, mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return str(path)


@pytest.mark.parametrize("name", ["china", "flower"])
def test_the_photographs_of_scikit_learn(name):
    data = Photograph(name, side=None)
    stored = load_sample_image(f"{name}.jpg")
    assert np.array_equal(data[0]["images"].numpy(), stored.transpose(2, 0, 1))
    small = Photograph(name, side=64)
    assert small.facts.shape == (3, 43, 64)
    assert len(small) == small.facts.size == 1
    area = torch.nn.functional.adaptive_avg_pool2d(data.images.float(), (43, 64))
    assert float((small.images - area).abs().mean()) < 5  # of 255: the same picture


def test_files_are_made_smaller_and_never_larger(tmp_path):
    path = picture(tmp_path / "a.png")
    assert Photograph(path, side=30).facts.shape == (3, 15, 30)
    whole = Photograph(path, side=500)
    assert np.array_equal(whole.images[0].numpy(), np.asarray(Image.open(path)).transpose(2, 0, 1))
    assert Photograph(path, channels=1).facts.shape == (1, 30, 60)
    assert Photograph(path, side=30).facts.fingerprint != whole.facts.fingerprint


def test_a_photograph_is_turned_as_the_camera_was_held(tmp_path):
    image, exif = Image.new("RGB", (60, 30), "red"), Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert Photograph(str(tmp_path / "turned.jpg"), side=20).facts.shape == (3, 20, 10)


def test_a_mask_stands_beside_the_picture(tmp_path):
    path, mask = picture(tmp_path / "a.png"), Image.new("L", (120, 60))
    mask.paste(255, (0, 0, 60, 60))  # twice as large as the picture, white in the left half
    mask.save(tmp_path / "mask.png")
    data = Photograph(path, mask=str(tmp_path / "mask.png"))
    expected = torch.zeros(1, 30, 60, dtype=torch.uint8)
    expected[..., :30] = 1
    assert torch.equal(data[0]["mask"], expected)
    assert torch.equal(data.take([0, 0])["mask"], expected.expand(2, -1, -1, -1))
    assert data.facts.inputs["mask"].classes == 2
    assert data.facts.fingerprint != Photograph(path).facts.fingerprint


def test_what_is_no_picture_is_told(tmp_path):
    with pytest.raises(DataMissing, match=r"there is no picture 'chna'.*'china' or 'flower'"):
        Photograph("chna")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match="cannot be read: it is empty, damaged or not an image"):
        Photograph(str(tmp_path / "text.png"))
    with pytest.raises(DataError, match="other proportions than"):
        Photograph(picture(tmp_path / "a.png"), mask=picture(tmp_path / "square.png", 30, 30))

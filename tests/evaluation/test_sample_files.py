"""Samples as files."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganlab.contracts import DataFacts
from ganlab.errors import UserError
from ganlab.evaluation.sample_files import write_samples


def ramp(count, channels, size=4):
    values = torch.linspace(-1, 1, count * channels * size * size)
    return values.view(count, channels, size, size)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_numbered_pngs_keep_every_pixel(tmp_path, channels, mode):
    samples = ramp(5, channels)
    files = write_samples(samples.split(2), 5, tmp_path, DataFacts((channels, 4, 4), 1, "x"))
    assert [file.name for file in files] == [f"0000{index}.png" for index in range(5)]
    picture = Image.open(files[3])
    assert picture.mode == mode
    pixels = np.asarray(picture).reshape(4, 4, channels).transpose(2, 0, 1)
    assert np.array_equal(pixels, ((samples[3].double() + 1) * 127.5).round().numpy())


def test_sixteen_bits_stay_sixteen_bits(tmp_path):
    (file,) = write_samples([ramp(1, 1)], 1, tmp_path, DataFacts((1, 4, 4), 1, "x", value_range=(0.0, 65535.0)))
    expected = ((ramp(1, 1)[0, 0].double() + 1) * 32767.5).round()
    assert np.array_equal(np.asarray(Image.open(file)), expected.numpy())


def test_what_png_cannot_hold_becomes_an_array(tmp_path):
    facts = DataFacts((5, 4, 4), 1, "x")
    (file,) = write_samples([ramp(1, 5)], 1, tmp_path, facts)
    assert file.name == "00000.npy"
    assert np.load(file).shape == (5, 4, 4)


def test_vectors_become_one_array(tmp_path):
    points = torch.randn(7, 2)
    (file,) = write_samples(points.split(4), 7, tmp_path, DataFacts((2,), 1, "x", value_range=(-1.0, 1.0)))
    assert np.array_equal(np.load(file), points.numpy())


def test_sequences_are_folders_of_frames_and_move(tmp_path):
    facts = DataFacts((3, 4, 4, 4), 1, "x", frames=3)
    samples = ramp(6, 4).unflatten(0, (2, 3))
    files = write_samples([samples], 2, tmp_path, facts)
    assert [file.name for file in files] == ["00000.gif", "00001.gif"]
    assert Image.open(files[1]).n_frames == 3
    names = [file.name for file in sorted((tmp_path / "00001").iterdir())]
    assert names == ["000.png", "001.png", "002.png"]
    frame = np.asarray(Image.open(tmp_path / "00001" / "002.png")).transpose(2, 0, 1)
    assert np.array_equal(frame, ((samples[1, 2].double() + 1) * 127.5).round().numpy())  # alpha as it is


def test_sequences_are_films_in_mp4(tmp_path):
    av = pytest.importorskip("av")
    facts = DataFacts((5, 3, 16, 16), 1, "x", frames=5)
    samples = torch.linspace(-1, 1, 5).view(1, 5, 1, 1, 1).expand(1, 5, 3, 16, 16)
    (file,) = write_samples([samples], 1, tmp_path, facts, film="mp4", fps=4)
    assert file.name == "00000.mp4"
    assert len(list((tmp_path / "00000").iterdir())) == 5
    with av.open(str(file)) as film:
        shown = [frame.to_ndarray(format="gray").mean() for frame in film.decode(video=0)]
        assert film.streams.video[0].average_rate == 4
    assert np.allclose(shown, [0, 64, 127.5, 191, 255], atol=12)


def test_nothing_is_overwritten_unasked(tmp_path):
    facts = DataFacts((1, 4, 4), 1, "x")
    write_samples([ramp(1, 1)], 1, tmp_path, facts)
    before = (tmp_path / "00000.png").read_bytes()
    with pytest.raises(UserError, match="--overwrite"):
        write_samples([-ramp(3, 1)], 3, tmp_path, facts)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("00000.png", before)]
    write_samples([-ramp(3, 1)], 3, tmp_path, facts, overwrite=True)
    assert len(list(tmp_path.iterdir())) == 3
    assert (tmp_path / "00000.png").read_bytes() != before


def test_nothing_is_left_when_sampling_fails(tmp_path):
    def failing():
        raise UserError("no")
        yield

    with pytest.raises(UserError):
        write_samples(failing(), 3, tmp_path / "new", DataFacts((1, 4, 4), 1, "x"))
    assert not (tmp_path / "new").exists()

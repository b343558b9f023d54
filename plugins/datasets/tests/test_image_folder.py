from __future__ import annotations

import pickle
import zlib

import numpy as np
import pytest
import torch
from ganlab_datasets.image_folder import ImageFolder
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from ganlab.data import preflight
from ganlab.data.opening import Wishes, arrange, prepare
from ganlab.data.report import report_on
from ganlab.errors import DataError, DataMissing


def picture(path, size=(6, 4), mode="RGB", seed=0, **save):
    """Save random pixels; `size` is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode).save(path, **save)
    return pixels


def classes(folder, names=("cat", "dog"), count=3, **options):
    for number, name in enumerate(names):
        for index in range(count):
            picture(folder / name / f"{index}.png", seed=10 * number + index, **options)
    return str(folder)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
def test_pixels_arrive_unchanged_without_a_resolution(tmp_path, mode, channels):
    pixels = picture(tmp_path / "one.png", mode=mode)
    data = ImageFolder(str(tmp_path))
    assert data.facts.shape == (channels, 4, 6)
    assert data.facts.value_range == (0, 255)
    assert np.array_equal(data[0]["images"].permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "png", "ppm", "tga", "tif", "webp", "jp2", "ico"])
def test_many_formats_are_read(tmp_path, suffix):
    Image.new("RGB", (16, 16), (200, 100, 50)).save(tmp_path / f"one.{suffix}")
    image = ImageFolder(str(tmp_path), channels=3)[0]["images"].float()
    assert image.shape == (3, 16, 16)
    assert torch.allclose(image.mean((1, 2)), torch.tensor([200.0, 100, 50]), atol=6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_kept(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 65536, (5, 7), dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / f"one.{suffix}")
    data = ImageFolder(str(tmp_path))
    assert (data.facts.shape, data.facts.value_range) == ((1, 5, 7), (0, 65535))
    assert data[0]["images"].dtype == torch.uint16
    assert np.array_equal(data[0]["images"][0].numpy(), pixels)
    Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(tmp_path / f"one.{suffix}")
    assert ImageFolder(str(tmp_path), resolution=4)[0]["images"].float().unique().tolist() == [40_000]


def test_the_middle_is_cut_out_and_scaled_with_antialiasing(tmp_path):
    pixels = np.zeros((16, 32), np.uint8)
    pixels[:, 8:24] = np.indices((16, 16)).sum(0) % 2 * 255  # a checkerboard in the middle, black beside it
    Image.fromarray(pixels).save(tmp_path / "one.png")
    image = ImageFolder(str(tmp_path), resolution=4)[0]["images"].float()
    assert image.shape == (1, 4, 4)
    assert (image - 127.5).abs().max() < 10
    wide = ImageFolder(str(tmp_path), resolution=(4, 8), crop=True)[0]["images"]
    assert wide.shape == (1, 4, 8)
    assert wide[0, :, [0, 7]].max() < 30
    squeezed = ImageFolder(str(tmp_path), resolution=4, crop=False)[0]["images"]
    assert squeezed[0, :, [0, 3]].max() < 30


def test_pictures_are_turned_as_the_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = picture(tmp_path / "one.png", size=(6, 4), exif=exif)
    data = ImageFolder(str(tmp_path))
    assert data.facts.shape == (3, 6, 4)
    assert np.array_equal(data[0]["images"].permute(1, 2, 0).numpy(), np.rot90(pixels, -1))


def test_folders_are_classes_and_other_files_are_ignored(tmp_path):
    path = classes(tmp_path)
    picture(tmp_path / "dog" / "deep" / "x.png")
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    picture(tmp_path / ".cache" / "x.png")
    data = ImageFolder(path)
    assert data.facts.class_names == ("cat", "dog")
    assert [data[index]["label"] for index in range(len(data))] == [0, 0, 0, 1, 1, 1, 1]
    assert ImageFolder(path, labels="none").facts.classes == 0
    assert "label" not in ImageFolder(path, labels="none")[0]


def test_one_format_of_mixed_ones_must_be_named(tmp_path):
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png", mode="L")
    with pytest.raises(DataError, match=r"1 of RGB \(such as a\.png\), 1 of L \(such as b\.png\).*channels: 1"):
        ImageFolder(str(tmp_path))
    assert ImageFolder(str(tmp_path), channels=3)[1]["images"].shape == (3, 4, 6)
    picture(tmp_path / "c.png", size=(8, 8))
    with pytest.raises(DataError, match=r"2 of 6x4.*1 of 8x8.*resolution: 256"):
        ImageFolder(str(tmp_path), channels=1)
    assert len(ImageFolder(str(tmp_path), channels=1, resolution=4)) == 3
    Image.fromarray(np.zeros((4, 6), np.uint16)).save(tmp_path / "d.png")
    with pytest.raises(DataError, match="mix 8 and 16 bits"):
        ImageFolder(str(tmp_path), channels=1, resolution=4)


def test_wrong_places_are_explained(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        ImageFolder(str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images in"):
        ImageFolder(str(tmp_path / "empty"))
    picture(tmp_path / "file.png")
    with pytest.raises(DataError, match="is a file"):
        ImageFolder(str(tmp_path / "file.png"))


def test_a_folder_one_level_too_deep_is_explained(tmp_path):
    classes(tmp_path / "train")
    with pytest.raises(DataError, match=r"1 class found.*train"):
        ImageFolder(str(tmp_path))
    with pytest.raises(DataError, match=r"1 class found.*spec says 'classes: 10'"):
        ImageFolder(str(tmp_path), classes=10)
    classes(tmp_path / "test")
    with pytest.raises(DataError, match=r"unclear what the classes are.*test, train"):
        ImageFolder(str(tmp_path))
    with pytest.raises(DataError, match=r"2 classes found.*'classes: 10'; 4 folders below"):
        ImageFolder(str(tmp_path), labels="folders", classes=10)
    assert ImageFolder(str(tmp_path), labels="folders", classes=2).facts.class_names == ("test", "train")
    picture(tmp_path / "loose.png")
    with pytest.raises(DataError, match=r"1 of 13 images lie directly"):
        ImageFolder(str(tmp_path))


def bomb(path, side=20_000):
    """A PNG of few bytes whose header promises side x side pixels."""

    def chunk(kind, content):
        body = kind + content
        return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def test_every_bad_file_is_named_before_training(tmp_path):
    for index in range(4):
        picture(tmp_path / f"good{index}.png", size=(32, 32), seed=index)
    whole = (tmp_path / "good0.png").read_bytes()
    (tmp_path / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.png").write_text("not an image")
    bomb(tmp_path / "bomb.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "missing")
    data = ImageFolder(str(tmp_path))
    with pytest.raises(DataError, match="5 of 9 examples cannot be used") as caught:
        preflight(data)
    for name in ("truncated.png", "empty.jpg", "text.png", "bomb.png", "nowhere.png"):
        assert name in str(caught.value)
    assert "400000000 pixels" in str(caught.value)
    assert "exceeds limit of" in str(caught.value)
    with pytest.raises(DataError, match="truncated.png"):
        data[data.source.names.index("truncated.png")]
    report = report_on(data)
    assert len(report.unreadable) == 5
    assert report.modes == {"RGB": 5}
    assert report.sizes == {"32 x 32": 5}


def test_a_folder_of_bad_files_only_is_an_error(tmp_path):
    (tmp_path / "a.png").write_text("no")
    with pytest.raises(DataError, match=r"none of the 1 image files can be read:\n.*a\.png"):
        ImageFolder(str(tmp_path))


def test_the_fingerprint_follows_content_and_preparation_and_not_times(tmp_path):
    path = classes(tmp_path)
    first = ImageFolder(path).facts.fingerprint
    (tmp_path / "cat" / "0.png").touch()
    assert ImageFolder(path).facts.fingerprint == first
    assert ImageFolder(path, resolution=4).facts.fingerprint != first
    assert ImageFolder(path, labels="none").facts.fingerprint != first
    picture(tmp_path / "cat" / "0.png", seed=99)
    assert ImageFolder(path).facts.fingerprint != first


def test_exact_duplicates_are_found(tmp_path):
    picture(tmp_path / "a.png", seed=1)
    picture(tmp_path / "b.png", seed=1)
    picture(tmp_path / "c.png", seed=2)
    assert report_on(ImageFolder(str(tmp_path))).duplicates == [["a.png", "b.png"]]


def test_it_can_be_sent_to_another_process(tmp_path):
    data = ImageFolder(classes(tmp_path))
    again = pickle.loads(pickle.dumps(data))
    assert torch.equal(again[4]["images"], data[4]["images"])


def test_a_box_is_cut_out_first(tmp_path):
    pixels = picture(tmp_path / "one.png", size=(9, 7))
    data = ImageFolder(str(tmp_path), box=(2, 1, 6, 5))
    assert data.facts.shape == (3, 4, 4)
    assert np.array_equal(data[0]["images"].permute(1, 2, 0).numpy(), pixels[1:5, 2:6])
    assert ImageFolder(str(tmp_path), box=(2, 1, 6, 5), resolution=2)[0]["images"].shape == (3, 2, 2)
    assert data.facts.fingerprint != ImageFolder(str(tmp_path), resolution=4).facts.fingerprint
    with pytest.raises(DataError, match="'box' is .left, top, right, bottom."):
        ImageFolder(str(tmp_path), box=(6, 1, 2, 5))
    with pytest.raises(DataError, match=r"one.png.*reaches beyond its 9x7 pixels"):
        ImageFolder(str(tmp_path), box=(2, 1, 10, 5))[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"resolution": 8, "channels": 3, "labels": "none"}, ((3, 8, 8), 0)),
        ({"resolution": (8, 6), "channels": 1, "labels": "folders", "classes": 3}, ((1, 8, 6), 3)),
        ({"resolution": 8, "channels": 1, "labels": "folders"}, None),
        ({"resolution": 8, "labels": "none"}, None),
        ({"channels": 3, "labels": "none"}, None),
    ],
)
def test_what_the_options_say_of_data_that_are_missing(tmp_path, options, expected):
    with pytest.raises(DataMissing) as missing:
        ImageFolder(str(tmp_path / "nowhere"), **options)
    facts = missing.value.facts
    assert (facts and (facts.shape, facts.classes)) == expected


def test_many_at_once_are_those_one_by_one(tmp_path):
    for index in range(11):
        picture(tmp_path / "ab"[index % 2] / f"{index}.png")
    data = pickle.loads(pickle.dumps(ImageFolder(str(tmp_path))))
    taken = data.take([10, 0, 3, 3, 7])
    for row, index in enumerate([10, 0, 3, 3, 7]):
        assert torch.equal(taken["images"][row], data[index]["images"])
        assert taken["label"][row] == data[index]["label"]


def test_labels_false_is_none(tmp_path):
    assert ImageFolder(classes(tmp_path), labels=False).facts == ImageFolder(str(tmp_path), labels="none").facts


def see_through(folder, count=3):
    """Pictures with transparency and what Pillow makes of them on a colour."""

    def on(colour, index):
        whole = Image.new("RGBA", (6, 4), (*colour, 255))
        whole.alpha_composite(Image.open(folder / f"{index}.png"))
        return torch.from_numpy(np.array(whole.convert("RGB")).transpose(2, 0, 1))

    for index in range(count):
        picture(folder / f"{index}.png", mode="RGBA", seed=index)
    return on


@pytest.mark.parametrize(
    ("background", "colour"), [("white", (255,) * 3), ("black", (0,) * 3), ((9, 99, 199), (9, 99, 199))]
)
def test_transparency_is_laid_on_a_background(tmp_path, background, colour):
    on = see_through(tmp_path)
    picture(tmp_path / "3.png", seed=3)
    data = ImageFolder(str(tmp_path), background=background)
    assert data.facts.shape == (3, 4, 6)
    assert torch.equal(data[1]["images"], on(colour, 1))
    assert torch.equal(data[3]["images"], ImageFolder(str(tmp_path), channels=3)[3]["images"])
    assert ImageFolder(str(tmp_path), channels=1, background=background)[0]["images"].shape == (1, 4, 6)
    assert data.facts.fingerprint != ImageFolder(str(tmp_path), channels=3).facts.fingerprint


def test_palettes_and_colours_that_are_transparent(tmp_path):
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 210, 220])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "a.png", transparency=1)
    Image.new("RGB", (2, 1), (1, 2, 3)).save(tmp_path / "b.png", transparency=(1, 2, 3))
    Image.new("LA", (2, 1), (50, 0)).save(tmp_path / "c.png")
    data = ImageFolder(str(tmp_path), channels=3, background="white")
    assert data[0]["images"][:, 0].T.tolist() == [[10, 20, 30], [255, 255, 255]]
    assert data[1]["images"].unique().tolist() == data[2]["images"].unique().tolist() == [255]
    assert [data.is_transparent(index) for index in range(3)] == [True] * 3


def test_lost_transparency_is_told(tmp_path, caplog):
    see_through(tmp_path)
    Image.new("RGBA", (6, 4)).convert("RGB").convert("RGBA").save(tmp_path / "opaque.png")
    lossy = ImageFolder(str(tmp_path), channels=3)
    report = report_on(lossy)
    assert report.transparent == 3
    assert [remark for remark in report.remarks if "transparen" in remark] == [
        "3 of 4 pictures have transparent pixels (such as 0.png), for which the channels have no place: their "
        "transparency is dropped, and what it hid shows. 'data.background: white' (or black, or [red, green, blue]) "
        "lays them on a colour; 'data.channels: 4' keeps it"
    ]
    preflight(lossy)
    assert "3 of 4 pictures looked at have transparent pixels" in caplog.text
    caplog.clear()
    for kept in (ImageFolder(str(tmp_path)), ImageFolder(str(tmp_path), background="white")):
        report = report_on(kept)
        assert report.transparent == 3
        assert not report.remarks
        preflight(kept)
    assert not caplog.text


def test_backgrounds_that_will_not_do(tmp_path):
    see_through(tmp_path, 1)
    with pytest.raises(DataError, match="no use with 'channels: 4'"):
        ImageFolder(str(tmp_path), channels=4, background="white")
    with pytest.raises(DataError, match=r"\[red, green, blue\] from 0 to 255, not \(0, 0, 256\)"):
        ImageFolder(str(tmp_path), background=(0, 0, 256))


def test_12_bits_in_files_of_16(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 4096, (9, 9), dtype=np.uint16)
    pixels[:5] = 4095
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (remark,) = report_on(ImageFolder(str(tmp_path))).remarks
    assert remark.endswith("'data.value_range: [0, 4095]' stretches them over -1 to 1")
    data = ImageFolder(str(tmp_path), value_range=(0, 4095))
    assert data.facts.value_range == (0, 4095)
    assert not report_on(data).remarks
    resized = ImageFolder(str(tmp_path), value_range=(0, 4095), resolution=7)
    assert resized[0]["images"].int().max() == 4095
    with pytest.raises(DataError, match="low below high"):
        ImageFolder(str(tmp_path), value_range=(5, 5))


def test_pictures_that_are_much_enlarged_are_told(tmp_path):
    picture(tmp_path / "a.png", size=(8, 8))
    picture(tmp_path / "b.png", size=(40, 30))
    (remark,) = report_on(ImageFolder(str(tmp_path), resolution=20)).remarks
    assert remark.startswith("1 of 2 pictures are enlarged to more than twice their size")
    assert "a.png of 8 x 8 pixels, 2.5 times" in remark
    assert not report_on(ImageFolder(str(tmp_path), resolution=16)).remarks
    (remark,) = report_on(ImageFolder(str(tmp_path), resolution=16, box=(0, 0, 4, 4))).remarks
    assert "2 of 2" in remark


def test_jpeg_files_are_reduced_while_they_are_decoded(tmp_path, monkeypatch):
    ramp = np.linspace(0, 255, 640)[None, :, None] * np.linspace(0.2, 1, 400)[:, None, None]
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(np.repeat(ramp, 3, 2).astype(np.uint8)).save(tmp_path / "a.jpg", exif=turned, quality=95)
    drafts = []
    draft = JpegImageFile.draft
    monkeypatch.setattr(JpegImageFile, "draft", lambda image, *to: drafts.append(draft(image, *to)) or drafts[-1])
    data = ImageFolder(str(tmp_path), resolution=(64, 32))
    reduced = data[0]["images"].float()
    assert drafts
    assert drafts[0][1][2:] != (640, 400)
    monkeypatch.setattr(JpegImageFile, "draft", lambda image, *to: None)
    assert (reduced - data[0]["images"].float()).abs().max() <= 3
    assert ImageFolder(str(tmp_path))[0]["images"].shape == (3, 640, 400)


def test_transparency_is_known_of_parts_and_of_what_is_cached(tmp_path):
    see_through(tmp_path / "a", 6)
    for index in (1, 4):
        picture(tmp_path / "a" / f"{index}.png", seed=index)
    data = arrange(ImageFolder(str(tmp_path / "a"), channels=3), Wishes(holdout=0.5, cache=tmp_path / "cache"))
    prepare(data)
    for part in (data, data.held_out):
        names = [record.path for record in part.inspect()]
        expected = [name for name in names if name not in ("1.png", "4.png")]
        assert [name for index, name in enumerate(names) if part.is_transparent(index)] == expected
        assert report_on(part).transparent == len(expected)
        assert torch.equal(part.take([0, 2])["images"][1], part[2]["images"])


def test_some_of_the_classes_in_the_order_of_their_names(tmp_path):
    path = classes(tmp_path, ("ant", "bee", "cat", "dog", "eel"), count=2)
    blocks = [ImageFolder(path, classes=2, first_class=first) for first in (0, 2)]
    assert [data.facts.class_names for data in blocks] == [("ant", "bee"), ("cat", "dog")]
    assert [list(data.every_label()) for data in blocks] == [[0, 0, 1, 1]] * 2
    whole = ImageFolder(path)
    assert torch.equal(blocks[1][0]["images"], whole[4]["images"])
    assert len({data.facts.fingerprint for data in (*blocks, whole)}) == 3
    with pytest.raises(DataError, match="need 6 folders of classes .* which has 5"):
        ImageFolder(path, classes=2, first_class=4)
    with pytest.raises(DataError, match="give both, with labels"):
        ImageFolder(path, first_class=0)
    with pytest.raises(DataMissing) as missing:
        ImageFolder(str(tmp_path / "none"), 8, 3, classes=2, first_class=4)
    assert missing.value.facts.classes == 2

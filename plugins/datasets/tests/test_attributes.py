from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_datasets.attributes import Attributes
from ganlab_datasets.coloured_digits import ColouredDigits
from ganlab_datasets.digit_scenes import DigitScenes
from ganlab_datasets.digits import Digits
from ganlab_datasets.two_sets import TwoSets
from PIL import Image

from ganlab.build import build_dataset
from ganlab.data.opening import Wishes, arrange
from ganlab.data.report import report_on
from ganlab.errors import DataError, DataMissing
from ganlab.spec import node_from
from ganlab.testing.dataset_checks import check_examples

CELEBA = "3\nBald Smiling Young\n000001.png  -1  1  1\n000002.png   1 -1  1\n000003.png  -1 -1 -1\n"
CSV = "file,Bald,Smiling\n000001.png,no,yes\n000002.png,1,0\n000003.png,false,TRUE\n"


def write(folder, table=CELEBA, count=3):
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 256, (6, 4, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index + 1:06d}.png")
    (folder / "table.txt").write_text(table)
    return str(folder), str(folder / "table.txt")


def test_celebas_table_is_read(tmp_path):
    data = Attributes(*write(tmp_path), resolution=4, channels=3)
    assert data.facts.extras["attributes"] == ("Bald", "Smiling", "Young")
    assert data.facts.inputs["attributes"].shape == (3,)
    assert data.take([0, 1, 2])["attributes"].tolist() == [[0, 1, 1], [1, 0, 1], [0, 0, 0]]
    check_examples(data)
    assert not report_on(data).problems


def test_a_csv_is_read_and_columns_are_chosen(tmp_path):
    data = Attributes(*write(tmp_path, CSV), attributes=["Smiling"])
    assert data.facts.extras["attributes"] == ("Smiling",)
    assert [int(data[index]["attributes"]) for index in range(3)] == [1, 0, 1]
    other = Attributes(str(tmp_path), str(tmp_path / "table.txt"), attributes=["Bald"])
    assert other.facts.fingerprint != data.facts.fingerprint


def test_pictures_without_a_line_may_be_left_out(tmp_path):
    paths = write(tmp_path, count=2)
    with pytest.raises(
        DataError, match=r"1 of 3 pictures in '.*table.txt' \(such as 000003.png\) are not in the other"
    ):
        Attributes(*paths)
    assert len(Attributes(*paths, unmatched="skip")) == 2


def test_missing_data_are_known_by_their_options(tmp_path):
    with pytest.raises(DataMissing) as missing:
        Attributes("nowhere", "nothing.txt", ["Male", "Young"], resolution=128, channels=3)
    facts = missing.value.facts
    assert (facts.shape, facts.inputs["attributes"].shape) == ((3, 128, 128), (2,))
    assert facts.extras["attributes"] == ("Male", "Young")


@pytest.mark.parametrize(
    ("table", "options", "sentence"),
    [
        (CELEBA, {"attributes": ["Smilling"]}, "did you mean 'Smiling'"),
        (CSV.replace("yes", "maybe"), {}, "has 'maybe' for 'Smiling' of 000001.png"),
        (CSV + "000004.png,1\n", {}, "line 5 of .* has 1 values, and there are 2 names"),
        ("file,Bald\n", {}, "no line of names"),
        (CSV.replace("0000", "faces/0000"), {}, "names none of the pictures"),
    ],
)
def test_mistakes_end_in_a_sentence(tmp_path, table, options, sentence):
    with pytest.raises(DataError, match=sentence):
        Attributes(*write(tmp_path, table), **options)


def test_two_sets_keep_what_each_knows(tmp_path):
    write(tmp_path)
    first = {"name": "attributes", "path": str(tmp_path), "table": str(tmp_path / "table.txt"), "resolution": 8}
    second = {"name": "coloured_digits", "resolution": 8}
    data = build_dataset(node_from("datasets", {"name": "two_sets", "first": first, "second": second}))
    arranged = arrange(data, Wishes())
    assert arranged.facts.further["second"].class_names == ("red", "green", "blue", "yellow")
    assert set(arranged[0]) == {"images", "attributes"}
    check_examples(arranged)
    with pytest.raises(DataError, match="are 3 x 8 x 8, those of the second 1 x 8 x 8"):
        TwoSets(ColouredDigits(8), Digits(8))


def test_coloured_digits_tell_colour_and_digit():
    data = ColouredDigits(8, ("red", "white"), labels="digit", attributes=True)
    assert data.facts.classes == 10
    attributes = data.inputs["attributes"]
    assert torch.equal(attributes[:, 2:].argmax(1), data.labels)
    red = attributes[:, 0] == 1
    assert (data.images[red][:, 0].float().mean() > 3 * data.images[red][:, 2].float().mean()).all()
    assert torch.equal(data.images[~red][:, 0], data.images[~red][:, 2])
    assert abs(float(red.float().mean()) - 0.5) < 0.05
    assert ColouredDigits(8, labels=False).facts.classes == 0
    with pytest.raises(DataError, match="are different ones of red"):
        ColouredDigits(8, ("red", "red"))


def test_coloured_digits_stand_on_grounds_between_bars_as_they_tell():
    """Against the digits themselves: where there is no ink, an image is its ground; bars are white columns."""
    traits = {"grounds": ["black", "grey", "lined"], "bars": True}
    data = ColouredDigits(16, labels="ground", attributes=["barred", "colour", "ground", "digit"], **traits)
    assert data.facts.extras["attributes"][:6] == ("barred", "red", "green", "blue", "yellow", "black")
    known = data.inputs["attributes"]
    assert torch.equal(known[:, 5:8].argmax(1), data.labels)
    empty = Digits(16).images[:, 0] == 0
    rows = torch.arange(16) // 2 % 2  # lines are an eighth of the side high
    for image, place, (barred, *_), ground in zip(data.images, empty, known, data.labels, strict=True):
        grey = 0.25 * 255 * torch.stack([torch.zeros(16), torch.ones(16), rows])[ground][:, None].expand(16, 16)
        inside = torch.ones(16, 16, dtype=torch.bool)
        inside[:, [0, 1, 14, 15]] = False
        assert ((image - grey)[:, place & inside].abs() <= 1).all()
        assert bool((image[:, ~inside] == 255).all()) == bool(barred)
    parts = [ColouredDigits(16, part=part, **traits) for part in ("even", "odd")]
    assert torch.equal(torch.stack([parts[0].images[5], parts[1].images[5]]), data.images[[10, 11]])
    assert parts[0].facts.fingerprint != parts[1].facts.fingerprint
    with pytest.raises(DataError, match="'grounds' of coloured_digits are different ones of black"):
        ColouredDigits(8, grounds=[])


def test_scenes_show_what_their_maps_say():
    data = DigitScenes(digits=3, size=20)
    assert data.facts.shape == (3, 16, 48)
    label_map, edges = data.inputs["label_map"], data.inputs["edges"]
    assert all(len(set(part.unique().tolist()) - {0}) == 1 for part in label_map.split(16, 2) for part in part)
    inside = label_map != 0
    ground = torch.stack(
        [image[:, ~place].float().std(1).mean() for image, place in zip(data.images, inside, strict=True)]
    )
    ink = torch.stack([image[:, place].float().max() for image, place in zip(data.images, inside, strict=True)])
    assert (ink > 150).all()
    assert ground.median() < 40
    assert (edges[:, 1:] >= (label_map[:, 1:] != label_map[:, :-1])).all()
    assert "edges" not in DigitScenes(size=4, edges=False).facts.inputs

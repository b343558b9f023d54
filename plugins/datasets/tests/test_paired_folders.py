"""Pairs of pictures in two folders, or side by side in one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ganlab_datasets.paired_folders import PairedFolders
from PIL import Image

from ganlab.errors import DataError, DataMissing
from ganlab.testing.dataset_checks import check_examples


def save(path: Path, colour: tuple[int, ...] | int, size: tuple[int, int] = (12, 8), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    for number in range(4):
        gradient = np.tile(np.arange(12, dtype=np.uint8) * 20, (8, 1))
        Image.fromarray(gradient + number).save(tmp_path / f"{number}.png")
        for folder, ending in (("a", "png"), ("b", "jpg")):
            (tmp_path / folder).mkdir(exist_ok=True)
            image = Image.open(tmp_path / f"{number}.png")
            (image if folder == "a" else image.convert("RGB")).save(tmp_path / folder / f"{number}.{ending}")
    return str(tmp_path / "a"), str(tmp_path / "b")


def test_two_folders_are_matched_by_name_without_ending(two: tuple[str, str]) -> None:
    data = PairedFolders(two)
    assert data.facts.shape == (3, 8, 12)
    assert data.facts.inputs["source"].shape == (1, 8, 12)
    check_examples(data)
    assert abs(int(data[2]["source"][0, 0, 6]) - int(data[2]["images"][0, 0, 6])) < 8


def test_direction_swaps_input_and_image(two: tuple[str, str]) -> None:
    data = PairedFolders(two, direction="BtoA")
    assert (data.facts.shape, data.facts.inputs["source"].shape) == ((1, 8, 12), (3, 8, 12))
    assert data.facts.fingerprint != PairedFolders(two).facts.fingerprint


def test_one_file_holds_both_side_by_side(tmp_path: Path) -> None:
    for number in range(3):
        image = Image.new("RGB", (24, 8), (255, number, 0))
        image.paste((0, 0, 255), (12, 0, 24, 8))
        image.save(tmp_path / f"{number}.png")
    data = PairedFolders(str(tmp_path))
    assert data.facts.shape == data.facts.inputs["source"].shape == (3, 8, 12)
    example = data[1]
    assert example["source"][:, 3, 11].tolist() == [255, 1, 0]
    assert example["images"][:, 3, 0].tolist() == [0, 0, 255]
    swapped = PairedFolders(str(tmp_path), direction="BtoA", resolution=4)
    assert swapped[1]["images"][:, 1, 3].tolist() == [255, 1, 0]
    assert [record.enlargement for record in swapped.inspect()][0] == 0.5


def test_an_odd_width_is_no_pair(tmp_path: Path) -> None:
    for number in range(2):
        save(tmp_path / f"{number}.png", 0, (25, 8), "L")
    with pytest.raises(DataError, match="25 pixels wide"):
        PairedFolders(str(tmp_path))[0]


def test_held_out_pairs_are_a_data_set_of_their_own(two: tuple[str, str], tmp_path: Path) -> None:
    save(tmp_path / "held/a/x.png", 9, mode="L")
    save(tmp_path / "held/b/x.png", (1, 2, 3))
    data = PairedFolders(two, held_out=(str(tmp_path / "held/a"), str(tmp_path / "held/b")))
    assert len(data.held_out) == 1
    assert int(data.held_out[0]["source"].max()) == 9


def test_16_bits_and_other_channels_than_the_image(tmp_path: Path) -> None:
    for number in range(2):
        deep = np.full((8, 12), 40_000 + number, dtype=np.uint16)
        for path in (tmp_path / f"depth/{number}.png",):
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(deep).save(path)
        save(tmp_path / f"photo/{number}.png", (1, 2, 3))
    data = PairedFolders((str(tmp_path / "depth"), str(tmp_path / "photo")), input_value_range=(0, 50_000))
    assert data[1]["source"].dtype == torch.uint16
    assert int(data[1]["source"][0, 0, 0]) == 40_001
    assert data.facts.inputs["source"].value_range == (0, 50_000)


def test_files_without_a_partner_are_told_or_skipped(two: tuple[str, str]) -> None:
    save(Path(two[0]) / "alone.png", 3, mode="L")
    with pytest.raises(DataError, match=r"1 of 5 pictures in '.*a' \(such as alone.png\) have no partner.*skip"):
        PairedFolders(two)
    assert len(PairedFolders(two, unmatched="skip")) == 4


def test_what_is_no_pair_is_told(two: tuple[str, str], tmp_path: Path) -> None:
    save(tmp_path / "c/other.png", (1, 1, 1))
    with pytest.raises(DataError, match="no picture in .* has a name that one in"):
        PairedFolders((two[0], str(tmp_path / "c")))
    for number in range(4):
        save(tmp_path / f"d/{number}.png", (1, 1, 1), (12, 12))
    with pytest.raises(DataError, match="other proportions.*12x8.*12x12"):
        PairedFolders((two[0], str(tmp_path / "d")), resolution=8)
    save(Path(two[1]) / "1.png", (1, 1, 1))
    with pytest.raises(DataError, match="differ by their ending alone"):
        PairedFolders(two)


def test_missing_folders_imply_their_facts() -> None:
    with pytest.raises(DataMissing) as missing:
        PairedFolders("nowhere", resolution=16, channels=3, input_channels=1)
    assert missing.value.facts is not None
    assert missing.value.facts.inputs["source"].shape == (1, 16, 16)

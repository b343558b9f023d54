"""`ganlab translate` on label maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ganlab_translation.spade import SPADE
from PIL import Image
from typer.testing import CliRunner

import ganlab
from ganlab import DataFacts, InputFacts, MapTable, UserError
from ganlab.cli.app import app
from ganlab.latents.translation import Wishes, needed_inputs, translate_files
from ganlab.run.session import train
from ganlab.spec import read_spec
from ganlab.testing.examples import example_module

EXPERIMENT = Path(__file__).parents[3] / "experiments/spade/digits.yaml"
SMALL = [
    "kimg=0.032",
    "evaluation=null",
    "snapshots.every_kimg=1",
    "ema=null",
    "data.size=40",
    "architecture.generator.widths=[4,4]",
    "architecture.generator.doubled_after=[0]",
    "architecture.encoder.widths=[4]",
    "architecture.discriminator.width=2",
    "guard.collapse=ignore",
]


def invoke(*arguments: str | Path):
    return CliRunner().invoke(app, ["translate", *map(str, arguments)])


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(read_spec(EXPERIMENT, SMALL), tmp_path_factory.mktemp("runs")).run.path


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Maps of three sizes with the objects in them, which have numbers of 16 bits."""
    random = np.random.default_rng(0)
    for name, size in (("one.png", (16, 32)), ("odd.png", (21, 13)), ("below/wide.png", (16, 80))):
        classes = random.integers(0, 11, size).repeat(1, axis=0).astype(np.uint8)
        save(tmp_path / "maps" / name, classes)
        save(tmp_path / "objects" / name, (classes > 5).astype(np.uint16) * 26_000)
    return tmp_path / "maps", tmp_path / "objects"


def test_a_folder_of_maps_becomes_pictures_of_the_same_names_and_sizes(run: Path, folders, tmp_path: Path) -> None:
    maps, objects = folders
    result = invoke(run, maps, "--input", f"edges={objects}", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    made = {str(path.relative_to(tmp_path / "out")): Image.open(path) for path in (tmp_path / "out").rglob("*.png")}
    assert {name: picture.size for name, picture in made.items()} == {
        "one.png": (32, 16), "odd.png": (13, 21), "below/wide.png": (80, 16)
    }  # fmt: skip
    assert {picture.mode for picture in made.values()} == {"RGB"}


def test_the_picture_is_the_sample_of_what_the_files_say(run: Path, folders, tmp_path: Path) -> None:
    """Against a sample of tensors that are read here, edges by a loop over neighbours."""
    maps, objects = folders
    assert invoke(run, maps / "one.png", "--input", f"edges={objects}", "--out", tmp_path / "out").exit_code == 0
    classes, numbers = (np.asarray(Image.open(folder / "one.png")).astype(int) for folder in folders)
    edges = np.zeros_like(numbers)
    for row, column in np.ndindex(numbers.shape):
        beside = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        inside = [place for place in beside if 0 <= place[0] < 16 and 0 <= place[1] < 32]
        edges[row, column] = any(numbers[place] != numbers[row, column] for place in inside)
    inputs = {"label_map": torch.from_numpy(classes)[None], "edges": torch.from_numpy(edges)[None]}
    expected = ganlab.load(run).sample(1, inputs=inputs)
    found = np.asarray(Image.open(tmp_path / "out/one.png")).transpose(2, 0, 1)
    assert np.abs(found - ((expected[0].numpy() + 1) * 127.5)).max() < 0.51


def test_several_styles_stand_beside_each_other_and_a_picture_gives_one(run: Path, folders, tmp_path: Path) -> None:
    maps, objects = folders
    common = ("--input", f"edges={objects}", "--out")
    assert invoke(run, maps, "styles=3", *common, tmp_path / "styles").exit_code == 0
    assert Image.open(tmp_path / "styles/odd.png").size == (3 * 13, 21)
    save(tmp_path / "bright.png", np.full((9, 9, 3), 250, np.uint8))
    save(tmp_path / "dark.png", np.zeros((30, 7, 3), np.uint8))
    for name in ("bright", "dark"):
        style = f"images={tmp_path / name}.png"
        result = invoke(run, maps, "style=images", "--input", style, *common, tmp_path / name)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "bright/one.png").read_bytes() != (tmp_path / "dark/one.png").read_bytes()
    tiled = invoke(run, maps, "styles=2", "--tile", 8, *common, tmp_path / "tiles")
    assert "beside each other" in str(tiled.exception)


def test_sides_and_tiles_are_for_maps_too(run: Path, folders, tmp_path: Path) -> None:
    maps, objects = folders
    common = ("--input", f"edges={objects}", "--out")
    assert invoke(run, maps, "--side", 40, *common, tmp_path / "larger").exit_code == 0
    assert Image.open(tmp_path / "larger/odd.png").size == (25, 40)
    assert invoke(run, maps, "--tile", 16, *common, tmp_path / "tiles").exit_code == 0
    assert Image.open(tmp_path / "tiles/below/wide.png").size == (80, 16)


def test_files_in_one_folder_are_told_apart_by_their_endings(run: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"city/{name}_labelIds.png", np.zeros((16, 32), np.uint8))
        save(tmp_path / f"city/{name}_instanceIds.png", np.zeros((16, 32), np.uint16))
    city = tmp_path / "city"
    endings = ("--ending", "label_map=_labelIds.png", "--ending", "edges=_instanceIds.png")
    result = invoke(run, city, "--input", f"edges={city}", *endings, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a_labelIds.png", "b_labelIds.png"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"one.png": np.full((16, 32), 11, np.uint8)}, r"512 of its pixels .* no class \(11; .*classes are 0 to 10"),
        ({"one.png": np.zeros((16, 32, 3), np.uint8)}, r"one.png is no map .* mode 'RGB', which holds colours"),
        ({"one.png": np.zeros((16, 31), np.uint8)}, r"\('edges'\) has 32x16 pixels, and .*'label_map'\) 31x16"),
        ({"more.png": np.zeros((16, 32), np.uint8)}, r"1 of 4 files of 'label_map' \(such as .*more.png.* for 'edges'"),
    ],
)
def test_maps_that_do_not_fit_are_told_before_anything_is_written(
    run: Path, folders, tmp_path: Path, change: dict[str, np.ndarray], sentence: str
) -> None:
    maps, objects = folders
    for name, values in change.items():
        save(maps / name, values)
    result = invoke(run, maps, "--input", f"edges={objects}", "--out", tmp_path / "out")
    with pytest.raises(UserError, match=sentence):
        raise result.exception
    assert not (tmp_path / "out").exists()


def test_mistakes_of_the_command_are_told(run: Path, folders, tmp_path: Path) -> None:
    maps, objects = folders
    both = ("--input", f"edges={objects}", "--out", tmp_path / "out")
    assert "--input edges=FOLDER" in str(invoke(run, maps, "--out", tmp_path / "out").exception)
    assert "made of 'label_map' and 'edges'" in str(invoke(run, maps, "--input", "edge=x").exception)
    assert "leave one out" in str(invoke(run, maps, "--input", f"label_map={maps}", *both).exception)
    assert "'--background'" in str(invoke(run, maps, "--background", "white", *both).exception)
    assert "is not NAME=TEXT" in invoke(run, maps, "--input", "edges").output
    assert "given twice" in invoke(run, maps, "--input", "edges=a", "--input", "edges=b").output


COLOURED = MapTable(3, (0, 1, 2), ((0, 0, 0), (200, 0, 0), (0, 0, 200)))


def test_maps_of_a_palette_and_games_without_instances(tmp_path: Path) -> None:
    """The table comes from the run's facts; a file of a palette and one of colours say the same."""
    label_map = InputFacts((9, 12), "maps", classes=3, files=COLOURED)
    game = example_module("spade", replace(SPADE.example_facts, inputs={"label_map": label_map}))
    classes = np.random.default_rng(0).integers(0, 3, (10, 14)).astype(np.uint8)
    colours = np.array(COLOURED.palette, dtype=np.uint8)
    save(tmp_path / "maps/colours.png", colours[classes])
    placed = Image.fromarray(classes)
    placed.putpalette(colours.flatten().tolist())
    placed.save(tmp_path / "places.png")
    for source in ("maps", "places.png"):
        translate_files(game, tmp_path / source, tmp_path / "out", {}, Wishes(), progress=False)
    assert (tmp_path / "out/colours.png").read_bytes() == (tmp_path / "out/places.png").read_bytes()
    save(tmp_path / "maps/colours.png", colours[classes] + 1)
    with pytest.raises(UserError, match=r"colours that mean no class .* are \[0, 0, 0\], \[200, 0, 0\]"):
        translate_files(game, tmp_path / "maps", tmp_path / "other", {}, Wishes(), progress=False)


@pytest.mark.parametrize(
    ("inputs", "frames", "sentence"),
    [
        (
            {"pose": InputFacts((2, 3)), "map": InputFacts((9, 12), "maps")},
            0,
            r"pose \(numbers\), map.*sample RUN --inp",
        ),
        ({"pose": InputFacts((2,))}, 0, "and not of pictures or label maps"),
        ({"map": InputFacts((4, 2, 9, 12), "maps", classes=3)}, 4, "this run makes films"),
        ({}, 0, "and not of pictures or label maps"),
    ],
)
def test_what_is_in_no_file_is_refused(inputs: dict[str, Any], frames: int, sentence: str) -> None:
    class Game:
        facts = DataFacts((3, 9, 12), 1, "x", inputs=inputs, frames=frames)

        def made_from(self, options: dict[str, Any]) -> tuple[str, ...]:
            return ()

    with pytest.raises(UserError, match=sentence):
        needed_inputs(Game(), {})

"""`ganlab translate`, `sample` and `evaluate` on runs of translations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import ganlab
from ganlab import UserError
from ganlab.cli.app import app
from ganlab.run.session import train
from ganlab.spec import read_spec

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
SHORT = ["kimg=0.016", "snapshots.every_kimg=1", "ema=null", "guard.collapse=ignore", "diversity=null"]


def invoke(*arguments: str | Path):
    return CliRunner().invoke(app, ["translate", *map(str, arguments)])


def run_of(folder: Path, system: str, *overrides: str) -> Path:
    return train(read_spec(EXPERIMENTS / system / "digits.yaml", [*SHORT, *overrides]), folder).run.path


@pytest.fixture(scope="module")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("runs"), "pix2pix", "architecture.generator.width=2")


@pytest.fixture(scope="module")
def unpaired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("runs"), "cyclegan", "architecture.generator.width=2")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name, size in (("small.png", (16, 16)), ("wide.jpg", (57, 33)), ("more/odd.png", (17, 40))):
        Image.fromarray(generator.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_pictures_keep_their_names_and_sizes(paired: Path, pictures: Path, tmp_path: Path) -> None:
    result = invoke(paired, pictures, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    made = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert made == {"small.png", "wide.png", "more/odd.png"}
    image = Image.open(tmp_path / "out/wide.png")
    assert (image.size, image.mode) == ((57, 33), "L")
    again = invoke(paired, pictures / "wide.jpg", "--out", tmp_path / "out")
    assert again.exit_code != 0
    assert "--overwrite" in str(again.exception)


def test_tiles_and_sides_are_as_asked(paired: Path, pictures: Path, tmp_path: Path) -> None:
    tiled = invoke(paired, pictures / "wide.jpg", "--tile", 32, "--out", tmp_path / "tiled")
    assert tiled.exit_code == 0, tiled.output
    assert Image.open(tmp_path / "tiled/wide.png").size == (57, 33)
    smaller = invoke(paired, pictures / "wide.jpg", "--side", 32, "--out", tmp_path / "smaller")
    assert smaller.exit_code == 0, smaller.output
    assert Image.open(tmp_path / "smaller/wide.png").size == (32, 19)


def test_noise_follows_the_seed(paired: Path, pictures: Path, tmp_path: Path) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        assert invoke(paired, pictures / "small.png", "--seed", seed, "--out", tmp_path / name).exit_code == 0
    first, again, other = ((tmp_path / name / "small.png").read_bytes() for name in ("first", "again", "other"))
    assert first == again
    assert first != other


def test_the_direction_is_a_sampling_option(unpaired: Path, pictures: Path, tmp_path: Path) -> None:
    for name, mode, options in (("coloured", "RGB", []), ("grey", "L", ["to=grey"])):
        result = invoke(unpaired, pictures, *options, "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert Image.open(tmp_path / name / "wide.png").mode == mode


def test_samples_go_in_both_directions_from_held_out_examples(unpaired: Path, tmp_path: Path) -> None:
    for options, mode in ((["to=grey"], "L"), ([], "RGB")):
        out = tmp_path / mode
        result = CliRunner().invoke(app, ["sample", str(unpaired), *options, "--count", "2", "--out", str(out)])
        assert result.exit_code == 0, result.output
        assert Image.open(out / "00001.png").mode == mode
    generator = ganlab.load(unpaired)
    coloured, grey = torch.zeros(2, 3, 16, 16), torch.zeros(2, 1, 16, 16)
    assert generator.sample(2, inputs={"images": coloured}, to="grey").shape == grey.shape
    with pytest.raises(UserError, match="give 'inputs' with: images"):
        generator.sample(2, inputs={"grey": grey}, to="grey")


def test_each_direction_is_measured_against_its_own_domain(unpaired: Path) -> None:
    """The distance of both directions, by the evaluation's extractors."""

    def measured(*arguments: str | Path) -> dict[str, Any]:
        options = ("--metrics", "fid", "--extractor", "random_network", "--samples", "60", "--json")
        result = CliRunner().invoke(app, ["evaluate", *map(str, arguments), *options])
        assert result.exit_code == 0, result.output
        (record,) = json.loads(result.stdout)
        return record

    coloured, grey = measured(unpaired), measured(unpaired, "to=grey")
    assert (coloured["protocol"]["shape"], grey["protocol"]["shape"]) == ([3, 16, 16], [1, 16, 16])
    assert "domain" not in coloured["protocol"]
    assert (grey["protocol"]["domain"], grey["protocol"]["sampling"]) == ("grey", {"to": "grey"})
    assert coloured["protocol"]["data"] != grey["protocol"]["data"]
    written = len((unpaired / "evaluations.jsonl").read_text().splitlines())
    assert written == 2


def test_an_unknown_direction_is_no_option_of_an_evaluation(unpaired: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", str(unpaired), "to=blue", "--metrics", "swd"])
    assert "there is no domain 'blue'" in str(result.exception)
    curve = CliRunner().invoke(app, ["evaluate", str(unpaired), "to=grey", "--truncation-curve", "0.1:1"])
    assert "options of the spec" in curve.output


def test_pictures_are_changed_into_the_class_that_is_asked_for(pictures: Path, tmp_path: Path) -> None:
    narrow = ["kimg=0.064", "architecture.generator.width=2", "evaluation=null"]
    run = run_of(tmp_path / "runs", "stargan", *narrow)
    made = {}
    for name, wish in (("blue", "blue"), ("number", "2"), ("red", "red")):
        result = invoke(run, pictures / "wide.jpg", "--label", wish, "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
        made[name] = np.asarray(Image.open(tmp_path / name / "wide.png"))
    assert made["blue"].shape == (33, 57, 3)
    assert np.array_equal(made["blue"], made["number"])
    assert not np.array_equal(made["blue"], made["red"])
    assert invoke(run, pictures / "wide.jpg", "--out", tmp_path / "drawn").exit_code == 0
    assert "no class 'pink'" in str(invoke(run, pictures, "--label", "pink", "--out", tmp_path / "x").exception)


def test_mistakes_are_told(paired: Path, pictures: Path, tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(pictures / "tiny.png")
    assert "tiny.png: images of 8 x 8 pixels are too small" in str(
        invoke(paired, pictures, "--out", tmp_path / "x").exception
    )
    Image.new("L", (20, 20)).save(pictures / "small.jpg")
    assert "both become small.png" in str(invoke(paired, pictures, "--out", tmp_path / "y").exception)
    assert "does not exist" in str(invoke(paired, tmp_path / "nowhere").exception)
    (pictures / "broken.png").write_bytes(b"nothing")
    (pictures / "small.jpg").unlink()
    assert "broken.png cannot be read" in str(invoke(paired, pictures, "--out", tmp_path / "z").exception)

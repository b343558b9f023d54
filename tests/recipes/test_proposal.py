"""Specs that are proposed: whole, with reasons, of the length that there is time for; and their commands."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from ganlab.cli.app import app
from ganlab.errors import RunError, UserError
from ganlab.recipes.commented import commented
from ganlab.recipes.length import intervals, kimg_in, rounded
from ganlab.recipes.machine import Machine
from ganlab.recipes.pictures import look_at
from ganlab.recipes.proposal import Wishes, propose
from ganlab.spec import read_spec
from tests.recipes.test_pictures import paint

pytest.importorskip("ganlab_recipes")
pytest.importorskip("ganlab_datasets")

NARROW = [f"architecture.{player}.width=2" for player in ("generator", "discriminator")]


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, UserError):
        raise result.exception
    return result


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    paint(tmp_path / "pictures")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ganlab.recipes.machine.this_machine", lambda: Machine(cores=1))
    return tmp_path / "pictures"


def test_every_section_has_its_values_and_the_file_loads_back(pictures):
    proposal = propose(look_at(pictures), Machine(), Wishes("mine"), lambda spec: 100.0)
    assert yaml.safe_load(proposal.text()) == proposal.tree
    spec = proposal.spec()
    assert (spec.name, spec.kimg, spec.data.options["resolution"]) == ("mine", 360, 16)
    assert spec.snapshots.every_kimg == spec.diversity.every_kimg == 18
    assert "about 60 minutes at the 100 images/s" in proposal.text()
    assert proposal.spec(["kimg=2"]).kimg == 2


def test_wishes_are_kept(pictures):
    wishes = Wishes("mine", resolution=32, kimg=5, recipe="spectral")
    proposal = propose(look_at(pictures), Machine(), wishes)
    assert (proposal.recipe, proposal.spec().kimg, proposal.tree["data"]["resolution"]) == ("spectral", 5, 32)
    with pytest.raises(UserError, match="does not suit images of 50x60 pixels"):
        propose(look_at(pictures), Machine(), Wishes("mine", resolution=(50, 60), kimg=5, recipe="residual"))


def test_classes_with_few_pictures_are_left_out(tmp_path):
    paint(tmp_path / "many", 60)
    paint(tmp_path / "few", 5)
    proposal = propose(look_at(tmp_path), Machine(), Wishes("mine", kimg=1))
    assert proposal.tree["data"]["labels"] is False
    assert "'few' has only 5 pictures" in proposal.reasons["data.labels"]


def test_transparent_pictures_get_a_background(tmp_path):
    paint(tmp_path, mode="RGBA")
    proposal = propose(look_at(tmp_path), Machine(), Wishes("mine", kimg=1))
    assert (proposal.tree["data"]["background"], proposal.tree["data"]["channels"]) == ("white", 3)
    assert "50 pictures have transparency" in proposal.text()


def test_reasons_stand_at_their_places():
    tree = {
        "name": "a",
        "data": {"path": "p", "batch_size": 3},
        "ema": {"half_life_kimg": 1.0},
        "list": [{"x": 1, "y": 2}],
    }
    long = "So " * 60
    text = commented(tree, {"data.batch_size": "Three.", "list.0.x": long, "ema": "Smooth."}, ["Head."])
    assert yaml.safe_load(text) == tree
    assert text.splitlines()[:4] == ["# Head.", "name: a", "data:", "  path: p"]
    assert "  batch_size: 3  # Three.\nema: {half_life_kimg: 1.0}  # Smooth.\n" in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(("number", "expected"), [(0.0123, 0.012), (0.067, 0.07), (1.26, 1.3), (47, 50), (1234, 1200)])
def test_lengths_are_round(number, expected):
    assert rounded(number) == expected


def test_the_length_follows_time_and_speed():
    assert kimg_in(1.0, 100.0) == 360
    assert kimg_in(1000.0, 1000.0) == 25_000
    assert {name: section["every_kimg"] for name, section in intervals(100, 1.0).items()} == {
        "checkpoint": 10, "evaluation": 20, "snapshots": 5, "diversity": 5, "tracking": 0.5,
    }  # fmt: skip
    assert intervals(100, 0.1)["evaluation"]["every_kimg"] == 100


def test_new_writes_a_spec_that_reads_back_and_says_what_is_next(pictures):
    result = run("new", "mine.yaml", "--data", "pictures", "--kimg", 1)
    assert read_spec("mine.yaml").name == "mine"
    words = " ".join(result.stdout.split())
    for said in ("50 pictures, 20x20 pixels, colour, no classes", "CPU with 1 core", "ganlab train mine.yaml"):
        assert said in words
    assert max(map(len, result.stdout.splitlines())) <= 80
    with pytest.raises(UserError, match="exists already.*--force"):
        run("new", "mine.yaml", "--data", "pictures", "--kimg", 1)
    run("new", "mine.yaml", "--data", "pictures", "--kimg", 2, "--resolution", "32x16", "--force")
    assert read_spec("mine.yaml").data.options["resolution"] == (32, 16)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["mine", "--data", "pictures"], "ends in .yaml"),
        (["mine.yaml", "--data", "pictures", "--resolution", "big"], "--resolution is a number of pixels"),
        (["mine.yaml", "--data", "pictures", "--hours", "0"], "--hours is a number above 0"),
        (["mine.yaml", "--data", "pictures", "--recipe", "plian"], "did you mean 'plain'"),
    ],
)
def test_mistakes_end_in_a_sentence(pictures, arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        run("new", *arguments, *([] if "--hours" in arguments else ["--kimg", "1"]))


def test_training_on_a_folder_keeps_its_spec_and_goes_on(pictures):
    small = [
        *NARROW,
        "data.batch_size=8",
        "kimg=0.016",
        "evaluation=null",
        "snapshots.grid=[2,2]",
        "tracking.progress=false",
    ]
    first = run("train", "--data", "pictures", *small, "trainer.accelerator=cpu")
    assert first.exit_code == 0, first.output
    folder = first.stdout.splitlines()[-1]
    assert yaml.safe_load(Path(folder, "new.yaml").read_text())["name"] == "pictures"
    assert read_spec(f"{folder}/spec.yaml").data.batch_size == 8
    second = run("train", "--data", "pictures", "--resume", "kimg=0.032")
    assert second.stdout.splitlines()[-1] == folder
    assert read_spec(f"{folder}/spec.yaml").kimg == 0.032


def test_a_spec_or_a_folder_but_not_both(pictures):
    assert "give one of both" in run("train", "mine.yaml", "--data", "pictures").output
    assert "name a spec" in run("train").output
    with pytest.raises(RunError, match="is no run"):
        run("train", "--data", "pictures", "--resume")
    with pytest.raises(UserError, match="in one process"):
        run("train", "--data", "pictures", "kimg=1", "trainer.devices=2")


def test_the_speed_is_measured_by_some_rounds(pictures):
    from ganlab.recipes.pace import images_per_second

    proposal = propose(look_at(pictures), Machine(), Wishes("mine", kimg=1, recipe="spectral"))
    assert images_per_second(proposal.spec([*NARROW, "data.batch_size=8", "trainer.accelerator=cpu"])) > 0

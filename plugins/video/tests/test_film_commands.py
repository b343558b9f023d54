"""A run of vid2vid from the specification to films: training, an interruption, `ganlab sample`, `ganlab evaluate`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ganlab_datasets.moving_digits import MovingDigits
from ganlab_translation.pix2pix import Pix2Pix
from PIL import Image
from typer.testing import CliRunner

from ganlab import InputFacts
from ganlab.cli.app import app
from ganlab.run.generator_file import build_sampler
from ganlab.run.run_callback import Resume
from ganlab.run.session import train
from ganlab.spec import node_from, read_spec
from ganlab.spec.render import plain
from ganlab.training.checkpoint import export_generator

EXPERIMENTS = Path(__file__).parents[3] / "experiments/vid2vid"
SHORT = [
    "kimg=0.024",
    "data.size=40",
    "data.resolution=16",
    "architecture.generator={width: 2, blocks: 0}",
    "architecture.discriminator.width=2",
    "architecture.film_discriminator.width=2",
    "architecture.doubled_every_kimg=0.008",
    "evaluation={every_kimg: 0.024, samples: 4, metrics: [warping_error, {name: fd, extractor: pixels}]}",
    "snapshots={every_kimg: 1, grid: [2, 5]}",
    "checkpoint.every_kimg=0.008",
    "checkpoint.keep=5",
    "guard.collapse=ignore",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = read_spec(EXPERIMENTS / "moving-digits.yaml", SHORT)
    return train(spec, tmp_path_factory.mktemp("runs")).run.path


def invoke(*arguments: str | Path):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def test_pictures_and_numbers_of_films_are_there(run: Path) -> None:
    assert {"reals.gif", "latest.gif"} <= {path.name for path in (run / "samples").iterdir()}
    with Image.open(run / "samples/latest.gif") as film:
        assert film.n_frames == 5
    found = {}
    for line in (run / "metrics.jsonl").read_text().splitlines():
        found |= json.loads(line)
    assert {"warping_error/fakes", "warping_error/reals", "fd"} <= set(found)


def test_films_of_held_out_maps_and_of_longer_ones(run: Path, tmp_path: Path) -> None:
    invoke("sample", run, "--count", 2, "--out", tmp_path / "held")
    frames = sorted((tmp_path / "held/00001").iterdir())
    assert [frame.name for frame in frames] == [f"{index:03d}.png" for index in range(5)]
    pytest.importorskip("av")
    longer = "{name: moving_digits, resolution: 16, frames: 9, digits: 1, size: 3, seed: 7}"
    invoke("sample", run, "--inputs", longer, "--count", 1, "--movie", "mp4", "--out", tmp_path / "long")
    assert (tmp_path / "long/00000.mp4").stat().st_size > 0
    frames = sorted((tmp_path / "long/00000").iterdir())
    assert len(frames) == 9
    first, last = (np.asarray(Image.open(frame)) for frame in (frames[0], frames[-1]))
    assert first.shape == (16, 16, 3)
    assert (first != last).any()


def test_first_frames_of_another_generator(run: Path, tmp_path: Path) -> None:
    facts = replace(
        MovingDigits(16, 5, 1, 40).facts.of_frames, inputs={"label_map": InputFacts((1, 16, 16), "maps", classes=11)}
    )
    node = node_from("architectures", {"name": "pix2pix", **Pix2Pix.example})
    record = {"name": "images", "seed": 0, "architecture": plain(node), "facts": facts.to_record(), "averaged": True}
    file = tmp_path / "generator.safetensors"
    export_generator(file, build_sampler(node, facts, 0, averaged=True, made_from=record))
    first, other = (tmp_path / name / "00000/000.png" for name in ("own", "other"))
    invoke("sample", run, "--count", 1, "--out", tmp_path / "own")
    invoke("sample", run, "--count", 1, "--out", tmp_path / "other", f"first_from={file}")
    assert (np.asarray(Image.open(first)) != np.asarray(Image.open(other))).any()


@pytest.mark.slow
def test_a_run_goes_on_as_if_it_had_not_been_interrupted(run: Path, tmp_path: Path) -> None:
    spec = read_spec(EXPERIMENTS / "moving-digits.yaml", [*SHORT, "kimg=0.016", "evaluation=null"])
    short = train(spec, tmp_path).run.path
    resumed = train(read_spec(EXPERIMENTS / "moving-digits.yaml", SHORT), tmp_path, resume=Resume(str(short))).run.path
    first, second = (torch.load(path / "checkpoints/last.ckpt", weights_only=True) for path in (run, resumed))
    assert not different(*({part: end[part] for part in ("module", "optimizers", "clock")} for end in (first, second)))


def different(first: Any, second: Any, place: str = "") -> list[str]:
    """Where two checkpoints do not hold the same tensors and numbers."""
    if isinstance(first, dict):
        assert set(first) == set(second), place
        return [name for key in first for name in different(first[key], second[key], f"{place}/{key}")]
    if isinstance(first, torch.Tensor):
        return [] if torch.equal(first, second) else [place]
    return [] if first == second else [place]

"""A run on two data sets: its samples and measurements in the domains of both."""

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
from ganlab.cli.app import app
from ganlab.data.scaling import scale, to_bytes
from ganlab.run.session import train
from ganlab.spec import read_spec

EXPERIMENT = Path(__file__).parents[3] / "experiments/stargan/joint.yaml"
SHORT = [
    "kimg=0.032",
    "architecture.generator.width=2",
    "architecture.discriminator.width=2",
    "snapshots.every_kimg=1",
    "evaluation=null",
    "guard.collapse=ignore",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(read_spec(EXPERIMENT, SHORT), tmp_path_factory.mktemp("runs")).run.path


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.mark.parametrize(
    ("options", "width"),
    [
        (["strip=true"], 8 * (1 + 5 + 3)),  # the image, four colours and bars, three grounds
        (["strip=true", "of=second"], 8 * (1 + 5 + 3)),
        (["domain=lined"], 8),
        (["of=second", "domain=red"], 8),
        (["of=second"], 8),
        (["attribute.barred=1"], 8),
    ],
)
def test_samples_are_made_from_either_set_with_domains_of_both(
    run: Path, tmp_path: Path, options: list[str], width: int
) -> None:
    result = invoke("sample", run, *options, "--count", 3, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert [Image.open(path).size for path in sorted((tmp_path / "out").iterdir())] == [(width, 8)] * 3


def test_each_set_is_measured_in_its_own_domains(run: Path) -> None:
    records = {}
    for name, options in (("first", []), ("second", ["of=second"])):
        result = invoke("evaluate", run, *options, "--metrics", "domain_accuracy", "--samples", 400, "--json")
        assert result.exit_code == 0, result.output
        (records[name],) = json.loads(result.stdout)
    values = {name: {key.removeprefix("domain_accuracy/") for key in each} for name, each in records.items()}
    assert {"asked/red", "asked/barred", "real/barred", "kept"} <= values["first"]
    assert {"asked/black", "asked/grey", "asked/lined"} <= values["second"]
    assert "kept" not in values["second"]
    assert records["second"]["protocol"]["domain"] == "second"


def test_pictures_of_ones_own_are_given_domains(run: Path, tmp_path: Path) -> None:
    """What is known of them is one row of numbers, or of names, for all: against samples of the same numbers."""
    pixels = np.random.default_rng(0).integers(0, 256, (11, 13, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "own.png")
    images = scale(torch.from_numpy(pixels).permute(2, 0, 1)[None], (0.0, 255.0))
    for name, given, options in (
        ("names", "red,barred", ["domain=blue"]),
        ("numbers", "1,0,0,0,1", ["domain=blue"]),
        ("other", "1,0,0,0,0", ["domain=blue"]),
    ):
        said = ("--input", f"attributes={given}", "--out", tmp_path / name)
        result = invoke("translate", run, tmp_path / "own.png", *options, *said)
        assert result.exit_code == 0, result.output
    found = {name: np.asarray(Image.open(tmp_path / name / "own.png")) for name in ("names", "numbers", "other")}
    assert np.array_equal(found["names"], found["numbers"])
    assert not np.array_equal(found["names"], found["other"])
    known = {"images": images, "attributes": torch.tensor([[1.0, 0, 0, 0, 1]])}
    expected = to_bytes(ganlab.load(run).sample(1, inputs=known, domain="blue"))[0].permute(1, 2, 0).numpy()
    assert np.abs(found["names"].astype(int) - expected).max() <= 1
    for given in ("1,0", "pink", "nan,0,0,0,0", None):
        said = [] if given is None else ["--input", f"attributes={given}"]
        result = invoke("translate", run, tmp_path / "own.png", *said, "--out", tmp_path / "x")
        assert "5 numbers that hold for all pictures" in str(result.exception)
        assert "of red, green, blue, yellow, barred" in str(result.exception)


def test_a_domain_that_neither_set_has_is_told(run: Path, tmp_path: Path) -> None:
    result = invoke("sample", run, "domain=pink", "--count", 2, "--out", tmp_path / "out")
    assert "no domain 'pink'; the domains are red, green, blue, yellow, barred, black, grey, lined" in str(
        result.exception
    )

"""`ganlab evaluate` of pictures against pictures and against statistics, in features of the pack."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ganlab.cli.app import app
from ganlab.errors import UserError

pytest.importorskip("ganlab_datasets")


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLAB_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    for folder, shift in (("reals", 0), ("fakes", 60)):
        (tmp_path / folder).mkdir()
        for number in range(12):
            numbers = random.integers(0, 190, (8, 8, 3)) + shift
            Image.fromarray(numbers.astype(np.uint8)).save(tmp_path / folder / f"{number}.png")
    return tmp_path


def evaluate(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_pictures_against_pictures_and_against_their_statistics(pictures):
    saved = pictures / "reals.npz"
    common = ["--images", pictures / "fakes", "--extractor", "pixels", "--json"]
    metrics = "[fid, {name: kid, subsets: 5}, precision_recall, {name: density_coverage, k: 3}]"
    result = evaluate(*common, "--reference", pictures / "reals", "--metrics", metrics, "--save-reference", saved)
    assert result.exit_code == 0, result.output
    fid, kid, _, balls = json.loads(result.output)
    assert fid["fid"] > 0
    assert "made of 12 examples" in fid["notes"][0]
    assert fid["protocol"]["extractor"] == {"network": "pixels", "size": 32}
    assert kid["protocol"]["subsets"] == 5
    assert 0 <= balls["density_coverage/coverage"] <= 1
    (again,) = json.loads(evaluate(*common, "--reference", saved, "--metrics", "fid").output)
    assert again["fid"] == pytest.approx(fid["fid"], rel=1e-6)
    assert again["protocol"]["reals"] == 12
    refused = evaluate(*common, "--reference", saved, "--metrics", "kid,swd,memorisation")
    assert refused.exit_code == 2
    assert "mean and covariance alone" in refused.output
    assert "no images" in refused.output
    assert "memorisation needs the training's images, and there are none here" in refused.output
    learning = evaluate("--images", pictures / "fakes", "--reference", saved, "--metrics", "fid", "--extractor", "pca")
    assert "learns from the training's images, and there are none here" in learning.output


def test_the_same_pictures_are_noticed(pictures):
    result = evaluate(
        "--images", pictures / "reals", "--reference", pictures / "reals", "--metrics", "fd", "--extractor", "pixels"
    )
    assert "the same images" in result.output
    assert "12 samples against 12 reals" in result.output


def test_mistakes_are_told(pictures):
    assert "give a run" in evaluate().output
    assert "compared with" in evaluate("--images", pictures / "fakes").output
    for arguments, said in (
        (["--images", pictures / "nothing", "--reference", pictures / "reals", "--metrics", "swd"], "is no folder"),
        (["--images", pictures / "fakes", "--reference", pictures / "reals"], "name some"),
        (["--images", pictures / "fakes", "--reference", pictures / "reals", "--metrics", "fid"], "Fetch https://"),
    ):
        error = evaluate(*arguments).exception
        assert isinstance(error, UserError)
        assert said in str(error)

"""What earlier versions wrote is read: specs are understood, generators make the same images, runs go on.

A folder for each version: `spec.yaml` as its user wrote it, `run`, the run of it, and `samples.npy`, four samples of
its generator with the seed 3. When a version is released, its folder is added; the folders of earlier ones stay.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import ganlab
from ganlab.run.run_callback import Resume
from ganlab.run.session import train
from ganlab.spec import read_spec
from ganlab.tracking.jsonl import read_records

VERSIONS = sorted(path.parent for path in Path(__file__).parent.glob("*/spec.yaml"))

versions = pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)


@versions
@pytest.mark.parametrize("name", ["spec.yaml", "run/spec.yaml"])
def test_specs_are_understood(version: Path, name: str) -> None:
    assert read_spec(version / name).architecture.name.endswith("dcgan")


@versions
@pytest.mark.parametrize("name", ["run", "run/generator.safetensors"])
def test_a_generator_makes_the_same_images(version: Path, name: str) -> None:
    images = ganlab.load(version / name).sample(4, seed=3)
    np.testing.assert_allclose(images.numpy(), np.load(version / "samples.npy"), atol=1e-4)


@versions
def test_a_run_goes_on(version: Path, tmp_path: Path) -> None:
    folder = tmp_path / "old" / "20261130-145910"
    shutil.copytree(version / "run", folder)
    outcome = train(read_spec(version / "spec.yaml", ["kimg=1.2"]), tmp_path, Resume())
    assert (outcome.run.path, outcome.signal) == (folder, None)
    assert [line["kimg"] for line in read_records(folder / "log.jsonl")][-1] >= 1.2

"""Wheels of all distributions, installed into an environment of their own and used outside of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]

pytest.importorskip("build")
pytestmark = pytest.mark.slow


def call(*command: object, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment | {"OMP_NUM_THREADS": "1", "WANDB_MODE": "offline"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    for project in FOLDERS:
        call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, project, folder=folder)
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheels; what ganlab depends on comes from this one, by a copy of its metadata."""
    folder = tmp_path_factory.mktemp("environment")
    call(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    packages = next((folder / "venv").glob("lib/python*/site-packages"))
    for wheel in wheels:
        zipfile.ZipFile(wheel).extractall(packages)
    paths = [path for path in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *sys.path} if path]
    dependencies = [path for path in paths if path.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("\n".join(dependencies))  # without their .pth files: no editable ganlab
    return folder / "venv/bin/python"


def test_there_is_a_wheel_for_each_distribution_with_its_types(wheels: list[Path]) -> None:
    names = {tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"] for folder in FOLDERS}
    assert {wheel.name.partition("-")[0].replace("_", "-") for wheel in wheels} == names
    for wheel in wheels:
        assert any(name.endswith("/py.typed") for name in zipfile.ZipFile(wheel).namelist()), wheel.name


def test_the_wheels_train_outside_of_the_repository(environment: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "experiments/quickstart.yaml", tmp_path)
    where = call(
        environment, "-c", "import ganlab, ganlab_dcgan; print(ganlab.__file__, ganlab_dcgan.__file__)", folder=tmp_path
    )
    assert all(str(environment.parents[1]) in path for path in where.split())
    versions = call(environment, "-m", "ganlab", "--version", folder=tmp_path)
    assert [line.split()[0] for line in versions.splitlines()][:2] == ["ganlab", "ganlab-augment"]
    changes = ["kimg=0.2", "evaluation=null", "snapshots.every_kimg=0.2", "checkpoint.every_kimg=0.2"]
    output = call(environment, "-m", "ganlab", "train", "quickstart.yaml", *changes, folder=tmp_path)
    run = tmp_path / output.splitlines()[-1]
    call(environment, "-m", "ganlab", "sample", run, "--count", "2", "--out", "samples", folder=tmp_path)
    assert len(list((tmp_path / "samples").iterdir())) == 2

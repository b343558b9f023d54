"""What `from ganlab import ...` offers, to those who run it and to those who type-check it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import ganlab

HEAVY = ("torch", "pytorch_lightning", "numpy", "pydantic", "omegaconf", "safetensors", "yaml", "PIL", "wandb")

SETTINGS = """\
[mypy]
cache_dir = {cache}
[mypy-{skipped}]
follow_imports = skip
ignore_missing_imports = True
"""

FAMILY = """\
from collections.abc import Sequence

from ganlab import Batch, GANModule


class Family(GANModule):
    def play(self, batches: {batches}) -> None: ...
"""


def type_checked(sources: dict[str, str], folder: Path) -> str:
    """What mypy says of files that import ganlab; the packages that ganlab stands on count as `Any`, for speed."""
    skipped = ",".join(f"{name}.*" for name in HEAVY)
    (folder / "mypy.ini").write_text(SETTINGS.format(cache=folder / "cache", skipped=skipped))
    for name, source in sources.items():
        (folder / name).write_text(source)
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", *sources]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


def test_every_name_is_there_and_the_same_object_for_the_type_checker():
    tree = ast.parse(Path(ganlab.__file__).read_text())
    typed = {
        alias.name: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert {name: typed[name] for name in ganlab.__all__} == ganlab._PUBLIC
    assert all(getattr(ganlab, name).__name__ == name for name in ganlab.__all__ if name != "Scheduled")


def test_an_override_with_a_wrong_signature_is_refused_by_mypy(tmp_path):
    annotations = {"right.py": "Sequence[Batch]", "wrong.py": "str"}
    said = type_checked({name: FAMILY.format(batches=batches) for name, batches in annotations.items()}, tmp_path)
    assert 'Argument 1 of "play"' in said
    assert "right.py" not in said
    assert said.splitlines()[-1].startswith("Found 1 error in 1 file (checked 2 source files)")

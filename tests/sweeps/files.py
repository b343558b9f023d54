"""Small sweep files for tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from ganlab.sweeps.file import SweepFile, read_sweep_file

HEAD = """\
command: ["${interpreter}", train.py, spec.yaml, "${args_no_hyphens}"]
metric: {name: metrics/score, goal: minimize}
"""


def sweep_file(folder: Path, body: str, head: str = HEAD) -> SweepFile:
    """A sweep of this text behind a command and a metric."""
    path = folder / "tiny.yaml"
    path.write_text(head + dedent(body))
    return read_sweep_file(path)


def parameters(folder: Path, method: str = "random", **written: Any) -> SweepFile:
    """A sweep of these parameters."""
    import json

    lines = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in written.items())
    return sweep_file(folder, f"method: {method}\nrun_cap: 20\nparameters:\n{lines}")

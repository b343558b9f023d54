"""`provenance.json`: what a run was made with and from."""

from __future__ import annotations

import json
import platform
import socket
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ganlab.contracts import DataFacts
from ganlab.files import write_text_atomically
from ganlab.spec.difference import Change
from ganlab.spec.model import Spec
from ganlab.spec.record import versions_of

_PACKAGES = ("ganlab", "torch", "pytorch-lightning", "numpy")


def write_provenance(
    run_path: Path, spec: Spec, facts: DataFacts, resumed_at: int | None = None, changes: Sequence[Change] = ()
) -> None:
    """Write the record of a new run, or add to an old one's that it goes on from `resumed_at` images.

    `changes` are what is different from there on; the facts are always those of the data that are trained on now.
    """
    path = run_path / "provenance.json"
    session = describe_session(spec)
    if resumed_at is not None and path.exists():
        record = json.loads(path.read_text(encoding="utf-8"))
        changed = {change.key: [change.before, change.after] for change in changes}
        record.setdefault("resumed", []).append({"images_seen": resumed_at, **session, "changes": changed})
        record["facts"] = facts.to_record()
    else:
        record = {**session, "seed": spec.seed, "facts": facts.to_record()}
    write_text_atomically(path, json.dumps(record, indent=2) + "\n")


def describe_session(spec: Spec) -> dict[str, Any]:
    """This process: when, where, by which command and with which versions."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "working_directory": str(Path.cwd()),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "plugins": versions_of(spec),
        "git": describe_repository(),
    }


def describe_repository(folder: Path | None = None) -> dict[str, Any] | None:
    """Commit and whether there are changes beyond it, of the git repository around `folder`; None outside of one."""
    commit = _git("rev-parse", "HEAD", folder=folder)
    if commit is None:
        return None
    return {"commit": commit, "dirty": bool(_git("status", "--porcelain", folder=folder))}


def _git(*arguments: str, folder: Path | None) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

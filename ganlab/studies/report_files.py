"""Checkpoints and provenance of a run as rows of tables on its page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ganlab.run.folder import Run
from ganlab.studies.record import RunRecord
from ganlab.studies.run_list import size_text
from ganlab.training.clock import labelled_images


def checkpoint_rows(record: RunRecord, folder: Path) -> list[list[Any]]:
    """File (a link that holds from `folder`), kimg, size and what is special about it."""
    run = Run(record.path)
    files = sorted(run.checkpoints.glob("*.ckpt"), key=lambda path: (labelled_images(path.name) < 0, path.name))
    kimg = {path.stat().st_ino: labelled_images(path.name) / 1000 for path in files if labelled_images(path.name) >= 0}
    rows = []
    for path in [*files, *([run.generator] if run.generator.exists() else [])]:
        status = path.stat()
        moment = kimg.get(status.st_ino)
        note = {"last.ckpt": "the newest", "best.ckpt": _of_best(record)}.get(path.name, "")
        if path == run.generator:
            note = "the averaged generator alone"
        if path.name == "best.ckpt" and moment is None and "images_seen" in record.best:
            moment = record.best["images_seen"] / 1000
        link = quote(os.path.relpath(path, folder))
        size = {"text": size_text(status.st_size), "value": status.st_size}
        rows.append([{"text": path.name, "link": link}, "-" if moment is None else moment, size, note])
    return rows


def provenance_rows(record: RunRecord) -> list[list[str]]:
    """Everything that `provenance.json` has, in words, later sessions last."""
    provenance = record.provenance
    rows = [["folder", str(record.path)], *_session(provenance)]
    if isinstance(facts := provenance.get("facts"), Mapping):
        rows.append(["data", _data(facts)])
    for session in provenance.get("resumed", []):
        at = f"resumed at {session.get('images_seen', 0) / 1000:g} kimg"
        rows.append([at, ", ".join(f"{name} {text}" for name, text in _session(session))])
        changes = session.get("changes") or {}
        rows += [[f"{at}, changed", f"{key}: {before} to {after}"] for key, (before, after) in changes.items()]
    return rows


def _of_best(record: RunRecord) -> str:
    best = record.best
    return f"the {best['direction'].removesuffix('er')}est {best['metric']}" if best else "the best evaluation"


def _session(session: Mapping[str, Any]) -> Iterator[list[str]]:
    for name in (
        "started",
        "command",
        "working_directory",
        "host",
        "platform",
        "gpus",
        "python",
        "packages",
        "plugins",
    ):
        if value := session.get(name):
            yield [name.replace("_", " "), _text(value)]
    if git := session.get("git"):
        yield ["git commit", f"{git.get('commit')}{', with changes beyond it' if git.get('dirty') else ''}"]


def _data(facts: Mapping[str, Any]) -> str:
    shape = " x ".join(map(str, facts.get("shape", [])))
    names = facts.get("class_names") or []
    classes = f", {len(names)} classes ({', '.join(names[:10])}{', ...' if len(names) > 10 else ''})" if names else ""
    return f"{facts.get('size')} examples of {shape}{classes}, fingerprint {facts.get('fingerprint')}"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {member}" for key, member in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)

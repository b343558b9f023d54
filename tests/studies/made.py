"""Folders of runs as trainings leave them, without a training."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

PROTOCOL = {"metric": "swd", "plugin": "swd", "samples": 100, "data": "abc", "higher_is_better": False}


def make_run(
    root: Path,
    stamp: str = "20260101-000000",
    *,
    name: str = "tiny",
    seed: int = 0,
    swd: tuple[float, ...] = (9.0, 4.0, 5.0),
    protocol: dict[str, Any] | None = None,
    events: tuple[tuple[str, str], ...] = (("end", "finished"),),
    facts: str = "abc",
    pictures: bool = False,
    **spec: Any,
) -> Path:
    """A run of 3 kimg whose `swd` was measured at 1, 2, 3 kimg."""
    run = root / name / stamp
    for folder in ("samples", "checkpoints"):
        (run / folder).mkdir(parents=True)
    content = {"name": name, "seed": seed, "kimg": 3.0, "data": {"name": "digits", "batch_size": 64}} | spec
    (run / "spec.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    provenance = {"started": "2026-01-01T00:00:00+00:00", "command": ["ganlab", "train", "<b>tiny</b>.yaml"]}
    provenance |= {"git": {"commit": "c0ffee", "dirty": True}, "facts": {"fingerprint": facts, "shape": [1, 8, 8]}}
    (run / "provenance.json").write_text(json.dumps(provenance))
    terms = [
        {
            "seconds": k * 2.5,
            "discriminator/loss": None if k == 5 else 1 / k,
            "generator/loss": math.sqrt(k),
            "images_per_second": 400.0,
        }
        for k in range(1, 31)
    ]
    write_lines(run / "log.jsonl", [(100 * k, line) for k, line in enumerate(terms, 1)])
    measured = [{"swd/average": v, "swd/part/a": v, "protocol": protocol or PROTOCOL} for v in swd]
    write_lines(run / "metrics.jsonl", [(1000 * k, line) for k, line in enumerate(measured, 1)])
    write_lines(run / "events.jsonl", [(3000, {"kind": kind, "text": text}) for kind, text in events])
    for k in range(4 if pictures else 0):
        Image.new("RGB", (300, 300), (60 * k, 90, 200)).save(run / "samples" / f"kimg-{k:06d}.png")
    if pictures:
        Image.new("RGB", (300, 300), "white").save(run / "samples" / "reals.png")
    (run / "checkpoints" / "kimg-000003.ckpt").write_bytes(b"x" * 1000)
    (run / "checkpoints" / "last.ckpt").hardlink_to(run / "checkpoints" / "kimg-000003.ckpt")
    (run / "generator.safetensors").write_bytes(b"y" * 500)
    return run


def write_lines(path: Path, lines: list[tuple[int, dict[str, Any]]]) -> None:
    """Records of moments, in images."""
    text = "".join(json.dumps({"images_seen": n, "kimg": n / 1000, **line}) + "\n" for n, line in lines)
    path.write_text(text)

"""Stands in for `ganlab train`: writes a metric into a run folder step by step, stops on SIGTERM, and resumes.

Values by which tests steer it: `steps`, `pause` (seconds a step, also as `TEST_PAUSE` in the environment), `score` (of
the first step), `fall` (by which it gets less each step), `fail` (at which step it fails), `name` of the number that it
logs. `events.txt` in the folder of runs is a diary: which steps were done, and by which session.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("spec")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args()
    values = {"steps": 3, "pause": 0.0, "score": 1.0, "fall": 0.1, "fail": -1, "name": "score", "seed": 0}
    for override in arguments.overrides:
        key, _, text = override.partition("=")
        values[key] = type(values.get(key, ""))(text)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    run = arguments.runs / "tiny" / "20260101-000000"
    run.mkdir(parents=True, exist_ok=arguments.resume)
    (run / "spec.yaml").write_text(f"name: tiny\nkimg: {values['steps']}\n")
    measured = run / "metrics.jsonl"
    done = len(measured.read_text().splitlines()) if measured.exists() else 0
    note(arguments.runs, f"begin {os.environ['GANLAB_SWEEP']} {os.environ['GANLAB_TRIAL']} at {done}")
    for step in range(done, values["steps"]):
        if stopped:
            note(arguments.runs, f"stop at {step}")
            sys.exit(143)
        if step == values["fail"]:
            print("ganlab: it cannot go on, for a test", file=sys.stderr)
            sys.exit(2)
        time.sleep(values["pause"] or float(os.environ.get("TEST_PAUSE", 0)))
        value = values["score"] - values["fall"] * step
        record = {"images_seen": 1000 * (step + 1), values["name"]: value, "toy": value}
        with (run / "log.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")
        with measured.open("a") as file:
            file.write(json.dumps(record | {"protocol": {"metric": "score"}}) + "\n")
        note(arguments.runs, f"step {step}")
    note(arguments.runs, "end")


def note(folder: Path, text: str) -> None:
    with (folder / "events.txt").open("a") as file:
        file.write(text + "\n")


if __name__ == "__main__":
    main()

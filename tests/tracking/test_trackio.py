"""Trackio, if it is installed: its own database read back by its own storage, in a process of its own."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.skipif(find_spec("trackio") is None, reason="Trackio is not installed")

SCRIPT = """
import contextlib, io, json, sys
from pathlib import Path
from ganlab.spec.tracking_sections import TrackioSection
from ganlab.tracking.trackio import TrackioTracker
from tests.tracking.made import made_spec

run_path = Path(sys.argv[1])
told = io.StringIO()
with contextlib.redirect_stdout(told):
    for moments, status in (((0, 1000), "interrupted"), ((2000,), "finished")):
        tracker = TrackioTracker(TrackioSection(project="mine"), run_path, made_spec())
        for moment in moments:
            tracker.scalars(moment, {"loss": moment / 1000})
        tracker.metrics(moment, {"swd": 2.0}, {"metric": "swd"})
        tracker.image(moment, "samples", run_path / "grid.png")
        tracker.event(moment, "warning: collapse", "fakes look alike")
        tracker.finish(status)
from trackio.sqlite_storage import SQLiteStorage
names = SQLiteStorage.get_runs("mine")
found = {
    "told": told.getvalue(),
    "runs": names,
    "logs": SQLiteStorage.get_logs("mine", names[0]),
    "config": SQLiteStorage.get_run_config("mine", names[0]),
    "alerts": [alert["title"] for alert in SQLiteStorage.get_alerts("mine")],
}
print(json.dumps(found, default=str))
"""


@pytest.mark.slow  # as importing trackio takes seconds
def test_a_run_and_its_resumption_are_one_run(tmp_path):
    run_path = tmp_path / "runs" / "experiment" / "one"
    run_path.mkdir(parents=True)
    Image.new("L", (8, 8)).save(run_path / "grid.png")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(run_path)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TRACKIO_DIR": str(tmp_path / "trackio")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["told"] == "", "ganlab says itself what is to be said"
    assert found["runs"] == ["experiment-one"]
    losses = [(line["step"], line["loss"]) for line in found["logs"] if "loss" in line]
    assert losses == [(0, 0.0), (1000, 1.0), (2000, 2.0)]
    assert [line["metrics/swd"] for line in found["logs"] if "metrics/swd" in line] == [2.0, 2.0]
    assert sum("samples" in line for line in found["logs"]) == 2
    assert sorted(found["alerts"]) == ["warning: collapse at 1 kimg", "warning: collapse at 2 kimg"]
    assert found["config"]["kimg"] == 1.0

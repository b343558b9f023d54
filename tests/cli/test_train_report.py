"""`ganlab train --report`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.test_run_commands import ganlab, write_spec


def test_a_training_writes_its_page_at_the_end(toy_spec, monkeypatch) -> None:
    write_spec(toy_spec)
    monkeypatch.chdir(toy_spec.parent)
    *_, told, run = ganlab("train", toy_spec, "--report").stdout.splitlines()
    page = Path(run) / "report.html"
    assert told.split() == ["report", str(page)]
    data = json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.DOTALL)[1])
    assert data["runs"][0]["state"] == "finished"
    assert data["terms"]
    assert data["runs"][0]["samples"]
    assert [event["kind"] for event in data["runs"][0]["events"]][-1] == "end"

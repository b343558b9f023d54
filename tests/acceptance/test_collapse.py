"""Two processes decide alike about a collapse, and end as one does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.tracking.jsonl import read_records
from tests.acceptance.commands import gan_spec, ganlab, last_state, write_spec

EASILY_WON = {"least_loss": 0.999, "limit": 1, "learning_rate_factor": 0.5}


def won_spec(folder: Path, policy: str, devices: int) -> Path:
    spec = gan_spec(
        kimg=40,
        guard={"collapse": policy, **EASILY_WON},
        trainer={"accelerator": "cpu", "devices": devices},
        tracking={"every_kimg": 1, "progress": False},
        checkpoint={"every_kimg": 2, "keep": 1},
        snapshots=None,
        diversity=None,
    )
    spec["architecture"] |= {"loss": "non_saturating", "discriminator_steps": 1}
    return write_spec(folder, spec)


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "rollbacks"), [("stop", 0), ("rollback", 1)])
def test_all_ranks_stop_or_go_back_together(tmp_path: Path, policy: str, rollbacks: int) -> None:
    ends = {}
    for devices in (1, 2):
        folder = tmp_path / str(devices)
        done = ganlab("train", won_spec(folder, policy, devices), "--runs", folder / "runs")
        assert done.returncode == 3, done.stderr
        assert "the discriminator has won: its loss is" in done.stderr
        (run,) = (folder / "runs/small").iterdir()
        events = [event for event in read_records(run / "events.jsonl") if event["kind"] != "end"]
        kinds = ["warning: discriminator has won", *(["rollback", "warning: discriminator has won"] * rollbacks)]
        assert [event["kind"] for event in events] == kinds
        ends[devices] = last_state(run)["guard"]["rollbacks"], [event["images_seen"] for event in events]
    assert ends[1] == ends[2]
    assert ends[1][0] == rollbacks

"""Workers on a real PostgreSQL; `.ci/run` starts one and names it in `GANLAB_TEST_POSTGRESQL`."""

from __future__ import annotations

import os
import signal
import uuid
from pathlib import Path

import pytest

from ganlab.errors import UserError
from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.opening import begin_study, open_study
from ganlab.sweeps.results import read_sweep
from ganlab.sweeps.study import SweepStudy
from tests.sweeps.files import sweep_file
from tests.sweeps.test_worker import HEAD, SECONDS, diary, wait_for, worker_process

URL = os.environ.get("GANLAB_TEST_POSTGRESQL", "")

pytestmark = pytest.mark.skipif(not URL, reason="GANLAB_TEST_POSTGRESQL names no database: .ci/postgresql starts one")

GRID = "method: grid\nparameters: {score: {values: [1.0, 2.0]}, seed: {values: [0, 1]}, pause: {value: 0.3}}\n"


def begin(folder: Path, body: str = GRID, name: str | None = None) -> SweepStudy:
    name = name or uuid.uuid4().hex
    sweep = sweep_file(folder, f"name: {name}\n{body}", HEAD)
    record = {"name": name, "storage": URL, "working_directory": str(folder), "search_seed": 0, "specs": {}}
    return begin_study(SweepFolder(folder / "sweep"), sweep, record, URL, 60.0)


def test_a_database_holds_what_the_journal_does(tmp_path) -> None:
    study = begin(tmp_path)
    other = open_study(SweepFolder(tmp_path / "sweep"))
    claims = [each.claim() for each in (study, other, study, other)]
    assert [claim.number for claim in claims] == [0, 1, 2, 3]
    assert study.claim() is None
    study.report(claims[0], [(1000, 2.0), (2000, float("nan"))])
    assert study.finish(claims[0], "finished", 2.0, None, 1.5)
    other.release(claims[1], 1.0)
    again = study.claim()
    assert (again.number, again.sessions, again.seconds) == (1, 2, 1.0)
    assert other.renew(claims[1]) is None
    other.finish(claims[3], "failed", None, "for a reason", 1.0)
    results = read_sweep(tmp_path / "sweep")
    assert [trial.state for trial in results.trials] == ["finished", "running", "running", "failed"]
    assert results.trials[0].best == (1000, 2.0)
    assert results.trials[3].reason == "for a reason"


def test_another_machine_joins_by_the_name_of_the_sweep_and_not_with_another_file(tmp_path) -> None:
    name = uuid.uuid4().hex
    for machine in ("here", "there", "wrong"):
        (tmp_path / machine).mkdir()
    assert begin(tmp_path / "here", name=name).claim().number == 0
    assert begin(tmp_path / "there", name=name).claim().number == 1
    with pytest.raises(UserError, match="begun with another parameters"):
        begin(tmp_path / "wrong", GRID.replace("2.0", "3.0"), name)


@pytest.mark.slow
def test_two_workers_share_the_trials_and_one_is_killed(tmp_path) -> None:
    begin(tmp_path)
    place = SweepFolder(tmp_path / "sweep")
    with worker_process(place) as first, worker_process(place) as second:
        wait_for(lambda: "step 1" in diary(place, 0) + diary(place, 1))
        first.send_signal(signal.SIGKILL)
        assert second.wait(SECONDS) == 0
    trials = read_sweep(place.path).trials
    assert [trial.state for trial in trials] == ["finished"] * 4
    for number in range(4):
        steps = [line for line in diary(place, number) if line.startswith("step")]
        assert steps == ["step 0", "step 1", "step 2"]

"""Trials as workers claim them: one process plays several, by studies that know nothing of each other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ganlab.errors import UserError
from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.lease import LeaseWatch, new_lease, renewed, seems_held
from ganlab.sweeps.opening import begin_study, open_study
from ganlab.sweeps.results import read_sweep
from ganlab.sweeps.storage import JOURNAL, WholeLines, check_url, shown
from ganlab.sweeps.study import SweepStudy
from tests.sweeps.files import sweep_file

GRID = "method: grid\nparameters: {a: {values: [x, y]}, spec_name: {value: z}, seed: {values: [0, 1]}}\n"
RECORD = {"name": "tiny", "storage": None, "working_directory": ".", "search_seed": 0, "specs": {"spec.yaml": "text"}}


def begin(folder: Path, body: str = GRID, lease: float = 100.0, **record) -> SweepStudy:
    return begin_study(SweepFolder(folder / "tiny"), sweep_file(folder, body), {**RECORD, **record}, None, lease)


def test_two_workers_share_the_trials_and_none_is_given_twice(tmp_path) -> None:
    first = begin(tmp_path)
    second = open_study(SweepFolder(tmp_path / "tiny"))
    claims = [study.claim() for study in (first, second, first, second)]
    assert [(claim.number, claim.parameters["a"], claim.seed) for claim in claims] == [
        (0, "x", 0),
        (1, "x", 1),
        (2, "y", 0),
        (3, "y", 1),
    ]
    assert first.claim() is None
    assert not first.is_complete()
    for claim in claims:
        assert second.finish(claim, "finished", 1.0, None, 2.0)
    assert first.is_complete()


def test_results_tell_states_curves_and_groups(tmp_path) -> None:
    study = begin(tmp_path)
    good, other, early, bad = (study.claim() for _ in range(4))
    study.report(good, [(1000, 3.0), (2000, 1.0), (3000, 2.0)])
    study.finish(good, "finished", 1.0, None, 5.0)
    study.report(other, [(1000, 3.0)])
    study.finish(other, "finished", 3.0, None, 5.0)
    study.report(early, [(1000, float("nan")), (2000, 9.0)])
    study.finish(early, "stopped early", 9.0, "worse than others", 2.0)
    study.finish(bad, "failed", None, "exit code 1", 1.0)
    results = read_sweep(tmp_path / "tiny")
    assert [trial.state for trial in results.trials] == ["finished", "finished", "stopped early", "failed"]
    assert results.trials[0].best == (2000, 1.0)
    assert results.trials[0].last == (3000, 2.0)
    assert results.trials[2].reason == "worse than others"
    assert results.trials[3].reason == "exit code 1"
    assert results.trials[0].parameters == {"a": "x", "spec_name": "z"}
    assert (results.trials[1].seed, results.trials[1].seconds, results.trials[1].sessions) == (1, 5.0, 1)
    assert [group.mean for group in results.groups] == [2.0, 9.0]
    assert [group.deviation for group in results.groups] == [pytest.approx(2**0.5), None]
    assert results.best == results.trials[0]
    assert results.planned == 4
    assert results.varied == ("a",)


def test_a_trial_that_was_left_is_gone_on_with(tmp_path) -> None:
    study = begin(tmp_path)
    claim = study.claim()
    study.release(claim, 3.0)
    assert read_sweep(tmp_path / "tiny").trials[0].state == "interrupted"
    again = open_study(SweepFolder(tmp_path / "tiny")).claim()
    assert (again.number, again.sessions, again.seconds) == (0, 2, 3.0)
    assert read_sweep(tmp_path / "tiny").trials[0].state == "running"
    study.finish(again, "finished", 1.0, None, 4.0)
    assert read_sweep(tmp_path / "tiny").trials[0].seconds == 7.0


def test_a_killed_workers_trial_is_taken_over_at_once_on_its_machine(tmp_path) -> None:
    begin(tmp_path)
    code = (
        "import sys; from ganlab.sweeps.folder import SweepFolder; from ganlab.sweeps.opening import open_study\n"
        "from pathlib import Path\n"
        "print(open_study(SweepFolder(Path(sys.argv[1]))).claim().number)"
    )
    out = subprocess.run([sys.executable, "-c", code, tmp_path / "tiny"], capture_output=True, text=True, check=True)
    assert out.stdout == "0\n"
    claim = open_study(SweepFolder(tmp_path / "tiny")).claim()
    assert (claim.number, claim.sessions) == (0, 2)
    assert claim.taken_from["pid"] > 0


def test_a_lease_of_another_machine_runs_out_by_our_own_clock() -> None:
    time = [0.0]
    watch, lease = LeaseWatch(lambda: time[0]), {**new_lease(10.0), "host": "elsewhere", "renewed": "2001-01-01T00:00"}
    assert watch.is_held(0, lease)
    time[0] = 9.0
    assert watch.is_held(0, lease)
    lease = renewed(lease)
    assert watch.is_held(0, lease)
    time[0] = 18.0
    assert watch.is_held(0, lease)
    time[0] = 20.0
    assert not watch.is_held(0, lease)
    assert not watch.is_held(0, None)


def test_what_a_dead_worker_is_known_to_have_worked_counts(tmp_path) -> None:
    study = begin(tmp_path, lease=0.0)
    lease = {**study.claim().lease, "renewed": "2001-01-01T00:00:30+00:00", "started": "2001-01-01T00:00:00+00:00"}
    study.place.storage.set_trial_user_attr(0, "lease", lease)
    study.claim()
    taken = study.claim()
    assert (taken.number, taken.sessions, taken.seconds) == (0, 2, 30.0)


def test_one_look_at_a_lease_goes_by_its_date() -> None:
    lease = new_lease(10.0)
    assert seems_held(lease)
    assert not seems_held({**lease, "renewed": "2001-01-01T00:00:00+00:00"})
    assert not seems_held({**lease, "born": 1})
    assert not seems_held(None)


def test_a_worker_whose_trial_was_taken_over_writes_nothing_more(tmp_path) -> None:
    late = begin(tmp_path, lease=0.0)
    claim = late.claim()
    other = open_study(SweepFolder(tmp_path / "tiny"))
    assert other.claim().number == 1  # the first look at the lease
    taken = other.claim()
    assert (taken.number, taken.sessions) == (0, 2)
    assert late.renew(claim) is None
    assert not late.finish(claim, "failed", None, "too late", 1.0)
    late.release(claim, 1.0)
    assert other.renew(taken) is not None
    assert other.finish(taken, "finished", 0.5, None, 1.0)
    assert late.renew(claim) is None
    late.report(claim, [(1000, 5.0)])
    assert read_sweep(tmp_path / "tiny").trials[0].curve == ()
    assert read_sweep(tmp_path / "tiny").trials[0].state == "finished"


def test_a_sweep_goes_on_with_what_it_was_begun_with(tmp_path) -> None:
    begin(tmp_path).claim()
    begin(tmp_path, GRID + "description: more words\nrun_cap: 3\n")
    assert read_sweep(tmp_path / "tiny").planned == 3
    with pytest.raises(UserError, match="begun with another parameters"):
        begin(tmp_path, GRID.replace("[x, y]", "[x, z]"))
    with pytest.raises(UserError, match="begun with another the spec spec.yaml"):
        begin(tmp_path, specs={"spec.yaml": "changed"})
    with pytest.raises(UserError, match="another --search-seed"):
        begin(tmp_path, search_seed=1)


def test_a_line_of_the_journal_that_was_cut_off_is_taken_back(tmp_path) -> None:
    study = begin(tmp_path)
    study.claim()
    journal = tmp_path / "tiny" / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "cut')
    assert open_study(SweepFolder(tmp_path / "tiny")).claim().number == 1
    assert journal.read_bytes().startswith(whole + b'{"op_code"')
    for line in journal.read_text().splitlines():
        json.loads(line)


def test_what_does_not_fit_the_disk_leaves_the_journal_whole(tmp_path, monkeypatch) -> None:
    backend = WholeLines(tmp_path / "journal")
    backend.append_logs([{"a": 1}])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            backend.append_logs([{"b": 2}])
    assert (tmp_path / "journal").read_text() == '{"a":1}\n'
    backend.append_logs([{"c": 3}])
    assert list(backend.read_logs(0)) == [{"a": 1}, {"c": 3}]


def test_databases_are_postgresql_and_their_passwords_stay_unseen() -> None:
    assert check_url("postgresql://me:word@host:5432/db") == "postgresql+psycopg://me:word@host:5432/db"
    assert check_url("postgres://host/db") == "postgresql+psycopg://host/db"
    assert check_url("postgresql+psycopg2://host/db") == "postgresql+psycopg2://host/db"
    assert shown("postgresql://me:word@host:5432/db") == "postgresql://me@host:5432/db"
    with pytest.raises(UserError, match="SQLite is not safe"):
        check_url("sqlite:///x.db")
    with pytest.raises(UserError, match="no database of PostgreSQL"):
        check_url("mysql://host/db")


def test_a_database_that_does_not_answer_is_a_sentence(tmp_path) -> None:
    with pytest.raises(UserError, match=r"the database postgresql://me@127.0.0.1:9/db cannot be reached: .*refused"):
        begin_study(
            SweepFolder(tmp_path / "tiny"),
            sweep_file(tmp_path, GRID),
            {**RECORD, "storage": "postgresql://me@127.0.0.1:9/db"},
            "postgresql://me:word@127.0.0.1:9/db",
            10.0,
        )


def test_a_folder_without_a_sweep_is_a_sentence(tmp_path) -> None:
    with pytest.raises(UserError, match="no sweep's folder"):
        read_sweep(tmp_path)

"""W&B: offline on request and whenever it has to be, and never in the way."""

import http.server
import socket
import subprocess
import sys
import threading

import pytest
from PIL import Image

from ganlab.spec.tracking_sections import WandbSection
from ganlab.tracking import wandb as tracking
from ganlab.tracking import wandb_mode
from ganlab.tracking.build import build_trackers
from ganlab.tracking.tracker import Trackers
from ganlab.tracking.wandb import WandbTracker
from ganlab.tracking.wandb_mode import decide_mode
from tests.tracking.made import made_spec


@pytest.fixture
def run_path(tmp_path, monkeypatch):
    for name in ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_MODE", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "runs" / "experiment" / "one"
    path.mkdir(parents=True)
    yield path
    import wandb

    wandb.teardown()


@pytest.fixture
def server():
    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(401)

        def log_message(self, *args):
            pass

    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()


def warnings(caplog):
    """What the user sees; wandb itself keeps a diary of where it finds no git and no settings."""
    return [record for record in caplog.records if record.name.startswith("ganlab")]


def test_an_offline_run_holds_everything(run_path, capfd):
    tracker = WandbTracker(WandbSection(tags=("tiny",)), run_path, made_spec())
    tracker.scalars(1000, {"discriminator/loss": 0.5})
    tracker.metrics(2000, {"swd/average": 2.0}, {"metric": "swd", "samples": 10})
    Image.new("L", (8, 8)).save(run_path / "grid.png")
    tracker.image(2000, "samples", run_path / "grid.png")
    assert tracker._run.summary["images_seen"] == 1000, "what belongs to the newest moment is sent with the next"
    assert tracker._run.config["kimg"] == 1
    assert set(tracker._run.tags) == {"tiny", "toy", "digits", "16px", "hinge", "seed-7"}
    tracker.event(2000, "best", "the lowest so far", {"metric": "swd/average", "value": 2.0})
    tracker.event(2000, "rollback", "back to 1000 images")
    assert tracker._run.summary["best/swd/average"] == 2.0
    assert tracker._run.summary["best/images_seen"] == 2000
    tracker.finish("finished")
    import wandb

    wandb.teardown()  # as at the end of the process: its service may still be writing
    (folder,) = (run_path / "wandb").glob("offline-run-*")
    content = (folder / "run-experiment-one.wandb").read_bytes()
    for word in (b"images_seen", b"discriminator/loss", b"metrics/swd/average", b"samples"):
        assert word in content
    assert list(folder.glob("files/media/images/samples_*.png"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("mode", ["offline", "disabled"])
def test_no_server_is_asked_unless_online_is_wanted(mode, monkeypatch):
    monkeypatch.setattr(wandb_mode, "_probe", lambda server: pytest.fail("asked"))
    assert decide_mode(mode) == mode


def test_an_unreachable_server_means_offline_with_one_warning(run_path, monkeypatch, caplog):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert decide_mode("online") == "offline"
    (record,) = warnings(caplog)
    assert "does not answer" in record.getMessage()


def test_a_server_that_never_answers_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(wandb_mode, "_PROBE_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        problem = wandb_mode._probe(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "does not answer" in problem


def test_a_missing_key_means_offline_and_no_question(run_path, monkeypatch, caplog, server):
    monkeypatch.setenv("WANDB_BASE_URL", server)
    monkeypatch.setattr("builtins.input", lambda *args: pytest.fail("asked"))
    assert decide_mode("online") == "offline"
    assert "API key" in warnings(caplog)[0].getMessage()


def test_a_key_and_a_server_that_answers_mean_online(run_path, monkeypatch, caplog, server):
    monkeypatch.setenv("WANDB_BASE_URL", server)
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    assert decide_mode("online") == "online"
    assert not warnings(caplog)


def test_a_full_disk_costs_one_warning_and_is_tried_again(run_path, monkeypatch, caplog):
    tracker = WandbTracker(WandbSection(), run_path, made_spec())
    trackers = Trackers([tracker])
    with monkeypatch.context() as patched:
        patched.setattr(tracking, "_ROOM", 2**80)
        for moment in (1000, 2000):
            trackers.scalars(moment, {"a": 1.0})
    (record,) = warnings(caplog)
    assert "No space left".lower() in record.getMessage().lower()
    for moment in (3000, 4000):
        trackers.scalars(moment, {"a": 3.0})
    assert tracker._run.summary["images_seen"] == 3000, "it is tried again"
    tracker.finish("finished")


def test_a_missing_package_raises_for_build_to_report(run_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ImportError):
        WandbTracker(WandbSection(), run_path, made_spec())
    monkeypatch.undo()


AT_EXIT = """
import atexit
from ganlab.tracking.wandb_quiet import leave_quietly
def teardown():
    raise ConnectionResetError("Connection lost")
teardown.__module__ = "{module}"
atexit.register(teardown)
atexit.register(leave_quietly)
"""


@pytest.mark.parametrize(("module", "told"), [("wandb.sdk.lib.service", False), ("others", True)])
def test_a_killed_process_of_wandb_leaves_no_traceback_at_the_end(module, told):
    ended = subprocess.run([sys.executable, "-c", AT_EXIT.format(module=module)], capture_output=True, text=True)
    assert ("Traceback" in ended.stderr) == told


def test_a_package_that_exits_does_not_end_the_run(run_path, monkeypatch, caplog):
    """It once ended with the package's exit code."""
    monkeypatch.setattr(WandbTracker, "__init__", lambda *_: sys.exit(3))
    trackers = build_trackers(made_spec(wandb=WandbSection()), run_path)
    assert [tracker.name for tracker in trackers] == ["log.jsonl"]
    assert "W&B cannot start: SystemExit: 3; the run goes on without it" in caplog.text

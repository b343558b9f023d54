"""SIGTERM and Ctrl-C at every stage of a run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from ganlab.errors import Interrupted
from ganlab.run.signals import SignalWatch
from ganlab.spec.model import CheckpointSection, EvaluationSection, Node, TrainerSection
from ganlab.tracking.jsonl import read_records
from ganlab.training.checkpoint import load_checkpoint
from tests.run.conftest import lines_without_time
from tests.tiny import tiny_gan
from tests.training.fitting import fit

SIGNALS = [signal.SIGTERM, signal.SIGINT]


def send_in(monkeypatch, place: str, number: signal.Signals, images_seen: int) -> None:
    """Send a signal to this process when a function is called at or after a moment, once."""
    owner, name = place.rsplit(".", 1)
    module_path, class_name = owner.rsplit(".", 1)
    kind = getattr(__import__(module_path, fromlist=[class_name]), class_name)
    original, sent = getattr(kind, name), []

    def watched(self, *arguments, **options):
        clocks = [argument.clock for argument in arguments if hasattr(argument, "clock")]
        if not sent and clocks[0].images_seen >= images_seen:
            sent.append(number)
            os.kill(os.getpid(), number)
        return original(self, *arguments, **options)

    monkeypatch.setattr(kind, name, watched)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    "place",
    [
        "ganlab.run.run_callback.RunCallback.setup",
        "ganlab.run.checkpoint_callback.CheckpointCallback.on_train_start",
        "ganlab.run.snapshot_callback.SnapshotCallback.on_train_start",
    ],
)
def test_before_the_first_step_a_signal_ends_at_once(tiny_runs, monkeypatch, number, place) -> None:
    before = signal.getsignal(number)
    send_in(monkeypatch, place, number, 0)
    with pytest.raises(Interrupted) as interrupted:
        tiny_runs.train()
    assert interrupted.value.exit_code == 128 + number
    assert signal.getsignal(number) == before
    assert tiny_runs.train(resume=(tiny_runs.folder / "tiny").exists()).signal is None


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    ("place", "moment", "saved"),
    [
        ("ganlab.run.tracking_callback.TrackingCallback.on_train_batch_end", 8, 16),
        ("ganlab.run.checkpoint_callback.CheckpointCallback.on_train_batch_end", 16, 16),
        ("ganlab.evaluation.evaluator.Evaluator.evaluate", 16, 16),
        ("ganlab.run.tracking_callback.TrackingCallback.on_train_end", 48, 48),
        ("ganlab.run.checkpoint_callback.CheckpointCallback.on_train_end", 48, 48),
        ("ganlab.run.evaluation_callback.EvaluationCallback.on_train_end", 48, 48),
    ],
)
def test_a_signal_ends_with_a_checkpoint_and_a_resume_makes_up_for_it(
    tiny_runs, monkeypatch, number, place, moment, saved
) -> None:
    with monkeypatch.context() as patched:
        send_in(patched, place, number, moment)
        outcome = tiny_runs.train()
    assert outcome.signal == number
    assert load_checkpoint(outcome.run.last_checkpoint)["clock"]["images_seen"] == saved
    run = tiny_runs.train(resume=True).run.path
    whole = tiny_runs.whole().path
    assert lines_without_time(run / "log.jsonl") == lines_without_time(whole / "log.jsonl")
    assert read_records(run / "metrics.jsonl") == read_records(whole / "metrics.jsonl")


@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_signals_of_clusters_write_a_checkpoint_where_the_spec_names_them(tiny_runs, monkeypatch, name) -> None:
    number = signal.Signals[name]
    before = signal.getsignal(number)
    place = "ganlab.run.checkpoint_callback.CheckpointCallback.on_train_batch_end"
    send_in(monkeypatch, place, number, 16)
    outcome = tiny_runs.train(trainer=TrainerSection(accelerator="cpu", signals=(name,)))
    assert outcome.signal == number
    assert load_checkpoint(outcome.run.last_checkpoint)["clock"]["images_seen"] == 16
    assert signal.getsignal(number) == before


def test_an_evaluation_on_several_ranks_ends_at_its_next_block(tiny_runs, monkeypatch) -> None:
    blocks = []

    def told(flag, device):
        blocks.append(flag)
        return len(blocks) == 2

    monkeypatch.setattr("ganlab.run.evaluation_callback.world_size", lambda: 2)
    monkeypatch.setattr("ganlab.run.evaluation_callback.any_over_ranks", told)
    evaluation = EvaluationSection((Node("optimizers", "rmsprop"),), every_kimg=0.016, samples=10, batch_size=2)
    checkpoint = CheckpointSection(every_kimg=1)
    outcome = tiny_runs.train(evaluation=evaluation, checkpoint=checkpoint)
    assert (outcome.signal, len(blocks)) == (signal.SIGTERM, 2)
    assert load_checkpoint(outcome.run.last_checkpoint)["clock"]["images_seen"] == 16
    assert outcome.metrics == {}


UNINTERRUPTIBLE = """
import ctypes, sys
from ganlab.run import signals
signals._PATIENCE = 0.1
class Module:
    interrupt_requested = False
with signals.SignalWatch().listening() as watch:
    watch.begin_training(Module())
    libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(256)
    print("ready", flush=True)
    while True:
        libc.pthread_mutex_lock(mutex)  # the second time it waits for ever, and hears nothing
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it waits in the C library of Linux")
def test_a_second_ctrl_c_ends_a_process_that_hears_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", UNINTERRUPTIBLE], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130


def test_a_second_ctrl_c_interrupts_in_mid_step() -> None:
    class Module:
        interrupt_requested = False

    module = Module()
    before = signal.getsignal(signal.SIGINT)
    with SignalWatch().listening() as signals:
        signals.begin_training(module)
        os.kill(os.getpid(), signal.SIGINT)
        assert module.interrupt_requested
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_another_rank_s_signal_is_this_one_s_too(tiny_runs, monkeypatch) -> None:
    """SIGTERM to rank 1 alone once ended the run with exit code 0."""
    original = tiny_runs.module

    def told_by_another(spec, facts):
        module = original(spec, facts)
        update = module.update

        def updated(*arguments):
            update(*arguments)
            module.interrupted = True

        module.update = updated
        return module

    monkeypatch.setattr("ganlab.run.session.build_module", told_by_another)
    assert tiny_runs.train().signal == signal.SIGTERM


def test_training_without_a_watch_leaves_the_signals_alone() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    fit(tiny_gan(), 8)
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_library_that_raises_something_else_when_it_is_interrupted_is_not_to_blame(number) -> None:
    """As numpy does, whose own lazy import asks for itself without end once it has been broken off."""

    def broken_import() -> None:
        try:
            os.kill(os.getpid(), number)
        except Interrupted as error:
            raise RecursionError("maximum recursion depth exceeded") from error

    with pytest.raises(Interrupted) as interrupted, SignalWatch().listening():
        broken_import()
    assert interrupted.value.exit_code == 128 + number


def test_an_error_without_a_signal_stays_what_it_is() -> None:
    with pytest.raises(RecursionError, match="its own"), SignalWatch().listening():
        raise RecursionError("its own")


def test_a_signal_that_a_library_swallowed_ends_before_training() -> None:
    def swallow_a_signal() -> None:
        with contextlib.suppress(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)

    with SignalWatch().listening() as watch:
        swallow_a_signal()
        with pytest.raises(Interrupted):
            watch.begin_training(tiny_gan())

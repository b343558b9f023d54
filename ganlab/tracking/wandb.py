"""Weights & Biases: offline unless asked for, decided before the first contact, and never able to end a run."""

from __future__ import annotations

import errno
import json
import logging
import math
import os
import shutil
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganlab.files import read_mapping
from ganlab.spec import plain
from ganlab.spec.model import Spec
from ganlab.spec.tracking_sections import WandbSection
from ganlab.tracking.axis import ForwardAxis
from ganlab.tracking.identity import Identity, identity_of
from ganlab.tracking.jsonl import measured_series
from ganlab.tracking.tracker import FINISHED, INTERRUPTED, Tracker
from ganlab.tracking.wandb_mode import decide_mode, warn_offline
from ganlab.tracking.wandb_models import log_models, remove_old_models
from ganlab.tracking.wandb_quiet import silence_tracebacks
from ganlab.tracking.wandb_service import bound_exit, bounded

logger = logging.getLogger(__name__)

STOP_NOTE = "GANLAB_STOP_NOTE"
"""Environment variable with the path of a file that is made before a run is told to stop for good."""
PREEMPTION_NOTE = "GANLAB_PREEMPTION_NOTE"
"""Environment variable with the path of a file that is made before a run of W&B's agent is told to stop for a while."""

_INIT_TIMEOUT = 30.0
_ROOM = 2**18  # bytes
_FINISH_TIMEOUT = 60.0  # seconds for the last uploads; what is missing stays on disk for `wandb sync`
_FLUSH_INTERVAL = 1.0  # seconds; of what a killed process had to say, wandb's own 15 would be lost
_HEADER = 7  # bytes of a run's file in which nothing is yet


class WandbTracker(Tracker):
    """One W&B run with images seen as its axis and step, in the run folder's `wandb/`.

    A resumed run goes on with the same W&B run, whose id is in `wandb/run.json`. What training does again after a
    rollback or a resume is not told a second time, as W&B cannot take anything back. Raises whatever wandb raises when
    it is missing or cannot start.
    """

    name = "W&B"

    def __init__(self, section: WandbSection, run_path: Path, spec: Spec) -> None:
        import wandb

        _check_room(run_path)
        self._folder = run_path
        self._axis = ForwardAxis.of_run(run_path)
        self._models = section.models
        self._picture = wandb.Image
        self._parent = os.getppid()
        self._told_to_stop = False
        _remove_empty(run_path / "wandb")
        self._run = _start(
            decide_mode(section.mode),
            section,
            run_path,
            plain(spec),
            identity_of(spec, run_path, section.group),
            self._stop,
        )
        if self._run.resumed:
            self._axis.skip_to(self._run.step)
        _remember(run_path, self._run)
        silence_tracebacks()
        self._run.define_metric("images_seen", hidden=True)
        self._run.define_metric("*", step_metric="images_seen")

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Log the means."""
        _check_room(self._folder / "wandb")
        self._log(images_seen, values)

    def metrics(
        self,
        images_seen: int,
        values: Mapping[str, float],
        protocol: Mapping[str, Any],
        error: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Log the numbers under `metrics/`; the best of each, and how it was measured, go into the summary."""
        self._log(images_seen, {f"metrics/{name}": value for name, value in values.items()})
        self._run.summary[f"protocol/{protocol['metric']}"] = dict(protocol)
        for name, value in values.items():
            best = self._best(name, value, protocol)
            if best is not None:
                self._run.summary[f"best/{name}"] = best

    def image(self, images_seen: int, name: str, path: Path) -> None:
        """Log a picture."""
        self._log(images_seen, {name: self._picture(str(path), caption=path.stem)})

    def event(self, images_seen: int, kind: str, text: str, values: Mapping[str, Any] | None = None) -> None:
        """An alert where it is urgent; the moment of the best evaluation goes into the summary."""
        if kind == "best" and values is not None:
            self._run.summary[f"best/{values['metric']}"] = values["value"]
            self._run.summary["best/images_seen"] = images_seen
        elif kind == "rollback" or kind.startswith("warning"):
            self._run.alert(f"{kind} at {images_seen / 1000:g} kimg", text, level="WARN")

    def rewind(self, images_seen: int) -> None:
        """Leave out what will come again."""
        self._axis.rewind()

    def finish(self, status: str) -> None:
        """End the W&B run; waits for uploads, but not for ever.

        A run that a sweep stopped early has finished for W&B, so that its numbers count; one that was interrupted
        otherwise is marked as preempted, so that W&B's agents may take it up again.
        """
        stopped = status == INTERRUPTED and self._was_stopped()
        if stopped:
            self._run.summary["stopped_early"] = True
        elif status == INTERRUPTED:
            self._run.mark_preempting()
        code = 0 if status == FINISHED or stopped else 128 + signal.SIGTERM if status == INTERRUPTED else 1
        try:
            self._end(code, self._models and (status == FINISHED or stopped or not self._run.offline))
        except TimeoutError:
            bound_exit(_FINISH_TIMEOUT)
            _warn_unsent(Path(self._run.dir).parent)
        except Exception:
            bound_exit(_FINISH_TIMEOUT)
            raise

    def _end(self, code: int, with_models: bool) -> None:
        try:
            logged = with_models and log_models(self._run, self._folder)
        finally:
            self._run.finish(exit_code=code)
        if logged and not self._run.offline:
            remove_old_models(self._run)

    def _log(self, images_seen: int, values: Mapping[str, Any]) -> None:
        if self._axis.admits(images_seen):
            self._run.log({**values, "images_seen": images_seen}, step=images_seen)

    def _best(self, name: str, value: float, protocol: Mapping[str, Any]) -> float | None:
        """The best value of a number of a metric whose protocol tells its direction."""
        higher = protocol.get("higher_is_better")
        higher = higher.get(name) if isinstance(higher, Mapping) else higher
        known = [each for _, each in measured_series(self._folder, name)]
        finite = [each for each in (*known, value) if math.isfinite(each)]
        return (max if higher else min)(finite) if isinstance(higher, bool) and finite else None

    def _stop(self) -> None:
        """W&B's server wants the run to end: let it do so as after SIGTERM, with a checkpoint."""
        self._told_to_stop = True
        identity = threading.main_thread().ident
        assert identity is not None
        signal.pthread_kill(identity, signal.SIGTERM)

    def _was_stopped(self) -> bool:
        """Whether a sweep ended the run: W&B's server, ours, or an agent that lives on, unlike in a preemption."""
        agent_lives = bool(os.environ.get("WANDB_SWEEP_ID")) and os.getppid() == self._parent
        by_agent = agent_lives and not _is_there(PREEMPTION_NOTE)
        return self._told_to_stop or by_agent or _is_there(STOP_NOTE)


def _is_there(note: str) -> bool:
    path = os.environ.get(note)
    return path is not None and Path(path).exists()


def run_of_agent(folder: Path) -> Path | None:
    """The run, of those in a folder, in which the trial began that W&B's agent gives again after a preemption."""
    identity = os.environ.get("WANDB_RUN_ID")
    if not os.environ.get("WANDB_SWEEP_ID") or identity is None:
        return None
    return next((path for path in sorted(folder.glob("*")) if _record(path).get("id") == identity), None)


def _start(
    mode: str, section: WandbSection, run_path: Path, config: Mapping[str, Any], identity: Identity, stop: Any
) -> Any:
    import wandb

    settings = wandb.Settings(
        silent=True,
        console="off",
        init_timeout=_INIT_TIMEOUT,
        finish_timeout=_FINISH_TIMEOUT,
        finish_timeout_raises=True,
        stop_fn=stop,
        x_transaction_log_flush_interval=_FLUSH_INTERVAL,
    )
    place: dict[str, Any] = {"project": section.project, "entity": section.entity, "id": identity.id}
    if os.environ.get("WANDB_SWEEP_ID"):  # then W&B's agent says where the run belongs
        place = {}
    options: dict[str, Any] = {
        **place,
        **_remembered(run_path),
        "group": identity.group,
        "tags": [*section.tags, *identity.tags],
        "job_type": identity.job_type,
        "name": identity.id,
        "resume": "allow",
        "dir": str(run_path),
        "config": dict(config),
        "settings": settings,
    }
    try:
        return wandb.init(mode=mode, **options)  # type: ignore[arg-type]
    except wandb.errors.CommError as error:
        if mode != "online":
            raise
        warn_offline(str(error))
        with bounded(_FINISH_TIMEOUT):
            wandb.teardown()
        return wandb.init(mode="offline", **options)


def _remember(run_path: Path, run: Any) -> None:
    """Keep by which id the run goes on, which one of W&B's sweeps has from the agent."""
    record = {"id": run.id, "project": run.project, "entity": run.entity or None}
    (run_path / "wandb" / "run.json").write_text(json.dumps(record) + "\n", encoding="utf-8")


def _remembered(run_path: Path) -> dict[str, Any]:
    """Where the run goes on; in a sweep of W&B's the agent says it."""
    return {} if os.environ.get("WANDB_SWEEP_ID") else _record(run_path)


def _record(run_path: Path) -> dict[str, Any]:
    return read_mapping(run_path / "wandb" / "run.json")


def _remove_empty(folder: Path) -> None:
    """Drop what a killed process left before it had written anything: `wandb sync` would refuse the whole run."""
    for path in folder.glob("offline-run-*/run-*.wandb"):
        if path.stat().st_size <= _HEADER:
            shutil.rmtree(path.parent, ignore_errors=True)


def _check_room(folder: Path) -> None:
    """Raise `OSError` for a full disk, on which wandb itself loses data without a word."""
    if shutil.disk_usage(folder).free < _ROOM:
        raise OSError(errno.ENOSPC, "no space left for W&B's files", str(folder))


def _warn_unsent(folder: Path) -> None:
    logger.warning(
        "ganlab: warning: W&B did not take everything within %g s; the rest is kept, and 'wandb sync %s' sends it",
        _FINISH_TIMEOUT,
        folder,
    )

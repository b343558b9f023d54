"""Weights & Biases: offline unless asked for, decided before the first contact, and never able to end a run."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganlab.spec.model import WandbSection
from ganlab.tracking.tracker import Tracker

logger = logging.getLogger(__name__)

_PROBE_TIMEOUT = 5.0  # seconds
_INIT_TIMEOUT = 30.0
_ROOM = 2**18  # bytes
_FINISH_TIMEOUT = 60.0  # seconds for the last uploads; what is missing stays on disk for `wandb sync`


class WandbTracker(Tracker):
    """One W&B run with images seen as its axis, in the run folder's `wandb/`.

    The id follows from the names of the experiment and of the run folder, so that a resumed run goes on with the
    same W&B run. Raises whatever wandb raises when it is missing or cannot start.
    """

    name = "W&B"

    def __init__(self, section: WandbSection, run_path: Path, config: Mapping[str, Any]) -> None:
        import wandb

        _check_room(run_path)
        self._folder = run_path
        self._picture = wandb.Image
        self._run = _start(
            decide_mode(section.mode),
            project=section.project,
            entity=section.entity,
            group=section.group or run_path.parent.name,
            tags=list(section.tags),
            job_type="train",
            name=f"{run_path.parent.name}-{run_path.name}",
            id=f"{run_path.parent.name}-{run_path.name}",
            resume="allow",
            dir=str(run_path),
            config=dict(config),
        )
        _silence_log_errors()
        self._run.define_metric("images_seen", hidden=True)
        self._run.define_metric("*", step_metric="images_seen")

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Log the means."""
        _check_room(self._folder / "wandb")
        self._run.log({**values, "images_seen": images_seen})

    def metrics(
        self,
        images_seen: int,
        values: Mapping[str, float],
        protocol: Mapping[str, Any],
        error: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Log the numbers under `metrics/`; how they were measured goes into the summary."""
        named = {f"metrics/{name}": value for name, value in values.items()}
        self._run.log({**named, "images_seen": images_seen})
        self._run.summary[f"protocol/{protocol['metric']}"] = dict(protocol)

    def image(self, images_seen: int, name: str, path: Path) -> None:
        """Log a picture."""
        picture = self._picture(str(path), caption=path.stem)
        self._run.log({name: picture, "images_seen": images_seen})

    def event(self, images_seen: int, kind: str, text: str, values: Mapping[str, Any] | None = None) -> None:
        """An alert where it is urgent; the best evaluation goes into the summary."""
        if kind == "best" and values is not None:
            self._run.summary[f"best/{values['metric']}"] = values["value"]
            self._run.summary["best/images_seen"] = images_seen
        elif kind == "rollback" or kind.startswith("warning"):
            self._run.alert(f"{kind} at {images_seen / 1000:g} kimg", text, level="WARN")

    def finish(self, status: str) -> None:
        """End the W&B run; waits for uploads, but not for ever."""
        self._run.finish(exit_code=0 if status == "finished" else 1)


def decide_mode(mode: str) -> str:
    """`online` only if the server answers and a key is known; otherwise `offline`, with one warning.

    After a first contact that failed, wandb cannot be trusted to start offline in the same process.
    """
    if mode != "online":
        return mode
    import wandb

    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # keeps wandb's failed telemetry off the terminal
    server = wandb.setup(wandb.Settings(silent=True)).settings.base_url
    problem = _probe(server)
    if problem is None and not wandb.login(prompt=False, verify=False):
        problem = "no API key is known ('wandb login' or WANDB_API_KEY sets one)"
    if problem is None:
        return "online"
    _warn_offline(problem)
    return "offline"


def _start(mode: str, **options: Any) -> Any:
    import wandb

    settings = wandb.Settings(
        silent=True,
        console="off",
        init_timeout=_INIT_TIMEOUT,
        finish_timeout=_FINISH_TIMEOUT,
    )
    try:
        return wandb.init(mode=mode, settings=settings, **options)  # type: ignore[arg-type]
    except wandb.errors.CommError as error:
        if mode != "online":
            raise
        _warn_offline(str(error))
        wandb.teardown()
        return wandb.init(mode="offline", settings=settings, **options)


def _check_room(folder: Path) -> None:
    """Raise `OSError` for a full disk, on which wandb itself loses data without a word."""
    if shutil.disk_usage(folder).free < _ROOM:
        raise OSError(errno.ENOSPC, "no space left for W&B's files", str(folder))


def _silence_log_errors() -> None:
    """A failed write to wandb's own debug log must not fill the terminal with tracebacks."""
    for handler in logging.getLogger("wandb").handlers:
        handler.handleError = lambda record: None  # type: ignore[method-assign]


def _probe(server: str) -> str | None:
    """Why a server cannot be reached; None if it answers at all, be it with a refusal."""
    try:
        with urllib.request.urlopen(server, timeout=_PROBE_TIMEOUT):
            return None
    except urllib.error.HTTPError:
        return None
    except (OSError, ValueError) as error:
        return f"{server} does not answer ({error})"


def _warn_offline(problem: str) -> None:
    logger.warning(
        "ganlab: warning: W&B is used offline: %s; upload the run later with 'wandb sync'", problem.splitlines()[0]
    )

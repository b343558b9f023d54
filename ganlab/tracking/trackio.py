"""Trackio: W&B's calls on top of a database on this machine."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganlab.spec import plain
from ganlab.spec.model import Spec
from ganlab.spec.tracking_sections import TrackioSection
from ganlab.tracking.axis import ForwardAxis
from ganlab.tracking.identity import identity_of
from ganlab.tracking.tracker import Tracker


class TrackioTracker(Tracker):
    """One run of Trackio with images seen as its step, where `TRACKIO_DIR` says; a resumed run goes on with it.

    Raises `ModuleNotFoundError` if Trackio is not installed.
    """

    name = "Trackio"

    def __init__(self, section: TrackioSection, run_path: Path, spec: Spec) -> None:
        import trackio

        identity = identity_of(spec, run_path, section.group)
        self._axis = ForwardAxis.of_run(run_path)
        self._service: Any = trackio
        with _silent():
            self._run: Any = trackio.init(
                project=section.project,
                name=identity.id,
                group=identity.group,
                config={**plain(spec), "tags": list(identity.tags), "job_type": identity.job_type},
                resume="allow",
                embed=False,
            )

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Log the means."""
        if self._axis.admits(images_seen):
            self._run.log({**values, "images_seen": images_seen}, step=images_seen)

    def metrics(
        self,
        images_seen: int,
        values: Mapping[str, float],
        protocol: Mapping[str, Any],
        error: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Log the numbers under `metrics/`."""
        self.scalars(images_seen, {f"metrics/{name}": value for name, value in values.items()})

    def image(self, images_seen: int, name: str, path: Path) -> None:
        """Log a picture."""
        if self._axis.admits(images_seen):
            self._run.log({name: self._service.Image(str(path), caption=path.stem)}, step=images_seen)

    def event(self, images_seen: int, kind: str, text: str, values: Mapping[str, Any] | None = None) -> None:
        """An alert where it is urgent."""
        if kind == "rollback" or kind.startswith("warning"):
            with _silent():
                self._run.alert(
                    f"{kind} at {images_seen / 1000:g} kimg", text, self._service.AlertLevel.WARN, step=images_seen
                )

    def rewind(self, images_seen: int) -> None:
        """Leave out what will come again."""
        self._axis.rewind()

    def finish(self, status: str) -> None:
        """Write out what is still in memory."""
        with _silent():
            self._service.finish()


@contextlib.contextmanager
def _silent() -> Any:
    """Trackio tells on the standard output what ganlab tells itself."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield

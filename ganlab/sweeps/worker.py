"""A worker: claims a trial, runs it, watches over it, and goes on until no trial is left or it is stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from ganlab.studies.numbers import Point, shown
from ganlab.sweeps.command import override
from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.hyperband import logged
from ganlab.sweeps.lease import holder_of
from ganlab.sweeps.orphan import end_orphan
from ganlab.sweeps.storage import trouble
from ganlab.sweeps.study import Claim, SweepStudy
from ganlab.sweeps.trial_run import Ending, TrialRun, cannot_start, environment_of

Answer = TypeVar("Answer")

_GLANCE = 0.2  # seconds between two looks at a process
_IDLE = 1.0  # seconds between two looks for a trial that was left
_RETRY = 5.0  # seconds between two attempts at a storage that gives trouble


class Stopping:
    """Whether SIGTERM or Ctrl-C has come, and whether it has come again."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.again = False

    @contextmanager
    def listening(self) -> Iterator[Stopping]:
        """Listen, and give the signals back to whoever had them."""
        before = {number: signal.signal(number, self._hear) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def sleep(self, seconds: float) -> None:
        """Wait, but not on after a signal."""
        until = time.monotonic() + seconds
        while self.received is None and time.monotonic() < until:
            time.sleep(min(_GLANCE, max(0.0, until - time.monotonic())))

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.again = self.received is not None
        self.received = self.received or number


class Worker:
    """One worker of a sweep. Whatever its storage does, it says so once and tries again.

    Args:
        given: what its trials find in their environment, such as the devices that they may use.
    """

    def __init__(
        self, folder: SweepFolder, study: SweepStudy, stopping: Stopping, given: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.study = study
        self.stopping = stopping
        self.given = given or {}
        self._pruner = folder.sweep.keys.early_terminate.pruner() if folder.sweep.keys.early_terminate else None
        self._in_trouble = False

    def work(self) -> None:
        """Run trials until all have ended, here and elsewhere, or a signal comes."""
        while self.stopping.received is None:
            claim = self._persistently(self.study.claim)
            if claim is not None:
                self._run(claim)
            elif self._persistently(self.study.is_complete):
                return
            else:
                self.stopping.sleep(_IDLE)

    def _run(self, claim: Claim) -> None:
        self._announce(claim)
        folder = self.folder.trial(claim.number)
        environment = environment_of(self.folder.sweep.name, claim.number, folder, self.given)
        begun = time.monotonic()
        if claim.taken_from is not None:
            end_orphan(folder, claim.taken_from)
        try:
            run = TrialRun(self.folder.sweep, claim, folder, environment)
        except OSError as error:
            self._end(claim, cannot_start(error), 0.0)
            return
        try:
            watch = _Watch(self, claim, run)
            while run.is_running:
                watch.look()
                time.sleep(_GLANCE)
            self._persistently(watch.report)
        except BaseException:
            run.kill()
            raise
        self._end(claim, run.ending(), time.monotonic() - begun)

    def _end(self, claim: Claim, ending: Ending, seconds: float) -> None:
        if ending.state == "left":
            self._persistently(lambda: self.study.release(claim, seconds))
            self._say(claim, "is left to go on later")
            return
        value = ending.best.value if ending.best else None
        # Optuna asks for a value of a trial that was finished; one that was stopped early has its values on the way.
        told = value if ending.state == "finished" else None
        ours = self._persistently(lambda: self.study.finish(claim, ending.state, told, ending.reason, seconds))
        if not ours:
            self._say(claim, "is somebody else's by now: what came of it here does not count")
            return
        best = f", {self.folder.sweep.metric.name} {shown(value)}" if value is not None else ""
        self._say(claim, f"{ending.state} after {claim.seconds + seconds:.0f} s{best}{_because(ending.reason)}")

    def verdict(self, claim: Claim, points: list[Point]) -> str | None:
        """Why the rule of early stopping ends a trial with these values; None if it goes on."""
        if self._pruner is None:
            return None
        others = [logged(trial) for number, trial in enumerate(self.study.trials()) if number != claim.number]
        values = [point.value for point in points if shown(point.value) != "not finite"]
        maximize = self.folder.sweep.metric.goal == "maximize"
        verdict = self._pruner.judge(values, others, maximize=maximize)
        if verdict is None:
            return None
        worse = "below" if maximize else "above"
        return (
            f"at iteration {verdict.band}, {shown(verdict.value)} is {worse} {shown(verdict.threshold)}, which the "
            f"best 1/{self._pruner.eta:g} of {verdict.trials} trials keep to"
        )

    def warn_once(self, error: Exception) -> None:
        """Say that the storage gives trouble, until it works again."""
        if not self._in_trouble:
            print(
                f"ganlab: warning: the sweep's storage gives trouble: {trouble(error)}; it is tried again", flush=True
            )
        self._in_trouble = True

    def recovered(self) -> None:
        """Say that the storage works again."""
        if self._in_trouble:
            print("ganlab: the sweep's storage works again", flush=True)
        self._in_trouble = False

    def _persistently(self, act: Callable[[], Answer]) -> Answer | None:
        """What `act` answers, tried until the storage lets it, or a signal comes."""
        while True:
            try:
                answer = act()
            except self.study.place.troubles as error:
                self.warn_once(error)
                self.stopping.sleep(_RETRY)
                if self.stopping.received is not None:
                    return None
            else:
                self.recovered()
                return answer

    def _announce(self, claim: Claim) -> None:
        values = self.folder.sweep.values(claim.parameters, claim.seed)
        varied = [override(key, values[key]) for key in values if key in self.folder.sweep.searched or key == "seed"]
        taken = f" (left by {holder_of(claim.taken_from)})" if claim.taken_from else ""
        begins = "begins" if claim.sessions == 1 else f"goes on{taken}"
        self._say(claim, f"{begins}: {', '.join(varied) or 'as the spec says'}")

    def _say(self, claim: Claim, what: str) -> None:
        print(f"trial {claim.number:4d}  {what}", flush=True)


class _Watch:
    """Looks at a running trial: signs of life to the storage, values of the metric, early stopping, signals."""

    def __init__(self, worker: Worker, claim: Claim, run: TrialRun) -> None:
        self.worker = worker
        self.claim = claim
        self.run = run
        self._told: list[Point] = []
        self._reached = self._tried = time.monotonic()

    def look(self) -> None:
        """One look."""
        if self.worker.stopping.again:
            self.run.kill()
        elif self.worker.stopping.received is not None:
            self.run.stop("signal")
        now = time.monotonic()
        if now - self._tried >= self.claim.lease["seconds"] / 6:
            self._tried = now
            self._try(self._renew)
        if now - self._reached > self.claim.lease["seconds"] / 2:
            # Others may take the trial over soon: this training must not write by then.
            self.run.stop("lost")
        if self.run.points() != self._told:
            self._try(self.report)

    def report(self) -> None:
        """Tell the storage what is new; raises its troubles, and tells it again then."""
        points = self.run.points()
        self.worker.study.report(self.claim, [point for point in points if point not in self._told])
        self._told = list(points)
        if not self.run.is_stopping and (why := self.worker.verdict(self.claim, points)):
            self.run.stop("pruned", why)

    def _renew(self) -> None:
        claim = self.worker.study.renew(self.claim)
        if claim is None:
            self.run.stop("lost")
            return
        self.claim, self._reached = claim, time.monotonic()

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except self.worker.study.place.troubles as error:
            self.worker.warn_once(error)
        else:
            self.worker.recovered()


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""

"""The trials of a sweep in their storage: claimed, renewed, reported on and finished by workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial

from ganlab.sweeps.lease import LEASE, Lease, LeaseWatch, new_lease, renewed, worked
from ganlab.sweeps.search import CONFIGURATION, Search, Suggestion
from ganlab.sweeps.storage import Place

_VOID = "void"

STATES = {
    "finished": TrialState.COMPLETE,
    "stopped early": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
"""How a trial may end, and Optuna's words for it."""


@dataclass(frozen=True)
class Claim:
    """A trial that this worker works on; `parameters` are what the search has chosen."""

    trial_id: int
    number: int
    parameters: Mapping[str, Any]
    seed: int | None
    sessions: int
    seconds: float
    lease: Lease
    taken_from: Lease | None = None


class SweepStudy:
    """One sweep's study. Every method may raise the troubles of its place.

    A trial that a worker has begun stays Optuna's `RUNNING` until it is finished, whoever works on it.
    """

    def __init__(self, place: Place, study_id: int, search: Search, lease_seconds: float) -> None:
        self.place = place
        self.study_id = study_id
        self.search = search
        self.lease_seconds = lease_seconds
        self._watch = LeaseWatch()

    def trials(self) -> list[FrozenTrial]:
        """All trials; what a worker made that was too slow to claim it is none."""
        return [trial for trial in self._every() if _VOID not in trial.user_attrs]

    def claim(self) -> Claim | None:
        """A trial that nobody works on any more, or the next one; None where all are made and held or done."""
        with self.place.claiming():
            every = self._every()
            trials = [trial for trial in every if _VOID not in trial.user_attrs]
            return self._take_over(trials) or self._begin(trials, len(every))

    def is_complete(self) -> bool:
        """Whether all trials are made and have ended."""
        trials = self.trials()
        planned = self.search.planned
        return planned is not None and len(trials) >= planned and all(trial.state.is_finished() for trial in trials)

    def renew(self, claim: Claim) -> Claim | None:
        """The claim with a sign of life; None if the trial is somebody else's by now."""
        if not self.is_ours(claim):
            return None
        lease = renewed(claim.lease)
        self._write(claim.trial_id, LEASE, lease)
        return replace(claim, lease=lease)

    def is_ours(self, claim: Claim) -> bool:
        """Whether nobody has taken the trial over."""
        # A trial that somebody else has finished has that worker's lease.
        lease = self.place.storage.get_trial_user_attrs(claim.trial_id).get(LEASE)
        return lease is not None and lease["worker"] == claim.lease["worker"]

    def report(self, claim: Claim, points: Iterable[tuple[int, float]]) -> None:
        """Write values of the metric by their moments in images; not where somebody else has finished the trial."""
        with suppress(UpdateFinishedTrialError):
            for images_seen, value in points:
                self.place.storage.set_trial_intermediate_value(claim.trial_id, images_seen, value)

    def release(self, claim: Claim, seconds: float) -> None:
        """Leave the trial to whoever goes on with it."""
        if self.is_ours(claim):
            self._write(claim.trial_id, "seconds", claim.seconds + seconds)
            self._write(claim.trial_id, LEASE, None)

    def finish(self, claim: Claim, state: str, value: float | None, reason: str | None, seconds: float) -> bool:
        """Write how the trial ended; False if it is somebody else's by now."""
        if not self.is_ours(claim):
            return False
        try:
            self._write(claim.trial_id, "seconds", claim.seconds + seconds)
            if reason is not None:
                self._write(claim.trial_id, "reason", reason)
            values = None if value is None else [value]
            return self.place.storage.set_trial_state_values(claim.trial_id, STATES[state], values)
        except UpdateFinishedTrialError:
            return False

    def _every(self) -> list[FrozenTrial]:
        return self.place.storage.get_all_trials(self.study_id, deepcopy=False)

    def _take_over(self, trials: Sequence[FrozenTrial]) -> Claim | None:
        for number, trial in enumerate(trials):
            before = trial.user_attrs.get(LEASE)
            if trial.state != TrialState.RUNNING or self._watch.is_held(number, before):
                continue
            lease, sessions = new_lease(self.lease_seconds), int(trial.user_attrs["sessions"]) + 1
            trial_id = self.place.storage.get_trial_id_from_study_id_trial_number(self.study_id, trial.number)
            seconds = float(trial.user_attrs.get("seconds", 0.0)) + (worked(before) if before else 0.0)
            self._write(trial_id, "seconds", seconds)
            self._write(trial_id, "sessions", sessions)
            self._write(trial_id, LEASE, lease)
            return replace(_claim(trial_id, trial, number, sessions, lease, before), seconds=seconds)
        return None

    def _begin(self, trials: Sequence[FrozenTrial], expected: int) -> Claim | None:
        number, planned = len(trials), self.search.planned
        if planned is not None and number >= planned:
            return None
        lease = new_lease(self.lease_seconds)
        template = self._template(self.search.suggest(number, trials), lease)
        storage = self.place.storage
        trial_id = storage.create_new_trial(self.study_id, template)
        if storage.get_trial_number_from_id(trial_id) != expected:  # so slow that the lock was taken from us
            self._write(trial_id, _VOID, True)
            storage.set_trial_state_values(trial_id, TrialState.FAIL)
            return None
        return _claim(trial_id, template, number, 1, lease)

    def _template(self, suggestion: Suggestion, lease: Lease) -> FrozenTrial:
        distributions = {key: dimension.distribution for key, dimension in self.search.space.items()}
        attributes = {
            "parameters": dict(suggestion.parameters),
            "seed": suggestion.seed,
            CONFIGURATION: suggestion.configuration,
            "sessions": 1,
            LEASE: dict(lease),
        }
        return create_trial(
            state=TrialState.RUNNING,
            params=dict(suggestion.chosen),
            distributions=distributions,
            user_attrs=attributes,
        )

    def _write(self, trial_id: int, key: str, value: Any) -> None:
        self.place.storage.set_trial_user_attr(trial_id, key, value)


def _claim(
    trial_id: int, trial: FrozenTrial, number: int, sessions: int, lease: Lease, before: Lease | None = None
) -> Claim:
    attributes = trial.user_attrs
    parameters, seed, seconds = attributes["parameters"], attributes["seed"], float(attributes.get("seconds", 0.0))
    return Claim(trial_id, number, parameters, seed, sessions, seconds, lease, before)

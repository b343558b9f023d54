"""`ganlab.train` and `ganlab.check`: experiments from Python, by the same specs as on the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganlab.build import rehearse
from ganlab.errors import UserError
from ganlab.run.folder import DEFAULT_RUNS
from ganlab.run.run_callback import Resume
from ganlab.run.session import Outcome
from ganlab.run.session import train as run_experiment
from ganlab.spec import read_spec
from ganlab.spec.model import Spec

Overrides = Sequence[str] | Mapping[str, Any]
"""Changes to a spec: `["data.batch_size=32"]` as on the command line, or `{"data.batch_size": 32}`."""


def train(
    spec: str | Path | Spec,
    overrides: Overrides = (),
    *,
    runs: str | Path = DEFAULT_RUNS,
    resume: bool | str | Path = False,
) -> Outcome:
    """Run the experiment of a spec's file and say how it ended.

    The outcome has the `run`, whose `path` is its folder, the last `metrics` by name, and the `signal` that ended it
    early, if any. `resume` goes on with the newest run of the spec's name under `runs`, or with the run that it names.
    It prints what `ganlab train` prints on the way. Raises `UserError` for all that is wrong with the spec or its data,
    and `TrainingStopped` if a guard ends it.

        outcome = ganlab.train("experiments/quickstart.yaml", {"kimg": 8})
        images = ganlab.load(outcome.run.path).sample(16)
    """
    going_on = None if resume is False else Resume(None if resume is True else str(resume))
    return run_experiment(_resolved(spec, overrides), Path(runs), going_on)


def check(spec: str | Path | Spec, overrides: Overrides = ()) -> str | None:
    """Check all of a spec that can be known before training: keys, values, plugins, and whether parts and data fit.

    Nothing is trained and no network is allocated. Returns what could not be checked or is strange, None for nothing.
    Raises `UserError` with what is wrong.
    """
    return rehearse(_resolved(spec, overrides))


def _resolved(spec: str | Path | Spec, overrides: Overrides) -> Spec:
    if not isinstance(spec, Spec):
        return read_spec(spec, _written(overrides))
    if overrides:
        raise UserError("a spec that is resolved already takes no overrides: give its file, or none of them")
    return spec


def _written(overrides: Overrides) -> list[str]:
    """The overrides as the command line has them; JSON is YAML."""
    if isinstance(overrides, str):
        raise UserError(f"overrides are a list or a mapping, such as ['{overrides}'], not one text")
    if not isinstance(overrides, Mapping):
        return list(overrides)
    try:
        return [f"{key}={json.dumps(value)}" for key, value in overrides.items()]
    except TypeError as error:
        raise UserError(f"overrides have plain values, such as numbers, texts, lists and mappings: {error}") from None

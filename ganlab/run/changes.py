"""What differs between a run as it was trained so far and the spec and data that it is to go on with."""

from __future__ import annotations

from collections.abc import Sequence

from ganlab.errors import RunError, UserError
from ganlab.facts import DataFacts
from ganlab.run.folder import Run
from ganlab.spec import plain, read_spec
from ganlab.spec.difference import Change, changes
from ganlab.spec.model import Spec
from ganlab.spec.yaml_reader import read_yaml

BESIDE_THE_TRAINING = (
    "name",
    "tracking",
    "checkpoint",
    "snapshots",
    "evaluation",
    "diversity",
    "guard",
    "data.workers",
    "data.cache",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.num_nodes",
    "trainer.detect_anomaly",
    "trainer.signals",
    "trainer.timeout_minutes",
)
"""Keys, with all below them, that do not decide what is learned but for rounding."""


def find_changes(run: Run, spec: Spec, facts: DataFacts) -> list[Change]:
    """All values of the spec, and facts of the data, that are not those that the run was trained with."""
    path = run.path / "spec.yaml"
    if not path.is_file():
        return []
    try:
        before = plain(read_spec(path))
    except UserError:  # of plugins that have changed since, or are gone: as it is written, then
        before = read_yaml(path.read_text(encoding="utf-8"), str(path)).plain()
    return changes(before, plain(spec)) + _changed_facts(run, facts)


def check_changes(run: Run, found: Sequence[Change]) -> None:
    """Raise `RunError` for changes that decide what is learned, and for a shorter training, with all of them."""
    asked = [change for change in found if not _goes_without_asking(change)]
    if not asked:
        return
    listed = "".join(f"\n  {change}" for change in asked)
    raise RunError(
        f"{run.path} was trained with other values than are given now:{listed}\n"
        "'--change' goes on with the new ones; to go on as before, give the values on the left"
    )


def _goes_without_asking(change: Change) -> bool:
    if change.key == "kimg":
        return float(change.after) > float(change.before)
    return any(change.key == key or change.key.startswith(f"{key}.") for key in BESIDE_THE_TRAINING)


def _changed_facts(run: Run, facts: DataFacts) -> list[Change]:
    if not (run.path / "provenance.json").is_file():
        return []
    before, after = run.facts.to_record(), facts.to_record()
    return [
        Change(f"the data's {name.replace('_', ' ')}", _short(before[name]), _short(after[name]))
        for name in before
        if name != "files" and before[name] != after[name]  # how files tell maps: their content is in the fingerprint
    ]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""A table over runs and seeds, in which a column has numbers of one protocol only."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ganlab.errors import RunError
from ganlab.run.changes import BESIDE_THE_TRAINING
from ganlab.spec.difference import flat_values
from ganlab.studies.numbers import Point, Series, differing, flat, is_headline, series_of
from ganlab.studies.record import RunRecord

_OF_NO_SPEC = ("seed", *(key for key in BESIDE_THE_TRAINING))


@dataclass(frozen=True)
class Column:
    """One number; `protocol` is its place in the table's protocols, counted from 1."""

    name: str
    protocol: int
    higher_is_better: bool | None

    @property
    def title(self) -> str:
        """The number's name with its protocol's."""
        return f"{self.name} [{self.protocol}]"


@dataclass(frozen=True)
class Cell:
    """A number over the seeds of a spec: its values, and the moments at which they were measured."""

    values: tuple[float, ...]
    moments: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of a sample (n - 1), None for a single seed; nan where a value is not finite."""
        if len(self.values) < 2:
            return None
        return statistics.stdev(self.values) if all(map(math.isfinite, self.values)) else math.nan


@dataclass(frozen=True)
class Row:
    """Runs of one spec, or one run."""

    label: str
    runs: tuple[RunRecord, ...]
    cells: Mapping[Column, Cell]

    @property
    def seeds(self) -> list[Any]:
        """The seed of each run."""
        return [run.spec.get("seed") for run in self.runs]

    @property
    def kimg(self) -> str:
        """When the numbers were measured: one moment, or the first and the last."""
        moments = {moment for cell in self.cells.values() for moment in cell.moments}
        if not moments:
            return "-"
        low, high = min(moments) / 1000, max(moments) / 1000
        return f"{low:g}" if low == high else f"{low:g}-{high:g}"


@dataclass(frozen=True)
class Comparison:
    """Rows and columns, the protocols of the columns, and what the reader has to know.

    `settings` are the keys of the specs in which the rows differ, with the value of each row.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    protocols: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Choice:
    """What is compared: `at` is `last`, `best` (the evaluation of a run's `best.ckpt`) or a number of kimg."""

    at: str = "last"
    each: bool = False
    everything: bool = False


def compare(records: Sequence[RunRecord], choice: Choice | None = None) -> Comparison:
    """The table of some runs. Raises `RunError` where there is nothing to compare, or no such moment."""
    choice = choice or Choice()
    groups, remarks = _groups(records, choice.each)
    measured = {run.path: _chosen(run, choice) for runs in groups for run in runs}
    identities: dict[str, Mapping[str, Any]] = {}
    columns: dict[tuple[str, str], Column] = {}
    for series, _ in (pair for pairs in measured.values() for pair in pairs):
        identities.setdefault(series.identity, series.protocol)
        number = list(identities).index(series.identity) + 1
        columns.setdefault((series.name, series.identity), Column(series.name, number, series.higher_is_better))
    if not columns:
        raise RunError("these runs have no numbers to compare: 'ganlab evaluate RUN --metrics NAME' measures some")
    labels = _labels(groups, choice.each)
    rows = [
        Row(label, tuple(runs), _cells([measured[run.path] for run in runs], columns))
        for label, runs in zip(labels, groups, strict=True)
    ]
    ordered = sorted(columns.values(), key=lambda column: (column.name, column.protocol))
    protocols = list(identities.values())
    chosen = [series for pairs in measured.values() for series, _ in pairs]
    remarks += [*_protocol_remarks(ordered, protocols), *notes_of(chosen), *_moment_remarks(rows)]
    return Comparison(ordered, rows, protocols, settings_of([runs[0] for runs in groups]), remarks)


def notes_of(chosen: Sequence[Series]) -> list[str]:
    """What metrics say of how far their numbers can be trusted, each sentence once."""
    found: dict[str, dict[str, None]] = {}
    for series in chosen:
        for note in series.notes:
            found.setdefault(note, {})[series.name.partition("/")[0]] = None
    return [f"{', '.join(names)}: {note}" for note, names in found.items()]


def settings_of(records: Sequence[RunRecord]) -> dict[str, list[str]]:
    """The keys in which the specs of runs differ, with the value of each, `-` where it has none."""
    each = [flat_values(record.spec) for record in records]
    keys = dict.fromkeys(key for values in each for key in values)
    return {key: row for key in keys if len(set(row := [values.get(key, "-") for values in each])) > 1}


def same_training(record: RunRecord) -> str:
    """A text that is equal for runs that differ in their seed and in nothing else that decides what is learned."""
    values = {
        key: value
        for key, value in flat_values(record.spec).items()
        if not any(key == left_out or key.startswith(f"{left_out}.") for left_out in _OF_NO_SPEC)
    }
    facts = record.provenance.get("facts", {})
    return json.dumps([values, facts.get("fingerprint")], sort_keys=True)


def _groups(records: Sequence[RunRecord], each: bool) -> tuple[list[list[RunRecord]], list[str]]:
    """Runs of one spec together, one for each seed: the newest."""
    if each:
        return [[record] for record in records], []
    groups: dict[str, dict[Any, RunRecord]] = {}
    remarks = []
    for record in sorted(records, key=lambda r: r.path.name):
        seeds = groups.setdefault(same_training(record), {})
        seed = record.spec.get("seed")
        if seed in seeds:
            remarks.append(f"{seeds[seed].name} is left out: {record.name} is a newer run of the same spec and seed")
        seeds[seed] = record
    order = {record.path: place for place, record in enumerate(records)}
    found = [sorted(seeds.values(), key=lambda r: order[r.path]) for seeds in groups.values()]
    return sorted(found, key=lambda runs: order[runs[0].path]), remarks


def _labels(groups: Sequence[Sequence[RunRecord]], each: bool) -> list[str]:
    if each:
        return [runs[0].name for runs in groups]
    names = [str(runs[0].spec.get("name")) for runs in groups]
    return [
        name if names.count(name) == 1 else f"{name} #{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]


def _chosen(run: RunRecord, choice: Choice) -> list[tuple[Series, Point]]:
    """The numbers of a run with the point that was asked for; numbers that lack it are left out."""
    found = []
    moment = _moment(run, choice.at)
    for series in series_of(run):
        point = series.last if moment is None else series.at(moment)
        if point is not None and (choice.everything or is_headline(series.name)):
            found.append((series, point))
    return found


def _moment(run: RunRecord, at: str) -> int | None:
    if at == "last":
        return None
    if at == "best":
        if "images_seen" not in run.best:
            raise RunError(f"{run.path} keeps no best evaluation: its spec has no 'evaluation.best'")
        return int(run.best["images_seen"])
    try:
        return round(float(at) * 1000)
    except (ValueError, OverflowError):
        raise RunError(f"--at {at}: 'last', 'best' or a number of kimg") from None


def _cells(
    measured: Sequence[Sequence[tuple[Series, Point]]], columns: Mapping[tuple[str, str], Column]
) -> dict[Column, Cell]:
    points: dict[Column, list[Point]] = {}
    for pairs in measured:
        for series, point in pairs:
            points.setdefault(columns[series.name, series.identity], []).append(point)
    return {
        column: Cell(tuple(value for _, value in found), tuple(moment for moment, _ in found))
        for column, found in points.items()
    }


def _protocol_remarks(columns: Sequence[Column], protocols: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each number that was measured by several protocols, in what these differ."""
    remarks: dict[str, list[str]] = {}
    for name in dict.fromkeys(column.name for column in columns):
        used = sorted({column.protocol for column in columns if column.name == name})
        if len(used) > 1:
            parts = {number: flat(protocols[number - 1]) for number in used}
            differences = differing(protocols[number - 1] for number in used)
            listed = "; ".join(
                f"{part}: " + ", ".join(f"{parts[number].get(part, '-')} [{number}]" for number in used)
                for part in differences
            )
            remarks.setdefault(f"cannot be compared between columns, as their protocols differ: {listed}", []).append(
                name
            )
    return [f"{', '.join(names)} {sentence}" for sentence, names in remarks.items()]


def _moment_remarks(rows: Sequence[Row]) -> list[str]:
    moments = {moment for row in rows for cell in row.cells.values() for moment in cell.moments}
    if len(moments) < 2:
        return []
    return ["the numbers are not all of the same moment (see kimg): 'ganlab compare --at KIMG' takes those of one"]

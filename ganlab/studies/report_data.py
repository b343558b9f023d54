"""What the page of some runs shows, as plain values for its script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ganlab.studies.comparison import settings_of
from ganlab.studies.curves import SYSTEM, curves_of
from ganlab.studies.numbers import shown
from ganlab.studies.pictures import pictures_of
from ganlab.studies.record import RunRecord
from ganlab.studies.report_files import checkpoint_rows, provenance_rows
from ganlab.studies.report_numbers import metric_parts
from ganlab.studies.run_list import best_numbers, size_text
from ganlab.studies.state import state_of

_PICTURE_BYTES = 2_000_000
_POINTS = 60_000  # of all curves together
_MOST_POINTS, _LEAST_POINTS = 1000, 100  # of one curve
_MOST_EVENTS = 500  # of one run, the newest
_BESIDE = frozenset({"best", "patience", "resume", "end"})  # events that are no incidents


def report_data(records: Sequence[RunRecord], folder: Path, live: float | None = None) -> dict[str, Any]:
    """Everything on the page; links are relative to `folder`, where it stands."""
    labels, names = labels_of(records), names_of(records)
    pictures = pictures_of(records, _PICTURE_BYTES)
    runs = [
        _run(record, label, colour, folder) | pictures[colour]
        for colour, (record, label) in enumerate(zip(records, labels, strict=True))
    ]
    settings = settings_of(records)
    terms, system = _curves(records)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return {
        "title": labels[0] if len(records) == 1 else f"{', '.join(dict.fromkeys(names))}: {len(records)} runs",
        "live": live,
        "runs": runs,
        "terms": terms,
        "system": system,
        "marks": _marks(records),
        "differences": [{"key": key, "values": values} for key, values in settings.items()],
        "footer": f"Written by ganlab {version('ganlab')}, {now} UTC. The page is whole and needs no network.",
        **metric_parts(records),
    }


def labels_of(records: Sequence[RunRecord]) -> list[str]:
    """What the runs are called on the page: as short as tells them apart."""
    names = names_of(records)
    seeded = [f"{name}, seed {record.spec.get('seed')}" for name, record in zip(names, records, strict=True)]
    for labels in (names, seeded):
        if len(set(labels)) == len(labels):
            return labels
    return [record.name for record in records]


def names_of(records: Sequence[RunRecord]) -> list[str]:
    """The experiment of each run."""
    return [str(record.spec.get("name", record.path.name)) for record in records]


def _run(record: RunRecord, label: str, colour: int, folder: Path) -> dict[str, Any]:
    state = state_of(record)
    return {
        "label": label,
        "colour": colour,
        "state": state.word,
        "state_text": state.text,
        "facts": _facts(record),
        "spec": record.spec_text,
        "events": [
            {
                "kimg": e["images_seen"] / 1000,
                "kind": str(e.get("kind")),
                "text": str(e.get("text")),
                "when": e.get("when"),
            }
            for e in record.events[-_MOST_EVENTS:]
        ],
        "provenance": provenance_rows(record),
        "checkpoints": checkpoint_rows(record, folder),
    }


def _facts(record: RunRecord) -> list[tuple[str, str]]:
    """What a reader wants to know first."""
    line = record.last_line
    facts = [
        ("kimg", f"{record.images_seen / 1000:g} of {record.total_images / 1000:g}"),
        ("time of training", str(timedelta(seconds=round(record.seconds)))),
    ]
    facts += [(f"{b['name']}, at {b['kimg']:g} kimg", shown(b["value"])) for b in best_numbers(record)]
    if isinstance(line.get("images_per_second"), float | int):
        facts.append(("images/s", f"{line['images_per_second']:,.0f}"))
    spreads = [each for each in record.log[-50:] if isinstance(each.get("diversity/overall"), float)]
    if spreads:
        facts.append(("diversity (reals 1)", f"{spreads[-1]['diversity/overall']:.2f}"))
    return [*facts, ("on the disk", size_text(record.size))]


def _curves(records: Sequence[RunRecord]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The charts of terms, in groups by player, and those of the system."""
    lengths = [len({name for line in record.log[:200] for name in line}) for record in records]
    points = min(max(_POINTS // max(sum(lengths), 1), _LEAST_POINTS), _MOST_POINTS)
    found: dict[str, list[dict[str, Any]]] = {}
    for place, record in enumerate(records):
        for name, (xs, ys) in curves_of(record.log, points).items():
            found.setdefault(name, []).append({"run": place, "x": xs, "y": ys})
    system = {name: found.pop(name) for name in SYSTEM if name in found}
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, curves in found.items():
        groups.setdefault(name.partition("/")[0] if "/" in name else "other", {})[name] = curves
    return [_group(title, charts) for title, charts in groups.items()], [_group("", system)] if system else []


def _group(title: str, charts: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "title": title,
        "open": True,
        "charts": [{"name": name, "curves": curves} for name, curves in charts.items()],
    }


def _marks(records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Moments at which something went wrong, to be seen in all charts."""
    return [
        {"run": place, "kimg": event["images_seen"] / 1000}
        for place, record in enumerate(records)
        for event in record.events[-_MOST_EVENTS:]
        if event.get("kind") not in _BESIDE
    ]

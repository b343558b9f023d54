"""The report of `ganlab data check`: what a data set holds and what is wrong with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ganlab.contracts import DataFacts, Dataset
from ganlab.data.examination import Findings, examine
from ganlab.data.examples import IMAGES, read_examples
from ganlab.data.grid import save_grid, save_scatter
from ganlab.data.readiness import unreadable_sentence
from ganlab.data.records import FileRecord, file_records
from ganlab.data.scaling import scale, to_bytes

_GRID = (8, 8)
_POINTS = 5000
_MOST_EMPTY_NAMED = 10


@dataclass(frozen=True)
class DataReport:
    """What was found. `problems` end a training before it starts, `remarks` do not.

    `sizes` ("width x height") and `modes` count the files as stored and are empty for other data; `classes` counts
    the examples of each class by name; `duplicates` are groups of examples with exactly equal content.
    """

    count: int
    shape: tuple[int, ...]
    types: list[str]
    value_range: tuple[float, float]
    values_found: tuple[float, float] | None
    sizes: dict[str, int]
    modes: dict[str, int]
    classes: dict[str, int]
    duplicates: list[list[str]]
    unreadable: list[str]
    problems: list[str]
    remarks: list[str]
    fingerprint: str
    samples: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)


def report_on(dataset: Dataset, out: Path | None = None) -> DataReport:
    """Read all of a data set. Pictures of examples are written as `samples.png` to the folder `out`, if given."""
    facts, records = dataset.facts, file_records(dataset)
    bad = {index: record.problem for index, record in enumerate(records) if record.problem}
    findings = examine(dataset, [index for index in range(len(dataset)) if index not in bad])
    unreadable = findings.unreadable | bad
    reasons = [unreadable[index] for index in sorted(unreadable)]
    duplicates = _duplicates(findings, records)
    classes = {name: findings.labels[number] for number, name in enumerate(facts.class_names)}
    readable = sorted(findings.digests)
    return DataReport(
        count=len(dataset),
        shape=tuple(facts.shape),
        types=sorted(findings.types),
        value_range=facts.value_range,
        values_found=(findings.lowest, findings.highest) if readable else None,
        sizes=_counts(f"{record.size[0]} x {record.size[1]}" for record in records if record.size),
        modes=_counts(record.mode for record in records if record.mode),
        classes=classes,
        duplicates=duplicates,
        unreadable=reasons,
        problems=[unreadable_sentence(reasons, len(dataset), len(reasons))] if reasons else [],
        remarks=[*_remarks_on_values(facts, findings), *_remarks_on_classes(classes), *_on_duplicates(duplicates)],
        fingerprint=facts.fingerprint,
        samples=str(_save_samples(dataset, readable, out / "samples.png")) if out and readable else None,
    )


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _duplicates(findings: Findings, records: list[FileRecord]) -> list[list[str]]:
    groups: dict[bytes, list[str]] = defaultdict(list)
    for index, digest in sorted(findings.digests.items()):
        groups[digest].append(records[index].path if records else f"example {index}")
    return [group for group in groups.values() if len(group) > 1]


def _remarks_on_values(facts: DataFacts, findings: Findings) -> list[str]:
    low, high = facts.value_range
    found = f"from {findings.lowest:g} to {findings.highest:g}"
    if facts.is_images and (findings.lowest < low or findings.highest > high):
        return [f"values go {found}, beyond the declared range of {low:g} to {high:g}, which becomes -1 to 1"]
    if facts.is_images and findings.highest - findings.lowest <= (high - low) / 8:
        return [
            f"values go {found} only, a small part of the range of {low:g} to {high:g}: the images have no contrast"
        ]
    return []


def _remarks_on_classes(classes: dict[str, int]) -> list[str]:
    empty = [name for name, count in classes.items() if not count]
    named = ", ".join(empty[:_MOST_EMPTY_NAMED])
    return [f"{len(empty)} of {len(classes)} classes have no examples: {named}"] if empty else []


def _on_duplicates(duplicates: list[list[str]]) -> list[str]:
    surplus = sum(len(group) - 1 for group in duplicates)
    if not surplus:
        return []
    return [f"{surplus} exact duplicates in {len(duplicates)} groups, such as {' = '.join(duplicates[0][:3])}"]


def _save_samples(dataset: Dataset, readable: list[int], path: Path) -> Path:
    """Evenly spaced examples: a grid of images, or a scatter plot of vectors."""
    wanted = min(_GRID[0] * _GRID[1] if dataset.facts.is_images else _POINTS, len(readable))
    chosen = [readable[place * len(readable) // wanted] for place in range(wanted)]
    examples = torch.cat([read_examples(dataset, [index])[IMAGES] for index in chosen])
    if dataset.facts.is_images:
        save_grid(to_bytes(scale(examples, dataset.facts.value_range)), path, *_GRID)
    else:
        save_scatter(examples, path)
    return path

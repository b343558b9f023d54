"""The report of `ganlab data check`: what a data set holds and what is wrong with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ganlab.contracts import DataFacts, Dataset
from ganlab.data.examination import Findings, examine
from ganlab.data.examples import IMAGES, read_examples
from ganlab.data.grid import save_scatter, save_sheet
from ganlab.data.opening import held_out_of
from ganlab.data.readiness import unreadable_sentence
from ganlab.data.records import FileRecord, file_records, losing_transparency, on_lost_transparency
from ganlab.data.scaling import scale, to_bytes
from ganlab.data.stream import domains_of

_GRID = (8, 8)
_POINTS = 5000
_MOST_EMPTY_NAMED = 10
_MUCH_ENLARGED = 2.0


@dataclass(frozen=True)
class InputReport:
    """A further field of the examples: what its facts say, and the lowest and highest value that was found.

    `kind` is "undeclared" for one that the facts do not tell of.
    """

    kind: str
    shape: tuple[int, ...] | None = None
    value_range: tuple[float, float] | None = None
    classes: int = 0
    values_found: tuple[float, float] | None = None


@dataclass(frozen=True)
class DataReport:
    """What was found. `problems` end a training before it starts, `remarks` do not.

    `sizes` ("width x height") and `modes` count the files as stored and are empty for other data; `classes` counts
    the examples of each class by name; `duplicates` are groups of examples with exactly equal content; `transparent`
    counts the files that one can see through, and is None for other data. `inputs` tells of the further fields of an
    example, `further` of other domains and `held_out` of what training never sees.
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
    transparent: int | None = None
    frames: int = 0
    inputs: dict[str, InputReport] = field(default_factory=dict)
    further: dict[str, DataReport] = field(default_factory=dict)
    held_out: DataReport | None = None

    @property
    def all_problems(self) -> list[str]:
        """Its problems and those of its domains and of the held-out examples."""
        others = [*self.further.items(), *([("held-out examples", self.held_out)] if self.held_out else [])]
        return self.problems + [f"{name}: {problem}" for name, part in others for problem in part.all_problems]

    def as_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)


def report_on(dataset: Dataset, out: Path | None = None, name: str = "samples") -> DataReport:
    """Read all of a data set, its further domains and its held-out examples.

    Pictures of examples are written to the folder `out`, if given: `samples.png`, `samples-<domain>.png`.
    """
    facts, records = dataset.facts, file_records(dataset)
    bad = {index: record.problem for index, record in enumerate(records) if record.problem}
    see_through = [index for index, record in enumerate(records) if record.transparency]
    findings = examine(dataset, [index for index in range(len(dataset)) if index not in bad], see_through)
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
        remarks=[
            *_remarks_on_values(facts, findings),
            *_remarks_on_inputs(facts, findings),
            *_remarks_on_classes(classes),
            *_on_duplicates(duplicates),
            *_on_transparency(records, findings),
            *_on_enlargement(records),
        ],
        fingerprint=facts.fingerprint,
        samples=str(_save_samples(dataset, readable, out / f"{name}.png")) if out and readable else None,
        transparent=len(findings.transparent) if records else None,
        frames=facts.frames,
        inputs=_inputs(facts, findings),
        further={key: report_on(domain, out, f"{name}-{key}") for key, domain in domains_of(dataset).items()},
        held_out=None if (held := held_out_of(dataset)) is None else report_on(held, out, f"{name}-held-out"),
    )


def _inputs(facts: DataFacts, findings: Findings) -> dict[str, InputReport]:
    reports = {name: InputReport("undeclared", values_found=found) for name, found in findings.inputs.items()}
    for name, of_input in facts.inputs.items():
        value_range = of_input.value_range if of_input.kind == "images" else None
        found = findings.inputs.get(name)
        reports[name] = InputReport(of_input.kind, tuple(of_input.shape), value_range, of_input.classes, found)
    return reports


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _duplicates(findings: Findings, records: list[FileRecord]) -> list[list[str]]:
    groups: dict[bytes, list[str]] = defaultdict(list)
    for index, digest in sorted(findings.digests.items()):
        groups[digest].append(records[index].path if records else f"example {index}")
    return [group for group in groups.values() if len(group) > 1]


def _remarks_on_inputs(facts: DataFacts, findings: Findings) -> list[str]:
    remarks = [
        f"'{name}' arrives as it is stored: the facts of the data do not tell of it in 'inputs'"
        for name in findings.inputs
        if name not in facts.inputs
    ]
    for name, of_input in facts.inputs.items():
        low, high = of_input.value_range
        lowest, highest = findings.inputs.get(name, (low, high))
        if of_input.kind == "images" and (lowest < low or highest > high):
            remarks.append(
                f"values of '{name}' go from {lowest:g} to {highest:g}, beyond the declared range of {low:g} to "
                f"{high:g}, which becomes -1 to 1"
            )
    return remarks


def _remarks_on_values(facts: DataFacts, findings: Findings) -> list[str]:
    if len(facts.shape) == 4 and not facts.frames:
        return ["examples of four dimensions count as vectors; sequences of images have 'frames' in their facts"]
    low, high = facts.value_range
    found = f"from {findings.lowest:g} to {findings.highest:g}"
    if facts.is_images and (findings.lowest < low or findings.highest > high):
        return [f"values go {found}, beyond the declared range of {low:g} to {high:g}, which becomes -1 to 1"]
    if facts.is_images and findings.highest - findings.lowest <= (high - low) / 8:
        remark = (
            f"values go {found} only, a small part of the range of {low:g} to {high:g}: the images have no contrast"
        )
        if findings.types == {"uint16"}:
            remark += f"; 'data.value_range: [0, {_full_scale(findings.highest)}]' stretches them over -1 to 1"
        return [remark]
    return []


def _full_scale(highest: float) -> int:
    """The largest value of so many bits as the highest one needs: 4095 of 12."""
    return (1 << int(highest).bit_length()) - 1


def _remarks_on_classes(classes: dict[str, int]) -> list[str]:
    empty = [name for name, count in classes.items() if not count]
    named = ", ".join(empty[:_MOST_EMPTY_NAMED])
    return [f"{len(empty)} of {len(classes)} classes have no examples: {named}"] if empty else []


def _on_duplicates(duplicates: list[list[str]]) -> list[str]:
    surplus = sum(len(group) - 1 for group in duplicates)
    if not surplus:
        return []
    return [f"{surplus} exact duplicates in {len(duplicates)} groups, such as {' = '.join(duplicates[0][:3])}"]


def _on_transparency(records: list[FileRecord], findings: Findings) -> list[str]:
    lost = sorted(findings.transparent.intersection(losing_transparency(records)))
    if not lost:
        return []
    return [on_lost_transparency([records[index].path for index in lost], f"{len(lost)} of {len(records)} pictures")]


def _on_enlargement(records: list[FileRecord]) -> list[str]:
    grown = [record for record in records if record.enlargement > _MUCH_ENLARGED]
    if not grown:
        return []
    largest = max(grown, key=lambda record: record.enlargement)
    assert largest.size is not None, "a file with an enlargement has a size"
    return [
        f"{len(grown)} of {len(records)} pictures are enlarged to more than twice their size, which blurs them: most "
        f"of all {largest.path} of {largest.size[0]} x {largest.size[1]} pixels, {largest.enlargement:.1f} times. A "
        "lower 'data.resolution' avoids it"
    ]


def _save_samples(dataset: Dataset, readable: list[int], path: Path) -> Path:
    """Evenly spaced examples: a grid of images, a row for each of some sequences, or a scatter plot of vectors."""
    grid = (_GRID[0], dataset.facts.frames) if dataset.facts.frames else _GRID
    places = grid[0] if dataset.facts.frames else grid[0] * grid[1]
    wanted = min(places if dataset.facts.is_images else _POINTS, len(readable))
    chosen = [readable[place * len(readable) // wanted] for place in range(wanted)]
    examples = torch.cat([read_examples(dataset, [index])[IMAGES] for index in chosen])
    if dataset.facts.is_images:
        images = examples.flatten(0, 1) if dataset.facts.frames else examples
        save_sheet(to_bytes(scale(images, dataset.facts.value_range)), path, *grid)
    else:
        save_scatter(examples, path)
    return path

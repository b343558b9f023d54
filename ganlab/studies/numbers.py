"""The numbers of a run's metrics over time, kept apart by the protocols that they were measured by."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ganlab.studies.record import RunRecord

_NOT_MEASURED = frozenset({"images_seen", "kimg", "error", "protocol", "checkpoint", "evaluated"})
_BESIDE_THE_NUMBER = ("metric", "higher_is_better")
"""Parts of a protocol that do not change a number: what it is called and how it is read."""


class Point(NamedTuple):
    """A value at a moment."""

    images_seen: int
    value: float


@dataclass
class Series:
    """One number at all its moments.

    `metric` is what the metric is called in the run, `name` has the plugin's name in that place, so that it is the same
    in all runs; `identity` is equal for numbers that may be compared. `notes` are sentences on how far the newest
    values can be trusted.
    """

    metric: str
    name: str
    protocol: Mapping[str, Any]
    identity: str
    higher_is_better: bool | None = None
    points: list[Point] = field(default_factory=list)
    notes: Sequence[str] = ()

    @property
    def best(self) -> Point | None:
        """The best point, the first of equals; None where no direction is known or no value is finite."""
        finite = [point for point in self.points if math.isfinite(point.value)]
        if self.higher_is_better is None or not finite:
            return None
        return (max if self.higher_is_better else min)(finite, key=lambda point: point.value)

    @property
    def last(self) -> Point | None:
        """The newest point."""
        return self.points[-1] if self.points else None

    def at(self, images_seen: int) -> Point | None:
        """The point of a moment."""
        return next((point for point in self.points if point.images_seen == images_seen), None)


def series_of(record: RunRecord) -> list[Series]:
    """All numbers of a run; what was measured again by the same protocol at a moment replaces what was before."""
    found: dict[tuple[str, str], Series] = {}
    values: dict[tuple[str, str], dict[int, float]] = {}
    for line in record.measured:
        protocol = line["protocol"]
        identity = identity_of(protocol)
        for written, value in line.items():
            if written in _NOT_MEASURED or not (value is None or isinstance(value, float | int)):
                continue
            key = _common_name(written, protocol), identity
            if key not in found:
                found[key] = Series(
                    str(protocol.get("metric")), key[0], protocol, identity, _direction(written, protocol)
                )
            found[key].notes = line.get("notes") or ()
            values.setdefault(key, {})[line["images_seen"]] = math.nan if value is None else float(value)
    for key, series in found.items():
        series.points = [Point(moment, value) for moment, value in sorted(values[key].items())]
    return list(found.values())


def identity_of(protocol: Mapping[str, Any]) -> str:
    """A text that is equal for protocols whose numbers may be compared."""
    return json.dumps({k: v for k, v in protocol.items() if k not in _BESIDE_THE_NUMBER}, sort_keys=True)


def flat(protocol: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The parts of a protocol that its identity is made of, by dotted names, as text."""
    found: dict[str, str] = {}
    for key, value in protocol.items():
        if not prefix and key in _BESIDE_THE_NUMBER:
            continue
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value if isinstance(value, str) else json.dumps(value)
    return found


def differing(protocols: Iterable[Mapping[str, Any]]) -> list[str]:
    """The parts in which some protocols are not all equal."""
    each = [flat(protocol) for protocol in protocols]
    names = dict.fromkeys(name for parts in each for name in parts)
    return [name for name in names if len({parts.get(name) for parts in each}) > 1]


def is_headline(name: str) -> bool:
    """Whether a person looks at a number first: no part of parts."""
    return name.count("/") < 2


def headline_of(series: Sequence[Series], decides: str | None = None) -> Series | None:
    """The number that stands for a metric: the one that decides what is best, its own, or the last with a direction."""
    candidates = [each for each in series if is_headline(each.name)]
    if not candidates:
        return None
    named = [each for each in candidates if each.name == decides]
    own = [each for each in candidates if "/" not in each.name]
    directed = [each for each in candidates if each.higher_is_better is not None]
    return (named or own or directed or candidates)[-1]


def shown(value: float | None) -> str:
    """A number as people read it."""
    return "-" if value is None else "not finite" if not math.isfinite(value) else f"{value + 0.0:.4g}"


def _common_name(written: str, protocol: Mapping[str, Any]) -> str:
    """A number's name with the plugin in the place of what the metric is called in the run."""
    metric, plugin = protocol.get("metric"), protocol.get("plugin")
    first, separator, rest = written.partition("/")
    return f"{plugin}{separator}{rest}" if plugin and first == metric else written


def _direction(written: str, protocol: Mapping[str, Any]) -> bool | None:
    said = protocol.get("higher_is_better")
    if isinstance(said, Mapping):
        said = said.get(written)
    return said if isinstance(said, bool) else None

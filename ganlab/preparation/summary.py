"""What a preparation made, and what it left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ganlab.preparation.journal import Entry
from ganlab.preparation.request import Request
from ganlab.preparation.selection import Selection

MUCH_ENLARGED = 2.0
"""Sides that grow by more than this factor are worth a remark: the pictures are blurred."""


@dataclass(frozen=True)
class LeftOut:
    """A picture that is not in the result; `kind` is "unreadable", "too small" or "duplicate"."""

    source: str
    name: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """The report. `passed_over` counts by the reason what was never looked at.

    `transparent` pictures were laid on the background, or keep their transparency; `enlarged` ones grew to more than
    twice their size. `names` maps each name in the result to that in its source.
    """

    pictures: int
    classes: dict[str, int]
    left_out: list[LeftOut]
    passed_over: dict[str, int]
    transparent: int
    enlarged: int
    request: dict[str, Any]
    names: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)

    @property
    def kinds(self) -> dict[str, list[LeftOut]]:
        """What was left out, by kind."""
        return {
            kind: [out for out in self.left_out if out.kind == kind]
            for kind in sorted({out.kind for out in self.left_out})
        }


def summarise(request: Request, selection: Selection, entries: Sequence[Entry]) -> Summary:
    """The report on all pictures that were selected."""
    pairs = list(zip(selection.pictures, entries, strict=True))
    made = [(picture, entry) for picture, entry in pairs if entry.kind is None]
    return Summary(
        pictures=len(made),
        classes=dict(sorted(Counter(picture.label for picture, _ in made if picture.label is not None).items())),
        left_out=[
            LeftOut(str(request.sources[picture.source].name), picture.member, entry.kind, entry.reason)
            for picture, entry in pairs
            if entry.kind is not None
        ],
        passed_over=dict(sorted(selection.passed_over.items())),
        transparent=sum(entry.was_transparent for _, entry in made),
        enlarged=sum(entry.enlargement > MUCH_ENLARGED for _, entry in made),
        request=request.to_record(),
        names={picture.name: picture.member for picture, _ in made},
    )

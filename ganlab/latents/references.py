"""How latents are named on the command line: by the seed of a sample, with a class, by a file, or by a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganlab.errors import UserError
from ganlab.evaluation.sampling import class_of
from ganlab.facts import DataFacts
from ganlab.pictures import SUFFIXES

_FILE = ".npz"
_RANGE = re.compile(r"(\d+)-(\d+)")

Given = str | Sequence[int | str]
"""References as one text, such as `1,5,10-19` or `3:0-9,projection/w.npz`, or as a list of seeds and such texts."""


@dataclass(frozen=True)
class Reference:
    """The first sample of a seed, the points in a file, or what an encoder makes of a picture.

    Samples and pictures are of a class, if they have one.
    """

    text: str
    seed: int | None = None
    label: int | None = None
    file: Path | None = None
    picture: Path | None = None


def read_references(given: Given, facts: DataFacts, label: str | None = None) -> list[Reference]:
    """The references of a list such as `1,5:seven,10-19,2:0-9,w.npz,face.png`, in order.

    `SEED:CLASS` is a seed's sample of a class, by name or number, `SEED:*` one of each class; without a class it is of
    `label`, if that is given, and so is a picture. Raises `UserError` for what is no reference and for classes that
    there are not.
    """
    parts = given.split(",") if isinstance(given, str) else [part for one in given for part in str(one).split(",")]
    references = [reference for part in parts for reference in _references(part.strip(), facts, label)]
    assert references, "a text has at least one part"
    return references


def _references(text: str, facts: DataFacts, label: str | None) -> Iterator[Reference]:
    if text.endswith(_FILE):
        yield Reference(text, file=Path(text))
        return
    if Path(text).suffix.lower() in SUFFIXES:
        yield Reference(text, label=_classes(label, facts)[0], picture=Path(text))
        return
    seeds, colon, named = text.partition(":")
    found = _RANGE.fullmatch(seeds)
    if not (found or seeds.isdecimal()):
        raise UserError(
            f"'{text}' names no latents: give seeds, as in 1,5 or 10-19, with a class as in 3:0, 3:0-9 or 3:*, "
            f"files as in projection/w{_FILE}, or pictures as in face.png"
        )
    for seed in range(int(found[1]), int(found[2]) + 1) if found else [int(seeds)]:
        for number in _classes(named if colon else label, facts):
            shown = str(seed) if number is None or not colon else f"{seed}:{facts.class_names[number]}"
            yield Reference(shown, seed, number)


def _classes(named: str | None, facts: DataFacts) -> list[int] | list[None]:
    if named is None:
        return [None]
    if named == "*" and facts.classes:
        return list(range(facts.classes))
    found = None if named in facts.class_names else _RANGE.fullmatch(named)
    if found is None:
        return [class_of(named, facts)]
    return [class_of(str(number), facts) for number in range(int(found[1]), int(found[2]) + 1)]

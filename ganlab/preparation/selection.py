"""Which members of the sources become pictures of the result, under which names and in which classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ganlab.errors import DataError
from ganlab.preparation.members import Member, Source, check_links, is_picture, matches
from ganlab.preparation.request import Request
from ganlab.preparation.videos import SUFFIXES as VIDEO_SUFFIXES

_NAMED = 10


@dataclass(frozen=True)
class Selected:
    """A picture to be: `source` counts the sources from 0, `member` is its name there, `name` that in the result."""

    source: int
    member: str
    size: int
    name: str
    label: str | None = None


@dataclass(frozen=True)
class Selection:
    """All pictures to be, in the order of reading, and how many members count as none, by kind."""

    pictures: Sequence[Selected]
    passed_over: dict[str, int]


def select(sources: Sequence[Source], request: Request) -> Selection:
    """Choose, name and label. Raises `DataError` where nothing is left, or the classes are unclear."""
    passed_over: dict[str, int] = {}
    chosen = [
        (number, member) for number, source in enumerate(sources) for member in _chosen(source, request, passed_over)
    ]
    for pattern in request.include:
        if not any(matches(member.name, [pattern]) for _, member in chosen):
            raise DataError(_matches_nothing(pattern, sources))
    if not chosen:
        named = ", ".join(f"'{source.path}'" for source in sources)
        raise DataError(
            f"no pictures in {named}; files count as pictures by their ending (.png, .jpg, .webp, .tif, ...)"
            + (", and --exclude may leave out all" if request.exclude else "")
        )
    shared = [_shared_folder([member.name for at, member in chosen if at == number]) for number in range(len(sources))]
    paths = [member.name.removeprefix(shared[number]) for number, member in chosen]
    labels = _labels(paths, request)
    names = _unique(
        path if label is not None else path.replace("/", "-") for path, label in zip(paths, labels, strict=True)
    )
    return Selection(
        [
            Selected(number, member.name, member.size, name, label)
            for (number, member), name, label in zip(chosen, names, labels, strict=True)
        ],
        passed_over,
    )


def _chosen(source: Source, request: Request, passed_over: dict[str, int]) -> Iterator[Member]:
    """The members that are wanted; what is passed over is counted by the reason."""
    links = []
    for member in source.members:
        reason = _against(member, request)
        if reason is not None:
            passed_over[reason] = passed_over.get(reason, 0) + 1
        elif member.is_link:
            links.append(member)
        else:
            yield member
    check_links(source.path, links)


def _against(member: Member, request: Request) -> str | None:
    if PurePosixPath(member.name).suffix.lower() in VIDEO_SUFFIXES:
        return "videos, which are read if they are named as sources themselves"
    if not is_picture(member.name):
        return "files that are no pictures by their ending, or are hidden"
    if request.include and not matches(member.name, request.include):
        return "pictures that --include does not name"
    if matches(member.name, request.exclude):
        return "pictures that --exclude names"
    return None


def _matches_nothing(pattern: str, sources: Sequence[Source]) -> str:
    names = [member.name for source in sources for member in source.members if is_picture(member.name)]
    there = f"they hold {len(names)} pictures, such as '{names[0]}'" if names else "they hold no pictures at all"
    return (
        f"--include '{pattern}' names no picture that is not left out otherwise; patterns are held against whole names "
        f"within the sources, and {there}"
    )


def _shared_folder(names: Sequence[str]) -> str:
    """The folder, with '/' behind it, that all names begin with; '' if there is none."""
    if not names:
        return ""
    first, last = (name.split("/")[:-1] for name in (min(names), max(names)))
    shared = 0
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    return "".join(f"{part}/" for part in first[:shared])


def _labels(paths: Sequence[str], request: Request) -> Sequence[str | None]:
    loose = [path for path in paths if "/" not in path]
    if request.classes == "none" or (request.classes == "auto" and loose):
        return [None] * len(paths)
    if loose:
        raise DataError(
            f"--classes folders: {len(loose)} of {len(paths)} pictures lie in no folder of a class, such as "
            f"'{loose[0]}'; a class is the first folder below the one that all pictures of a source share. Leave them "
            "out with --exclude, or use --classes none"
        )
    return [path.split("/")[0] for path in paths]


def _unique(paths: Iterator[str]) -> list[str]:
    """Names of PNG files; where two would have one, also to a system that ignores case, the later gets a number."""
    taken: set[str] = set()
    names = []
    for path in paths:
        stem, count = path.encode("utf-8", "replace").decode().rpartition(".")[0], 1  # some names are no UTF-8
        name = f"{stem}.png"
        while name.lower() in taken:
            count += 1
            name = f"{stem}-{count}.png"
        taken.add(name.lower())
        names.append(name)
    return names

"""The preparation itself: select, make, write and note one picture after the other, and put the result in its place."""

from __future__ import annotations

import contextlib
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ganlab.errors import DataError
from ganlab.files import write_text_atomically
from ganlab.preparation.journal import Entry, Journal
from ganlab.preparation.landmarks import Face, Points, read_landmarks
from ganlab.preparation.making import NO_LANDMARKS, TRANSPARENT, Made, Making, make_all
from ganlab.preparation.members import Content, Source, Unreadable
from ganlab.preparation.output import FolderOutput, Output, ZipOutput
from ganlab.preparation.request import Request
from ganlab.preparation.selection import Selected, Selection, select
from ganlab.preparation.sources import DAMAGE, open_source
from ganlab.preparation.summary import Summary, summarise

if TYPE_CHECKING:
    from ganlab.preparation.enhancement import Enhance

_WORTH_PROCESSES = 64  # pictures; for fewer, starting processes takes longer than making them
_FORMAT = 1  # of the journal and of what a preparation makes

Progress = Callable[[int, int, int], None]
"""Called with how many pictures are done, of how many, and how many of these are left out."""


def prepare_pictures(
    request: Request, workers: int, progress: Progress | None = None, *, enhance: Enhance | None = None
) -> Summary:
    """Make what is asked for, or go on where an interrupted preparation of the same stopped.

    The result's bytes do not depend on workers, interruptions and the clock. It stands in its place only when it is
    whole, with the report beside it in `<out>.report.json`; until then `<out>.partial` and `<out>.partial.jsonl` grow.
    `enhance` is called with each picture before all else, in this process: a module that removes artefacts or enlarges.
    Raises `DataError` for sources and options that cannot be used.
    """
    _check_places(request)
    sources = [open_source(path, request.every, request.follow_links) for path in request.sources]
    selection = select(sources, request)
    try:
        request.out.parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(_beside(request.out, ".partial.jsonl"), _identity(request, selection))
        with contextlib.closing(journal):
            preparation = _Preparation(request, selection, journal, enhance)
            with contextlib.closing(preparation.output):
                return preparation.run(sources, workers, progress)
    except OSError as error:
        raise DataError(f"'{request.out}' cannot be written: {error}. What was made so far is kept") from error


class _Preparation:
    """A preparation under way."""

    def __init__(self, request: Request, selection: Selection, journal: Journal, enhance: Enhance | None) -> None:
        self.request = request
        self.selection = selection
        self.journal = journal
        self.making = Making(request.preparation, request.min_size, request.align, enhance)
        self.landmarks = None if request.landmarks is None else read_landmarks(request.landmarks)
        kind = ZipOutput if request.to_zip else FolderOutput
        self.output: Output = kind(request.out, _beside(request.out, ".partial"))
        names = [picture.name for picture in selection.pictures]
        journal.keep(self.output.whole(names, journal.entries))
        self.output.begin(names[: len(journal.entries)], journal.entries)
        self.left_out = sum(entry.kind is not None for entry in journal.entries)
        self.digests = {entry.digest for entry in journal.entries if entry.kind is None}

    def run(self, sources: Sequence[Source], workers: int, progress: Progress | None) -> Summary:
        """Make what is missing, and finish."""
        pictures = self.selection.pictures[len(self.journal.entries) :]
        processes = workers if len(pictures) >= _WORTH_PROCESSES and self.making.enhance is None else 1
        contents = _contents(sources, pictures)
        if self.landmarks is not None:
            contents = _faces(contents, pictures, self.landmarks)
        made_ones = make_all(contents, self.making, processes)
        for picture, made in zip(pictures, made_ones, strict=True):
            self._take(picture, made, sources)
            if progress is not None:
                progress(len(self.journal.entries), len(self.selection.pictures), self.left_out)
        return self._finish()

    def _take(self, picture: Selected, made: Made, sources: Sequence[Source]) -> None:
        if made.kind == TRANSPARENT:
            self._discard()
            raise DataError(
                f"'{picture.member}' in '{sources[picture.source].path}' has transparent pixels, for which "
                f"{self.request.channels} channels have no place: say what shows through, --background white (or "
                "black, or 'r,g,b'), or keep the transparency, --channels 4"
            )
        entry = self._entry(made)
        if entry.kind is None:
            self.output.add(picture.name, made.png)
            self.digests.add(entry.digest)
        else:
            self.left_out += 1
        self.journal.add(entry)

    def _entry(self, made: Made) -> Entry:
        if made.kind is not None:
            return Entry(kind=made.kind, reason=made.reason)
        digest = hashlib.blake2b(made.png, digest_size=16).hexdigest()
        if self.request.skip_duplicates and digest in self.digests:
            return Entry(kind="duplicate", reason="its result equals an earlier one")
        return Entry(
            len(made.png),
            zlib.crc32(made.png),
            digest,
            was_transparent=made.was_transparent,
            enlargement=made.enlargement,
        )

    def _finish(self) -> Summary:
        summary = summarise(self.request, self.selection, self.journal.entries)
        if not summary.pictures:
            self._discard()
            first = summary.left_out[0]
            raise DataError(
                f"all {len(summary.left_out)} pictures would be left out, such as '{first.name}' ({first.kind}: "
                f"{first.reason})"
            )
        numbers = {name: number for number, name in enumerate(summary.classes)}
        labels = [
            (picture.name, numbers[picture.label])
            for picture in self.selection.pictures
            if picture.label is not None and picture.name in summary.names
        ]
        report = json.dumps(summary.as_json(), indent=1) + "\n"
        write_text_atomically(_beside(self.request.out, ".report.json"), report)
        self.output.finish(labels, list(numbers))
        self.journal.remove()
        return summary

    def _discard(self) -> None:
        self.output.discard()
        self.journal.remove()


def report_beside(out: Path) -> Path:
    """Where the report on a result is."""
    return _beside(out, ".report.json")


def _faces(
    contents: Iterable[Content | Face], pictures: Sequence[Selected], landmarks: Mapping[str, Points]
) -> Iterator[Content | Face]:
    for content, picture in zip(contents, pictures, strict=True):
        name = PurePosixPath(picture.member).name
        if not isinstance(content, bytes):
            yield content if isinstance(content, Unreadable) else _without_landmarks(name)
        else:
            yield Face(content, landmarks[name]) if name in landmarks else _without_landmarks(name)


def _without_landmarks(name: str) -> Unreadable:
    return Unreadable(f"--landmarks does not name '{name}'", NO_LANDMARKS)


def _contents(sources: Sequence[Source], pictures: Iterable[Selected]) -> Iterator[Content | Face]:
    for number, group in groupby(pictures, lambda picture: picture.source):
        try:
            yield from sources[number].contents([picture.member for picture in group])
        except DAMAGE as error:
            raise DataError(f"the source '{sources[number].path}' cannot be read any more: {error}") from error


def _check_places(request: Request) -> None:
    out = request.out
    if out.exists():
        if not _beside(out, ".partial").exists():  # one that was killed when all but this was done
            _beside(out, ".partial.jsonl").unlink(missing_ok=True)
        raise DataError(f"'{out}' exists already; remove it or choose another --out")
    for source in request.sources:
        if source.is_dir() and out.resolve().is_relative_to(source.resolve()) and not request.to_zip:
            raise DataError(
                f"--out '{out}' lies in the source '{source}', which would hold its own result; choose another"
            )


def _identity(request: Request, selection: Selection) -> str:
    """Tells one preparation from another: options and what the sources hold, by names and sizes."""
    picked = [(picture.source, picture.member, picture.size, picture.name) for picture in selection.pictures]
    record = (_FORMAT, sorted(request.to_record().items(), key=lambda item: item[0]), picked)
    return hashlib.blake2b(repr(record).encode(), digest_size=16).hexdigest()


def _beside(out: Path, ending: str) -> Path:
    return out.with_name(out.name + ending)

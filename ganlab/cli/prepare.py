"""`ganlab data prepare`: pictures of any origin to a zip or folder that a training reads quickly."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

if TYPE_CHECKING:
    from ganlab.pictures import Colour
    from ganlab.preparation import Request, Summary

_MOST_WORKERS = 8
_NAMED = 5


class Filter(StrEnum):
    """How pictures are resampled."""

    LANCZOS = "lanczos"
    BICUBIC = "bicubic"
    BILINEAR = "bilinear"
    HAMMING = "hamming"
    BOX = "box"
    NEAREST = "nearest"


class Align(StrEnum):
    """How faces are cut by their landmarks."""

    CELEBA = "celeba"
    CELEBA_HQ = "celeba-hq"


class Classes(StrEnum):
    """Whether folders are classes."""

    AUTO = "auto"
    FOLDERS = "folders"
    NONE = "none"


Background = Annotated[
    str | None, typer.Option(metavar="white|black|r,g,b", help="What shows through transparent pixels and pads.")
]
Landmarks = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Points of faces, as CelebA's list_landmarks_celeba.txt.")
]


def prepare(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Folders, zips, tars, videos, databases.")],
    out: Annotated[Path, typer.Option(help="The zip (its name ends in .zip) or folder to make.")],
    resolution: Annotated[str, typer.Option(metavar="N|HxW", help="Pixels of a side, or height x width.")],
    crop: Annotated[bool, typer.Option("--crop/--pad", help="Cut out the middle, or pad the whole.")] = True,
    filter: Annotated[Filter, typer.Option(help="How pictures are resampled.")] = Filter.LANCZOS,
    background: Background = None,
    channels: Annotated[int, typer.Option(help="1 (grey), 3 (RGB) or 4 (RGB with transparency).")] = 3,
    bits: Annotated[int, typer.Option(help="8, or 16 for grey pictures of 16 bits.")] = 8,
    include: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Take these names only.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Leave these names out.")] = None,
    min_size: Annotated[int, typer.Option(help="Leave out what has a smaller side than this.")] = 1,
    skip_duplicates: Annotated[bool, typer.Option("--skip-duplicates", help="Leave out what comes again.")] = False,
    classes: Annotated[Classes, typer.Option(help="Whether folders are classes.")] = Classes.AUTO,
    every: Annotated[int, typer.Option(help="Of videos, take each so many-th frame.")] = 1,
    landmarks: Landmarks = None,
    align: Annotated[Align, typer.Option(help="How faces are cut by these points.")] = Align.CELEBA_HQ,
    follow_links: Annotated[bool, typer.Option("--follow-links", help="Take what links in folders lead to.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes; as many as cores, at most 8, without it.")] = None,
) -> None:
    """Make pictures of any origin alike, in a zip or folder that a training reads quickly.

    Goes on where an interrupted preparation of the same stopped, and tells what was left out and why.
    """
    from ganlab.preparation import Request

    request = Request(
        sources=[source.expanduser() for source in sources],
        out=out.expanduser(),
        shape=_shape(resolution),
        fit="crop" if crop else "pad",
        resampling=filter.value,
        background=_colour(background),
        channels=cast(Any, _one_of("--channels", channels, (1, 3, 4))),
        bits=cast(Any, _one_of("--bits", bits, (8, 16))),
        min_size=min_size,
        skip_duplicates=skip_duplicates,
        include=include or (),
        exclude=exclude or (),
        classes=cast(Any, classes.value),
        every=every,
        landmarks=landmarks,
        align=cast(Any, align.value),
        follow_links=follow_links,
    )
    _print(request, _prepared(request, _workers(workers)))


def _prepared(request: Request, workers: int) -> Summary:
    from ganlab.errors import Interrupted
    from ganlab.preparation import prepare_pictures

    try:
        with _bar() as show:
            return prepare_pictures(request, workers, show)
    except KeyboardInterrupt:
        typer.echo("ganlab: stopped; what was made is kept, and the same command goes on", err=True)
        raise Interrupted(signal.SIGINT) from None


def _shape(text: str) -> tuple[int, int]:
    from ganlab.errors import DataError

    sides = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text.strip().lower())
    if sides is None:
        raise DataError(f"--resolution is the side of a square, as in 64, or height x width, as in 48x64, not '{text}'")
    height = int(sides[1])
    return height, int(sides[2] or height)


def _colour(text: str | None) -> Colour | None:
    from ganlab.errors import DataError

    if text is None or text in ("white", "black"):
        return cast("Literal['white', 'black'] | None", text)
    numbers = re.fullmatch(r"\[?\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]?", text)
    if numbers is None:
        raise DataError(f"--background is white, black or three numbers from 0 to 255, as in 255,240,200, not '{text}'")
    return int(numbers[1]), int(numbers[2]), int(numbers[3])


def _one_of(option: str, value: int, allowed: tuple[int, ...]) -> int:
    from ganlab.errors import DataError

    if value not in allowed:
        raise DataError(f"{option} is one of {', '.join(map(str, allowed))}, not {value}")
    return value


def _workers(wanted: int | None) -> int:
    from ganlab.errors import DataError

    if wanted is not None and wanted < 1:
        raise DataError(f"--workers is a number from 1, not {wanted}")
    return wanted or min(os.cpu_count() or 1, _MOST_WORKERS)


def _bar() -> AbstractContextManager[Callable[[int, int, int], None]]:
    """A progress bar on stderr, and what moves it."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    @contextmanager
    def opened() -> Any:
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[left_out]}"))
        console = Console(stderr=True)
        # Where no terminal shows it, rich would leave an empty line of it.
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("", total=None, left_out="looking at the sources")

            def show(done: int, total: int, left_out: int) -> None:
                text = f"{left_out:,} left out" if left_out else ""
                progress.update(task, completed=done, total=total, left_out=text)

            yield show

    return opened()


def _print(request: Request, summary: Summary) -> None:
    from ganlab.preparation.preparing import report_beside
    from ganlab.printable import printable

    out = printable(str(request.out))
    height, width = request.shape
    classes = f" in {len(summary.classes)} classes (by folder)" if summary.classes else ""
    typer.echo(f"{summary.pictures:,} pictures of {width}x{height} pixels{classes} are in {out}")
    for why, those in summary.kinds.items():
        typer.echo(f"left out, {why}: {len(those):,}")
        for picture in those[:_NAMED]:
            typer.echo(printable(f"  {picture.name}: {picture.reason}"))
        if len(those) > _NAMED:
            typer.echo(f"  ... and {len(those) - _NAMED:,} more")
    for reason, count in summary.passed_over.items():
        typer.echo(printable(f"passed over, {reason}: {count:,}"))
    if summary.transparent and request.background is not None:
        typer.echo(f"note: {summary.transparent:,} pictures have transparency and were laid on the background")
    if summary.enlarged:
        typer.echo(
            f"note: {summary.enlarged:,} pictures were enlarged to more than twice their size, which blurs them; "
            f"--min-size {min(request.shape) // 2} leaves out what is that small"
        )
    typer.echo(f"report: {printable(str(report_beside(request.out)))}")
    size = height if height == width else f"[{height}, {width}]"
    name = "image_zip" if request.to_zip else "image_folder"
    typer.echo(f"in a spec: data: {{name: {name}, path: {out}, resolution: {size}, channels: {request.channels}}}")

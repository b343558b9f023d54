"""The checkpoints in a run's folder: which is the newest that can be read, and which have had their time."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from ganlab.errors import RunError
from ganlab.files import write_atomically
from ganlab.training.checkpoint import load_checkpoint
from ganlab.training.clock import labelled_images

logger = logging.getLogger(__name__)

LAST = "last.ckpt"
BEST = "best.ckpt"

Take = Callable[[dict[str, Any]], None]
"""Makes use of a checkpoint's content; raises `RunError` with a part of a sentence where that is of something else."""


def take_newest(folder: Path, take: Take, device: torch.device | str = "cpu") -> Path | None:
    """Make use of the newest checkpoint that can be read and fits, and return which; None where there is none at all.

    That is `last.ckpt`, or the one of the most images where it is missing, damaged or of something else, which costs a
    warning. Raises `RunError` if there are checkpoints and none is of use.
    """
    problems = []
    for path in _newest_first(folder):
        try:
            take_checkpoint(path, take, device)
        except RunError as error:
            problems.append(str(error))
            continue
        if path.name != LAST:
            problem = problems[0] if problems else f"{folder / LAST} is missing"
            logger.warning("ganlab: warning: %s; %s is taken instead", problem, path.name)
        return path
    if problems:
        others = f", nor any of the {len(problems) - 1} others" if len(problems) > 1 else ""
        raise RunError(f"{problems[0]}{others} in {folder} can be used" if others else problems[0])
    return None


def take_chosen(folder: Path, chosen: str | Path | None, take: Take, device: torch.device | str = "cpu") -> None:
    """Make use of a checkpoint: a file, `best`, or one of this folder by its thousands of images; None is the newest.

    Raises `RunError` if there is none, or if it cannot be read or does not fit.
    """
    if chosen is not None:
        take_checkpoint(_chosen(folder, chosen), take, device)
    elif take_newest(folder, take, device) is None:
        raise RunError(f"there is no checkpoint in {folder} yet")


def take_checkpoint(path: Path, take: Take, device: torch.device | str = "cpu") -> None:
    """Make use of one checkpoint. Raises `RunError` with its name if it cannot be read or does not fit."""
    state = load_checkpoint(path, device)
    try:
        take(state)
    except RunError as error:
        raise RunError(
            f"the checkpoint {path} does not fit the spec; was the architecture changed since? ({error})"
        ) from error


def has_checkpoints(folder: Path) -> bool:
    """Whether there is anything to go on from, readable or not."""
    return next(_newest_first(folder), None) is not None


def name_as_last(path: Path) -> None:
    """Let `last.ckpt` be this checkpoint, without a second copy where the file system has hard links."""
    write_atomically(path.with_name(LAST), lambda temporary: _link_or_copy(path, temporary))


def name_as_best(folder: Path) -> None:
    """Let `best.ckpt` be what `last.ckpt` is now, however many newer ones follow."""
    write_atomically(folder / BEST, lambda temporary: _link_or_copy(folder / LAST, temporary))


def remove_old(folder: Path, keep: int, images_seen: int, sound_until: int | None = None) -> None:
    """Keep the newest `keep` checkpoints by the image counts in their names.

    Those of more than `images_seen` images were written before the run went back to an earlier one; they go first. The
    newest of at most `sound_until` images stays, however many there are after it.
    """
    moments = {path: labelled_images(path.name) for path in folder.glob("kimg-*.ckpt")}
    by_age = sorted(moments, key=lambda path: (moments[path] <= images_seen, moments[path]))
    needed = None if sound_until is None else newest_until(folder, sound_until)
    for path in by_age[:-keep]:
        if path != needed:
            path.unlink(missing_ok=True)


def newest_until(folder: Path, images_seen: int) -> Path | None:
    """The newest checkpoint of at most so many images, by its name."""
    moments = {labelled_images(path.name): path for path in folder.glob("kimg-*.ckpt")}
    return max(((at, path) for at, path in moments.items() if at <= images_seen), default=(0, None))[1]


def remove_later(folder: Path, kept: Path) -> None:
    """Let a checkpoint be the newest and the last."""
    name_as_last(kept)
    for path in folder.glob("kimg-*.ckpt"):
        if labelled_images(path.name) > labelled_images(kept.name):
            path.unlink(missing_ok=True)


def _chosen(folder: Path, chosen: str | Path) -> Path:
    if Path(chosen).is_file():
        return Path(chosen)
    if str(chosen) == "best" and (folder / BEST).exists():
        return folder / BEST
    there = {labelled_images(path.name): path for path in folder.glob("kimg-*.ckpt")}
    try:
        return there[round(float(str(chosen)) * 1000)]
    except (KeyError, ValueError, OverflowError):
        kept = ", ".join(f"{images / 1000:g}" for images in sorted(there)) or "none"
        best = ", or best" if (folder / BEST).exists() else ""
        raise RunError(
            f"'{chosen}' is no checkpoint: give a file, or one of these thousands of images in {folder}: {kept}{best}"
        ) from None


def _newest_first(folder: Path) -> Iterator[Path]:
    if (folder / LAST).exists():
        yield folder / LAST
    yield from sorted(folder.glob("kimg-*.ckpt"), key=lambda path: labelled_images(path.name), reverse=True)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)

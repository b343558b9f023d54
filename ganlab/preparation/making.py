"""One picture made, from a file's bytes to those of a PNG; and many, by worker processes, in order."""

from __future__ import annotations

import io
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlab.errors import DataError
from ganlab.pictures import Preparation, has_transparency, is_transparent, make_alike, opened, problem_of
from ganlab.pictures.alikeness import enlargement
from ganlab.pictures.files import header_of
from ganlab.preparation.landmarks import Alignment, Face, aligned
from ganlab.preparation.members import Content, Unreadable

if TYPE_CHECKING:  # workers start without torch
    from ganlab.preparation.enhancement import Enhance

TRANSPARENT = "transparent"
TOO_SMALL = "too small"
UNREADABLE = "unreadable"
NO_LANDMARKS = "no landmarks"

_COMPRESSION = 3  # of photographs half the time of zlib's usual 6, for 5 % more bytes
_CHUNK = 16  # pictures that travel together, up to so many bytes
_CHUNK_BYTES = 4 << 20
_CHUNKS_AHEAD = 3  # for each worker


@dataclass(frozen=True)
class Made:
    """The bytes of a PNG, or the kind of reason why there are none with the reason itself."""

    png: bytes = b""
    kind: str | None = None
    reason: str = ""
    was_transparent: bool = False
    enlargement: float = 1.0


@dataclass(frozen=True)
class Making:
    """What is done to all pictures: `enhance` and `align` come before the preparation.

    `enhance` makes a picture (1, 3, H, W) in [-1, 1] better, and may make it larger by a whole factor.
    """

    preparation: Preparation
    min_size: int = 1
    align: Alignment = "celeba-hq"
    enhance: Enhance | None = None


def make(content: Content | Face, making: Making) -> Made:
    """Make one picture; whatever is wrong with it is told, not raised."""
    if isinstance(content, Unreadable):
        return Made(kind=content.kind, reason=content.reason)
    face = content if isinstance(content, Face) else None
    try:
        with warnings.catch_warnings(), _image_of(content.content if isinstance(content, Face) else content) as image:
            warnings.simplefilter("ignore")  # Pillow's on odd metadata
            return _made(_in_place(image, face, making), making.preparation, making.min_size)
    except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
        return Made(kind=UNREADABLE, reason=problem_of(error))


@contextmanager
def _image_of(content: bytes | NDArray[np.uint8]) -> Iterator[Image.Image]:
    if isinstance(content, bytes):
        with opened(io.BytesIO(content)) as image:
            yield image
    else:
        yield Image.fromarray(content)


def _made(image: Image.Image, preparation: Preparation, min_size: int) -> Made:
    size = header_of(image).size
    if min(size) < min_size:
        return Made(kind=TOO_SMALL, reason=f"{size[0]}x{size[1]} pixels")
    if preparation.bits == 8 and image.mode.startswith("I;16"):
        return Made(kind=UNREADABLE, reason="it is grey with 16 bits, which --channels 1 --bits 16 keeps")
    if preparation.bits == 16 and not image.mode.startswith("I;16"):
        return Made(kind=UNREADABLE, reason="it has 8 bits, but --bits 16 was asked for")
    seen_through = has_transparency(image) and is_transparent(image)
    if seen_through and preparation.background is None and not preparation.keeps_transparency:
        return Made(kind=TRANSPARENT)
    buffer = io.BytesIO()
    make_alike(image, preparation).save(buffer, "PNG", compress_level=_COMPRESSION)
    return Made(buffer.getvalue(), was_transparent=seen_through, enlargement=enlargement(size, preparation))


def _in_place(image: Image.Image, face: Face | None, making: Making) -> Image.Image:
    """The picture enhanced, and cut by its landmarks."""
    scale = 1
    if making.enhance is not None:
        from ganlab.preparation.enhancement import enhanced

        width = image.width
        image = enhanced(image, making.enhance)
        scale = image.width // width
    if face is None:
        return image
    return aligned(image.convert("RGB"), face.points * scale, making.align, max(making.preparation.shape))


def make_all(contents: Iterable[Content | Face], making: Making, workers: int) -> Iterator[Made]:
    """Make all pictures, in their order; with more than one worker in so many processes.

    Raises `DataError` if a worker dies.
    """
    work = partial(_make_chunk, making=making)
    if workers == 1:
        for content in contents:
            yield make(content, making)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_live_with_the_parent)
    try:
        waiting: deque[Future[list[Made]]] = deque()
        for chunk in _chunks(contents):
            waiting.append(pool.submit(work, chunk))
            if len(waiting) >= _CHUNKS_AHEAD * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DataError(
            "a worker process died, of too little memory or of a picture that breaks its decoder. What was made is "
            "kept: the same command goes on; with --workers 1 it takes less memory"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _make_chunk(contents: list[Content | Face], making: Making) -> list[Made]:
    return [make(content, making) for content in contents]


def _chunks(contents: Iterable[Content | Face]) -> Iterator[list[Content | Face]]:
    chunk: list[Content | Face] = []
    size = 0
    for content in contents:
        chunk.append(content)
        size += _bytes_of(content)
        if len(chunk) == _CHUNK or size >= _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _bytes_of(content: Content | Face) -> int:
    if isinstance(content, Face):
        return len(content.content)
    if isinstance(content, Unreadable):
        return 0
    return len(content) if isinstance(content, bytes) else content.nbytes


def _live_with_the_parent() -> None:
    """Leave signals to the parent, and end with it: a worker whose parent was killed would wait for work forever."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None, "workers have a parent"

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()

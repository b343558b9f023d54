"""Frames of a video as a source of pictures, by way of PyAV, which is an extra of the distribution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganlab.errors import DataError
from ganlab.preparation.members import Content, Member, Unreadable

SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ogv", ".wmv", ".ts"})
"""Endings (lower case) of the names of files that are taken for videos."""


class VideoSource:
    """Each `every`-th frame of the first video stream, named by the video and the frame's number from 0."""

    def __init__(self, path: Path, every: int) -> None:
        self.path = path
        self._every = every
        count = _count(path)
        if not count:
            raise DataError(f"the video '{path}' has no frames")
        self.members = [Member(f"{path.stem}-{number:06d}.png", 0) for number in range(0, count, every)]

    def contents(self, names: Sequence[str]) -> Iterator[Content]:
        """The decoded frames (H, W, 3), turned as the video says; those behind a defect are unreadable."""
        wanted = {member.name: place * self._every for place, member in enumerate(self.members)}
        numbers = [wanted[name] for name in names]
        done = 0
        try:
            for number, frame in enumerate(_frames(self.path)):
                if done < len(numbers) and number == numbers[done]:
                    done += 1
                    yield _pixels(frame)
        except _av().FFmpegError as error:
            reason = f"the video is damaged: {error}"
        else:
            reason = "the video ends before it"
        yield from (Unreadable(reason) for _ in numbers[done:])


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise DataError(
            "frames of videos are read with PyAV, which is not installed: 'pip install av', or install ganlab with its "
            "extra, 'ganlab[video]'"
        ) from None
    return av


def _count(path: Path) -> int:
    """Frames by their packets, without decoding them."""
    av = _av()
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(f"'{path}' has sound but no pictures")
            return sum(1 for packet in container.demux(video=0) if packet.size)
    except av.FFmpegError as error:
        raise DataError(f"the video '{path}' cannot be read: {error}") from error


def _frames(path: Path) -> Iterator[Any]:
    with _av().open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        yield from container.decode(video=0)


def _pixels(frame: Any) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4  # counter-clockwise, as numpy turns
    return np.ascontiguousarray(np.rot90(pixels, turns))

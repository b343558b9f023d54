"""Progress on the terminal: images done, speed, time left and the terms."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from datetime import timedelta

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ganlab.tracking.tracker import Tracker

_WINDOW = 30.0  # seconds over which the speed is taken
_PLAIN_INTERVAL = 30.0  # seconds between lines when the output is no terminal


class Progress(Tracker):
    """A bar that is drawn anew at every sign of life, or a plain line now and then when nobody watches.

    Speed and time left are those of training alone, without pauses. `stage` tells how a step at a moment differs from
    others in what it costs: the speed is that of the current stage, and while others are to come, as of networks that
    grow, the time left is what is left at least.
    """

    name = "the progress display"

    def __init__(
        self,
        total_images: int,
        images_seen: int = 0,
        console: Console | None = None,
        stage: Callable[[int], Hashable] = lambda images: None,
    ) -> None:
        self.total_images = total_images
        self.console = console or Console()
        self.stage = stage
        self._stage = stage(images_seen)
        self._terms: Mapping[str, float] = {}
        self._pause = ""
        self._paused = self._pause_began = 0.0
        self._points = deque([(self._seconds(), images_seen)])
        self._next_line = time.monotonic() + _PLAIN_INTERVAL
        self._live: Live | None = None
        if self.console.is_terminal:
            self._live = Live(console=self.console, auto_refresh=False)
            self._live.start()

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Take the terms to show."""
        self._terms = {**self._terms, **values}

    def pause(self, what: str) -> None:
        """Say what training waits for."""
        self._pause, self._pause_began = what, time.monotonic()
        self._redraw()

    def go_on(self) -> None:
        """Leave the pause out of the speed."""
        self._pause, self._paused = "", self._paused + time.monotonic() - self._pause_began
        self._redraw()

    def advance(self, images_seen: int) -> None:
        """Draw."""
        self._note(images_seen)
        if self._live is not None:
            self._live.update(self._drawing(images_seen), refresh=True)
        elif time.monotonic() >= self._next_line:
            self._print_line(images_seen)

    def finish(self, status: str) -> None:
        """Leave the last drawing, or line, where it is."""
        images_seen = self._points[-1][1]
        if self._live is not None:
            self._live.update(self._drawing(images_seen), refresh=True)
            self._live.stop()
        else:
            self._print_line(images_seen)

    def describe(self, images_seen: int) -> str:
        """Images done, and speed and time left or what training waits for."""
        done = f"{images_seen / 1000:.1f} of {self.total_images / 1000:g} kimg"
        if self._pause:
            return f"{done}  {self._pause}"
        speed = self.images_per_second
        left = timedelta(seconds=round((self.total_images - images_seen) / speed)) if speed else "?"
        more = "more than " if speed and self.stage(self.total_images - 1) != self._stage else ""
        return f"{done}  {speed:.0f} images/s  {more}{left} left"

    @property
    def images_per_second(self) -> float:
        """Speed over the last half minute of training."""
        (start, first), (end, last) = self._points[0], self._points[-1]
        return (last - first) / (end - start) if end > start and last > first else 0.0

    def _seconds(self) -> float:
        return time.monotonic() - self._paused

    def _redraw(self) -> None:
        if self._live is not None:
            self._live.update(self._drawing(self._points[-1][1]), refresh=True)

    def _note(self, images_seen: int) -> None:
        now, stage = self._seconds(), self.stage(images_seen)
        if images_seen < self._points[-1][1] or stage != self._stage:
            self._points.clear()  # the run was rolled back, or goes on at another speed
        self._stage = stage
        self._points.append((now, images_seen))
        while len(self._points) > 2 and self._points[1][0] < now - _WINDOW:
            self._points.popleft()

    def _drawing(self, images_seen: int) -> Group:
        line = Table.grid(padding=(0, 2))
        told = self.describe(images_seen)
        width = max(min(30, self.console.width - len(told) - 2), 5)
        bar = ProgressBar(total=self.total_images, completed=min(images_seen, self.total_images), width=width)
        line.add_row(bar, Text(told, no_wrap=True))
        return Group(line, Text(self._term_list(), style="dim"))

    def _print_line(self, images_seen: int) -> None:
        self._next_line = time.monotonic() + _PLAIN_INTERVAL
        terms = self._term_list()
        print(self.describe(images_seen) + (f"  {terms}" if terms else ""), file=self.console.file, flush=True)

    def _term_list(self) -> str:
        return "  ".join(f"{name} {value:.3g}" for name, value in self._terms.items() if "/" in name)

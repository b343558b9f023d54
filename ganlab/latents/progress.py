"""A bar on the terminal for tools that take long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def watched(items: Sequence[Item], what: str, show: bool) -> Iterable[Item]:
    """The items, one after the other, with a bar on stderr if it is to be shown and is a terminal."""
    console = Console(stderr=True)
    if not show or not console.is_terminal:
        return items
    return track(items, description=what, console=console, transient=True)

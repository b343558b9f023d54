"""What every benchmark prints: the machine and a table."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

Rows = Sequence[Sequence[object]]


def describe_machine(threads: int | None = None) -> str:
    """Cores, processor architecture, Python and torch; `threads` if torch was told to use fewer than it would."""
    from importlib.metadata import version

    limited = f", {threads} torch thread{'s' if threads > 1 else ''}" if threads else ""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}){limited}, Python {platform.python_version()}, "
        f"torch {version('torch')}, pytorch-lightning {version('pytorch-lightning')}"
    )


def print_table(title: str, columns: Sequence[str], rows: Rows, threads: int | None = None) -> None:
    """Print a table in Markdown's form, so that it can be pasted into the documentation."""
    table = Table(*columns, box=box.MARKDOWN)
    for row in rows:
        table.add_row(*(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row))
    console = Console(width=140, force_terminal=False)
    console.print(f"\n{title}\n{describe_machine(threads)}\n", highlight=False)
    console.print(table)

"""Curves that belong to tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ganlab.files import write_atomically


def save_curves(
    curves: Mapping[str, Sequence[float]],
    path: Path,
    across: Sequence[float],
    labels: tuple[str, str],
    *,
    logarithmic: bool = False,
    shown: str | None = None,
) -> None:
    """Write curves by name over the numbers `across`, as PNG; `labels` stand at the axes.

    One that is `shown` is drawn strongly, the others in grey, with their names at their ends.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, values in curves.items():
        style = {} if shown is None else {"color": "tab:blue" if name == shown else "0.75"}
        axes.plot(across, values, label=_plain(name) if shown in (None, name) else None, linewidth=1.5, **style)  # type: ignore[arg-type]
        if shown not in (None, name):
            place = (across[-1], values[-1])
            axes.annotate(_plain(name), place, (4, -3), textcoords="offset points", fontsize=7, color="0.5")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    if logarithmic:
        axes.set_yscale("log")
    axes.legend(frameon=False)
    write_atomically(path, lambda temporary: figure.savefig(temporary, format="png", metadata={"Software": None}))


def _plain(name: str) -> str:
    """A name in which Matplotlib finds no formula: names of classes may hold any character."""
    return name.replace("$", r"\$")

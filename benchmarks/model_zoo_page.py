"""The pictures and the parts of docs/model-zoo.md that `model_zoo.py` makes of whole trainings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from curve_panels import curves_of_run, newest_samples, plot, save_small, show_samples
from matplotlib import pyplot
from model_zoo_entries import LABELS, Entry

from ganlab.tracking.jsonl import read_records

COLUMNS = ("family", "spec", "kimg", "minutes of one core", "figures at the end")


@dataclass(frozen=True)
class Trained:
    """A whole training: its folder, and the CPU time of the whole command."""

    entry: Entry
    run: Path
    cpu_seconds: float

    @property
    def kimg(self) -> float:
        """How long it was, as its log says."""
        return float(read_records(self.run / "log.jsonl")[-1]["kimg"])

    @property
    def command(self) -> str:
        """How a user trains it again."""
        return " ".join(["ganlab train", f"experiments/{self.entry.spec}", *self.entry.overrides])


def figures_of(trained: Trained) -> str:
    """The last values of what the entry names: a metric's last, and of a term of the log the mean of its last part."""
    curves = curves_of_run(trained.run)
    told = []
    for name in trained.entry.figures:
        label, form = LABELS[name]
        value = curves[name][1][-1]
        told.append(f"{label} {'not finite' if value is None else format(value, form)}")
    return ", ".join(told)


def draw(trained: Trained, path: Path) -> None:
    """Three panels of curves and the newest grid of samples."""
    curves, grid = curves_of_run(trained.run), newest_samples(trained.run)
    width = min(max(grid.width / grid.height, 0.7), 1.6)
    widths = {"width_ratios": [1, 1, 1, width]}
    figure, places = pyplot.subplots(1, 4, figsize=(12, 3), layout="constrained", gridspec_kw=widths)
    for place, names in zip(places[:3], trained.entry.panels, strict=True):
        plot(place, curves, names)
    show_samples(places[3], trained.run)
    save_small(figure, path)


def table(trained: Iterable[Trained], machine: str) -> str:
    """One line for each training, and the machine below."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|---|---:|---:|---|"]
    for one in trained:
        link = f"[{one.entry.title}](#{_anchor(one.entry.title)})"
        spec = f"[{one.entry.spec}](../experiments/{one.entry.spec})"
        cells = (link, spec, f"{one.kimg:.4g}", f"{one.cpu_seconds / 60:.1f}", figures_of(one))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Measured on {machine}."])


def section(name: str, trained: Trained) -> str:
    """What stands below the heading of a family."""
    panels = "; ".join(" and ".join(names) for names in trained.entry.panels)
    return (
        f"`{trained.command}`: {trained.kimg:.4g} kimg in {trained.cpu_seconds / 60:.1f} minutes of one core; "
        f"{figures_of(trained)}.\n\n"
        f"![{trained.entry.title}, over kimg: {panels}; samples at the end](images/zoo-{name}.png)"
    )


def filled(page: str, parts: Mapping[str, str]) -> str:
    """A page with each part between `<!-- zoo NAME -->` and `<!-- end of zoo NAME -->`; other parts stay as they are.

    Raises `ValueError` for a part that has no such place, or more than one.
    """
    for name, text in parts.items():
        place = re.compile(rf"(<!-- zoo {name} -->\n).*?^(<!-- end of zoo {name} -->)", re.DOTALL | re.MULTILINE)
        page, found = place.subn(lambda around, text=text: f"{around[1]}{text}\n{around[2]}", page)
        if found != 1:
            raise ValueError(
                f"the page has {found} places for '{name}': below the heading of the family, write once and each on a "
                f"line of its own '<!-- zoo {name} -->' and '<!-- end of zoo {name} -->'"
            )
    return page


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")

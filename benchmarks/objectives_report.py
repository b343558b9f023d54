"""The page and the pictures that `objectives.py` writes from its results."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from objectives_variants import ROOT, TOYS, VARIANTS, Job, base_spec
from report import describe_machine

Result = Mapping[str, Any]

_COLUMNS = 6
_IMAGES = 12
_HIGH_QUALITY = {
    "modes": "within 3 standard deviations of a centre",
    "manifold": "within 3 standard deviations of the curve",
    "stacked_modes": "every channel as near to a learned digit as 95% of held-out digits are",
}
_INTRODUCTION = """# Losses and penalties on toys

Written by `python benchmarks/objectives.py`; do not edit. Every row is the same experiment, a file of
`experiments/toys/base`, with another loss and its penalties. Numbers are means over seeds, with the smallest and the
largest in brackets; they are those of the averaged generator at the end of a run.

- captured: modes found. Of the Gaussians, those with at least a fifth of their even share as good samples; of stacked
  digits, those with at least one sample; of the swiss roll, the share of its length with at least half of its even
  share as good samples.
- good: share of samples of high quality.
- KL: divergence of the samples' modes from the uniform distribution, in nats.
- images/s: reals that the discriminator saw for each second of one core's time, the evaluation included."""


def write_report(results: Sequence[Result], samples: Path, docs: Path) -> None:
    """Write `objectives.md` and one picture a toy.

    Rows of variants that there are no results of are kept as the page has them, with the picture and what is said of
    them: another machine measured them.
    """
    page = docs / "objectives.md"
    before = _sections(page.read_text()) if page.exists() else {}
    parts = [_INTRODUCTION, before.get("", f"Measured on {describe_machine(1)}.")]
    (docs / "images").mkdir(exist_ok=True)
    for name, toy in TOYS.items():
        rows = [row for row in results if row["toy"] == name]
        section = before.get(toy.title)
        kept = _rows(section) if section else {}
        if not rows and not kept:
            continue
        partly = bool(set(kept) - {row["variant"] for row in rows})
        setting = section.splitlines()[2] if section and partly else _setting(rows)
        parts += [f"## {toy.title}", setting, _table(rows, kept, section)]
        picture = docs / f"images/objectives-{name}.png"
        if not partly:
            draw(name, rows, samples, picture)
        parts += [f"![{toy.title}: samples of every variant]({picture.relative_to(docs)})"]
    findings = ROOT / "benchmarks/objectives_findings.md"
    page.write_text("\n\n".join([*parts, findings.read_text().strip()]) + "\n")


def _sections(page: str) -> dict[str, str]:
    """What the page says of each toy, and of the machine under no name."""
    head, *sections = page.split("\n## ")
    machine = next(line for line in head.splitlines() if line.startswith("Measured on"))
    return {"": machine} | {section.splitlines()[0]: section for section in sections}


def _rows(section: str) -> dict[str, str]:
    """The lines of a table by variant."""
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return {line.split("|")[1].strip(): line for line in lines}


def _setting(rows: Sequence[Result]) -> str:
    metric = _metric(rows[0])
    lengths = sorted({f"{row['kimg']:g}" for row in rows})
    seeds = sorted({row["seed"] for row in rows})
    reference = ""
    if metric == "stacked_modes":
        values = rows[0]["metrics"]
        accuracy, good = (values[f"{metric}/{key}"] for key in ("real_accuracy", "real_good"))
        reference = f" The classifier reads {accuracy:.1%} of real stacks; {good:.1%} of them are good."
    return f"{' or '.join(lengths)} kimg; seeds {', '.join(map(str, seeds))}. Good: {_HIGH_QUALITY[metric]}.{reference}"


def _metric(row: Result) -> str:
    return next(iter(row["metrics"])).split("/")[0]


def _table(rows: Sequence[Result], kept: Mapping[str, str], section: str | None) -> str:
    """A line for each variant: of the results, or as it was."""
    if not rows:
        assert section is not None
        head = [line for line in section.splitlines() if line.startswith("|")][:2]
        return "\n".join([*head, *kept.values()])
    metric = _metric(rows[0])
    captured = "covered" if metric == "manifold" else "captured"
    whole = f" of {rows[0]['metrics'][_full(metric, 'modes')]:.0f}" if metric != "manifold" else ""
    cells: dict[str, tuple[Callable[[Result], float], str]] = {
        f"{captured}{whole}": (lambda row: row["metrics"][_full(metric, captured)], ".3g" if whole else ".0%"),
        "good": (lambda row: row["metrics"][_full(metric, "good")], ".1%"),
        "KL": (lambda row: row["metrics"][_full(metric, "kl")], ".3f"),
        "images/s": (lambda row: 1000 * row["kimg"] / row["cpu_seconds"], ",.0f"),
    }
    lines = ["| variant | " + " | ".join(cells) + " | seeds |", "|---|" + "---:|" * (len(cells) + 1)]
    groups = _by_variant(rows)
    for variant in VARIANTS:
        if variant in groups:
            group = groups[variant]
            numbers = [_spread([read(row) for row in group], form) for read, form in cells.values()]
            lines.append(f"| {variant} | " + " | ".join(numbers) + f" | {len(group)} |")
        elif variant in kept:
            lines.append(kept[variant])
    return "\n".join(lines)


def _full(metric: str, key: str) -> str:
    return metric if key == metric else f"{metric}/{key}"


def _by_variant(rows: Sequence[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = defaultdict(list)
    for row in rows:
        groups[row["variant"]].append(row)
    return {variant: groups[variant] for variant in VARIANTS if variant in groups}


def _spread(values: Sequence[float], form: str) -> str:
    mean = format(statistics.mean(values), form)
    return mean if len(values) == 1 else f"{mean} ({min(values):{form}} to {max(values):{form}})"


def draw(toy: str, rows: Sequence[Result], samples: Path, path: Path) -> None:
    """One PNG with the samples of each variant's first seed, and the data beside them."""
    shown: dict[str, np.ndarray] = {"data": _reals(toy)}
    for variant, group in _by_variant(rows).items():
        seed = min(row["seed"] for row in group)
        shown[variant] = np.load(samples / Job(toy, variant, seed).samples)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    images = shown["data"].ndim == 4
    columns = 2 if images else _COLUMNS
    height = -(-len(shown) // columns)
    figure = Figure(figsize=(12, height * (0.72 if images else 2.15)), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, examples) in enumerate(shown.items()):
        axes = figure.add_subplot(height, columns, place + 1)
        axes.set_title(title, fontsize=8, loc="left" if images else "center", pad=3)
        axes.axis("off")
        if images:
            axes.imshow(np.concatenate(list(examples[:_IMAGES].transpose(0, 2, 3, 1)), axis=1))
        else:
            _scatter(axes, shown["data"], examples)
    figure.savefig(path)


def _scatter(axes: Any, data: np.ndarray, points: np.ndarray) -> None:
    axes.scatter(*data.T, s=1, color="0.8", linewidths=0)
    axes.scatter(*points.T, s=1.5, color="tab:blue", linewidths=0)
    reach = 1.25 * np.abs(data).max()
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")


def _reals(toy: str) -> np.ndarray:
    from ganlab.build import build_dataset
    from ganlab.evaluation.pictures import real_picture
    from ganlab.spec import read_spec

    dataset = build_dataset(read_spec(base_spec(toy)).data)
    return real_picture(dataset, (4, 4), seed=0).examples.numpy()

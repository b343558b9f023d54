"""What a run says of itself in words: at its start, at each evaluation, and at its end."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganlab.facts import DataFacts
from ganlab.run.folder import Run
from ganlab.spec.difference import Change
from ganlab.spec.model import Spec
from ganlab.tracking.jsonl import read_records
from ganlab.training.clock import labelled_images
from ganlab.training.module import GANModule

_INDENT = 15
_CLASSES_SHOWN = 6


def start_lines(
    run: Run, spec: Spec, facts: DataFacts, module: GANModule, processes: int, changes: Sequence[Change] = ()
) -> list[str]:
    """The run's folder, its data, players, device and length, and where it goes on from."""
    seen = module.clock.images_seen
    length = f"{spec.kimg:g} kimg in batches of {spec.data.batch_size}, seed {spec.seed}"
    rows = [
        ("run", str(run.path)),
        ("data", f"{spec.data.name}: {_data(facts)}"),
        *((player, _player(module, player, spec)) for player in module.trainable),
        ("device", _device(module.device, processes, spec.trainer.precision)),
        ("training", f"{length}, resuming at {seen / 1000:g} kimg" if seen else length),
        *(("changed", str(change)) for change in changes),
    ]
    return [line for row in rows for line in _row(*row)]


def evaluation_line(images_seen: int, values: Mapping[str, float], before: Mapping[str, float]) -> str:
    """The headline metrics of one moment, with what they were at the evaluation before."""
    parts = [
        f"{name} " + (f"{_number(before[name])} -> " if name in before else "") + _number(value)
        for name, value in headlines(values).items()
    ]
    text = f"{images_seen / 1000:g} kimg: {', '.join(parts) or 'no metric could be measured'}"
    return "\n".join(textwrap.wrap(text, _width(), subsequent_indent="    ", break_on_hyphens=False))


def end_lines(run: Run, diversity: Mapping[str, float] | None = None) -> list[str]:
    """The newest pictures and checkpoint, how samples spread and metrics went, and what can be done next."""
    grids = [path for path in run.samples.glob("kimg-*") if path.suffix in (".png", ".gif")]
    newest = max(grids, key=lambda path: labelled_images(path.name), default=None)
    files = {"samples": newest, "checkpoint": run.last_checkpoint if run.last_checkpoint.exists() else None}
    lines = [line for name, path in files.items() if path is not None for line in _row(name, str(_short(path)))]
    table = _metrics_table(read_records(run.path / "metrics.jsonl"))
    commands = [f"ganlab sample {_short(run.path)} --count 64 --grid"]
    commands += [f"ganlab evaluate {_short(run.path)}"] if table else []
    commands.append(f"ganlab report {_short(run.path)}")
    spread = _row("diversity", _spread(diversity)) if diversity else []
    return [*lines, *spread, *table, *(line for command in commands for line in _row("next", command))]


def headlines(values: Mapping[str, float]) -> dict[str, float]:
    """The metrics that a person looks at first: no parts of parts."""
    return {name: value for name, value in values.items() if name.count("/") < 2}


def _metrics_table(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """First, lowest, highest and last value of each metric, as no metric says which of them is the best."""
    series: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        values = {name: value for name, value in record.items() if isinstance(value, float) and name != "kimg"}
        for name, value in headlines(values).items():
            series.setdefault(name, []).append((value, record["kimg"]))
    if not series:
        return []
    rows = [("metric", "first", "lowest (kimg)", "highest (kimg)", "last")]
    for name, points in series.items():
        (low, low_at), (high, high_at) = min(points), max(points)
        extremes = (f"{_number(low)} ({low_at:g})", f"{_number(high)} ({high_at:g})")
        rows.append((name, _number(points[0][0]), *extremes, _number(points[-1][0])))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _spread(values: Mapping[str, float]) -> str:
    """How far samples spread, in units of the reals' overall spread."""
    overall = f"overall {values['diversity/overall']:.2f} (reals 1)"
    if "diversity/within" not in values:
        return overall
    return f"within classes {values['diversity/within']:.2f} (reals {values['diversity/within_reals']:.2f}), {overall}"


def _number(value: float) -> str:
    return f"{value + 0.0:.4g}"  # without the sign of a zero


def _data(facts: DataFacts) -> str:
    text = f"{facts.size:,} examples of {' x '.join(map(str, facts.shape))}"
    if facts.classes:
        shown = ", ".join(facts.class_names[:_CLASSES_SHOWN]) + (", ..." if facts.classes > _CLASSES_SHOWN else "")
        text += f", {facts.classes} classes ({shown})"
    return text


def _player(module: GANModule, player: str, spec: Spec) -> str:
    network = module.players()[player]
    parts = list(network.children()) if isinstance(network, nn.ModuleDict | nn.ModuleList) else [network]
    names = ", ".join(type(part).__name__ for part in parts)
    parameters = sum(parameter.numel() for parameter in module.trainable[player])
    optimizer = spec.optimizers.get(player)
    return f"{names}, {parameters:,} parameters" + (f", {optimizer.name}" if optimizer else "")


def _device(device: torch.device, processes: int, precision: str) -> str:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    count = torch.get_num_threads()
    threads = f" with {count} thread{'s' if count != 1 else ''}" if device.type == "cpu" else ""
    return f"{f'{processes} x ' if processes > 1 else ''}{name}{threads}, precision {precision}"


def _short(path: Path) -> Path:
    """Relative to the current folder, if it is below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _row(name: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _width(),
        initial_indent=f"{name:{_INDENT - 1}} ",
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width() -> int:
    return max(shutil.get_terminal_size().columns, 40)

"""The page of a sweep: everything that it found, in one file without a network."""

from __future__ import annotations

import math
import shlex
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ganlab.errors import RunError, UserError, reason
from ganlab.studies.curves import thinned
from ganlab.studies.numbers import shown
from ganlab.studies.page import COMMON, write_page
from ganlab.studies.pictures import pictures_of
from ganlab.studies.record import RunRecord
from ganlab.sweeps.command import override
from ganlab.sweeps.importance import importance_of
from ganlab.sweeps.names import parameter_of, short_names
from ganlab.sweeps.results import Group, SweepResults, TrialResult
from ganlab.sweeps.results_text import states_text, trials_text, value_text

NAME = "sweep.html"

_PICTURE_BYTES = 2_000_000
_BEST = 4  # configurations with colours and pictures of their own
_SHORT = 28  # characters of a word that stays in one line
_POINTS = 60_000  # of all curves together
_MOST_POINTS, _LEAST_POINTS = 300, 20  # of one curve


def write_sweep_page(results: SweepResults, path: Path) -> None:
    """Write the page. Raises `RunError` if it cannot be written."""
    data = page_data(results)
    try:
        write_page(path, data["title"], data, "sweep", (*COMMON, "parallel"))
    except OSError as error:
        raise RunError(f"the page {path} cannot be written: {reason(error)}") from error


def page_data(results: SweepResults) -> dict[str, Any]:
    """Everything on the page, as plain values for its script."""
    importance = importance_of(results)
    names = short_names(results.varied)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    ranks = {trial.number: rank for rank, group in enumerate(results.groups) for trial in group.trials}
    return {
        "title": f"sweep {results.name}",
        "text": states_text(results),
        "description": results.description,
        "facts": _facts(results),
        "metric": results.metric,
        "minimize": results.goal == "minimize",
        "columns": _columns(results, names),
        "rows": [_row(rank, group, results) for rank, group in enumerate(results.groups)],
        "seeded": bool(results.sweep.seeds),
        "axes": [_axis(results, key, names[key]) for key in results.varied] + _seed_axis(results),
        "lines": [_line(trial, ranks, results) for trial in results.trials if trial.best is not None],
        "importance": [{"name": name, "share": share} for name, share in importance.shares],
        "importance_remark": importance.remark,
        "curves": _curves(results, ranks),
        "samples": _samples(results),
        "winner": _winner(results),
        "trials": [_trial_row(trial) for trial in results.trials],
        "footer": f"Written by ganlab {version('ganlab')}, {now} UTC. The page is whole and needs no network.",
    }


def _facts(results: SweepResults) -> list[tuple[str, str]]:
    best = results.best
    seconds = sum(trial.seconds for trial in results.trials)
    facts = [("method", results.method), ("trials", str(len(results.trials)))]
    if best is not None and best.best is not None:
        at = f", at {best.best.images_seen / 1000:g} kimg" if best.best.images_seen >= 1000 else ""
        facts.append((f"best {results.metric}{at}", shown(best.best.value)))
    stopped = sum(trial.state == "stopped early" for trial in results.trials)
    facts += [("stopped early", str(stopped))] if results.sweep.bands else []
    return [*facts, ("time of all trainings", str(timedelta(seconds=round(seconds))))]


def _columns(results: SweepResults, names: dict[str, str]) -> list[dict[str, Any]]:
    value = "mean ± deviation" if results.sweep.seeds else "best"
    keys = [{"title": names[key], "hint": key, "number": _is_number(results, key)} for key in results.varied]
    rank = {"title": "rank", "number": True}
    return [rank, {"title": value, "number": True, "hint": results.metric}, *keys, {"title": "trials"}]


def _row(rank: int, group: Group, results: SweepResults) -> list[Any]:
    first: dict[str, Any] = {"text": str(rank + 1), "value": rank + 1}
    if rank < _BEST:
        first["colour"] = rank
    value = {"text": value_text(group), "value": _finite(group.mean), "best": rank == 0, "nowrap": True}
    return [first, value, *(_cell(parameter_of(group, key)) for key in results.varied), trials_text(group)]


def _cell(value: Any) -> Any:
    if _is_plain_number(value):
        return {"text": _text(value), "value": value}
    return {"text": str(value), "nowrap": len(str(value)) <= _SHORT}


def _is_number(results: SweepResults, key: str) -> bool:
    values = [parameter_of(trial, key) for trial in results.trials]
    return bool(values) and all(map(_is_plain_number, values))


def _axis(results: SweepResults, key: str, name: str) -> dict[str, Any]:
    """An axis of numbers, or of words in the file's order."""
    values = [parameter_of(trial, key) for trial in results.trials]
    kind = results.sweep.searched[key].distribution
    if _is_number(results, key) and (kind != "categorical" or len(set(values)) > 5):
        return {"name": name, "hint": key, "log": "log" in kind and min(values) > 0}
    words = getattr(results.sweep.searched[key], "values", None) or values
    return {"name": name, "hint": key, "words": [_text(word) for word in dict.fromkeys(words)]}


def _seed_axis(results: SweepResults) -> list[dict[str, Any]]:
    seeds = results.sweep.seeds
    return [{"name": "seed", "hint": "seed", "words": [str(seed) for seed in seeds]}] if len(seeds) > 1 else []


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _line(trial: TrialResult, ranks: dict[int, int], results: SweepResults) -> dict[str, Any]:
    values = [parameter_of(trial, key) for key in results.varied]
    shown_values = [value if _is_plain_number(value) else _text(value) for value in values]
    if len(results.sweep.seeds) > 1:
        shown_values.append(str(trial.seed))
    assert trial.best is not None
    return {
        "label": _label(trial),
        "rank": ranks[trial.number],
        "values": shown_values,
        "texts": [_text(value) for value in shown_values],
        "value": trial.best.value,
        "stopped": trial.state == "stopped early",
    }


def _is_plain_number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _label(trial: TrialResult) -> str:
    return f"trial {trial.number}" + ("" if trial.seed is None else f", seed {trial.seed}")


def _curves(results: SweepResults, ranks: dict[int, int]) -> list[dict[str, Any]]:
    """The target of each trial over kimg; the best come last, so that they lie on top."""
    trials = sorted((trial for trial in results.trials if trial.curve), key=lambda trial: -ranks[trial.number])
    points = min(max(_POINTS // max(len(trials), 1), _LEAST_POINTS), _MOST_POINTS)
    return [_curve(trial, ranks[trial.number], points) for trial in trials]


def _curve(trial: TrialResult, rank: int, points: int) -> dict[str, Any]:
    moments = [point.images_seen / 1000 for point in trial.curve]
    values = [_finite(point.value) for point in trial.curve]
    xs, ys = thinned((moments, values), points)
    best = rank < _BEST
    return {
        "label": _label(trial),
        "colour": rank if best else None,
        "x": xs,
        "y": ys,
        "stopped": trial.state == "stopped early",
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _samples(results: SweepResults) -> list[dict[str, Any]]:
    """Grids of the best trial of each of the best configurations that is on this machine."""
    best = [(rank, _best_of(group)) for rank, group in enumerate(results.groups[:_BEST])]
    found = [(rank, trial, RunRecord(trial.run)) for rank, trial in best if trial and trial.run]
    pictures = pictures_of([record for _, _, record in found], _PICTURE_BYTES)
    return [
        {"label": f"rank {rank + 1}, {_label(trial)}", "colour": rank, **each}
        for (rank, trial, _), each in zip(found, pictures, strict=True)
    ]


def _best_of(group: Group) -> TrialResult | None:
    """The trial nearest to the configuration's mean stands for it; of one or two it is the first with a value."""
    trials = [trial for trial in group.trials if trial.best is not None]
    mean = group.mean
    if mean is None:
        return None
    return min(trials, key=lambda trial: abs(trial.best.value - mean) if trial.best else math.inf)


def _winner(results: SweepResults) -> dict[str, Any] | None:
    """The resolved spec of the best configuration, and the command that trains it again."""
    if not results.groups or results.groups[0].mean is None:
        return None
    group = results.groups[0]
    changes = [override(key, value) for key, value in group.parameters.items()]
    trial = _best_of(group)
    assert trial is not None
    return {
        "label": _label(trial),
        "command": shlex.join(["ganlab", "train", group.spec, *changes]),
        "spec": _spec_text(trial.run) if trial.run else None,
    }


def _spec_text(run: Path) -> str | None:
    try:
        return RunRecord(run).spec_text
    except UserError:
        return None


def _trial_row(trial: TrialResult) -> list[Any]:
    best = trial.best
    return [
        {"text": str(trial.number), "value": trial.number},
        trial.state,
        "-" if trial.seed is None else trial.seed,
        {"text": shown(best.value) if best else "-", "value": best.value if best else None},
        {"text": f"{best.images_seen / 1000:g}" if best else "-", "value": best.images_seen if best else None},
        len(trial.curve),
        {"text": str(timedelta(seconds=round(trial.seconds))), "value": trial.seconds, "nowrap": True},
        trial.sessions,
        trial.reason or "",
    ]

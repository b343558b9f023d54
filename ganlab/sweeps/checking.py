"""Everything that can be known of a sweep before its first trial: all values, how many trials, and how long."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ganlab.build import check_optimizers, rehearse
from ganlab.errors import SpecError, UserError
from ganlab.spec import dump, read_spec
from ganlab.spec.model import Spec, own_names
from ganlab.suggestions import did_you_mean
from ganlab.sweeps.command import check_command, override
from ganlab.sweeps.file import SweepFile
from ganlab.sweeps.search import Search
from ganlab.sweeps.space import dimension_of

_DRAWS = 16
_SECONDS = 10.0  # for rehearsals, of which each takes a part of a second
_TOLD = 10

Values = Mapping[str, Any]


@dataclass
class SweepCheck:
    """What was found out.

    `specs` are the varied specs as they are without any parameter, resolved; `kimg` is the length of all trials
    together, if their number is known.
    """

    sweep: SweepFile
    planned: int | None
    specs: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    resolved: int = 0
    rehearsed: int = 0
    left: int = 0
    kimg: float | None = None
    notes: list[str] = field(default_factory=list)


def check_sweep(sweep: SweepFile, seconds: float = _SECONDS) -> SweepCheck:
    """Resolve every trial of a grid, or every end, category and some draws of a search, and rehearse what differs.

    `seconds` are for the rehearsals. Raises one `UserError` with all values that no trial can be started with.
    """
    check_command(sweep.keys.command or [])
    search = Search(sweep)
    check = SweepCheck(sweep, search.planned)
    resolved = _resolve(sweep, list(_trials(sweep, search)))
    check.resolved = len(resolved)
    for path in sweep.specs:
        check.specs[path] = dump(read_spec(path))
    _check_metric(sweep, [spec for _, spec in resolved], check)
    _rehearse(sweep, resolved, seconds, check)
    check.names = {spec.name for _, spec in resolved}
    if check.planned is not None:
        kimg = [spec.kimg for _, spec in resolved]
        check.kimg = sum(kimg) if sweep.keys.method == "grid" else check.planned * sum(kimg) / len(kimg)
    return check


def overrides_of(sweep: SweepFile, values: Values) -> tuple[str, list[str]]:
    """The spec of a trial and its overrides."""
    spec = str(values.get("spec", sweep.specs[0]))
    return spec, [override(key, value) for key, value in values.items() if key != "spec"]


def _trials(sweep: SweepFile, search: Search) -> Iterator[Values]:
    """The values of all trials of a grid; of a search, those that show all its ends and categories, and some draws."""
    if sweep.keys.method == "grid":
        for number in range(search.planned or 0):
            suggestion = search.suggest(number, [])
            yield sweep.values(suggestion.parameters, suggestion.seed)
        return
    yield from _probes(sweep)
    for number in range(min(search.planned or _DRAWS, _DRAWS)):
        suggestion = search.suggest(number, [])
        yield sweep.values(suggestion.parameters, suggestion.seed)


def _probes(sweep: SweepFile) -> Iterator[Values]:
    shown = {key: dimension_of(parameter).probes for key, parameter in sweep.searched.items()}
    seeds = sweep.seeds or (None,)
    for index in range(max([len(seeds), *map(len, shown.values())])):
        chosen = {key: probes[index % len(probes)] for key, probes in shown.items()}
        yield sweep.values(chosen, seeds[index % len(seeds)])


def _resolve(sweep: SweepFile, trials: Sequence[Values]) -> list[tuple[Values, Spec]]:
    found: list[tuple[Values, Spec]] = []
    problems: dict[str, None] = {}
    for values in trials:
        path, overrides = overrides_of(sweep, values)
        try:
            spec = read_spec(path, overrides)
            check_optimizers(spec)
        except UserError as error:
            problems.update(dict.fromkeys(_told(sweep, values, error)))
        else:
            found.append((values, spec))
    _raise(problems)
    return found


def _rehearse(sweep: SweepFile, resolved: Sequence[tuple[Values, Spec]], seconds: float, check: SweepCheck) -> None:
    """Play rounds of the trials that show a value for the first time; numbers change no shape, and come last."""
    until = time.monotonic() + seconds
    problems: dict[str, None] = {}
    chosen = _covering(resolved)
    for values, spec in chosen:
        if check.rehearsed and time.monotonic() > until:
            break
        check.rehearsed += 1
        try:
            note = rehearse(spec)
        except UserError as error:
            problems.update(dict.fromkeys(_told(sweep, values, error)))
        else:
            check.notes += [note] if note and note not in check.notes else []
    check.left = len(chosen) - check.rehearsed
    _raise(problems)


def _covering(resolved: Sequence[tuple[Values, Spec]]) -> list[tuple[Values, Spec]]:
    """Trials that together show all values, those first that show a new one which is no fraction."""
    seen: set[str] = set()
    first: list[tuple[Values, Spec]] = []
    later: list[tuple[Values, Spec]] = []
    for values, spec in resolved:
        new = {override(key, value) for key, value in values.items() if key != "seed"} - seen
        if not new:
            continue
        seen |= new
        whole = any(override(k, v) in new and not isinstance(v, float) for k, v in values.items())
        (first if whole or not first else later).append((values, spec))
    return first + later


def _told(sweep: SweepFile, values: Values, error: UserError) -> list[str]:
    """The problems of one trial, each at the line of the parameter that it is about."""
    lines = [line for line in str(error).splitlines() if not line.endswith("problems:")]
    return [f"{_place(sweep, values, line)}: {line}" for line in lines]


def _place(sweep: SweepFile, values: Values, line: str) -> str:
    for key, value in values.items():
        if f"'{override(key, value)}'" in line:
            return str(sweep.origins[key])
    varied = [override(key, value) for key, value in values.items() if key in sweep.searched]
    return f"{sweep.path}: with {', '.join(varied)}" if varied else str(sweep.path)


def _raise(problems: Mapping[str, None]) -> None:
    if not problems:
        return
    lines = [*problems][:_TOLD]
    more = len(problems) - len(lines)
    head = [] if len(problems) == 1 else [f"the sweep has {len(problems)} problems:"]
    raise SpecError("\n".join([*head, *lines, *([f"and {more} more"] if more else [])]))


def _check_metric(sweep: SweepFile, specs: Sequence[Spec], check: SweepCheck) -> None:
    """Hold the metric against what the specs measure, and early stopping against how often they do."""
    if not sweep.metric.name.startswith("metrics/"):
        check.notes.append(f"whether '{sweep.metric.name}' is logged shows in the first trial alone")
        return
    metric = sweep.metric.name.split("/")[1]
    most = 0
    for spec in specs:
        section = spec.evaluation
        names = own_names(section.metrics) if section else []
        if section is None or metric not in names:
            listed = f"it measures: {', '.join(names)}" if names else "it measures nothing (evaluation)"
            raise SpecError(
                f"{sweep.path}: metric.name: the spec '{spec.name}' does not measure '{metric}'; {listed}"
                f"{did_you_mean(metric, names)}"
            )
        most = max(most, int(spec.kimg // section.every_kimg) + bool(spec.kimg % section.every_kimg))
    if sweep.bands and not any(band < most for band in sweep.bands):
        check.notes.append(
            f"no trial is stopped early: each measures {most} times at most, and early_terminate looks after "
            f"{sweep.bands[0]} measurements first"
        )

"""The file of a sweep, in W&B's format, checked; each problem is told with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from annotated_types import Ge, Gt, MinLen
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ganlab.errors import SpecError, reason
from ganlab.spec.document import Origin, Value
from ganlab.spec.document import Path as KeyPath
from ganlab.spec.problems import Problems
from ganlab.spec.yaml_reader import MAX_BYTES, read_yaml
from ganlab.suggestions import did_you_mean
from ganlab.sweeps.parameters import SHAPES, Categorical, Constant, Parameter, implied_distribution
from ganlab.sweeps.problems import add_problems

if TYPE_CHECKING:
    from ganlab.sweeps.hyperband import HyperbandPruner

_MOST_BANDS = 100
_NOT_HERE = ("apiVersion", "kind", "controller", "scheduler", "job", "image_uri", "metrics")
_KEY = r"letters, digits, '_', '-' and '.', beginning with a letter or '_'"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Metric(_Section):
    """What a sweep is to make small or large."""

    name: Annotated[str, MinLen(1)]
    goal: Literal["minimize", "maximize"] = "minimize"


class EarlyTerminate(_Section):
    """W&B's hyperband; an iteration is one logged value of the metric."""

    type: Literal["hyperband"]
    min_iter: Annotated[int, Ge(1)] | None = None
    max_iter: Annotated[int, Ge(1)] | None = None
    s: Annotated[int, Ge(1)] | None = None
    eta: Annotated[float, Gt(1)] = 3.0
    strict: bool = True

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_iter is None and self.min_iter is None:
            raise ValueError("needs min_iter, or max_iter together with s")
        if self.max_iter is not None and self.s is None:
            raise ValueError("has max_iter, and so needs s, the number of moments at which trials are stopped")
        if not self.bands:
            raise ValueError(f"has no moment at which it could stop a trial: max_iter {self.max_iter} is below eta")
        return self

    @property
    def bands(self) -> tuple[int, ...]:
        """The iterations at which trials are judged."""
        return bands_from(self.min_iter, self.max_iter, self.s, self.eta)

    def pruner(self) -> HyperbandPruner:
        """The rule."""
        from ganlab.sweeps.hyperband import HyperbandPruner  # lazy, as Optuna takes a moment to load

        return HyperbandPruner(self.bands, self.eta, strict=self.strict)


class SweepKeys(_Section):
    """The keys of the file; `project` and `entity` are for W&B's server."""

    method: Literal["grid", "random", "bayes"]
    parameters: Mapping[str, Any]
    metric: Metric | None = None
    program: str | None = None
    command: Annotated[list[str], MinLen(1)] | None = None
    early_terminate: EarlyTerminate | None = None
    run_cap: Annotated[int, Ge(1)] | None = None
    name: Annotated[str, MinLen(1)] | None = None
    description: str | None = None
    project: str | None = None
    entity: str | None = None


@dataclass(frozen=True)
class SweepFile:
    """A sweep as its file says it.

    `name` is the file's own where it gives none. `parameters` are all leaves by dotted keys, in the file's order,
    `seed` and `spec` included; `text` is the file and `content` its plain data, with `1e-4` as the number that it is.
    """

    path: Path
    name: str
    text: str
    content: Mapping[str, Any]
    keys: SweepKeys
    parameters: Mapping[str, Parameter]
    origins: Mapping[str, Origin]

    def values(self, searched: Mapping[str, Any], seed: int | None) -> dict[str, Any]:
        """All values of a trial in the file's order, for what the search has chosen."""
        known = {**self.constants, **searched} | ({} if seed is None else {"seed": seed})
        return {key: known[key] for key in self.parameters}

    @property
    def metric(self) -> Metric:
        """What is to be made small or large."""
        assert self.keys.metric is not None
        return self.keys.metric

    @property
    def seeds(self) -> tuple[int, ...]:
        """With which seeds each configuration is run; empty where the sweep does not repeat."""
        seed = self.parameters.get("seed")
        return tuple(seed.values) if isinstance(seed, Categorical) else ()

    @cached_property
    def searched(self) -> Mapping[str, Parameter]:
        """The parameters that the method chooses: neither constant nor repeated over."""
        repeated = {"seed"} if self.seeds else set()
        return {
            key: parameter
            for key, parameter in self.parameters.items()
            if not isinstance(parameter, Constant) and key not in repeated
        }

    @cached_property
    def constants(self) -> Mapping[str, Any]:
        """The values that are the same in every trial."""
        return {key: each.value for key, each in self.parameters.items() if isinstance(each, Constant)}

    @property
    def specs(self) -> tuple[str, ...]:
        """The varied spec, from the command or from the parameter `spec`; several where `spec` is varied itself."""
        parameter = self.parameters.get("spec")
        if isinstance(parameter, Constant):
            return (str(parameter.value),)
        if isinstance(parameter, Categorical):
            return tuple(map(str, parameter.values))
        return tuple(spec_arguments(self.keys.command or []))

    @property
    def bands(self) -> tuple[int, ...]:
        """The iterations at which trials may be stopped early."""
        return self.keys.early_terminate.bands if self.keys.early_terminate else ()


def bands_from(min_iter: int | None, max_iter: int | None, s: int | None, eta: float) -> tuple[int, ...]:
    """The bands: from `min_iter` upwards by factors of eta, or `s` of them from `max_iter` downwards."""
    if max_iter is not None:
        down = [max_iter / eta ** (index + 1) for index in range(s or 0)]
        return tuple(sorted({int(band) for band in down if band >= 1}))
    up = [(min_iter or 0) * eta**index for index in range(_MOST_BANDS)]
    return tuple(sorted({int(band) for band in up if 1 <= band < 2**31}))


def spec_arguments(command: Sequence[str]) -> list[str]:
    """The arguments of a command that are files of specs."""
    return [argument for argument in command if argument.endswith((".yaml", ".yml"))]


def is_sweep_file(path: str | Path) -> bool:
    """Whether a file looks like a sweep and not like a spec: it has `method` or `parameters` at the top."""
    try:
        if not Path(path).is_file() or Path(path).stat().st_size > MAX_BYTES:  # a pipe may never end
            return False
        content = read_yaml(Path(path).read_text(encoding="utf-8-sig"), str(path)).content
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and bool({"method", "parameters"} & set(content)) and "data" not in content


def read_sweep_file(path: str | Path, name: str | None = None) -> SweepFile:
    """Read and check a sweep's file; `name` is what it is called if it does not say so.

    Raises one `SpecError` with all that is wrong with it, each with its line.
    """
    path = Path(path)
    text = _read(path)
    tree = read_yaml(text, str(path))
    if not isinstance(tree.content, dict):
        raise SpecError(f"{path}: a sweep is a mapping of keys such as 'method', 'metric' and 'parameters'")
    problems = Problems()
    keys = _keys(tree, problems)
    leaves = dict(_leaves(tree.get("parameters"), ("parameters",), problems))
    problems.raise_if_any("the sweep")
    assert keys is not None
    parameters = {key: parameter for key, (parameter, _) in leaves.items()}
    origins = {key: origin for key, (_, origin) in leaves.items()}
    sweep = SweepFile(path, keys.name or name or path.stem, text, tree.plain(), keys, parameters, origins)
    _check_whole(sweep, tree, problems)
    problems.raise_if_any("the sweep")
    return sweep


def _read(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise SpecError(f"cannot read the sweep '{path}': it is no file, but a folder, a device or a pipe")
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(f"{path}: a sweep has at most {MAX_BYTES // 1000} kB; is this the right file?")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{path}: a sweep is text in UTF-8; this file is not") from None
    except OSError as error:
        raise SpecError(f"cannot read the sweep '{path}': {reason(error)}") from None


def _keys(tree: Value, problems: Problems) -> SweepKeys | None:
    content = dict(tree.plain())
    for key in _NOT_HERE:
        if key in content:
            del content[key]
            problems.add(tree.content[key].origin, (key,), "means nothing for 'ganlab sweep'; remove it")
    if "seeds" in content:
        del content["seeds"]
        sentence = "write repeats as the parameter 'seed: {values: [0, 1, 2]}', which W&B reads as well"
        problems.add(tree.content["seeds"].origin, ("seeds",), sentence)
    if "metric" not in content:
        problems.add(tree.origin, ("metric",), "is missing; write 'metric: {name: metrics/..., goal: minimize}'")
    try:
        return SweepKeys.model_validate(content)
    except ValidationError as error:
        add_problems(problems, error, tree, (), SweepKeys)
        return None


def _leaves(
    value: Value | None, path: KeyPath, problems: Problems, inside: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[Parameter, Origin]]]:
    """All parameters below a mapping of them, by their dotted keys."""
    if value is None or not isinstance(value.content, dict) or not value.content:
        if value is not None:
            problems.add(value.origin, path, "needs a mapping with at least one parameter")
        return
    for key, member in value.content.items():
        below, name = (*path, key), (*inside, str(key))
        if not all(part and part.replace("-", "_").isascii() for part in str(key).split(".")):
            problems.add(member.origin, below, f"a parameter's name has {_KEY}")
        elif isinstance(member.content, dict) and isinstance(member.content.get("parameters"), Value):
            yield from _nested(member, below, problems, name)
        else:
            parameter = _leaf(member, below, problems)
            if parameter is not None:
                yield ".".join(name), (parameter, member.origin)


def _nested(
    member: Value, path: KeyPath, problems: Problems, name: tuple[str, ...]
) -> Iterator[tuple[str, tuple[Parameter, Origin]]]:
    for key, extra in member.content.items():
        if key != "parameters":
            problems.add(extra.origin, (*path, key), "stands beside 'parameters', where nothing else may stand")
    yield from _leaves(member.content["parameters"], (*path, "parameters"), problems, name)


def _leaf(value: Value, path: KeyPath, problems: Problems) -> Parameter | None:
    content = value.plain()
    if not isinstance(content, dict):
        sentence = f"needs a mapping, such as {{value: {content!r}}} or {{values: [...]}} or {{min: ..., max: ...}}"
        problems.add(value.origin, path, sentence)
        return None
    distribution = content.get("distribution") or implied_distribution(content)
    if distribution is None:
        problems.add(value.origin, path, "needs 'value', 'values', 'min' and 'max', or a 'distribution'")
        return None
    if distribution not in SHAPES:
        sentence = f"unknown distribution '{distribution}'; there are: {', '.join(SHAPES)}"
        problems.add(value.origin, path, sentence + did_you_mean(distribution, SHAPES))
        return None
    shape = SHAPES[distribution]
    try:
        return cast(Parameter, shape.model_validate({**content, "distribution": distribution}))
    except ValidationError as error:
        add_problems(problems, error, value, path, shape)
        return None


def _check_whole(sweep: SweepFile, tree: Value, problems: Problems) -> None:
    """What concerns several keys."""
    _check_spec(sweep, tree, problems)
    _check_seed(sweep, problems)
    if sweep.keys.method == "grid":
        for key, parameter in sweep.searched.items():
            if parameter.distribution not in ("categorical", "int_uniform", "q_uniform"):
                sentence = (
                    f"a grid needs 'values' (or int_uniform, q_uniform), and has no end with {parameter.distribution}"
                )
                problems.add(sweep.origins[key], ("parameters", key), sentence)


def _check_spec(sweep: SweepFile, tree: Value, problems: Problems) -> None:
    command = sweep.keys.command
    parameter = sweep.parameters.get("spec")
    written = spec_arguments(command or [])
    place = tree.get("command") or tree
    if parameter is None and len(written) != 1:
        found = f"it names {len(written)}" if command else "there is no command"
        sentence = (
            "the spec to train is one file in 'command', as in [ganlab, train, SPEC, \"${args_no_hyphens}\"], or the "
            f"parameter 'spec: {{value: PATH}}'; {found}"
        )
        problems.add(place.origin, ("command",), sentence)
    elif parameter is not None and written:
        problems.add(place.origin, ("command",), "names a spec, and so does the parameter 'spec'; keep one of both")
    elif parameter is not None and not isinstance(parameter, Constant | Categorical):
        problems.add(sweep.origins["spec"], ("parameters", "spec"), "needs 'value' or 'values': paths of specs")
    if command and not any("${args" in argument for argument in command):
        sentence = "has no place for the parameters; add '${args_no_hyphens}'"
        problems.add(place.origin, ("command",), sentence)


def _check_seed(sweep: SweepFile, problems: Problems) -> None:
    seeds = sweep.seeds
    if any(isinstance(seed, bool) or not isinstance(seed, int) for seed in seeds) or len(set(seeds)) < len(seeds):
        sentence = f"needs different whole numbers, not {list(seeds)}"
        problems.add(sweep.origins["seed"], ("parameters", "seed"), sentence)

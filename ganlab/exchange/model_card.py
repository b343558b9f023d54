"""The card of a generator: Markdown with the front matter that the Hugging Face Hub reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import yaml

from ganlab.facts import DataFacts
from ganlab.run.folder import Run
from ganlab.run.generator_file import OpenedGenerator
from ganlab.spec.record import versions_of
from ganlab.spec.render import plain
from ganlab.studies.numbers import Series, headline_of, is_headline, series_of, shown
from ganlab.studies.record import RunRecord

_TASK = "unconditional-image-generation"


def card_of(opened: OpenedGenerator, licence: str | None = None, picture: str | None = None) -> str:
    """What the generator is, what it was trained on and how, what was measured how, and how to sample it."""
    numbers = _newest(opened.run)
    parts = [
        f"---\n{_yaml(_front_matter(opened, numbers, licence))}---",
        f"# {opened.name}",
        _introduction(opened),
        f"![Samples]({picture})" if picture else "",
        _sampling(opened),
        _data(opened.module.facts),
        _metrics(numbers),
        _training(opened),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def recipe_of(run: Run) -> str:
    """The resolved spec of a run, in which paths of its machine are names alone."""
    return _yaml(_without_folders(plain(run.spec)))


def _front_matter(opened: OpenedGenerator, numbers: Sequence[Series], licence: str | None) -> dict[str, Any]:
    """Metadata of the Hub; the results are those of the newest evaluations."""
    matter: dict[str, Any] = {"library_name": "ganlab", "tags": ["gan", opened.architecture.name]}
    if licence is not None:
        matter["license"] = licence
    if opened.module.facts.is_images and not opened.module.facts.inputs:
        matter["pipeline_tag"] = _TASK
    results = [_result(series, opened) for series in numbers]
    if results:
        matter["model-index"] = [{"name": opened.name, "results": results}]
    return matter


def _result(series: Series, opened: OpenedGenerator) -> dict[str, Any]:
    assert series.last is not None
    assert opened.run is not None
    data = opened.run.spec.data.name
    return {
        "task": {"type": _TASK},
        "dataset": {"type": data, "name": data},
        "metrics": [{"type": series.name, "name": series.name, "value": series.last.value}],
    }


def _introduction(opened: OpenedGenerator) -> str:
    images = opened.module.clock.images_seen
    seen = f", trained on {images / 1000:,.0f} thousand images" if images else ""
    return (
        f"The generator of a generative adversarial network ({opened.architecture.name}){seen}, written by "
        "[ganlab](https://pypi.org/project/ganlab/)."
    )


def _sampling(opened: OpenedGenerator) -> str:
    return (
        "## Sampling\n\n```python\nimport ganlab\n\n"
        'generator = ganlab.load("generator.safetensors")\n'
        "images = generator.sample(16, seed=0)  # (16, "
        f"{', '.join(map(str, opened.module.facts.shape))}) in [-1, 1]\n```"
    )


def _data(facts: DataFacts) -> str:
    lines = [f"- Examples of the shape {tuple(facts.shape)}, {facts.size:,} of them, fingerprint `{facts.fingerprint}`"]
    if facts.classes:
        names = ", ".join(facts.class_names[:20]) + (", ..." if facts.classes > 20 else "")
        lines.append(f"- {facts.classes} classes: {names}")
    lines += [f"- Input `{name}`: {of.kind} of the shape {tuple(of.shape)}" for name, of in facts.inputs.items()]
    return "## Data\n\n" + "\n".join(lines)


def _metrics(numbers: Sequence[Series]) -> str:
    if not numbers:
        return ""
    rows = ["| metric | value | kimg | better | protocol |", "|---|---|---|---|---|"]
    better = {True: "higher", False: "lower", None: ""}
    for series in numbers:
        assert series.last is not None
        protocol = series.identity.replace("|", "\\|")
        rows.append(
            f"| {series.name} | {shown(series.last.value)} | {series.last.images_seen / 1000:g} | "
            f"{better[series.higher_is_better]} | `{protocol}` |"
        )
    return "## Metrics\n\n" + "\n".join(rows)


def _training(opened: OpenedGenerator) -> str:
    versions = sorted(set(versions_of(opened.architecture).values()))
    made = f"Made with {', '.join(versions)}."
    if opened.run is None:
        return f"## Training\n\n{made}"
    return f"## Training\n\n{made} `ganlab train recipe.yaml` repeats it with data of one's own in `data`."


def _newest(run: Run | None) -> list[Series]:
    """The number that stands for each metric and protocol, where its newest value is finite."""
    if run is None:
        return []
    measured = [each for each in series_of(RunRecord(run.path)) if is_headline(each.name) and each.last is not None]
    finite = [each for each in measured if each.last is not None and math.isfinite(each.last.value)]
    by_metric: dict[tuple[str, str], list[Series]] = {}
    for series in finite:
        by_metric.setdefault((series.metric, series.identity), []).append(series)
    return [found for several in by_metric.values() if (found := headline_of(several)) is not None]


def _without_folders(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_folders(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(part) for part in value]
    return PurePath(value).name if isinstance(value, str) and PurePath(value).is_absolute() else value


def _yaml(content: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    return text

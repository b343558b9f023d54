"""`ganlab evaluate`: metrics of a run's averaged generator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ganlab.spec.model import EvaluationSection, Node

if TYPE_CHECKING:
    from ganlab.evaluation.evaluator import MetricResult


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("evaluate")(evaluate)


def evaluate(
    run: Annotated[str, typer.Argument(help="A run's folder, or the name of an experiment: its newest run.")],
    metrics: Annotated[
        str | None, typer.Option(help="Names, as in swd,classifier; without it those of the spec.")
    ] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="How many samples; without it as in the spec.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print records with their protocol.")] = False,
    neighbours: Annotated[
        int | None,
        typer.Option(min=1, help="Write a picture of so many samples above their nearest training images instead."),
    ] = None,
) -> None:
    """Measure a run's averaged generator against its data."""
    if neighbours is not None:
        print(_neighbours(run, neighbours, as_json))
        if metrics is None:
            return
    from ganlab.build import build_dataset, build_metrics
    from ganlab.evaluation.device import choose_device
    from ganlab.evaluation.evaluator import Evaluator
    from ganlab.runs import open_run

    opened = open_run(run)
    section = opened.spec.evaluation or EvaluationSection()
    nodes = choose_metrics(metrics, section.metrics)
    dataset = build_dataset(opened.spec.data)
    evaluator = Evaluator(
        build_metrics(nodes, dataset.facts),
        dataset,
        samples=samples or section.samples,
        seed=section.seed,
        batch_size=section.batch_size,
        flip=opened.spec.data.flip,
    )
    results = evaluator.evaluate(opened.load_module(choose_device()))
    print(_as_json(results) if as_json else _as_text(results))
    if any(result.error for result in results):
        raise typer.Exit(2)


def _neighbours(run: str, count: int, as_json: bool) -> str:
    """Write `neighbours.png` into the run's folder and say how near the fakes are."""
    from ganlab.build import build_dataset
    from ganlab.evaluation.device import choose_device
    from ganlab.evaluation.neighbours import find_neighbours
    from ganlab.runs import open_run

    opened = open_run(run)
    seed = (opened.spec.evaluation or EvaluationSection()).seed
    module = opened.load_module(choose_device())
    found = find_neighbours(module, build_dataset(opened.spec.data), count, seed, opened.spec.data.flip)
    path = opened.path / "neighbours.png"
    found.save(path)
    if as_json:
        return json.dumps({**found.as_values(), "picture": str(path)}, indent=2)
    lines = [f"{name:32s} {value:.6g}" for name, value in found.as_values().items()]
    return "\n".join(
        [*lines, "memorisation: 0.5 is as near as training images are to each other, 1 is copying", str(path)]
    )


def choose_metrics(names: str | None, of_spec: Sequence[Node]) -> list[Node]:
    """The spec's nodes, or those named: with the spec's options where it has them, else with their own defaults."""
    from ganlab.errors import UserError
    from ganlab.plugins import find

    if names is None:
        if not of_spec:
            raise UserError("the run's spec has no metrics; name some, as in --metrics swd")
        return list(of_spec)
    known = {node.name: node for node in of_spec}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    found = [find("metrics", name) for name in wanted if name not in known]
    return [known[name] for name in wanted if name in known] + [
        Node("metrics", plugin.name, distribution=plugin.distribution) for plugin in found
    ]


def _as_json(results: Sequence[MetricResult]) -> str:
    records = [
        {**result.values, **({"error": result.error} if result.error else {}), "protocol": dict(result.protocol)}
        for result in results
    ]
    return json.dumps(records, indent=2)


def _as_text(results: Sequence[MetricResult]) -> str:
    lines = []
    for result in results:
        lines += [f"{name:32s} {value:.6g}" for name, value in result.values.items()]
        if result.error:
            lines.append(f"{result.metric:32s} failed: {result.error}")
    protocol = results[0].protocol
    return "\n".join(
        [*lines, f"{protocol['samples']} samples against {protocol['reals']} reals, seed {protocol['seed']}"]
    )

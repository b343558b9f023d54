"""`ganlab evaluate`: metrics of a run's averaged generator."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganlab.spec.model import EvaluationSection, Node

if TYPE_CHECKING:
    from ganlab.evaluation.evaluator import MetricResult
    from ganlab.run.folder import Run
    from ganlab.training.module import GANModule


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("evaluate")(evaluate)


def evaluate(
    run: Annotated[str, typer.Argument(help="A run's folder, or the name of an experiment: its newest run.")],
    metrics: Annotated[
        str | None, typer.Option(help="Names, as in swd,classifier; without it those of the spec.")
    ] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="How many samples; without it as in the spec.")] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="A checkpoint's file, its kimg, or best; without it the newest.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print records with their protocol.")] = False,
    neighbours: Annotated[
        int | None,
        typer.Option(
            min=1, help="Write a picture of so many samples above their nearest training images; metrics only if named."
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(help="Search neighbours by features of a torchvision classifier whose weights are here."),
    ] = None,
    truncation_curve: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH[:POINTS]",
            help="Only draw fidelity against distance from the data as latents are truncated, as in 0.04:1.0.",
        ),
    ] = None,
) -> None:
    """Measure a run's averaged generator against its data; the numbers are kept in its `evaluations.jsonl`."""
    if features is not None and neighbours is None:
        raise typer.BadParameter("it says how '--neighbours N' searches, which is not there", param_hint="--features")
    from ganlab.cli.truncation_curve import write_curve
    from ganlab.evaluation.sampling import choose_device
    from ganlab.run.folder import open_run

    opened = open_run(run)
    module = opened.load_module(choose_device(), checkpoint)
    if truncation_curve is not None:
        print(json.dumps(write_curve(opened, module, truncation_curve, samples), indent=2))
        return
    search = None if neighbours is None else _neighbours(opened, module, neighbours, features)
    results = [] if search is not None and metrics is None else _measure(opened, module, metrics, samples)
    _keep(opened, module, results, checkpoint)
    print(_as_json(results, search) if as_json else _as_text(results, search))
    if any(result.error for result in results):
        raise typer.Exit(2)


def _measure(run: Run, module: GANModule, metrics: str | None, samples: int | None) -> list[MetricResult]:
    from ganlab.build import build_metrics, open_dataset
    from ganlab.evaluation.evaluator import Evaluator
    from ganlab.spec.sampling import check_sampling

    section = run.spec.evaluation or EvaluationSection()
    nodes = choose_metrics(metrics, section.metrics)
    with run.where_it_started():
        dataset = open_dataset(run.spec.data)
        evaluator = Evaluator(
            build_metrics(nodes, dataset.facts),
            dataset,
            nodes,
            samples=samples or section.samples,
            seed=section.seed,
            batch_size=section.batch_size,
            flip=run.spec.data.flip,
            reals=section.reals,
            sampling=check_sampling(type(module), section.sampling),
        )
        return evaluator.evaluate(module)


def _keep(run: Run, module: GANModule, results: Sequence[MetricResult], checkpoint: str | None) -> None:
    """Write the results into the run's folder; where that cannot be written, they are shown all the same."""
    from datetime import UTC, datetime

    from ganlab.errors import reason
    from ganlab.tracking.jsonl import append_records, metric_record

    more = {"checkpoint": checkpoint, "evaluated": datetime.now(UTC).isoformat(timespec="seconds")}
    images_seen = module.clock.images_seen
    records = [metric_record(images_seen, r.values, r.protocol, r.error) | more for r in results]
    if not records:
        return
    try:
        append_records(run.evaluations, records)
    except OSError as error:
        print(f"ganlab: warning: {run.evaluations} cannot be written: {reason(error)}", file=sys.stderr)


def _neighbours(run: Run, module: GANModule, count: int, features: str | None) -> dict[str, Any]:
    """Write `neighbours.png` into the run's folder; how near the fakes are, and the picture's path."""
    from ganlab.build import open_dataset
    from ganlab.evaluation.features import FeatureExtractor
    from ganlab.evaluation.neighbours import find_neighbours, pixel_vectors
    from ganlab.spec.sampling import check_sampling

    section = run.spec.evaluation or EvaluationSection()
    vectors = pixel_vectors if features is None else FeatureExtractor(features, module.device)
    options = check_sampling(type(module), section.sampling)
    with run.where_it_started():
        dataset = open_dataset(run.spec.data)
        found = find_neighbours(module, dataset, count, section.seed, run.spec.data.flip, vectors, options)
    path = run.path / "neighbours.png"
    found.save(path)
    return {**found.as_values(), "distance": features or "pixels", "picture": str(path)}


def choose_metrics(names: str | None, of_spec: Sequence[Node]) -> list[Node]:
    """The spec's nodes, or those named: with the spec's options where it has them, else with their own defaults."""
    from ganlab.errors import UserError
    from ganlab.plugins import find
    from ganlab.spec.model import MetricNode, own_names

    if names is None:
        if not of_spec:
            raise UserError("the run's spec has no metrics; name some, as in --metrics swd")
        return list(of_spec)
    known = dict(zip(own_names(of_spec), of_spec, strict=True))
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    found = [find("metrics", name) for name in wanted if name not in known]
    return [known[name] for name in wanted if name in known] + [
        MetricNode("metrics", plugin.name, distribution=plugin.distribution) for plugin in found
    ]


def _as_json(results: Sequence[MetricResult], found: Mapping[str, Any] | None) -> str:
    """One record for each metric; that of neighbours alone, or before them."""
    records = [
        {**result.values, **({"error": result.error} if result.error else {}), "protocol": dict(result.protocol)}
        for result in results
    ]
    if found is None:
        return json.dumps(records, indent=2)
    return json.dumps([found, *records] if records else found, indent=2)


def _as_text(results: Sequence[MetricResult], found: Mapping[str, Any] | None) -> str:
    lines = []
    if found:
        lines += [_line(name, value) for name, value in found.items() if isinstance(value, float)]
        lines.append("memorisation: 0.5 is as near as training images are to each other, 1 is copying")
        lines.append(found["picture"])
    for result in results:
        lines += [_line(name, value) for name, value in result.values.items()]
        if result.error:
            lines.append(f"{result.metric:32s} failed: {result.error}")
    if results:
        protocol = results[0].protocol
        lines.append(f"{protocol['samples']} samples against {protocol['reals']} reals, seed {protocol['seed']}")
    return "\n".join(lines)


def _line(name: str, value: float) -> str:
    return f"{name:32s} {value:.6g}"

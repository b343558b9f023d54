"""`ganlab evaluate`: metrics of a run's averaged generator."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganlab.cli.latent_tools import Checkpoint
from ganlab.cli.measurement import Wanted, measure_generator, measure_pictures
from ganlab.spec.model import EvaluationSection

if TYPE_CHECKING:
    from ganlab.evaluation.evaluator import MetricResult
    from ganlab.run.folder import Run
    from ganlab.training.module import GANModule


_RunName = Annotated[
    str | None,
    typer.Argument(
        help="A run's folder, an experiment's name (its newest run), a generator.safetensors, or its folder."
    ),
]
_Options = Annotated[
    list[str] | None,
    typer.Argument(help="Sampling options of the architecture over those of the spec, such as to=horses."),
]
_Metrics = Annotated[
    str | None,
    typer.Option(help="Names, as in swd,kid, or nodes, as in '[{name: kid, subsets: 50}]'; else those of the spec."),
]
_Samples = Annotated[
    int | None, typer.Option(min=1, max=10_000_000, help="How many samples; without it as in the spec.")
]
_Pictures = Annotated[
    str | None,
    typer.Option(metavar="DIR|ZIP|NPZ|NODE", help="Measure these pictures, whoever made them, instead of a run."),
]
_ReferenceName = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|ZIP|NPZ|NODE",
        help="Compare with these pictures, or with published statistics (.npz, .pkl), instead of the run's data.",
    ),
]
_ExtractorName = Annotated[
    str | None, typer.Option(help="Features of all metrics that have some, as in efficientnet_lite0.")
]
_Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the samples; without it as in the spec.")]
_SaveReference = Annotated[
    Path | None, typer.Option(metavar="NPZ", help="Write mean and covariance of the reals' features, too.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print records with their protocol.")]
_NeighbourCount = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1000,
        help="Write a picture of so many samples above their nearest training images; metrics only if named.",
    ),
]
_FeatureName = Annotated[
    str | None,
    typer.Option(help="Search neighbours by features of a torchvision classifier whose weights are here."),
]
_CurveRange = Annotated[
    str | None,
    typer.Option(
        metavar="LOW:HIGH[:POINTS]",
        help="Only draw fidelity against distance from the data as latents are truncated, as in 0.04:1.0.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("evaluate")(evaluate)


def evaluate(
    run: _RunName = None,
    options: _Options = None,
    metrics: _Metrics = None,
    samples: _Samples = None,
    checkpoint: Checkpoint = None,
    images: _Pictures = None,
    reference: _ReferenceName = None,
    extractor: _ExtractorName = None,
    seed: _Seed = None,
    save_reference: _SaveReference = None,
    as_json: _AsJson = False,
    neighbours: _NeighbourCount = None,
    features: _FeatureName = None,
    truncation_curve: _CurveRange = None,
) -> None:
    """Measure a run's averaged generator against its data, or pictures against others.

    Samples of a further domain, such as those of `to=horses`, are measured against that domain. The numbers of a run
    are kept in its `evaluations.jsonl`.
    """
    if features is not None and neighbours is None:
        raise typer.BadParameter("it says how '--neighbours N' searches, which is not there", param_hint="--features")
    if (run is None) == (images is None):
        raise typer.BadParameter("give a run, or pictures with --images", param_hint="RUN")
    if options and truncation_curve is not None:
        raise typer.BadParameter("the curve is drawn with the options of the spec", param_hint="OPTIONS")
    if truncation_curve is not None:
        _draw_curve(run, checkpoint, truncation_curve, samples)
        return
    kept = None if save_reference is None else save_reference.absolute()
    wanted = Wanted(metrics, samples, seed, extractor, reference, kept, tuple(options or ()))
    if images is not None:
        results, search = measure_pictures(images, wanted), None
    else:
        results, search = _measure_run(str(run), checkpoint, wanted, neighbours, features)
    print(_as_json(results, search) if as_json else _as_text(results, search))
    if any(result.error for result in results):
        raise typer.Exit(2)


def _draw_curve(run: str | None, checkpoint: str | None, curve: str, samples: int | None) -> None:
    from ganlab.cli.truncation_curve import write_curve
    from ganlab.evaluation.sampling import choose_device
    from ganlab.run.generator_file import open_generator

    if run is None:
        raise typer.BadParameter("it draws the curve of a run", param_hint="--truncation-curve")
    opened = open_generator(run, choose_device(), checkpoint)
    of_run = opened.run_for("'--truncation-curve'")
    print(json.dumps(write_curve(of_run, opened.module, curve, samples), indent=2))


def _measure_run(
    run: str, checkpoint: str | None, wanted: Wanted, neighbours: int | None, features: str | None
) -> tuple[list[MetricResult], dict[str, Any] | None]:
    from ganlab.evaluation.sampling import choose_device
    from ganlab.run.generator_file import open_generator
    from ganlab.run.measuring import open_reference

    reference = None if wanted.reference is None else open_reference(wanted.reference)
    opened = open_generator(run, choose_device(), checkpoint)
    search = None
    if neighbours is not None:
        search = _neighbours(opened.run_for("'--neighbours'"), opened.module, neighbours, features, wanted)
    results = [] if search is not None and wanted.metrics is None else measure_generator(opened, wanted, reference)
    if opened.run is not None:
        _keep(opened.run, opened.module, results, checkpoint)
    return results, search


def _keep(run: Run, module: GANModule, results: Sequence[MetricResult], checkpoint: str | None) -> None:
    """Write the results into the run's folder; where that cannot be written, they are shown all the same."""
    from datetime import UTC, datetime

    from ganlab.errors import reason
    from ganlab.tracking.jsonl import append_records, metric_record

    more = {"checkpoint": checkpoint, "evaluated": datetime.now(UTC).isoformat(timespec="seconds")}
    images_seen = module.clock.images_seen
    records = [metric_record(images_seen, r.values, r.protocol, r.error, r.notes) | more for r in results]
    if not records:
        return
    try:
        append_records(run.evaluations, records)
    except OSError as error:
        print(f"ganlab: warning: {run.evaluations} cannot be written: {reason(error)}", file=sys.stderr)


def _neighbours(run: Run, module: GANModule, count: int, features: str | None, wanted: Wanted) -> dict[str, Any]:
    """Write `neighbours.png` into the run's folder; how near the fakes are, and the picture's path."""
    from ganlab.build import open_dataset
    from ganlab.evaluation.features import FeatureExtractor
    from ganlab.evaluation.neighbours import find_neighbours, pixel_vectors

    section = run.spec.evaluation or EvaluationSection()
    vectors = pixel_vectors if features is None else FeatureExtractor(features, module.device)
    options = wanted.sampling(module, section.sampling)
    if domain := module.domain_of(options):
        raise typer.BadParameter(
            f"neighbours are searched among the data, and these samples are of the further domain '{domain}'",
            param_hint="OPTIONS",
        )
    with run.where_it_started():
        dataset = open_dataset(run.spec.data)
        found = find_neighbours(module, dataset, count, section.seed, run.spec.data.flip, vectors, options)
    path = run.path / "neighbours.png"
    found.save(path)
    return {**found.as_values(), "distance": features or "pixels", "picture": str(path)}


def _as_json(results: Sequence[MetricResult], found: Mapping[str, Any] | None) -> str:
    """One record for each metric; that of neighbours alone, or before them."""
    records = [
        {
            **result.values,
            **({"error": result.error} if result.error else {}),
            **({"notes": list(result.notes)} if result.notes else {}),
            "protocol": dict(result.protocol),
        }
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
        lines += [f"note on {result.metric}: {note}" for note in result.notes]
    if results:
        protocol = results[0].protocol
        reals = "published statistics" if protocol["reals"] is None else f"{protocol['reals']} reals"
        lines.append(f"{protocol['samples']} samples against {reals}, seed {protocol['seed']}")
    return "\n".join(lines)


def _line(name: str, value: float) -> str:
    return f"{name:32s} {value:.6g}"

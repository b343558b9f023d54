"""What `ganlab evaluate --truncation-curve` does: a curve of a run, as a picture and as numbers."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganlab.evaluation.evaluator import Evaluator
    from ganlab.evaluation.truncation_curve import Curve, Pair
    from ganlab.run.folder import Run
    from ganlab.training.module import GANModule


def write_curve(run: Run, module: GANModule, text: str, samples: int | None) -> dict[str, Any]:
    """Write `truncation.png` and `truncation.json` into the run's folder; the numbers, and the picture's path.

    The Inception score against FID, or where their weights are missing what a classifier of the data says.
    """
    from ganlab.errors import UserError
    from ganlab.evaluation.truncation_curve import PAIRS, read_thresholds, truncating_option

    thresholds = read_thresholds(text)
    truncating_option(module)
    reasons: list[str] = []
    for pair in PAIRS:
        try:
            curve = _measured(run, module, pair, thresholds, samples)
        except UserError as error:
            reasons.append(f"{' and '.join(pair.metrics)}: {error}")
            continue
        if reasons:
            print(f"ganlab: measured by {' and '.join(pair.metrics)}, as {'; '.join(reasons)}", file=sys.stderr)
        return _written(run, curve)
    raise UserError(f"no curve can be measured: {'; '.join(reasons)}")


def _measured(run: Run, module: GANModule, pair: Pair, thresholds: list[float], samples: int | None) -> Curve:
    from ganlab.evaluation.truncation_curve import measure_curve

    with run.where_it_started():
        return measure_curve(module, _evaluator(run, module, pair, samples), pair, thresholds)


def _evaluator(run: Run, module: GANModule, pair: Pair, samples: int | None) -> Evaluator:
    from ganlab.build import build_metrics, open_dataset
    from ganlab.evaluation.evaluator import Evaluator
    from ganlab.plugins import find
    from ganlab.spec.model import EvaluationSection, MetricNode
    from ganlab.spec.sampling import check_sampling

    section = run.spec.evaluation or EvaluationSection()
    found = [find("metrics", name) for name in pair.metrics]
    nodes = [MetricNode("metrics", plugin.name, distribution=plugin.distribution) for plugin in found]
    dataset = open_dataset(run.spec.data)
    sampling = check_sampling(type(module), section.sampling)
    return Evaluator(
        build_metrics(nodes, module.facts_of_samples(sampling)),
        dataset,
        nodes,
        samples=samples or section.samples,
        seed=section.seed,
        batch_size=section.batch_size,
        flip=run.spec.data.flip,
        reals=section.reals,
        sampling=sampling,
        domain=module.domain_of(sampling),
    )


def _written(run: Run, curve: Curve) -> dict[str, Any]:
    picture, numbers = run.path / "truncation.png", run.path / "truncation.json"
    curve.save(picture)
    numbers.write_text(json.dumps(curve.as_values(), indent=2) + "\n", "utf-8")
    return {**curve.as_values(), "picture": str(picture)}

"""What `ganlab evaluate` measures: samples of a generator, or pictures, against data or a reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ganlab.spec.model import EvaluationSection, Node

if TYPE_CHECKING:
    from ganlab.contracts import Dataset
    from ganlab.evaluation.evaluator import Evaluator, MetricResult
    from ganlab.evaluation.feature_metrics import Report
    from ganlab.facts import DataFacts
    from ganlab.run.generator_file import OpenedGenerator
    from ganlab.run.measuring import Reference
    from ganlab.training.module import GANModule


@dataclass(frozen=True)
class Wanted:
    """What the options of the command say of the measurement; `save_reference` is absolute."""

    metrics: str | None
    samples: int | None
    seed: int | None
    extractor: str | None
    reference: str | None
    save_reference: Path | None
    options: tuple[str, ...] = ()

    def sampling(self, module: GANModule, of_spec: Mapping[str, Any]) -> dict[str, Any]:
        """Sampling options: those of the spec, and over them those of the command. Raises `UserError`."""
        from ganlab.spec.sampling import check_sampling, read_assignments

        return check_sampling(type(module), {**of_spec, **read_assignments(self.options)})


def measure_generator(opened: OpenedGenerator, wanted: Wanted, reference: Reference | None) -> list[MetricResult]:
    """The results for samples: of a run as its spec says, of a file outside of its run against a reference."""
    from ganlab.build import networks_trained_with
    from ganlab.run.measuring import choose_metrics

    if opened.run is None and reference is None:
        raise typer.BadParameter(
            "a generator's file outside of its run's folder has no data; say what it is compared with",
            param_hint="--reference",
        )
    spec, module = (None if opened.run is None else opened.run.spec), opened.module
    section = EvaluationSection() if spec is None or spec.evaluation is None else spec.evaluation
    nodes = choose_metrics(wanted.metrics, section.metrics, wanted.extractor)
    sampling = wanted.sampling(module, section.sampling)
    with nullcontext() if opened.run is None else opened.run.where_it_started():
        examples, facts = _examples(opened, reference, sampling)
        return _results(
            wanted,
            nodes,
            examples,
            facts,
            lambda evaluator: evaluator.evaluate(module),
            samples=wanted.samples or section.samples,
            seed=section.seed if wanted.seed is None else wanted.seed,
            batch_size=section.batch_size,
            flip=spec is not None and spec.data.flip,
            reals=section.reals,
            sampling=sampling,
            domain=module.domain_of(sampling),
            precision=section.precision,
            reference=reference,
            trained_with=networks_trained_with(opened.architecture),
        )


def measure_pictures(images: str, wanted: Wanted) -> list[MetricResult]:
    """The results for pictures, whoever made them, against a reference."""
    from ganlab.evaluation.sampling import choose_device
    from ganlab.run.measuring import choose_metrics, examples_in_place_of, open_pictures, open_reference

    if wanted.reference is None:
        raise typer.BadParameter("say what the pictures are compared with", param_hint="--reference")
    nodes = choose_metrics(wanted.metrics, (), wanted.extractor)
    pictures, reference = open_pictures(images, "--images"), open_reference(wanted.reference)
    others = examples_in_place_of(pictures.facts, reference)
    return _results(
        wanted,
        nodes,
        others,
        others.facts,
        lambda evaluator: evaluator.evaluate_files(pictures, choose_device()),
        samples=min(wanted.samples or len(pictures), len(pictures)),
        seed=wanted.seed or 0,
        reference=reference,
    )


def _examples(
    opened: OpenedGenerator, reference: Reference | None, sampling: Mapping[str, Any]
) -> tuple[Dataset, DataFacts]:
    """The data of the run, or what stands in their place, and the facts of what metrics are shown."""
    from ganlab.build import open_dataset
    from ganlab.run.measuring import examples_in_place_of

    module = opened.module
    if opened.run is not None:
        return open_dataset(opened.run.spec.data), module.facts_of_samples(sampling)
    if domain := module.domain_of(sampling):
        raise typer.BadParameter(
            f"samples of the further domain '{domain}' are made from the run's data: give the run's folder",
            param_hint="OPTIONS",
        )
    assert reference is not None
    examples = examples_in_place_of(module.facts, reference, module.made_from(sampling))
    return examples, examples.facts


def _results(
    wanted: Wanted,
    nodes: Sequence[Node],
    examples: Dataset,
    facts: DataFacts,
    measure: Callable[[Evaluator], list[MetricResult]],
    **settings: Any,
) -> list[MetricResult]:
    """What an evaluator with these settings finds; the features of the reals are saved where that is wanted."""
    from ganlab.build import build_metrics
    from ganlab.evaluation.evaluator import Evaluator

    with _bar() as report:
        evaluator = Evaluator(build_metrics(nodes, facts), examples, nodes, report=report, **settings)
        results = measure(evaluator)
    _save(wanted.save_reference, evaluator)
    return results


def _save(path: Path | None, evaluator: Evaluator) -> None:
    from ganlab.errors import UserError
    from ganlab.evaluation.reference_files import write_statistics

    if path is None:
        return
    kept = evaluator.of_features.kept_reals()
    if len(kept) != 1:
        raise UserError(f"--save-reference writes the features of one extractor, and the metrics have {len(kept)}")
    write_statistics(path, kept[0])


@contextmanager
def _bar() -> Iterator[Report]:
    """A progress bar on stderr, and what moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    # Where no terminal shows it, rich would leave an empty line of it.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading", total=None)

        def report(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total or None)

        yield report

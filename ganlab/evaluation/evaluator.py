"""Metrics of a module's averaged weights, each number with the protocol that it was measured by."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.opening import domain_within
from ganlab.distributed import broadcast_value, rank
from ganlab.errors import UserError
from ganlab.evaluation.budget import Budget
from ganlab.evaluation.fakes import Fakery, Make, Precision, fakes_of_files, fakes_of_module
from ganlab.evaluation.feature_metrics import FeatureMetrics, RealSets, Report
from ganlab.evaluation.needs import check_needs, needs_of, sees_images, takes
from ganlab.evaluation.reals import Reals, count_reals, read_inputs, read_reals, real_order, reals_of
from ganlab.evaluation.reference_files import PublishedStatistics
from ganlab.evaluation.sampling import at_rest
from ganlab.evaluation.source import Source, examples_to_sample_for, source_of
from ganlab.randomness import Randomness
from ganlab.spec.constructor import plugin_of
from ganlab.spec.model import Node, own_names
from ganlab.training.module import GANModule


@dataclass(frozen=True)
class MetricResult:
    """What one metric said: named values, how they were measured, and why there are none if it failed.

    `notes` are sentences on how far the values can be trusted.
    """

    metric: str
    values: Mapping[str, float] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What is measured: how its images are made, where, what they are, and the module that makes them, if one does."""

    make: Make
    device: torch.device
    identity: Mapping[str, Any]
    frames: int = 1
    source: Source | None = None
    module: GANModule | None = None


AnyMetric = Any
"""A `Metric`, `GeneratorMetric` or `FeatureMetric`, or several of them in one."""


def _say_nothing(what: str, done: int, total: int) -> None:
    del what, done, total


def merge_values(results: Iterable[MetricResult]) -> dict[str, float]:
    """The values of all metrics in one mapping, by names such as `swd/average`."""
    return {name: value for result in results for name, value in result.values.items()}


class Evaluator:
    """Shows each metric what it needs: the reals once and then, for each evaluation, the same latents' fakes.

    `samples` fakes stand against the first `samples` reals of a seeded order, or all there are; where training
    mirrors images (`flip`), mirrored reals are among them; with `reals="held_out"` those that
    training never sees. Sequences are measured frame by frame. Conditional fakes have labels drawn uniformly; where the
    data have inputs, fake i is made for held-out example i, over and over, and has its label. Every rank makes its
    share of the fakes and extracts the features of it, and of its share of the reals; rank 0 alone holds the metrics'
    state, so that any number of processes gives the same numbers.
    A metric that raises is reported as failed, the others and the training go on. A metric may have `protocol`, a
    mapping of what else its numbers depend on, and `higher_is_better` (see `Metric`). `nodes`, those of the spec in the
    order of the metrics, say of which plugin and version each metric is. Raises `UserError` for a metric that the data
    cannot give what it needs.

    Args:
        metrics: by their names in the log.
        dataset: the data of the training.
        nodes: of the metrics, in their order.
        samples: how many fakes.
        seed: of the fakes and of the order of the reals.
        batch_size: images made, or looked at, at a time.
        flip: whether training mirrors.
        reals: which examples are compared with.
        sampling: options of the architecture.
        domain: the further domain to which samples with these options belong, which they are compared with.
        precision: what the fakes are computed in.
        budget_minutes: what would take longer is left out; None for no limit.
        reference: other examples to compare with, or published means and covariances of features.
        trained_with: networks that the training used itself, by the names that extractors have for them.
        report: is told how far the work is.
    """

    def __init__(
        self,
        metrics: Mapping[str, AnyMetric],
        dataset: Dataset,
        nodes: Sequence[Node] = (),
        *,
        samples: int,
        seed: int = 0,
        batch_size: int = 64,
        flip: bool = False,
        reals: Reals = "train",
        sampling: Mapping[str, Any] | None = None,
        domain: str | None = None,
        precision: Precision = "float32",
        budget_minutes: float | None = None,
        reference: Dataset | PublishedStatistics | None = None,
        trained_with: Collection[str] = (),
        report: Report = _say_nothing,
    ) -> None:
        own = domain_within(dataset, domain)
        for name, metric in metrics.items():
            check_needs(name, metric, own.facts)
        self.metrics = metrics
        self.dataset = dataset
        self.published = reference if isinstance(reference, PublishedStatistics) else None
        others = None if isinstance(reference, PublishedStatistics) else reference
        self.split = "reference" if reference is not None else reals
        self.domain = domain
        self.reals = others or reals_of(own, reals)
        self.samples = samples
        self.seed = seed
        self.batch_size = batch_size
        self.flip = flip and self.split == "train"
        self.precision: Precision = precision
        self.trained_with = frozenset(trained_with)
        self.report = report
        self.sampling = dict(sampling or {})
        self.budget = Budget(budget_minutes)
        statistics = self.published.features if self.published else None
        sets = RealSets(self.reals, own if len(own) else None, samples, seed, self.flip, batch_size, statistics)
        self.of_features = FeatureMetrics(metrics, sets)
        self._origins = {name: _origin(node) for name, node in zip(own_names(nodes), nodes, strict=True)}
        self._broken: dict[str, str] = {}  # metrics that failed on the reals stay out
        self._reals_shown = False

    def evaluate(self, module: GANModule) -> list[MetricResult]:
        """The results of all metrics for a module's samples, the same on every rank. A collective."""
        assert module.domain_of(self.sampling) == self.domain, "fakes are compared with reals of their own domain"
        source = source_of(self.dataset, module.device, module.made_from(self.sampling))
        make = fakes_of_module(module, self.seed, source, self.sampling, self.precision)
        frames = max(1, module.facts.frames)
        return self._evaluate(Subject(make, module.device, self._identity(module), frames, source, module))

    def evaluate_files(self, images: Dataset, device: torch.device) -> list[MetricResult]:
        """The results for the examples of a data set, the first `samples` of them, whoever made them."""
        identity = {"images": images.facts.fingerprint, "samples": self.samples}
        frames = max(1, images.facts.frames)
        return self._evaluate(Subject(fakes_of_files(images, device), device, identity, frames))

    def _evaluate(self, subject: Subject) -> list[MetricResult]:
        self.budget.begin()
        self.of_features.find_reals(subject.device, self._reporter("reals", self.samples))
        errors = self._show_reals(subject.device) if rank() == 0 else {}
        for name, metric in self._working(errors):
            if not hasattr(metric, "compare"):
                _attempt(errors, name, metric.reset)
        if any("fakes" in needs_of(metric) for metric in self.metrics.values()):
            self._show_fakes(errors, subject)
        if rank() == 0:
            self._measure(errors, subject)
        results = [self._result(name, errors, subject) for name in self.metrics] if rank() == 0 else []
        return broadcast_value(results, subject.device)

    def _show_reals(self, device: torch.device) -> dict[str, str]:
        if any(sees_images(metric, "reals") for metric in self.metrics.values()) and not self._reals_shown:
            if self.published is not None:
                sentence = "the reference holds statistics of features and no images, which this metric compares with"
                self._broken = {n: sentence for n, metric in self.metrics.items() if sees_images(metric, "reals")}
                return dict(self._broken)
            inputs = any(takes(metric, "inputs") for metric in self.metrics.values())
            for places in real_order(self.reals, self.samples, self.seed, self.flip).split(self.batch_size):
                images, labels = read_reals(self.reals, places, device)
                belonging = read_inputs(self.reals, places, device) if inputs else None
                given = {"labels": labels, "targets": None, "inputs": belonging}
                self._update_all(self._broken, images, given, real=True)
            self._reals_shown = True
        return dict(self._broken)

    def _show_fakes(self, errors: dict[str, str], subject: Subject) -> None:
        wanted = frozenset[str]().union(*(needs_of(metric) for metric in self.metrics.values()))
        gather = any(sees_images(metric, "fakes") for metric in self.metrics.values())
        fakery = Fakery(subject.make, self.samples, self.batch_size, subject.frames)
        self.of_features.begin()
        for fakes in fakery.blocks(self._looking(), gather):
            given: dict[str, Any] = {"labels": fakes.labels}
            if subject.source is not None and "targets" in wanted:
                given["targets"] = subject.source.targets(fakes.numbers)
            if subject.source is not None and "inputs" in wanted:
                given["inputs"] = subject.source.inputs(fakes.numbers)
            self._update_all(errors, fakes.images, given, real=False)
        self.of_features.collect(self.samples * subject.frames, subject.device)

    def _looking(self) -> Callable[[Tensor, Tensor | None, int], None]:
        """Shows a rank's own fakes to the passes, and gives up those for which the budget is too small."""
        begun, spent = time.monotonic(), 0.0

        def look(images: Tensor, labels: Tensor | None, done: int) -> None:
            nonlocal spent
            passes = self.of_features.running()
            for each in passes.values():
                each.show(images, labels)
            self.report("fakes", done, self.samples)
            if self.budget.minutes is None or not passes:
                return
            seconds = {key: each.seconds for key, each in passes.items()}
            others = time.monotonic() - begun - sum(seconds.values())
            given_up = self.budget.too_long(seconds, others, done, self.samples)
            for key, sentence in broadcast_value(given_up, images.device).items():
                passes[key].error = sentence

        return look

    def _measure(self, errors: dict[str, str], subject: Subject) -> None:
        for name, metric in self._working(errors):
            if isinstance(metric, _Measures) and "generator" in needs_of(metric):
                if subject.module is None:
                    errors[name] = "it looks at a generator, but there are only images"
                    continue
                random = Randomness(self.seed, "measure", name, count=self.samples, device=subject.device)
                with at_rest(subject.module, random.seed("network")):
                    self._in_budget(errors, name, "measure", partial(metric.measure, subject.module, random))

    def _working(self, errors: Mapping[str, str]) -> list[tuple[str, AnyMetric]]:
        return [(name, metric) for name, metric in self.metrics.items() if name not in errors]

    def _update_all(self, errors: dict[str, str], images: Tensor, given: Mapping[str, Any], *, real: bool) -> None:
        for name, metric in self._working(errors):
            if isinstance(metric, _Updates) and sees_images(metric, "reals" if real else "fakes"):
                options = {argument: value for argument, value in given.items() if takes(metric, argument)}
                _attempt(errors, name, partial(metric.update, images, real, **options))

    def _in_budget(self, errors: dict[str, str], name: str, work: str, action: Callable[[], Any]) -> Any:
        """What an action gives, unless it took longer the last time than what is left."""
        refusal = self.budget.refuse(f"{name} {work}")
        if refusal is not None:
            errors[name] = refusal
            return None
        begun = time.monotonic()
        answer = _attempt(errors, name, action)
        self.budget.note(f"{name} {work}", time.monotonic() - begun)
        return answer

    def _result(self, name: str, errors: dict[str, str], subject: Subject) -> MetricResult:
        metric = self.metrics[name]

        def compute() -> dict[str, float]:
            plugin = self._origins.get(name, {}).get("plugin", name)
            values = metric.compute() if not hasattr(metric, "compare") else self.of_features.values(name)
            return {_full_name(name, key, plugin): float(value) for key, value in values.items()}

        self.report(name, 0, 0)
        values = self._in_budget(errors, name, "compute", compute) if name not in errors else None
        notes = tuple(self._notes(name)) if values else ()
        return MetricResult(name, values or {}, self._protocol(name, subject), errors.get(name), notes)

    def _notes(self, name: str) -> list[str]:
        network = dict(getattr(getattr(self.metrics[name], "extractor", None), "protocol", {})).get("network")
        own = self.of_features.notes(name) if name in self.of_features.metrics else []
        if network in self.trained_with:
            own.append(
                f"the training itself used '{network}', by which this metric measures: it has learned to please it, so "
                "the number flatters; measure in other features as well"
            )
        return own

    def _protocol(self, name: str, subject: Subject) -> dict[str, Any]:
        facts, metric = self.reals.facts, self.metrics[name]
        reals = min(self.samples, count_reals(self.reals, self.flip))
        return {
            "metric": name,
            **self._origins.get(name, {}),
            **subject.identity,
            "reals": reals if self.published is None else self.published.features.count,
            "split": self.split,
            "mirrored": self.flip,
            "seed": self.seed,
            "quantised": facts.is_images,
            "shape": list(facts.shape),
            "data": facts.fingerprint if self.published is None else self.published.fingerprint,
            **({"extractor": dict(metric.extractor.protocol)} if hasattr(metric, "extractor") else {}),
            "versions": _versions(),
            **getattr(metric, "protocol", {}),
            **self._direction(name),
        }

    def _identity(self, module: GANModule) -> dict[str, Any]:
        """What the fakes of a module are."""
        source = examples_to_sample_for(self.dataset, module.made_from(self.sampling))
        return {
            "samples": self.samples,
            "ema": module.settings.half_life_kimg is not None,
            "sampling": self.sampling,
            **({} if self.domain is None else {"domain": self.domain}),
            "precision": self.precision,
            "labels": "uniform" if module.facts.classes else None,
            **({} if source is None else {"made_for": source.facts.fingerprint}),
        }

    def _reporter(self, what: str, total: int) -> Callable[[int], None]:
        done = 0

        def shown(count: int) -> None:
            nonlocal done
            done += count
            self.report(what, done, max(total, done))

        return shown

    def _direction(self, name: str) -> dict[str, bool | dict[str, bool]]:
        """Whether higher numbers of a metric are better, by their names in the log, where the metric says it."""
        said = getattr(self.metrics[name], "higher_is_better", None)
        if not isinstance(said, Mapping):
            return {} if said is None else {"higher_is_better": bool(said)}
        plugin = self._origins.get(name, {}).get("plugin", name)
        return {"higher_is_better": {_full_name(name, key, plugin): bool(value) for key, value in said.items()}}


def _attempt(errors: dict[str, str], name: str, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except Exception as error:  # a metric is a plugin: whatever it raises must not end the training
        errors[name] = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return None


@runtime_checkable
class _Updates(Protocol):
    def update(self, images: Tensor, real: bool) -> None: ...


@runtime_checkable
class _Measures(Protocol):
    def measure(self, module: Any, random: Randomness) -> None: ...


@cache
def _versions() -> dict[str, str]:
    """Of what numbers depend on beside the plugins."""
    return {name: version(name) for name in ("ganlab", "torch")}


def _origin(node: Node) -> dict[str, str]:
    """A metric's plugin with its distribution and version."""
    if not node.distribution:
        return {"plugin": node.name}  # written in Python
    plugin = plugin_of(node)
    return {"plugin": plugin.name, "distribution": plugin.distribution, "version": plugin.version}


def _full_name(metric: str, key: str, plugin: str) -> str:
    """The name of one of a metric's numbers; the one that is called as the metric's plugin is the metric's own."""
    own, slash, part = key.partition("/")
    if own in (metric, plugin):
        return f"{metric}{slash}{part}"
    return f"{metric}/{key}"

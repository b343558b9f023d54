"""Metrics of a module's averaged weights, each number with the protocol that it was measured by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ganlab.contracts import Dataset, GeneratorMetric, Metric
from ganlab.distributed import broadcast_value, rank
from ganlab.evaluation.fakes import fake_blocks
from ganlab.evaluation.needs import check_needs, needs_of, takes
from ganlab.evaluation.reals import Reals, count_reals, real_blocks, reals_of
from ganlab.evaluation.sampling import at_rest
from ganlab.evaluation.source import examples_to_sample_for, source_of
from ganlab.plugins import find
from ganlab.randomness import Randomness
from ganlab.spec.model import Node, own_names
from ganlab.training.module import GANModule


@dataclass(frozen=True)
class MetricResult:
    """What one metric said: named values, how they were measured, and why there are none if it failed."""

    metric: str
    values: Mapping[str, float] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


def merge_values(results: Iterable[MetricResult]) -> dict[str, float]:
    """The values of all metrics in one mapping, by names such as `swd/average`."""
    return {name: value for result in results for name, value in result.values.items()}


class Evaluator:
    """Shows each metric what it needs: the reals once and then, for each evaluation, the same latents' fakes.

    `samples` fakes stand against the first `samples` reals of a seeded order, or all there are; where training
    mirrors images (`flip`), mirrored reals are among them; with `reals="held_out"` those that
    training never sees. Sequences are measured frame by frame. Conditional fakes have labels drawn uniformly; where the
    data have inputs, fake i is made for held-out example i, over and over, and has its label. Every rank makes its
    share of the fakes; rank 0 alone holds the metrics' state, so that any number of processes gives the same numbers.
    A metric that raises is reported as failed, the others and the training go on. A metric may have `protocol`, a
    mapping of what else its numbers depend on, and `higher_is_better` (see `Metric`). `nodes`, those of the spec in the
    order of the metrics, say of which plugin and version each metric is. Raises `UserError` for a metric that the data
    cannot give what it needs.
    """

    def __init__(
        self,
        metrics: Mapping[str, Metric | GeneratorMetric],
        dataset: Dataset,
        nodes: Sequence[Node] = (),
        *,
        samples: int,
        seed: int = 0,
        batch_size: int = 64,
        flip: bool = False,
        reals: Reals = "train",
        sampling: Mapping[str, Any] | None = None,
    ) -> None:
        for name, metric in metrics.items():
            check_needs(name, metric, dataset.facts)
        self.metrics = metrics
        self.dataset = dataset
        self.reals = reals_of(dataset, reals)
        self.samples = samples
        self.seed = seed
        self.batch_size = batch_size
        self.flip = flip and reals == "train"
        self._origins = {name: _origin(node) for name, node in zip(own_names(nodes), nodes, strict=True)}
        self.sampling = dict(sampling or {})
        self._broken: dict[str, str] = {}  # metrics that failed on the reals stay out
        self._reals_shown = False

    def evaluate(self, module: GANModule) -> list[MetricResult]:
        """The results of all metrics, the same on every rank. A collective."""
        errors = self._show_reals(module.device) if rank() == 0 else {}
        for name, metric in self._working(errors):
            _attempt(errors, name, metric.reset)
        if any("fakes" in needs_of(metric) for metric in self.metrics.values()):
            self._show_fakes(errors, module)
        if rank() == 0:
            self._measure(errors, module)
        results = [self._result(name, errors, module) for name in self.metrics] if rank() == 0 else []
        return broadcast_value(results, module.device)

    def _show_reals(self, device: torch.device) -> dict[str, str]:
        wanted = any("reals" in needs_of(metric) for metric in self.metrics.values())
        if wanted and not self._reals_shown:
            reals = real_blocks(self.reals, self.samples, self.seed, self.batch_size, self.flip, device)
            for images, labels in reals:
                given = {"labels": labels, "targets": None, "inputs": None}
                self._update_all(self._broken, images, given, real=True)
            self._reals_shown = True
        return dict(self._broken)

    def _show_fakes(self, errors: dict[str, str], module: GANModule) -> None:
        of_fakes = source_of(self.dataset, module.device, module.sampled_from)
        wanted = frozenset[str]().union(*(needs_of(metric) for metric in self.metrics.values()))
        for fakes in fake_blocks(module, self.samples, self.seed, self.batch_size, of_fakes, self.sampling):
            given: dict[str, Any] = {"labels": fakes.labels}
            if of_fakes is not None and "targets" in wanted:
                given["targets"] = of_fakes.targets(fakes.numbers)
            if of_fakes is not None and "inputs" in wanted:
                given["inputs"] = of_fakes.inputs(fakes.numbers)
            self._update_all(errors, fakes.images, given, real=False)

    def _measure(self, errors: dict[str, str], module: GANModule) -> None:
        for name, metric in self._working(errors):
            if isinstance(metric, _Measures) and "generator" in needs_of(metric):
                random = Randomness(self.seed, "measure", name, count=self.samples, device=module.device)
                with at_rest(module, random.seed("network")):
                    _attempt(errors, name, partial(metric.measure, module, random))

    def _working(self, errors: Mapping[str, str]) -> list[tuple[str, Metric | GeneratorMetric]]:
        return [(name, metric) for name, metric in self.metrics.items() if name not in errors]

    def _update_all(self, errors: dict[str, str], images: Tensor, given: Mapping[str, Any], *, real: bool) -> None:
        for name, metric in self._working(errors):
            if isinstance(metric, _Updates) and ("reals" if real else "fakes") in needs_of(metric):
                options = {argument: value for argument, value in given.items() if takes(metric, argument)}
                _attempt(errors, name, partial(metric.update, images, real, **options))

    def _result(self, name: str, errors: dict[str, str], module: GANModule) -> MetricResult:
        def compute() -> dict[str, float]:
            plugin = self._origins.get(name, {}).get("plugin", name)
            return {_full_name(name, key, plugin): float(value) for key, value in self.metrics[name].compute().items()}

        values = _attempt(errors, name, compute) if name not in errors else None
        return MetricResult(name, values or {}, self._protocol(name, module), errors.get(name))

    def _protocol(self, name: str, module: GANModule) -> dict[str, Any]:
        facts, source = self.reals.facts, examples_to_sample_for(self.dataset, module.sampled_from)
        return {
            "metric": name,
            **self._origins.get(name, {}),
            "samples": self.samples,
            "reals": min(self.samples, count_reals(self.reals, self.flip)),
            "mirrored": self.flip,
            "ema": module.settings.half_life_kimg is not None,
            "seed": self.seed,
            "sampling": self.sampling,
            "labels": "uniform" if facts.classes else None,
            "quantised": facts.is_images,
            "shape": list(facts.shape),
            "data": facts.fingerprint,
            **({} if source is None else {"made_for": source.facts.fingerprint}),
            **getattr(self.metrics[name], "protocol", {}),
            **self._direction(name),
        }

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
        errors[name] = f"{type(error).__name__}: {error}"
        return None


@runtime_checkable
class _Updates(Protocol):
    def update(self, images: Tensor, real: bool) -> None: ...


@runtime_checkable
class _Measures(Protocol):
    def measure(self, module: Any, random: Randomness) -> None: ...


def _origin(node: Node) -> dict[str, str]:
    """A metric's plugin with its distribution and version."""
    if not node.distribution:
        return {"plugin": node.name}  # written in Python
    plugin = find(node.kind, f"{node.distribution}/{node.name}")
    return {"plugin": plugin.name, "distribution": plugin.distribution, "version": plugin.version}


def _full_name(metric: str, key: str, plugin: str) -> str:
    """The name of one of a metric's numbers; the one that is called as the metric's plugin is the metric's own."""
    return metric if key in (metric, plugin) else f"{metric}/{key}"

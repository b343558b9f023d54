"""Metrics of a module's averaged weights, each number with the protocol that it was measured by."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import Dataset, Metric
from ganlab.distributed import broadcast_value, gather_in_order, rank, world_size
from ganlab.evaluation.quantise import for_metrics
from ganlab.evaluation.reals import count_reals, real_blocks
from ganlab.evaluation.sampling import BLOCK, sample_blocks
from ganlab.plugins import find
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
    """Shows metrics the reals once and then, for each evaluation, the same latents' fakes.

    `samples` fakes stand against the first `samples` reals of a seeded order, or all there are; where training
    mirrors images (`flip`), mirrored reals are among them. Conditional fakes have labels drawn uniformly. Every rank
    makes its share of the fakes; rank 0 alone holds the metrics' state, so that any number of processes gives the
    same numbers. A metric that raises is reported as failed, the others and the training go on. A metric may have
    `protocol`, a mapping of what else its numbers depend on. `nodes`, those of the spec in the order of the metrics,
    say of which plugin and version each metric is.
    """

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        dataset: Dataset,
        nodes: Sequence[Node] = (),
        *,
        samples: int,
        seed: int = 0,
        batch_size: int = BLOCK,
        flip: bool = False,
    ) -> None:
        self.metrics = metrics
        self.dataset = dataset
        self.samples = samples
        self.seed = seed
        self.batch_size = batch_size
        self.flip = flip
        self._origins = {name: _origin(node) for name, node in zip(own_names(nodes), nodes, strict=True)}
        self._takes_labels = {name: _has_argument(metric.update, "labels") for name, metric in metrics.items()}
        self._broken: dict[str, str] = {}  # metrics that failed on the reals stay out
        self._reals_shown = False

    def evaluate(self, module: GANModule) -> list[MetricResult]:
        """The results of all metrics, the same on every rank. A collective."""
        errors = self._show_reals() if rank() == 0 else {}
        for name, metric in self._working(errors):
            _attempt(errors, name, metric.reset)
        for images, labels in self._fakes(module):  # empty above rank 0, which still has to do its share of the work
            self._update_all(errors, images, labels, real=False)
        results = [self._result(name, errors, module) for name in self.metrics] if rank() == 0 else []
        return broadcast_value(results, module.device)

    def _show_reals(self) -> dict[str, str]:
        if not self._reals_shown:
            for images, labels in real_blocks(self.dataset, self.samples, self.seed, self.batch_size, self.flip):
                self._update_all(self._broken, images, labels, real=True)
            self._reals_shown = True
        return dict(self._broken)

    def _fakes(self, module: GANModule) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Whole blocks of fakes, the last one cut; on ranks above 0 only the work and nothing to show."""
        turns = math.ceil(self.samples / (BLOCK * world_size()))
        missing = self.samples
        for turn in range(turns):
            images, labels = self._block(module, turn * world_size() + rank())
            gathered_labels = gather_in_order(labels) if labels is not None else None
            for index, block in enumerate(gather_in_order(images)):
                rows = slice(0, max(missing, 0))
                missing -= len(block)
                if len(block[rows]):
                    yield block[rows], None if gathered_labels is None else gathered_labels[index][rows]

    def _block(self, module: GANModule, block: int) -> tuple[Tensor, Tensor | None]:
        pieces = list(sample_blocks(module, BLOCK, self.seed, first=block * BLOCK, batch_size=self.batch_size))
        images = torch.cat([for_metrics(samples, module.facts) for samples, _ in pieces])
        labels = [drawn for _, drawn in pieces if drawn is not None]
        return images, torch.cat(labels) if labels else None

    def _working(self, errors: Mapping[str, str]) -> list[tuple[str, Metric]]:
        return [(name, metric) for name, metric in self.metrics.items() if name not in errors]

    def _update_all(self, errors: dict[str, str], images: Tensor, labels: Tensor | None, *, real: bool) -> None:
        for name, metric in self._working(errors):
            options = {"labels": labels} if self._takes_labels[name] else {}
            _attempt(errors, name, partial(metric.update, images, real, **options))

    def _result(self, name: str, errors: dict[str, str], module: GANModule) -> MetricResult:
        def compute() -> dict[str, float]:
            plugin = self._origins.get(name, {}).get("plugin", name)
            return {_full_name(name, key, plugin): float(value) for key, value in self.metrics[name].compute().items()}

        values = _attempt(errors, name, compute) if name not in errors else None
        return MetricResult(name, values or {}, self._protocol(name, module), errors.get(name))

    def _protocol(self, name: str, module: GANModule) -> dict[str, Any]:
        facts = self.dataset.facts
        return {
            "metric": name,
            **self._origins.get(name, {}),
            "samples": self.samples,
            "reals": min(self.samples, count_reals(self.dataset, self.flip)),
            "mirrored": self.flip,
            "ema": module.settings.half_life_kimg is not None,
            "seed": self.seed,
            "labels": "uniform" if facts.classes else None,
            "quantised": facts.is_images,
            "shape": list(facts.shape),
            "data": facts.fingerprint,
            **getattr(self.metrics[name], "protocol", {}),
        }


def _attempt(errors: dict[str, str], name: str, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except Exception as error:  # a metric is a plugin: whatever it raises must not end the training
        errors[name] = f"{type(error).__name__}: {error}"
        return None


def _has_argument(function: Any, name: str) -> bool:
    return name in inspect.signature(function).parameters


def _origin(node: Node) -> dict[str, str]:
    """A metric's plugin with its distribution and version."""
    if not node.distribution:
        return {"plugin": node.name}  # written in Python
    plugin = find(node.kind, f"{node.distribution}/{node.name}")
    return {"plugin": plugin.name, "distribution": plugin.distribution, "version": plugin.version}


def _full_name(metric: str, key: str, plugin: str) -> str:
    """The name of one of a metric's numbers; the one that is called as the metric's plugin is the metric's own."""
    return metric if key in (metric, plugin) else f"{metric}/{key}"

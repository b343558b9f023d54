"""Metrics of features in an evaluation: which passes they need, what is kept of reals, and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import Dataset, Extractor
from ganlab.data.opening import held_out_of
from ganlab.distributed import broadcast_value, rank
from ganlab.errors import UserError, reason
from ganlab.evaluation.feature_cache import FeatureCache
from ganlab.evaluation.feature_pass import FeaturePass, Shown, extractor_key, learn, real_features
from ganlab.evaluation.feature_set import Features, seem_identical
from ganlab.evaluation.needs import OF_FEATURES, needs_of, takes
from ganlab.evaluation.reals import count_reals, real_order

FEW_SAMPLES = 2048
"""Below so many examples a covariance of as many dimensions has no full rank, and distances made of it are biased."""


@dataclass(frozen=True)
class RealSets:
    """The real examples of an evaluation: those compared with, those of the training, and those held out.

    Statistics that were published take the place of those compared with, where there are any.
    """

    reals: Dataset
    training: Dataset | None
    samples: int
    seed: int
    flip: bool
    batch_size: int
    statistics: Features | None = None

    @property
    def held_out(self) -> Dataset | None:
        """Examples that training never sees."""
        return None if self.training is None else held_out_of(self.training)


@dataclass
class _Space:
    """One extractor, the metrics that compare by it, and its features of reals by which they are."""

    extractor: Extractor
    metrics: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Features | None] = field(default_factory=dict)
    fakes: FeaturePass | None = None
    of_fakes: Features | None = None
    error: str | None = None


class FeatureMetrics:
    """The metrics that have `compare`; every rank has one and calls its methods alike.

    Features of reals are extracted once for all metrics of the same extractor, and found in the cache from then on.
    """

    def __init__(self, metrics: Mapping[str, Any], sets: RealSets, cache: FeatureCache | None = None) -> None:
        self.metrics = {name: metric for name, metric in metrics.items() if hasattr(metric, "compare")}
        self.learning = [m.extractor for m in metrics.values() if hasattr(getattr(m, "extractor", None), "learn")]
        self.sets = sets
        self.cache = cache or FeatureCache()
        self.spaces: dict[str, _Space] = {}
        self.failed: dict[str, str] = {}  # metrics whose extractor could not learn stay out
        self._learned = False

    def find_reals(self, device: torch.device, shown: Shown) -> None:
        """Let extractors learn, and get the features of the reals, from the cache or by a pass. A collective."""
        self._learn(device)
        if not self.spaces:
            working = {name: metric for name, metric in self.metrics.items() if name not in self.failed}
            for name, metric in working.items():
                space = self.spaces.setdefault(extractor_key(metric.extractor), _Space(metric.extractor))
                space.metrics[name] = metric
        for which in ("reals", *OF_FEATURES):
            self._find(which, device, shown)

    def begin(self) -> None:
        """Forget the fakes of the evaluation before."""
        for space in self.spaces.values():
            space.fakes, space.of_fakes = FeaturePass(space.extractor), None

    def running(self) -> dict[str, FeaturePass]:
        """The passes over the fakes that go on."""
        return {
            key: space.fakes
            for key, space in self.spaces.items()
            if space.error is None and space.fakes is not None and space.fakes.error is None
        }

    def collect(self, count: int, device: torch.device) -> None:
        """Bring the features of all ranks' fakes together. A collective."""
        for space in self.spaces.values():
            if space.error is None and space.fakes is not None:
                try:
                    space.of_fakes = space.fakes.collect(count, device)
                except UserError as error:
                    space.of_fakes, space.fakes.error = None, str(error)

    def values(self, name: str) -> Mapping[str, float]:
        """What a metric says of the fakes; on rank 0. Raises `UserError` where its features are missing."""
        if name in self.failed:
            raise UserError(self.failed[name])
        space, metric = self._space(name), self.metrics[name]
        error = space.error or (space.fakes.error if space.fakes else None)
        if error is not None or space.of_fakes is None:
            raise UserError(error or "its features are missing")
        further = {word: space.kept.get(word) for word in OF_FEATURES if takes(metric, word, "compare")}
        reals = space.kept.get("reals") if "reals" in needs_of(metric) else None
        values: Mapping[str, float] = metric.compare(reals, space.of_fakes, **further)
        return values

    def notes(self, name: str) -> list[str]:
        """What is to be known beside a metric's numbers."""
        space, metric = self._space(name), self.metrics[name]
        reals, fakes = space.kept.get("reals"), space.of_fakes
        own = metric.notes() if hasattr(metric, "notes") else []
        if reals is not None and fakes is not None and seem_identical(reals, fakes):
            own = [*own, "reals and fakes seem to be the same images: the numbers say nothing of a generator"]
        return list(own)

    def kept_reals(self) -> list[Features]:
        """The features of the reals in each space in which something was compared with them."""
        found = (space.kept.get("reals") for space in self.spaces.values())
        return [features for features in found if features is not None]

    # ---------------------------------------------------------------- reals

    def _learn(self, device: torch.device) -> None:
        training = self.sets.training or self.sets.reals
        for extractor in self.learning if not self._learned else ():
            key = {"learned": dict(extractor.protocol), "data": training.facts.fingerprint, "device": device.type}
            state, error = self._state(extractor, key, training) if rank() == 0 else (None, None)
            state, error = broadcast_value((state, error), device)
            if error is not None:
                self.failed |= {n: error for n, metric in self.metrics.items() if metric.extractor is extractor}
            else:
                extractor.restore(state)
        self._learned = True

    def _state(self, extractor: Any, key: Mapping[str, Any], training: Dataset) -> tuple[Any, str | None]:
        """What an extractor knows after it has learned, from the cache or anew; or why there is nothing."""
        state = self.cache.tensors(key)
        if state is None and not len(training):
            return None, "its extractor learns from the training's images, and there are none here"
        try:
            if state is None:
                learn(extractor, training, self.sets.batch_size)
                state = extractor.state()
                self.cache.keep(key, state)
        except Exception as error:  # an extractor is a plugin: whatever it raises must not end the training
            return None, f"its extractor cannot learn: {type(error).__name__}: {reason(error)}"
        return state, None

    def _find(self, which: str, device: torch.device, shown: Shown) -> None:
        """The features of one set of reals in all spaces that want them."""
        lacking: dict[str, dict[str, Any]] = {}
        for key, space in self.spaces.items():
            if which in space.kept or space.error or not (wanting := _wanting(space.metrics.values(), which)):
                continue
            dataset = self._dataset(which)
            if which == "reals" and self.sets.statistics is not None:
                space.kept[which] = self.sets.statistics
            elif dataset is None:
                space.kept[which] = None
            else:
                self._look_up(which, key, wanting, device, lacking)
        for record in _alike(lacking.values()):
            self._extract(which, record, lacking, device, shown)

    def _look_up(self, which: str, space: str, wanting: Sequence[Any], device: torch.device, lacking: Any) -> None:
        rows = not all(getattr(metric, "moments_only", False) for metric in wanting)
        record = self._record(which, wanting, device) | {"extractor": dict(self.spaces[space].extractor.protocol)}
        found = self.cache.features(record, rows) if rank() == 0 else None
        if broadcast_value(found is not None, device):
            self.spaces[space].kept[which] = found
        else:
            lacking[space] = {"record": record, "rows": rows, "count": record["count"]}

    def _extract(
        self, which: str, count: int, lacking: Mapping[str, dict[str, Any]], device: torch.device, shown: Shown
    ) -> None:
        """One reading of the reals for all spaces that lack as many."""
        chosen = {key: FeaturePass(self.spaces[key].extractor) for key, of in lacking.items() if of["count"] == count}
        dataset = self._dataset(which)
        assert dataset is not None
        places = self._places(dataset, count, which)
        size = min(self.sets.batch_size, len(places))
        real_features(chosen, dataset, places, size, device, shown)
        for key, each in chosen.items():
            space = self.spaces[key]
            try:
                found = each.collect(len(places) * max(1, dataset.facts.frames), device)
            except UserError as error:
                space.error = str(error)
                continue
            space.kept[which] = found
            if rank() == 0:
                self.cache.keep_features(lacking[key]["record"], found, lacking[key]["rows"])

    def _record(self, which: str, wanting: Sequence[Any], device: torch.device) -> dict[str, Any]:
        """All that the features of a set of reals depend on, but for the extractor."""
        dataset = self._dataset(which)
        assert dataset is not None
        total = count_reals(dataset, self._flip(which))
        limits = [getattr(metric, "examples", None) for metric in wanting]
        count = self.sets.samples if which == "reals" else min((limit for limit in limits if limit), default=total)
        count = min(count, total)
        facts = dataset.facts
        return {
            "data": facts.fingerprint,
            "shape": list(facts.shape),
            "count": count,
            "order": None if count == total else self.sets.seed,
            "mirrored": self._flip(which),
            "device": device.type,
        }

    def _places(self, dataset: Dataset, count: int, which: str) -> Tensor:
        flip = self._flip(which)
        if count == count_reals(dataset, flip):
            return torch.arange(count)  # in an order that no seed changes
        return real_order(dataset, count, self.sets.seed, flip)

    def _flip(self, which: str) -> bool:
        return self.sets.flip and which == "reals"

    def _dataset(self, which: str) -> Dataset | None:
        return {"reals": self.sets.reals, "training": self.sets.training, "held_out": self.sets.held_out}[which]

    def _space(self, name: str) -> _Space:
        return self.spaces[extractor_key(self.metrics[name].extractor)]


def _wanting(metrics: Iterable[Any], which: str) -> list[Any]:
    """The metrics that are given a set of reals."""
    if which == "reals":
        return [metric for metric in metrics if "reals" in needs_of(metric)]
    return [metric for metric in metrics if takes(metric, which, "compare")]


def _alike(lacking: Iterable[Mapping[str, Any]]) -> list[int]:
    return sorted({each["count"] for each in lacking})


Report = Callable[[str, int, int], None]
"""Is told what an evaluation is doing, how much of it is done, and of how much."""

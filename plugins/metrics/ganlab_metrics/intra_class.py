"""FID within each class: what a conditional generator makes of every label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ganlab import DataFacts, UserError
from ganlab.contracts import Extractor
from ganlab.evaluation.feature_set import Features
from ganlab_metrics.frechet import frechet_distance
from ganlab_metrics.inception import Inception

_SHOWN_CLASSES = 20


class IntraClassFID:
    """The mean of the Frechet distances within classes (Miyato and Koyama, 2018), and those of up to 20 classes.

    Published with 5,000 fakes of each class and all its reals; labels of fakes are drawn uniformly here.

    Args:
        facts: Facts of the data.
        extractor: the space of features; without it Inception's.
    """

    higher_is_better: ClassVar[bool] = False
    example: ClassVar[Mapping[str, Any]] = {"extractor": "pixels"}

    def __init__(self, facts: DataFacts, extractor: Extractor | None = None) -> None:
        if facts.classes < 2:
            raise UserError("intra_fid compares within classes, and these data have no labels: leave it out")
        self.class_names = facts.class_names
        self.extractor = extractor or Inception()
        self._fewest = 0

    def compare(self, reals: Features, fakes: Features) -> dict[str, float]:
        """The mean over classes, and each of them where they are not many."""
        counts, distances = [], {}
        for number, name in enumerate(self.class_names):
            pair = [_of_class(features, number, name) for features in (reals, fakes)]
            counts += [len(features) for features in pair]
            distances[name] = frechet_distance(*pair)
        self._fewest = min(counts)
        mean = {"intra_fid": sum(distances.values()) / len(distances)}
        return mean | (distances if len(distances) <= _SHOWN_CLASSES else {})

    def notes(self) -> list[str]:
        """How few examples the smallest class has."""
        return [f"the smallest class is made of {self._fewest} examples, and such distances are mostly bias"]


def _of_class(features: Features, number: int, name: str) -> Features:
    if features.labels is None:
        raise UserError("intra_fid needs reals and fakes with labels")
    chosen = (features.labels == number).nonzero().flatten()
    if len(chosen) < 2:
        raise UserError(
            f"the class '{name}' has {len(chosen)} examples among the reals or the fakes; take more samples"
        )
    return features.chosen(chosen)

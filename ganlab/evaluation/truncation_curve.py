"""The curve of fidelity against variety that samples run through as their latents are truncated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganlab.errors import UserError
from ganlab.evaluation.evaluator import Evaluator, merge_values
from ganlab.spec.constructor import Option
from ganlab.spec.sampling import sampling_options
from ganlab.training.module import GANModule

_OPTIONS = ("truncation", "psi")
_STANDING = "standing"
_BATCHES_OF_STATISTICS = 16
_POINTS = 8


@dataclass(frozen=True)
class Pair:
    """The metric that tells fidelity, higher at best, and the one that tells the distance from the data."""

    metrics: tuple[str, ...]
    fidelity: str
    distance: str


PAIRS = (
    Pair(("inception_score", "fid"), "inception_score", "fid"),
    Pair(("classifier_score",), "classifier_score", "classifier_score/distance"),
)
"""What a curve can be drawn of, the best first."""


@dataclass(frozen=True)
class Curve:
    """A point for each threshold: (fidelity, distance), and what was measured and how."""

    option: str
    pair: Pair
    thresholds: Sequence[float]
    points: Sequence[tuple[float, float]]
    sampling: dict[str, Any]
    samples: int

    def as_values(self) -> dict[str, Any]:
        """Plain values for JSON."""
        points = [
            {self.option: threshold, self.pair.fidelity: fidelity, self.pair.distance: distance}
            for threshold, (fidelity, distance) in zip(self.thresholds, self.points, strict=True)
        ]
        return {"option": self.option, "samples": self.samples, "sampling": self.sampling, "points": points}

    def save(self, path: Path) -> None:
        """Draw the curve as a PNG file, as in figure 17 of Brock et al. (2019)."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.plot([fidelity for fidelity, _ in self.points], [distance for _, distance in self.points], marker="o")
        for threshold, point in zip(self.thresholds, self.points, strict=True):
            axes.annotate(f"{threshold:.2g}", point, textcoords="offset points", xytext=(5, 5))
        axes.set_xlabel(f"{self.pair.fidelity} (higher is better)")
        axes.set_ylabel(f"{self.pair.distance} (lower is better)")
        axes.set_title(f"{self.option} from {self.thresholds[0]:g} to {self.thresholds[-1]:g}")
        axes.grid(alpha=0.3)
        figure.savefig(path, dpi=120)


def read_thresholds(text: str) -> list[float]:
    """`0.04:1.0` as 8 thresholds at equal ratios, `0.04:1.0:5` as 5. Raises `UserError`."""
    parts = text.split(":")
    try:
        low, high = float(parts[0]), float(parts[1])
        count = int(parts[2]) if len(parts) > 2 else _POINTS
    except (ValueError, IndexError):
        low, high, count = 0.0, 0.0, 0
    if not (0 < low < high and count >= 2 and len(parts) <= 3):
        raise UserError(
            f"--truncation-curve takes the lowest and the highest threshold, and perhaps the number of points, such as "
            f"0.04:1.0 or 0.04:1.0:5, not '{text}'"
        )
    return [low * (high / low) ** (index / (count - 1)) for index in range(count)]


def sampling_at(module: GANModule, threshold: float) -> dict[str, Any]:
    """The sampling options of a threshold: with statistics that belong to it where the architecture has them.

    Raises `UserError` for an architecture that cannot truncate.
    """
    known, option = _known(module), truncating_option(module)
    return {option: threshold, **({_STANDING: _BATCHES_OF_STATISTICS} if _STANDING in known else {})}


def truncating_option(module: GANModule) -> str:
    """The name of the sampling option that truncates. Raises `UserError` where there is none."""
    known = _known(module)
    option = next((name for name in _OPTIONS if name in known), None)
    if option is None:
        raise UserError(
            f"{type(module).__name__} has no sampling option that truncates latents ({' or '.join(_OPTIONS)}); its "
            f"options: {', '.join(known) or 'none'}"
        )
    return option


def measure_curve(module: GANModule, evaluator: Evaluator, pair: Pair, thresholds: Sequence[float]) -> Curve:
    """Evaluate the averaged generator at each threshold. Raises `UserError` with what a metric said that failed."""
    points, options = [], {}
    base = dict(evaluator.sampling)
    for threshold in thresholds:
        options = sampling_at(module, threshold)
        evaluator.sampling = base | options
        results = evaluator.evaluate(module)
        if errors := [f"{result.metric}: {result.error}" for result in results if result.error]:
            raise UserError(f"the curve cannot be measured: {'; '.join(errors)}")
        values = merge_values(results)
        points.append((values[pair.fidelity], values[pair.distance]))
    option = truncating_option(module)
    fixed = {name: value for name, value in (base | options).items() if name != option}
    return Curve(option, pair, list(thresholds), points, fixed, evaluator.samples)


def _known(module: GANModule) -> Mapping[str, Option]:
    architecture: type = type(module)
    return sampling_options(architecture)

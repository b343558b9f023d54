"""Trains the quickstart well and wrongly, and draws what each looks like, for docs/troubleshooting.md.

    python benchmarks/symptoms.py [--kimg 24] [--runs runs/symptoms]

A picture a case, in docs/images: three curves of its log beside those of the healthy run, and samples at the end. Runs
that are in the folder already are not trained again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image

from ganlab.errors import TrainingStopped
from ganlab.run.session import train
from ganlab.spec import read_spec
from ganlab.studies.curves import curves_of
from ganlab.tracking.jsonl import read_records

matplotlib.use("Agg")
from matplotlib import pyplot

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
CURVES = (("logits/real", "logits/fake"), ("discriminator/loss", "generator/loss"), ("gradients/generator",))
CASES = {
    "healthy": [],
    "no-penalty": [
        "architecture.loss=minimax",
        "architecture.regularizers=[]",
        "optimizers.discriminator.lr=4e-3",
        "optimizers.generator.lr=2e-4",
    ],
    "too-much-r1": ["architecture.regularizers.0.weight=300"],
    "high-rate": ["optimizers.discriminator.lr=0.1", "optimizers.generator.lr=0.1"],
}


def main() -> None:
    """Train what is missing and draw all."""
    arguments = _arguments()
    runs = {name: trained(name, arguments.runs, arguments.kimg) for name in CASES}
    for name in CASES:
        draw(runs[name], runs["healthy"], IMAGES / f"symptoms-{name}.png")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kimg", type=float, default=24)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs/symptoms")
    return parser.parse_args()


def trained(name: str, runs: Path, kimg: float) -> Path:
    """The folder of a case's run."""
    done = sorted(runs.glob(f"symptoms-{name}/*/generator.safetensors"))
    if not done:
        common = [f"name=symptoms-{name}", f"kimg={kimg}", "evaluation=null", "tracking={}"]
        grids = [f"snapshots.every_kimg={kimg / 2}", f"checkpoint.every_kimg={kimg}"]
        try:
            train(read_spec(ROOT / "experiments/quickstart.yaml", [*common, *grids, *CASES[name]]), runs)
        except TrainingStopped as error:
            print(f"{name}: {error}")
        done = sorted(runs.glob(f"symptoms-{name}/*/log.jsonl"))
    return done[-1].parent


def draw(run: Path, healthy: Path, path: Path) -> None:
    """Curves of a run, the healthy one's pale behind them, and its newest samples."""
    curves, pale = (curves_of(read_records(folder / "log.jsonl"), 60) for folder in (run, healthy))
    figure, places = pyplot.subplots(1, 4, figsize=(11, 2.6), layout="constrained")
    for place, names in zip(places[:3], CURVES, strict=True):
        for number, name in enumerate(names):
            place.plot(*_numbers(pale, name), color=f"C{number}", alpha=0.3, linewidth=3)
            place.plot(*_numbers(curves, name), color=f"C{number}", label=name)
        place.legend(fontsize=7)
        place.set_xlabel("kimg", fontsize=8)
        place.tick_params(labelsize=7)
    places[3].imshow(np.asarray(Image.open(run / "samples/latest.png").convert("RGB")))
    places[3].axis("off")
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def _numbers(curves: Mapping[str, Any], name: str) -> tuple[list[float], list[float]]:
    xs, ys = curves[name]
    return xs, [float("nan") if y is None else y for y in ys]


if __name__ == "__main__":
    main()

"""Trains the quickstart well and wrongly, and draws what each looks like, for docs/troubleshooting.md.

    python benchmarks/symptoms.py [--kimg 24] [--runs runs/symptoms]

A picture a case, in docs/images: three curves of its log beside those of the healthy run, and samples at the end. Runs
that are in the folder already are not trained again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from curve_panels import curves_of_run, plot, save_small, show_samples
from matplotlib import pyplot

from ganlab.errors import TrainingStopped
from ganlab.run.session import train
from ganlab.spec import read_spec

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
    curves, behind = curves_of_run(run), curves_of_run(healthy)
    figure, places = pyplot.subplots(1, 4, figsize=(11, 2.6), layout="constrained")
    for place, names in zip(places[:3], CURVES, strict=True):
        plot(place, behind, names, pale=True)
        plot(place, curves, names)
    show_samples(places[3], run)
    save_small(figure, path)


if __name__ == "__main__":
    main()

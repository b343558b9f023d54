"""Trains healthy runs of the repository and some that are made to collapse, and says what the guard found in each.

python benchmarks/collapse_guard.py [RUN ...] [--results FILE] [--picture FILE]

Results are added to FILE, run by run, so that a few can be trained at a time; the table and the picture show them all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from report import print_table

from ganlab.contracts import Batch
from ganlab.errors import TrainingStopped
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.run.session import train
from ganlab.spec import read_spec
from ganlab.tracking.jsonl import read_records

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
OFTEN = ("tracking.every_kimg=1", "diversity.every_kimg=2", "diversity.seed=0")
QUICK = ("kimg=16", *OFTEN)
TOY = ("kimg=128", "tracking.every_kimg=4", "diversity.every_kimg=16")
GROWING = ("kimg=10", "architecture.fade_kimg=1.5", "architecture.stabilise_kimg=1.5", *OFTEN)
PLAIN = ("kimg=8", *OFTEN)
SLOW = (
    "kimg=192",
    "tracking.every_kimg=6",
    "diversity.every_kimg=24",
    "architecture.discriminator_steps=3",
    "architecture.discriminator.hidden=[256,256]",
    "optimizers.generator.lr=5e-5",
    "optimizers.discriminator.lr=2e-3",
    "optimizers.discriminator.betas=[0.9,0.99]",
)


@dataclass(frozen=True)
class Trial:
    """A spec below `experiments` with what is changed; `healthy` says that no alarm may sound."""

    spec: str
    changes: tuple[str, ...] = ()
    healthy: bool = True
    bug: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext


@contextlib.contextmanager
def label_bug() -> Iterator[None]:
    """Every fake is made for label 0 and judged with it, and no real has it."""
    labels, terms = TwoPlayerGAN.labels_of_fakes, TwoPlayerGAN.discriminator_terms

    def zeros(game: TwoPlayerGAN, batch: Batch) -> torch.Tensor:
        assert batch.labels is not None
        return torch.zeros_like(batch.labels)

    def without_zeros(game: TwoPlayerGAN, batch: Batch) -> Any:
        assert batch.labels is not None
        return terms(game, replace(batch, labels=batch.labels.clamp(min=1)))

    TwoPlayerGAN.labels_of_fakes, TwoPlayerGAN.discriminator_terms = zeros, without_zeros
    try:
        yield
    finally:
        TwoPlayerGAN.labels_of_fakes, TwoPlayerGAN.discriminator_terms = labels, terms


TRIALS = {
    "quickstart": Trial("quickstart.yaml", QUICK),
    "quickstart, hinge and spectral norm": Trial(
        "quickstart.yaml",
        (
            "architecture.loss=hinge",
            "architecture.discriminator.normalizer=spectral",
            "architecture.regularizers=[]",
            "optimizers.generator.lr=2e-4",
            "optimizers.discriminator.lr=2e-4",
            *QUICK,
        ),
    ),
    "quickstart, a fifth held out": Trial("quickstart.yaml", ("data.holdout=0.2", *QUICK)),
    "ring8-r1": Trial("toys/ring8-r1.yaml", TOY),
    "gaussians25-relativistic": Trial("toys/gaussians25-relativistic.yaml", TOY),
    "gaussians25-wgan_gp": Trial("toys/gaussians25-wgan_gp.yaml", TOY),
    "swiss-roll-r1": Trial("toys/swiss-roll-r1.yaml", TOY),
    "swiss-roll-wgan_gp": Trial("toys/swiss-roll-wgan_gp.yaml", TOY),
    "stacked-digits-r3gan": Trial("toys/stacked-digits-r3gan.yaml", QUICK),
    "progressive digits": Trial("progressive/digits.yaml", GROWING),
    "progressive ablation a": Trial("progressive/digits-ablation/a.yaml", PLAIN),
    "progressive ablation f": Trial("progressive/digits-ablation/f.yaml", GROWING),
    "style digits": Trial("style/digits.yaml", PLAIN),
    "learning rate of 0.1": Trial(
        "quickstart.yaml", ("optimizers.generator.lr=0.1", "optimizers.discriminator.lr=0.1", *QUICK), healthy=False
    ),
    "a generator of small steps, R1": Trial(
        "toys/ring8-r1.yaml", ("architecture.regularizers=[{name: r1, weight: 1.0}]", *SLOW)
    ),
    "no penalty": Trial("toys/ring8-non_saturating.yaml", SLOW, healthy=False),
    "label bug": Trial("quickstart.yaml", QUICK, healthy=False, bug=label_bug),
}


def run(trial: Trial) -> dict[str, Any]:
    """The lines of a run's log, and the guard's alarms."""
    further = ["trainer.accelerator=cpu", "tracking.progress=false", "tracking.wandb=null", "snapshots=null"]
    spec = read_spec(EXPERIMENTS / trial.spec, [*trial.changes, *further, "evaluation=null"])
    with tempfile.TemporaryDirectory() as folder, trial.bug():
        with contextlib.suppress(TrainingStopped):
            train(spec, Path(folder))
        (path,) = (Path(folder) / spec.name).glob("*/log.jsonl")
        events = read_records(path.with_name("events.jsonl"))
        alarms = [event for event in events if event["kind"].startswith("warning: ")]
        return {"healthy": trial.healthy, "log": read_records(path), "alarms": alarms}


def curve(record: dict[str, Any], name: str) -> tuple[list[float], list[float]]:
    """Thousands of images, and values."""
    points = [(line["kimg"], line[name]) for line in record["log"] if line.get(name) is not None]
    return [kimg for kimg, _ in points], [value for _, value in points]


def row(name: str, record: dict[str, Any]) -> tuple[Any, ...]:
    """What the table says of a run."""
    alarms = [f"{event['kind'].removeprefix('warning: ')} at {event['kimg']:g} kimg" for event in record["alarms"]]
    spread = curve(record, "diversity/overall")[1]
    losses = curve(record, "discriminator/loss")[1]
    growth = max(
        max(values) / values[0]
        for player in ("generator", "discriminator")
        if (values := curve(record, f"weights/{player}")[1])
    )
    kind = "healthy" if record["healthy"] else "to collapse"
    found = "; ".join(dict.fromkeys(alarms)) or "none"
    return name, kind, record["log"][-1]["kimg"], f"{spread[-1]:.2f}", f"{min(losses):.3g}", f"{growth:.1f}", found


def draw(results: dict[str, dict[str, Any]], picture: Path) -> None:
    """Curves of all runs against the share of the training, those that were made to collapse in colours."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(11, 7), sharex=True)
    panels = {
        "diversity/overall": "spread of fakes (reals: 1)",
        "discriminator/loss": "loss of the discriminator",
        "weights/discriminator": "largest singular value, discriminator",
        "gradients/generator": "gradient norm, generator",
    }
    for axis, (name, title) in zip(axes.flat, panels.items(), strict=True):
        for label, record in sorted(results.items(), key=lambda item: not item[1]["healthy"]):
            kimg, values = curve(record, name)
            if not values:
                continue
            share = [moment / record["log"][-1]["kimg"] for moment in kimg]
            style = {"color": "0.75", "zorder": 1} if record["healthy"] else {"label": label, "linewidth": 2}
            axis.plot(share, values, **style)
        axis.set_title(title, fontsize=10)
        axis.set_yscale("linear" if name == "diversity/overall" else "symlog", **_linear_near_zero(name))
    axes[0, 0].axhline(0.15, color="black", linestyle=":", linewidth=1)
    axes[0, 1].legend(fontsize=8)
    for axis in axes[1]:
        axis.set_xlabel("share of the training (grey: healthy runs)")
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


def _linear_near_zero(name: str) -> dict[str, float]:
    return {} if name == "diversity/overall" else {"linthresh": 0.01}


def main() -> None:
    """Train what is asked for, and print the table of all results."""
    logging.getLogger("ganlab").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", default=list(TRIALS), help=", ".join(TRIALS))
    parser.add_argument("--results", type=Path, default=Path("collapse_guard.json"))
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    results = json.loads(arguments.results.read_text()) if arguments.results.exists() else {}
    for name in arguments.runs:
        with contextlib.redirect_stdout(None):
            results[name] = run(TRIALS[name])
        arguments.results.write_text(json.dumps(results))
    columns = [
        "run",
        "made",
        "kimg",
        "last spread",
        "least loss of the discriminator",
        "growth of weights since the first line",
        "alarms",
    ]
    print_table("What the guard finds", columns, [row(name, results[name]) for name in TRIALS if name in results])
    if arguments.picture:
        draw(results, arguments.picture)


if __name__ == "__main__":
    main()

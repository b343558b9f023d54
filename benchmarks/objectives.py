"""Trains every loss, with its usual regularizer and without, on the toys, and reports which modes they find.

    python benchmarks/objectives.py [--toys ring8 ...] [--variants hinge ...] [--seeds 0 1 2] [--jobs 2]

A run is a spec of `experiments/toys/base` with the overrides of a variant. Results are appended to
`runs/objectives/results.jsonl`, and what stands there already is not run again, so that the benchmark may be stopped
at any time. At the end it writes `docs/objectives.md` and its pictures from all results; `--report` does only that.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "runs/objectives"
SHOWN = {"points": 2048, "images": 16}


@dataclass(frozen=True)
class Toy:
    """A base spec with what the scale of its data asks of penalties.

    `r1` and `gradient_penalty` are the weights that every variant with that penalty uses on it.
    """

    title: str
    r1: float
    gradient_penalty: float

    def path(self, name: str) -> Path:
        """The base spec."""
        return ROOT / f"experiments/toys/base/{name}.yaml"


TOYS = {
    "ring8": Toy("Ring of 8 Gaussians", r1=0.05, gradient_penalty=0.05),
    "gaussians25": Toy("Grid of 25 Gaussians", r1=0.05, gradient_penalty=0.05),
    "swiss-roll": Toy("Swiss roll", r1=0.05, gradient_penalty=0.05),
    "stacked-digits": Toy("Stacked digits", r1=1.0, gradient_penalty=10.0),
}


@dataclass(frozen=True)
class Variant:
    """A loss with its penalties, as overrides of a spec; numbers in braces are fields of the toy."""

    loss: str
    regularizers: str = ""
    others: tuple[str, ...] = ()
    penalised: bool = True

    def overrides(self, toy: Toy) -> list[str]:
        """Arguments of `ganlab train` after the spec."""
        numbers = {name: str(value) for name, value in asdict(toy).items()}
        loss, regularizers = (_filled(text, numbers) for text in (self.loss, self.regularizers))
        penalties = [f"architecture.regularizers=[{regularizers}]"] if regularizers else []
        return [f"architecture.loss={loss}", *penalties, *self.others]


def _filled(text: str, numbers: dict[str, str]) -> str:
    for name, number in numbers.items():
        text = text.replace(f"<{name}>", number)
    return text


_R1 = "{name: r1, weight: <r1>}"
_SPECTRAL = ("architecture.discriminator.normalizer=spectral",)
# A Wasserstein critic should be near its best before the generator follows it; images count the critic's steps too.
_CRITIC = ("architecture.discriminator_steps=2",)

VARIANTS = {
    "minimax": Variant("minimax", penalised=False),
    "minimax + r1": Variant("minimax", _R1),
    "non_saturating": Variant("non_saturating", penalised=False),
    "non_saturating + r1": Variant("non_saturating", _R1),
    "lsgan": Variant("lsgan", penalised=False),
    "lsgan + r1": Variant("lsgan", _R1),
    "wasserstein": Variant("wasserstein", penalised=False),
    "wasserstein + weight_clipping": Variant("wasserstein", "{name: weight_clipping, bound: 0.1}", _CRITIC),
    "wgan_gp": Variant("{name: wgan_gp, gradient_penalty: <gradient_penalty>}", others=_CRITIC),
    "hinge": Variant("hinge", penalised=False),
    "hinge + spectral": Variant("hinge", others=_SPECTRAL),
    "relativistic": Variant("relativistic", penalised=False),
    "relativistic + r1": Variant("relativistic", _R1),
    "r3gan": Variant("{name: r3gan, gamma: <r1>}"),
    "relativistic_average": Variant("relativistic_average", penalised=False),
    "relativistic_average + r1": Variant("relativistic_average", _R1),
}


@dataclass(frozen=True)
class Job:
    """One run."""

    toy: str
    variant: str
    seed: int

    @property
    def samples(self) -> str:
        """Name of the file that its samples are kept in."""
        return f"{self.toy}-{self.variant.replace(' ', '')}-{self.seed}.npy"


def main() -> None:
    """Run what is missing and write the report."""
    arguments = _arguments()
    if not arguments.report:
        arguments.results.mkdir(parents=True, exist_ok=True)
        os.environ["OMP_NUM_THREADS"] = "1"  # before the workers import torch
        done = {_job(row) for row in read_results(arguments.results)}
        wanted = [Job(t, v, s) for s in arguments.seeds for t in arguments.toys for v in arguments.variants]
        run_all([job for job in wanted if job not in done], arguments)
    from objectives_report import write_report

    write_report(read_results(arguments.results), arguments.results, ROOT / "docs")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toys", nargs="+", default=list(TOYS), choices=TOYS)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=VARIANTS, metavar="VARIANT")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--kimg", type=float, help="length of each run, instead of that of the toy's spec")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each with one thread")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no run after so many minutes")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="run nothing, write the report only")
    return parser.parse_args()


def read_results(folder: Path) -> list[dict[str, Any]]:
    """All results, one a run."""
    path = folder / "results.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _job(row: dict[str, Any]) -> Job:
    return Job(row["toy"], row["variant"], row["seed"])


def run_all(jobs: Iterable[Job], arguments: argparse.Namespace) -> None:
    """Run jobs in worker processes, which import torch once, and append each result as it comes."""
    last_start = time.time() + 60 * arguments.minutes
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(run_job, job, arguments.kimg, arguments.results, last_start) for job in jobs]
        for future in as_completed(futures):
            result = future.result()
            if result is None:
                continue
            with (arguments.results / "results.jsonl").open("a") as file:
                file.write(json.dumps(result) + "\n")
            print(json.dumps(result), flush=True)


def run_job(job: Job, kimg: float | None, results: Path, last_start: float) -> dict[str, Any] | None:
    """Train, evaluate and sample; None if it is too late to start."""
    if time.time() > last_start:
        return None
    from ganlab.spec import read_spec
    from ganlab.training.session import train

    toy = TOYS[job.toy]
    length = [] if kimg is None else [f"kimg={kimg}"]
    options = [f"seed={job.seed}", "trainer.accelerator=cpu", "tracking.progress=false", *length]
    spec = read_spec(toy.path(job.toy), [*VARIANTS[job.variant].overrides(toy), *options])
    with tempfile.TemporaryDirectory() as runs:
        started = time.process_time()
        outcome = train(spec, Path(runs))
        seconds = time.process_time() - started
        save_samples(outcome.run, results / job.samples)
    return asdict(job) | {"kimg": spec.kimg, "cpu_seconds": round(seconds, 2), "metrics": outcome.metrics}


def save_samples(run: Any, path: Path) -> None:
    """Keep samples of the averaged generator, as metrics see them."""
    import numpy as np
    import torch

    from ganlab.evaluation.quantise import for_metrics
    from ganlab.evaluation.sampling import sample_blocks

    module = run.load_module("cpu")
    count = SHOWN["images" if module.facts.is_images else "points"]
    pieces = [for_metrics(images, module.facts) for images, _ in sample_blocks(module, count, seed=0)]
    np.save(path, torch.cat(pieces).numpy())


if __name__ == "__main__":
    main()

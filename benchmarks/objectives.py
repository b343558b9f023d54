"""Trains every loss, with its usual regularizer and without, on the toys, and reports which modes they find.

    python benchmarks/objectives.py [--toys ring8 ...] [--variants hinge ...] [--seeds 0 1 2] [--jobs 2]

A run is a spec of `experiments/toys/base` with the overrides of a variant. Results are appended to
`runs/objectives/results.jsonl`, and what stands there already is not run again, so that the benchmark may be stopped
at any time. At the end it writes `docs/objectives.md` and its pictures from all results; `--report` does only that.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from objectives_variants import ROOT, TOYS, VARIANTS, Job, base_spec
from results import keep_result, read_results

RESULTS = ROOT / "runs/objectives"
SHOWN = {"points": 2048, "images": 16}


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


def _job(row: dict[str, Any]) -> Job:
    return Job(row["toy"], row["variant"], row["seed"])


def run_all(jobs: Iterable[Job], arguments: argparse.Namespace) -> None:
    """Run jobs in worker processes, which import torch once, and append each result as it comes."""
    last_start = time.time() + 60 * arguments.minutes
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(run_job, job, arguments.kimg, arguments.results, last_start) for job in jobs]
        for future in as_completed(futures):
            result = future.result()
            if result is not None:
                keep_result(result, arguments.results)


def run_job(job: Job, kimg: float | None, results: Path, last_start: float) -> dict[str, Any] | None:
    """Train, evaluate and sample; None if it is too late to start."""
    if time.time() > last_start:
        return None
    from ganlab.run.session import train
    from ganlab.spec import read_spec

    toy = TOYS[job.toy]
    length = [] if kimg is None else [f"kimg={kimg}"]
    options = [f"seed={job.seed}", "trainer.accelerator=cpu", "tracking.progress=false", *length]
    spec = read_spec(base_spec(job.toy), [*VARIANTS[job.variant].overrides(toy), *options])
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

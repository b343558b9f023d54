"""vid2vid on moving digits beside the same generator frame by frame, several seeds, against a stated bound.

Usage: `python benchmarks/video.py --runs DIR [--seeds 0,1,2]`. A run that came to its end is read and not trained.
Prints for each seed and on average the warping error of held-out films of both, in thousandths, that of reals, the
distance of films and that of frames, in features of a random network. Bound: vid2vid's warping error is below three
quarters of the other's.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from seeds import run_of, tell_seeds

from ganlab.spec import read_spec

EXPERIMENTS = Path(__file__).parents[1] / "experiments/vid2vid"
SYSTEMS = {"vid2vid": "moving-digits", "per frame": "moving-digits-per-frame"}
NUMBERS = {"warping error": "warping_error/fakes", "films": "video_distance/distance", "frames": "fd"}


def both(seed: int, runs: Path) -> tuple[Mapping[str, float], float]:
    """The last numbers of both systems with a seed, by names, and the seconds of CPU time that they took."""
    began = time.process_time()
    found: dict[str, float] = {}
    for system, experiment in SYSTEMS.items():
        numbers = run(experiment, seed, runs)
        found |= {f"{system}: {name}": numbers[key] for name, key in NUMBERS.items()}
        found[f"{system}: warping error"] *= 1000
        found["reals: warping error"] = 1000 * numbers["warping_error/reals"]
    return found, time.process_time() - began


def run(experiment: str, seed: int, runs: Path) -> Mapping[str, float]:
    """The last numbers of a run, which is trained if it is not there yet."""
    spec = read_spec(EXPERIMENTS / f"{experiment}.yaml", [f"seed={seed}", f"name={experiment}-{seed}"])
    lines = (run_of(spec, runs) / "metrics.jsonl").read_text().splitlines()
    numbers: dict[str, float] = {}
    for line in lines:
        numbers |= {key: value for key, value in json.loads(line).items() if isinstance(value, float)}
    return numbers


def is_good(numbers: Mapping[str, float]) -> bool:
    """Whether the films of vid2vid flicker less than three quarters as much."""
    return numbers["vid2vid: warping error"] < 0.75 * numbers["per frame: warping error"]


def main() -> None:
    """Train what is missing, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", default="0,1,2")
    arguments = parser.parse_args()
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    tell_seeds("moving digits", seeds, partial(both, runs=arguments.runs), is_good)


if __name__ == "__main__":
    main()

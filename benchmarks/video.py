"""vid2vid on moving digits beside the same generator frame by frame, several seeds, against a stated bound.

Usage: `python benchmarks/video.py --runs DIR [--seeds 0,1,2]`. A run that came to its end is read and not trained.
Prints for each seed and on average the warping error of held-out films of both, in thousandths, that of reals, the
distance of films and that of frames, in features of a random network. Bound: vid2vid's warping error is below three
quarters of the other's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from seeds import parser_of_seeds, tell_seeds, trained
from trainings import last_numbers

EXPERIMENTS = Path(__file__).parents[1] / "experiments/vid2vid"
SYSTEMS = {"vid2vid": "moving-digits", "per frame": "moving-digits-per-frame"}
NUMBERS = {"warping error": "warping_error/fakes", "films": "video_distance/distance", "frames": "fd"}


def both(seed: int, runs: Path) -> tuple[Mapping[str, float], float]:
    """The last numbers of both systems with a seed, by names, and the seconds of CPU time that they took."""
    found: dict[str, float] = {}
    spent = 0.0
    for system, experiment in SYSTEMS.items():
        _, run, seconds = trained(EXPERIMENTS / f"{experiment}.yaml", experiment, seed, runs)
        numbers, spent = last_numbers(run), spent + seconds
        found |= {f"{system}: {name}": numbers[key] for name, key in NUMBERS.items()}
        found[f"{system}: warping error"] *= 1000
        found["reals: warping error"] = 1000 * numbers["warping_error/reals"]
    return found, spent


def is_good(numbers: Mapping[str, float]) -> bool:
    """Whether the films of vid2vid flicker less than three quarters as much."""
    return numbers["vid2vid: warping error"] < 0.75 * numbers["per frame: warping error"]


def main() -> None:
    """Train what is missing, and print."""
    arguments = parser_of_seeds(__doc__).parse_args()
    tell_seeds("moving digits", arguments.seeds, partial(both, runs=arguments.runs), is_good)


if __name__ == "__main__":
    main()

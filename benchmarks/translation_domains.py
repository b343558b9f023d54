"""StarGAN and SPADE on scikit-learn's digits, several seeds each, against stated bounds.

Usage: `python benchmarks/translation_domains.py --runs DIR [--seeds 0,1,2] [--only SYSTEM]`. A run that
is there already is read and not trained again. Prints for each run and on average:

- StarGAN, digits of four colours into each other: the share of held-out digits that a classifier of reals takes for the
  colour asked for, and the mean absolute difference of digits, in [0, 2], to what comes back of them. Bound: 0.95.
- StarGAN on the shapes of digits (`stargan-shapes`), digits into other digits: the same. Bound: 0.95.
- SPADE, scenes of two digits from their label maps: mean intersection over union, and accuracy, of what a segmentation
  network, which learned the reals, sees in images of held-out maps; beside both for reals that it did not learn. Bound:
  nine tenths of its accuracy for these.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from seeds import tell_systems, trained
from trainings import last_numbers

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
SYSTEMS = {
    "stargan": ("stargan/digits", "domain_accuracy"),
    "stargan-shapes": ("stargan/digit-shapes", "domain_accuracy"),
    "spade": ("spade/digits", "segmentation"),
}
"""The experiment and the metric of each."""


def run(system: str, seed: int, runs: Path) -> tuple[Mapping[str, float], float]:
    """The last numbers of a run, which is trained if it is not there yet, and the seconds of CPU time that took."""
    experiment, metric = SYSTEMS[system]
    _, run, spent = trained(EXPERIMENTS / f"{experiment}.yaml", experiment.replace("/", "-"), seed, runs)
    return {name: value for name, value in last_numbers(run).items() if name.split("/")[0] == metric}, spent


def is_good(system: str, numbers: Mapping[str, float]) -> bool:
    """Whether a run is above the bound."""
    if system != "spade":
        return numbers["domain_accuracy"] > 0.95
    return numbers["segmentation/accuracy"] > 0.9 * numbers["segmentation/real_accuracy"]


def main() -> None:
    """Train what is missing, and print."""
    tell_systems(__doc__, SYSTEMS, run, is_good)


if __name__ == "__main__":
    main()

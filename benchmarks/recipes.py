"""Trains candidate recipes on three sets of pictures at two sizes, each for the same CPU time, and compares samples.

    python benchmarks/recipes.py EMOJI [--sets emoji patches digits] [--sizes 32 64] [--seconds 60] [--report]

EMOJI has a folder of 64-pixel pictures for each class; the published table is of Google's emoji (see
`colour_diversity.py`). Patches of scikit-learn's two photographs and its digits in colour are made. Results are
appended to `results.jsonl`, and what stands there is not run again, so that the benchmark may be stopped at any time.
At the end it writes `docs/recipes.md` from all results; `--report` does only that.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from recipe_pictures import make_set
from report import describe_machine
from results import keep_result, read_results

ROOT = Path(__file__).parents[1]
SETS = {
    "emoji": "Google's emoji, 1,906 in nine categories",
    "patches": "2,000 squares of 128 pixels cut from scikit-learn's two photographs, two classes",
    "digits": "scikit-learn's 1,797 digits in colour, ten classes",
}
_R1 = [{"name": "r1", "weight": 0.5, "every": 16}]
_ADA = {"name": "ada", "speed_kimg": 100}
REALS = "reals"


def _adam(generator: float, discriminator: float) -> dict[str, Any]:
    rates = {"generator": generator, "discriminator": discriminator}
    return {player: {"name": "adam", "lr": rate, "betas": [0.0, 0.99]} for player, rate in rates.items()}


def dcgan_r1(size: int) -> dict[str, Any]:
    """The narrow DCGAN with R1 and ADA."""
    return {
        "architecture": {
            "name": "dcgan",
            "generator": {"name": "dcgan", "latent_size": 64, "width": 16},
            "discriminator": {"name": "dcgan", "width": 16, "normalizer": "none"},
            "loss": "non_saturating",
            "regularizers": [{"name": "r1", "weight": 0.5, "every": 8}],
            "augmentation": _ADA,
        },
        "optimizers": _adam(1e-3, 1e-3),
    }


def dcgan_spectral(size: int) -> dict[str, Any]:
    """The same with hinge loss, spectral norm and DiffAugment."""
    return {
        "architecture": {
            "name": "dcgan",
            "generator": {"name": "dcgan", "latent_size": 64, "width": 16},
            "discriminator": {"name": "dcgan", "width": 16, "normalizer": "spectral"},
            "loss": "hinge",
            "augmentation": "diffaugment",
        },
        "optimizers": _adam(5e-4, 1e-3),
    }


def style(size: int) -> dict[str, Any]:
    """A small StyleGAN2 with R1 and ADA."""
    networks = {"name": "stylegan2", "channel_base": 16 * size, "channel_max": 64, "mapping_layers": 2}
    return {
        "architecture": {
            "name": "style",
            "generator": networks | {"latent_size": 64, "style_size": 64},
            "discriminator": networks,
            "loss": "non_saturating",
            "regularizers": _R1,
            "augmentation": _ADA,
        },
        "optimizers": _adam(2.5e-3, 2.5e-3),
    }


def r3gan(size: int) -> dict[str, Any]:
    """A small R3GAN."""
    widths = [64, 64, 48, 32] if size == 32 else [64, 64, 48, 32, 16]
    networks = {"name": "r3gan", "widths": widths, "groups": [width // 8 for width in widths]}
    return {
        "architecture": {
            "name": "r3gan",
            "generator": networks,
            "discriminator": networks,
            "loss": {"name": "r3gan", "gamma": 1.0},
            "augmentation": _ADA,
        },
        "optimizers": _adam(5e-4, 5e-4),
    }


RECIPES = {
    "dcgan-r1": ("`dcgan`, R1, ADA", dcgan_r1),
    "dcgan-spectral": ("`dcgan`, hinge, spectral norm, DiffAugment", dcgan_spectral),
    "style": ("`style` (StyleGAN2), R1, ADA", style),
    "r3gan": ("`r3gan`, ADA", r3gan),
}


def spec_tree(recipe: str, pictures: Path, size: int, seed: int) -> dict[str, Any]:
    """A spec as it would be written, without an end of its own and with nothing drawn or measured on the way."""
    data = {"name": "image_folder", "path": str(pictures.resolve()), "resolution": size, "labels": "folders"}
    return {
        "name": recipe,
        "seed": seed,
        "kimg": 100_000,
        "data": data | {"batch_size": 32},
        **RECIPES[recipe][1](size),
        "ema": {"half_life_kimg": 5, "ramp_up": 0.05},
        "trainer": {"accelerator": "cpu"},
        "checkpoint": {"every_kimg": 100_000},
        "evaluation": None,
        "snapshots": None,
        "diversity": None,
        "tracking": {"every_kimg": 1000, "progress": False},
    }


def main() -> None:
    """Run what is missing and write the report."""
    arguments = _arguments()
    arguments.results.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not arguments.report:
        _run_missing(arguments)
    from recipe_report import write_report

    titles = {REALS: "reals, one half against the other"} | {name: title for name, (title, _) in RECIPES.items()}
    write_report(read_results(arguments.results), SETS, titles, arguments.results, describe_machine(1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("emoji", type=Path, metavar="EMOJI")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[32, 64], choices=(32, 64))
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=RECIPES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU seconds of each training at 32 pixels")
    parser.add_argument("--results", type=Path, default=ROOT / "runs/recipes")
    parser.add_argument("--report", action="store_true", help="run nothing, write the report only")
    return parser.parse_args()


def _run_missing(arguments: argparse.Namespace) -> None:
    from recipe_runs import reals_of, run

    done = {(row["set"], row["size"], row["recipe"], row["seed"]) for row in read_results(arguments.results)}
    cells = [(seed, name, size) for seed in arguments.seeds for size in arguments.sizes for name in arguments.sets]
    for seed, name, size in cells:
        pictures = make_set(name, size, arguments.emoji, arguments.results)
        for recipe in [REALS, *arguments.recipes]:
            if (name, size, recipe, seed) in done:
                continue
            grid = arguments.results / f"{name}-{size}-{recipe}-{seed}.png"
            tree = spec_tree(next(iter(RECIPES)) if recipe == REALS else recipe, pictures, size, seed)
            seconds = arguments.seconds * (1.3 if size > 32 else 1)
            measured = reals_of(tree, grid) if recipe == REALS else run(tree, seconds, grid)
            keep_result({"set": name, "size": size, "recipe": recipe, "seed": seed, **measured}, arguments.results)


if __name__ == "__main__":
    main()

"""How near SinGAN comes to its photograph, several seeds of one spec.

Usage: `python benchmarks/singan.py --runs DIR [--seeds 0,1,2] [--spec experiments/singan/china.yaml] [--samples 20]`. A
run that came to its end is measured and not trained again. Prints for each seed, and as mean and standard deviation:

- the root mean squared error of the reconstruction, the picture being from -1 to 1;
- SIFID of samples that start at the coarsest scale, and at the next one, with `random_places`, which needs no download.
  These are for comparisons here, and not with the paper's numbers, which are of Inception's features.

Above them is the SIFID of two other pictures in the place of samples: the other photograph of scikit-learn, and the
picture upside down, which has its colours and very nearly its patches. Each line says whether a run keeps its bounds:
later starts are nearer to the picture, as in the paper, and both have less than a fourth of the other photograph's
distance. The bounds were set after one seed had been measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from ganlab_datasets.photograph import Photograph
from ganlab_metrics.plain_features import RandomPlaces
from ganlab_metrics.single_image import SingleImageFID
from ganlab_singan.architecture import SinGAN
from ganlab_singan.pyramid import GeneratorPyramid, enlarged
from seeds import parser_of_seeds, tell_seeds, trained
from torch import Tensor

import ganlab
from ganlab.build import open_dataset
from ganlab.data.scaling import scale, to_bytes
from ganlab.spec import read_spec

CHINA = Path(__file__).parents[1] / "experiments" / "singan" / "china.yaml"
Numbers = Mapping[str, float]


def picture_of(path: Path) -> Photograph:
    """The photograph that a spec learns from."""
    dataset = open_dataset(read_spec(path, []).data)
    assert isinstance(dataset, Photograph), f"{path} is not a spec on 'photograph'"
    return dataset


def sifid(dataset: Photograph, images: Tensor) -> float:
    """The mean SIFID of images (N, 3, H, W) in bytes."""
    metric = SingleImageFID(dataset.facts, RandomPlaces())
    metric.update(dataset.take([0])["images"], real=True)
    metric.update(images, real=False)
    return metric.compute()["sifid"]


def others(dataset: Photograph) -> Numbers:
    """What other pictures have in the place of samples."""
    flower = scale(Photograph("flower", side=None).take([0])["images"], (0.0, 255.0))
    small = to_bytes(enlarged(flower, dataset.facts.shape[1:]).clamp(-1, 1))
    return {
        "the flower": sifid(dataset, small),
        "the picture upside down": sifid(dataset, dataset.take([0])["images"].flip(2)),
    }


def measure(run: Path, dataset: Photograph, samples: int) -> Numbers:
    """The numbers of one run."""
    generator = ganlab.load(run)
    module = generator.module
    assert isinstance(module, SinGAN), f"{run} is not a run of singan"
    if module.clock.images_seen < module.plan.complete_at:
        raise SystemExit(f"{run} ended before its last scale was trained: give its spec more 'kimg'")
    pyramid = module.averaged_model("generator")
    assert isinstance(pyramid, GeneratorPyramid)
    picture = scale(dataset.take([0])["images"], (0.0, 255.0))
    with torch.no_grad():
        rebuilt = pyramid.reconstruction(module.trained)
    starts = {start: to_bytes(generator.sample(samples, start=start).clamp(-1, 1)) for start in (0, 1)}
    return {
        "reconstruction error": float((rebuilt - picture).square().mean().sqrt()),
        **{f"SIFID from scale {start}": sifid(dataset, images) for start, images in starts.items()},
    }


def run(seed: int, arguments: argparse.Namespace, dataset: Photograph) -> tuple[Numbers, float]:
    """The numbers of one seed, which is trained if it is not there yet, and the seconds of CPU time that took."""
    name = read_spec(arguments.spec, []).name
    _, folder, spent = trained(arguments.spec, name, seed, arguments.runs)
    return measure(folder, dataset, arguments.samples), spent


def is_good(limit: float, numbers: Numbers) -> bool:
    """Whether a run keeps the bounds."""
    return numbers["SIFID from scale 1"] < numbers["SIFID from scale 0"] < limit


def main() -> None:
    """Train what is missing, and print."""
    parser = parser_of_seeds(__doc__)
    parser.add_argument("--spec", type=Path, default=CHINA)
    parser.add_argument("--samples", type=int, default=20)
    arguments = parser.parse_args()
    dataset = picture_of(arguments.spec)
    compared = others(dataset)
    print(", ".join(f"SIFID of {name} {value:.3f}" for name, value in compared.items()), flush=True)
    tell = partial(run, arguments=arguments, dataset=dataset)
    tell_seeds(arguments.spec.stem, arguments.seeds, tell, partial(is_good, compared["the flower"] / 4))


if __name__ == "__main__":
    main()

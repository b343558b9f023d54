"""The games of this folder as an installed distribution, built and trained from their specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab import GANModule
from ganlab.build import build_dataset, build_module
from ganlab.contracts import Batch
from ganlab.data.loader import StepLoader
from ganlab.spec import Spec, read_spec
from tests.toy import write_distribution
from tests.training.fitting import fit

FOLDER = Path(__file__).parent
FAMILIES = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))

PLUGINS: Mapping[str, Mapping[str, str]] = {
    "architectures": {
        "attributes": "attributes:AttributesGAN",
        "classifier": "trunk:ClassifierGAN",
        "codes": "codes:CodesGAN",
        "encoder": "encoder:EncoderGAN",
        "own_labels": "labels:OwnLabelsGAN",
        "paired": "paired:PairedGAN",
        "pyramid": "pyramid:PyramidGAN",
        "sequence": "sequence:SequenceGAN",
        "styles": "styles:StylesGAN",
        "unpaired": "unpaired:UnpairedGAN",
    },
    "generators": {
        "changer": "attributes:Changer",
        "frames": "sequence:FrameGenerator",
        "painter": "paired:Painter",
        "refiner": "pyramid:Refiner",
        "small": "parts:SmallGenerator",
        "styles": "styles:StylesGenerator",
        "translator": "unpaired:Translator",
    },
    "discriminators": {
        "attributes": "attributes:AttributesDiscriminator",
        "classifier": "trunk:ClassifyingDiscriminator",
        "local": "pyramid:Local",
        "pairs": "encoder:PairDiscriminator",
        "patches": "paired:Patches",
        "recognition": "codes:RecognitionDiscriminator",
        "sequences": "sequence:SequenceDiscriminator",
        "small": "parts:SmallDiscriminator",
    },
    "losses": {"softplus": "parts:Softplus"},
    "latents": {"optimised": "optimised:OptimisedLatents"},
    "datasets": {
        "dark": "data:Dark",
        "described": "data:Described",
        "moving": "data:Moving",
        "one_image": "data:OneImage",
        "outlined": "data:Outlined",
        "shapes": "data:Shapes",
        "two_domains": "data:TwoDomains",
    },
}


def write_families(folder: Path) -> Path:
    """Write the metadata of the distribution `ganlab-families`, whose modules are those of this folder."""
    plugins = {
        kind: {name: f"tests.families.{target}" for name, target in entries.items()}
        for kind, entries in PLUGINS.items()
    }
    return write_distribution(folder, "ganlab-families", plugins, {})


@cache
def spec_of(family: str, overrides: tuple[str, ...] = ()) -> Spec:
    return read_spec(FOLDER / f"{family}.yaml", overrides)


def build(family: str, *overrides: str) -> tuple[GANModule, StepLoader]:
    """The game of a family with the loader of its examples."""
    spec = spec_of(family, overrides)
    dataset = build_dataset(spec.data)
    module = build_module(spec, dataset.facts)
    loader = StepLoader(
        dataset,
        step_size=module.step_size,
        seed=spec.seed,
        flip=spec.data.flip,
        resolution=module.step_resolution,
    )
    return module, loader


def train(module: GANModule, loader: StepLoader, rounds: int, **trainer: Any) -> GANModule:
    """Go on training for some rounds."""
    batch_size, updates = module.step_size(module.clock.images_seen)
    return fit(module, module.clock.images_seen + rounds * batch_size * updates, loader=loader, **trainer)


def state_of(module: GANModule) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def farthest(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> tuple[float, str]:
    """The largest difference, as a part of a tensor's norm where that is above 1, and the tensor's name."""
    distances = [
        (float((first[name].double() - value.double()).norm() / value.double().norm().clamp_min(1)), name)
        for name, value in second.items()
    ]
    assert first.keys() == second.keys()
    return max(distances)


def first_batch(module: GANModule, loader: StepLoader) -> Batch:
    step = next(iter(loader))
    return step.batches(module.facts, module.settings.seed)[0]


def sample_inputs(batch: Batch) -> dict[str, Tensor]:
    """What samples are made of: an example's inputs, its own image, and an image of each further domain."""
    further = {name: examples.images for name, examples in batch.further.items()}
    return {**batch.inputs, "images": batch.images, **further}


def train_rank(rank: int, folder: str, runs: Sequence[tuple[str, tuple[str, ...]]], rounds: int) -> None:
    """One of two processes that train families in float64, each with overrides, and write what they end with."""
    from ganlab.run.launch import detect_launch
    from ganlab.spec.model import TrainerSection

    for index, (family, overrides) in enumerate(runs):
        arguments = detect_launch(TrainerSection(accelerator="cpu")).trainer_arguments()
        module = train(*build(family, *overrides), rounds, precision="64-true", **arguments)
        torch.save(module.state_dict(), Path(folder, f"{index}-{rank}.pt"))

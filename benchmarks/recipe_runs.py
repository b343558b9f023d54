"""One run of `recipes.py`: a recipe on a set of pictures until its CPU time is spent, and what its samples are like."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ganlab_metrics.swd import SlicedWassersteinDistance
from PIL import Image
from pytorch_lightning import Trainer
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganlab.build import open_dataset
from ganlab.contracts import Dataset
from ganlab.evaluation.diversity import DiversityMeter, random_features
from ganlab.evaluation.quantise import for_metrics
from ganlab.evaluation.reals import real_blocks
from ganlab.evaluation.sampling import make_samples
from ganlab.run.part import RunPart
from ganlab.run.session import train
from ganlab.spec import Document, Origin, resolve
from ganlab.spec.document import located
from ganlab.training.module import GANModule

SAMPLES = 1000
SIDE = 8  # pictures of a side of a grid


class Budget(RunPart):
    """Ends a training when this process has used so many seconds of CPU time since the first step."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.module: GANModule
        self._began = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Start the watch."""
        self.module, self._began = pl_module, time.process_time()

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop in time."""
        trainer.should_stop = time.process_time() - self._began >= self.seconds


def run(tree: dict[str, Any], seconds: float, grid: Path) -> dict[str, Any]:
    """Train a spec for some CPU seconds; the images it saw, and measures of its averaged generator."""
    spec = resolve(Document("recipe.yaml", located(tree, Origin("recipe.yaml"))))
    budget = Budget(seconds)
    with tempfile.TemporaryDirectory() as runs:
        train(spec, Path(runs), more=[budget])
    module = budget.module.cpu()
    save_grid(_images(module, SIDE * SIDE), grid)
    dataset = open_dataset(spec.data)
    spread = DiversityMeter(dataset).measure(module).as_values()
    measured = measure(_reals(dataset, SAMPLES), _images(module, SAMPLES))
    return {"kimg": module.clock.kimg} | measured | {name.split("/")[1]: value for name, value in spread.items()}


def reals_of(tree: dict[str, Any], grid: Path) -> dict[str, float]:
    """What one half of the reals has from the other, the least that can be expected."""
    spec = resolve(Document("recipe.yaml", located(tree, Origin("recipe.yaml"))))
    reals = _reals(open_dataset(spec.data), 2 * SAMPLES)
    save_grid(reals[: SIDE * SIDE], grid)
    return measure(reals[::2], reals[1::2])


def measure(reals: Tensor, fakes: Tensor) -> dict[str, float]:
    """Distances of two sets of images, uint8 (N, C, H, W)."""
    swd = SlicedWassersteinDistance(tuple(reals.shape[1:]), patches=32, repeats=2)
    swd.update(reals, real=True)
    swd.update(fakes, real=False)
    return {"swd": swd.compute()["average"], "distance": frechet_distance(_features(reals), _features(fakes))}


def frechet_distance(left: Tensor, right: Tensor) -> float:
    """The Frechet distance of Gaussians fitted to two sets of features (N, D)."""
    means = left.mean(0) - right.mean(0)
    first, second = torch.cov(left.T), torch.cov(right.T)
    values, vectors = torch.linalg.eigh(first)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ second @ root).clamp(min=0).sqrt().sum()
    return float(means @ means + first.trace() + second.trace() - 2 * cross)


def _features(images: Tensor) -> Tensor:
    """Features of a network with fixed random weights at 32 pixels, and the image averaged to 4x4 pixels."""
    scaled = images.float() / 127.5 - 1
    pixels = adaptive_avg_pool2d(scaled, 4).flatten(1)
    return torch.cat([random_features(adaptive_avg_pool2d(scaled, 32)), pixels], dim=1).double()


def _images(module: GANModule, count: int) -> Tensor:
    """Samples as bytes, of one class after the other where there are classes."""
    labels: Any = "cycle" if module.facts.classes else None
    pieces = [for_metrics(made.images, module.facts) for made in make_samples(module, count, 0, labels=labels)]
    return torch.cat(pieces)


def _reals(dataset: Dataset, count: int) -> Tensor:
    return torch.cat([images for images, _ in real_blocks(dataset, count, 0, 64)])


def save_grid(images: Tensor, path: Path) -> None:
    """The first images without gaps, as they are."""
    count, channels, height, width = images[: SIDE * SIDE].shape
    rows = images[:count].view(SIDE, SIDE, channels, height, width).permute(0, 3, 1, 4, 2)
    Image.fromarray(np.ascontiguousarray(rows.reshape(SIDE * height, SIDE * width, channels).numpy())).save(path)

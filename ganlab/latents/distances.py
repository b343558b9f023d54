"""How far images are from a target, to be minimised: in pixels, in the discriminator's features, and perceptually."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from ganlab.errors import UserError
from ganlab.evaluation.features import weights_file
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.suggestions import did_you_mean
from ganlab.views import as_scores

DistanceName = Literal["pixels", "discriminator", "lpips"]
Distance = Callable[[Tensor], Tensor]
"""Images (N, C, H, W) in [-1, 1] to their distances (N,) from the target."""

_COARSEST = 4  # pixels of the shorter side, where pooling ends
_PERCEIVED = (64, 256)  # pixels a side that LPIPS is computed at, at least and at most


def distance_to(target: Tensor, name: str, generator: TrainedGenerator, label: str | int | None = None) -> Distance:
    """The distance of a name from a target (1, C, H, W).

    `pixels` is the mean squared difference of pixels, averaged over all scales; `discriminator` that of the features
    that the run's own discriminator sees, with the pixels, so that nothing is downloaded; `lpips` the learned
    perceptual similarity (Zhang et al., 2018) with VGG's weights, where they are on this machine. Raises `UserError`
    for others, and for one that there is not here.
    """
    if name == "pixels":
        return _of_pixels(target)
    if name == "discriminator":
        return _of_features(target, generator, generator.labels_of(label, 1))
    if name == "lpips":
        return _perceptual(target)
    known = get_args(DistanceName)
    raise UserError(f"there is no distance '{name}'; there are: {', '.join(known)}{did_you_mean(name, known)}")


def _of_pixels(target: Tensor) -> Distance:
    wanted = _pyramid(target)

    def distance(images: Tensor) -> Tensor:
        scales = zip(_pyramid(images), wanted, strict=True)
        return torch.stack([(own - other).square().flatten(1).mean(1) for own, other in scales]).mean(0)

    return distance


def _pyramid(images: Tensor) -> list[Tensor]:
    """Images at all scales, each half of the one before."""
    scales = [images]
    while min(scales[-1].shape[-2:]) >= 2 * _COARSEST:
        scales.append(avg_pool2d(scales[-1], 2))
    return scales


def _of_features(target: Tensor, generator: TrainedGenerator, labels: Tensor | None) -> Distance:
    """Features have unit length at each place, so that layers count alike."""
    module = generator.module
    if not isinstance(module, TwoPlayerGAN):
        raise UserError(f"{type(module).__name__} has no discriminator of images whose features could be compared")

    def features(images: Tensor) -> Sequence[Tensor]:
        label = None if labels is None else labels.expand(len(images))
        seen = as_scores(module.run_discriminator(images, label, {})).features
        if not seen:
            raise UserError(f"{type(module.discriminator).__name__} tells no features; take the distance pixels")
        return [layer / layer.norm(dim=1, keepdim=True).clamp_min(1e-8) for layer in seen]

    with torch.no_grad():
        wanted = features(target)
    pixels = _of_pixels(target)

    def distance(images: Tensor) -> Tensor:
        layers = zip(features(images), wanted, strict=True)
        squares = [(own - other).square().sum(1).view(len(images), -1).mean(1) for own, other in layers]
        return torch.stack(squares).mean(0) + pixels(images)

    return distance


def _perceptual(target: Tensor) -> Distance:
    weights_file("vgg16")
    from torchmetrics.image import LearnedPerceptualImagePatchSimilarity

    network = LearnedPerceptualImagePatchSimilarity(net_type="vgg").net.to(target.device).eval().requires_grad_(False)
    wanted = _as_seen(target)

    def distance(images: Tensor) -> Tensor:
        distances: Tensor = network(_as_seen(images), wanted.expand(len(images), -1, -1, -1))
        return distances.flatten()

    return distance


def _as_seen(images: Tensor) -> Tensor:
    """RGB of a size that the network takes."""
    images = images[:, :3] if images.shape[1] > 2 else images[:, :1].expand(-1, 3, -1, -1)
    least, most = _PERCEIVED
    side = min(images.shape[-2:])
    factor = max(1, -(-least // side)) if side < most else 1 / max(1, side // most)
    return (
        images if factor == 1 else interpolate(images, scale_factor=factor, mode="area" if factor < 1 else "bilinear")
    )

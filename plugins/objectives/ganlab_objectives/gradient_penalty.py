"""Penalty on the norm of the discriminator's gradient."""

from __future__ import annotations

from functools import partial
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge
from torch import Tensor

from ganlab.contracts import Views
from ganlab.errors import UserError
from ganlab.schedules import Scheduled
from ganlab_objectives.image_parts import by_part
from ganlab_objectives.input_gradient import input_gradient


class GradientPenalty:
    """Keeps the norm of the discriminator's gradient near a target.

    The penalty is (norm - target)^2 / target^2 with the norm over a whole image (Gulrajani et al., 2017). Where a game
    judges several sizes of an image together, each size has a norm, and the penalty is the mean over them (Karnewar and
    Wang, 2020, "MSG-GAN").

    Args:
        target: the norm to aim at; 0 means the squared norm itself.
        one_sided: penalise only norms above the target.
        at: where: at one random point of each line from a fake to a real, `reals` (with `noise`, as in DRAGAN), or
            `fakes`.
        noise: standard deviation of the normal noise on each number of the reals or fakes; the paper of DRAGAN
            (Kodali et al., 2017) has it as c, and its code adds uniform noise instead, of up to half the standard
            deviation of the data. None on lines.
        per_pixel: Take the norm over the channels of each pixel, and the mean over pixels as well, as in SinGAN (Shaham
            et al., 2019), for discriminators whose logits are maps of patches. Vectors have no pixels: nothing changes.
    """

    side: ClassVar[str] = "discriminator"
    differentiates_twice: ClassVar[frozenset[str]] = frozenset({"discriminator"})
    requires: ClassVar[frozenset[str]] = frozenset(
        {"real_images", "fake_images", "labels", "fake_labels", "discriminate", "random"}
    )

    def __init__(
        self,
        target: Annotated[Scheduled, Ge(0)] = 1.0,
        one_sided: bool = False,
        at: Literal["lines", "reals", "fakes"] = "lines",
        noise: Annotated[Scheduled, Ge(0)] = 0.0,
        per_pixel: bool = False,
    ) -> None:
        if noise != 0 and at == "lines":
            raise UserError("'noise' is for penalties at reals or fakes: set 'at' to one of them, or leave it out")
        self.target = target
        self.one_sided = one_sided
        self.at = at
        self.noise = noise
        self.per_pixel = per_pixel

    def penalty(self, views: Views) -> Tensor:
        """Mean over the batch, and the pixels if each has a norm, of the relative squared distance to the target."""
        labels = views.fake_labels if self.at == "fakes" else views.labels
        gradient = input_gradient(partial(views.discriminate, labels=labels), self._points(views))
        parts = [gradient] if self.per_pixel else by_part(gradient.flatten(1), views)
        norm = torch.stack([torch.linalg.vector_norm(part, dim=1) for part in parts])
        distance: Tensor = norm if self.target == 0 else norm / self.target - 1
        return (distance.relu() if self.one_sided else distance).square().mean()

    def _points(self, views: Views) -> Tensor:
        if self.at == "lines":
            return _between(views.fake_images, views.real_images, views.random.uniform("interpolation"))
        images: Tensor = views.real_images if self.at == "reals" else views.fake_images
        if self.noise == 0:
            return images
        noise: Tensor = views.random.normal("noise", *images.shape[1:]).to(images)
        return images.detach() + self.noise * noise


def _between(fake_images: Tensor, real_images: Tensor, fraction: Tensor) -> Tensor:
    # Detached: the penalty is about the discriminator, and the fakes need no graph for it.
    weight = fraction.to(real_images).view(-1, *[1] * (real_images.dim() - 1))
    return fake_images.detach().lerp(real_images.detach(), weight)

"""The gradient that penalties are about."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def input_gradient(discriminate: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Gradient of each image's logit with respect to that image, of the images' shape.

    It can itself be differentiated by the discriminator's parameters. The sum over the batch gives the gradient of
    each image only where images do not see each other, which batch statistics break.
    """
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminate(images).sum(), images, create_graph=True)
    return gradient

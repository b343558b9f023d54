"""Path length regularization."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from ganlab.contracts import Views
from ganlab.distributed import shared_mean
from ganlab.nn import RunningMean
from ganlab.randomness import chosen_rows


class PathLength(nn.Module):
    """Keeps equal steps in the latent space equal in the images (Karras et al., 2020, "StyleGAN2").

    mean (length - a)^2, where a length is the norm of the gradient of <G(w), y> with respect to w for an image y of
    noise with standard deviation 1/sqrt(height * width), and `a` the moving average of the lengths. The mean of this
    update (with micro-batches, of each part) is in the average that the penalty uses, with its gradient, as in the
    authors' code. Lengths are measured from the styles (N, layers, size), as a root mean square over layers, where the
    player offers `styles` and `synthesise`, and otherwise from the latents (N, size).

    The paper's weight is 2, `every: 4`.

    Args:
        decay: weight of this update's mean in the moving average.
        shrink: measure one of so many images of the batch; all of a part of it that has fewer.
    """

    side: ClassVar[str] = "generator"
    differentiates_twice: ClassVar[frozenset[str]] = frozenset({"generator"})
    requires: ClassVar[frozenset[str]] = frozenset({"latents", "fake_labels", "generate", "random"})

    def __init__(
        self, decay: Annotated[float, Gt(0), Le(1)] = 0.01, shrink: Annotated[int, Ge(1), Le(10_000)] = 2
    ) -> None:
        super().__init__()
        self.average = RunningMean(1 - decay)
        self.decay = decay
        self.shrink = shrink

    def penalty(self, views: Views) -> Tensor:
        """Mean squared distance of the lengths to their moving average."""
        rows = self._rows(views.random.start, len(views.latents))
        with chosen_rows(rows):
            origins, images = _fakes(views, rows)
        noise = views.random.normal("path_length", *images.shape[1:])[rows].to(images)
        noise = noise / math.sqrt(math.prod(images.shape[2:]))
        (gradient,) = torch.autograd.grad((images * noise).sum(), origins, create_graph=True)
        lengths = gradient.square().sum(-1).reshape(len(origins), -1).mean(1).sqrt()
        self.average.observe(lengths)
        average = self.average.current().to(lengths).lerp(shared_mean(lengths), self.decay)
        return (lengths - average).square().mean()

    def _rows(self, start: int, count: int) -> slice:
        """Every `shrink`-th image of the global batch, so that the choice does not depend on how it is shared out."""
        step = self.shrink if count >= self.shrink else 1
        return slice(-start % step, None, step)


def _fakes(views: Views, rows: slice) -> tuple[Tensor, Tensor]:
    """Fakes with what they are made from."""
    labels = None if views.fake_labels is None else views.fake_labels[rows]
    if "styles" in views and "synthesise" in views:
        styles: Tensor = views.styles[rows]
        return styles, views.synthesise(styles, labels)
    latents = views.latents[rows].detach().requires_grad_()
    inputs = {name: value[rows] for name, value in views.fake_inputs.items()} if "fake_inputs" in views else {}
    return latents, views.generate(latents, labels, **({"inputs": inputs} if inputs else {}))

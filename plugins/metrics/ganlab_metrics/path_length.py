"""Perceptual path length: how smoothly images follow their latents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganlab import DataFacts, UserError
from ganlab.contracts import Extractor
from ganlab.randomness import Randomness, layer_draws
from ganlab_metrics.vgg16 import LPIPS

_LARGEST = 256  # pixels a side that distances are taken at


class PathLength:
    """Perceptual path length (Karras et al., 2019): E d(G(t), G(t + epsilon)) / epsilon^2 along paths between latents.

    d is the squared distance of an extractor's features, with LPIPS the LPIPS distance. StyleGAN reports `space: z` and
    `w` with `sampling: full` and `crop: true` (100,000 samples); StyleGAN2 `space: w`, `sampling: end`, no crop
    (50,000). Paths in z are great circles of the latents' own lengths, in w straight lines. Both images of a pair have
    the same noise. Images are not rounded; beyond 256 pixels they are averaged down. The lowest and the highest percent
    of the distances are left out.

    Args:
        facts: Facts of the data.
        extractor: the space of the distance; without it LPIPS.
        space: `w` needs an architecture that maps latents to styles.
        sampling: anywhere on the path (`full`) or at its start (`end`).
        epsilon: length of a step, as a share of the path.
        crop: whether to look at the part of the picture where the face is in FFHQ.
        batch_size: pairs at a time.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"ppl": False}
    example: ClassVar[Mapping[str, Any]] = {
        "extractor": {"name": "random_network", "width": 4, "layers": 2},
        "space": "z",
    }
    needs: ClassVar[frozenset[str]] = frozenset({"generator"})

    def __init__(
        self,
        facts: DataFacts,
        extractor: Extractor | None = None,
        space: Literal["z", "w"] = "w",
        sampling: Literal["full", "end"] = "end",
        epsilon: Annotated[float, Gt(0), Le(1)] = 1e-4,
        crop: bool = False,
        batch_size: Annotated[int, Ge(1), Le(1_000_000)] = 32,
    ) -> None:
        if not facts.is_images:
            raise UserError("ppl measures images; these data are vectors: leave it out")
        self.extractor = extractor or LPIPS()
        self.space = space
        self.sampling = sampling
        self.epsilon = epsilon
        self.crop = crop
        self.batch_size = batch_size
        self.protocol = {"space": space, "path": sampling, "epsilon": epsilon, "crop": crop}
        self.reset()

    def measure(self, module: Any, random: Randomness) -> None:
        """Walk a step on as many paths as there are samples."""
        if self.space == "w" and not (hasattr(module, "map") and hasattr(module, "synthesise")):
            raise UserError(f"{type(module).__name__} has no styles, so that there are no paths in w: take 'space: z'")
        for start in range(0, len(random), self.batch_size):
            part = random.slice(start, min(self.batch_size, len(random) - start))
            first, second = (self.extractor(images) for images in self._pairs(module, part))
            self._distances.append((first - second).double().square().sum(1).cpu() / self.epsilon**2)

    def compute(self) -> dict[str, float]:
        """The mean of the distances without the lowest and the highest percent."""
        distances = torch.cat(self._distances).numpy()
        low = np.percentile(distances, 1, method="lower")
        high = np.percentile(distances, 99, method="higher")
        kept = distances[(distances >= low) & (distances <= high)]
        return {"ppl": float(kept.mean()), "std": float(kept.std())}

    def reset(self) -> None:
        """Forget the distances."""
        self._distances: list[Tensor] = []

    def _pairs(self, module: Any, random: Randomness) -> Iterator[Tensor]:
        """The images at both ends of a step, with values from 0 to 255."""
        classes = module.facts.classes
        labels = random.integers("labels", classes) if classes else None
        begin = module.draw(random.scoped("begin"), labels)
        end = module.draw(random.scoped("end"), labels)
        ends = [begin.values, end.values]
        if self.space == "w":
            ends = [module.map(replace(begin, values=values)) for values in ends]
        at = random.uniform("place") if self.sampling == "full" else torch.zeros(len(random), device=random.device)
        for place in (at, at + self.epsilon):
            between = (_straight if self.space == "w" else _circle)(ends[0], ends[1], place)
            with layer_draws(random.scoped("layers")):
                if self.space == "w":
                    yield self._looked_at(module.synthesise(between))
                else:
                    yield self._looked_at(module.render(replace(begin, values=between)))

    def _looked_at(self, images: Tensor) -> Tensor:
        images = (images.float() + 1) * 127.5
        images = images.flatten(0, 1) if images.dim() == 5 else images
        if self.crop:
            height, width = images.shape[2:]
            images = images[:, :, height * 3 // 8 : height * 7 // 8, width * 2 // 8 : width * 6 // 8]
        factor = min(images.shape[2:]) // _LARGEST
        return avg_pool2d(images, factor) if factor > 1 else images


def _straight(first: Tensor, second: Tensor, place: Tensor) -> Tensor:
    return torch.lerp(first, second, place.to(first).view(-1, *[1] * (first.dim() - 1)))


def _circle(first: Tensor, second: Tensor, place: Tensor) -> Tensor:
    """Between latents (N, ...) on a great circle, at a length between theirs."""
    shape = first.shape
    one, other = (latents.flatten(1).double() for latents in (first, second))
    lengths = [latents.norm(dim=1, keepdim=True) for latents in (one, other)]
    one, other = one / lengths[0], other / lengths[1]
    along = (one * other).sum(1, keepdim=True).clamp(-1, 1)
    across = torch.nn.functional.normalize(other - along * one, dim=1)
    angle = place.double()[:, None] * along.acos()
    found = torch.lerp(lengths[0], lengths[1], place.double()[:, None]) * (one * angle.cos() + across * angle.sin())
    return found.to(first).view(shape)

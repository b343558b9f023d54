"""Features that need no network that was trained elsewhere: pixels, their principal components, a random network."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ganlab import DataFacts, UserError
from ganlab.bounds import Seed
from ganlab_metrics.network_extractor import NetworkExtractor


class Pixels:
    """The pixels themselves, averaged down where there are many, as numbers from 0 to 1; of vectors, their numbers.

    Args:
        size: pixels a side, at most.
    """

    def __init__(self, size: Annotated[int, Ge(1), Le(1024)] = 32) -> None:
        self.size = size
        self.protocol = {"network": "pixels", "size": size}

    def __call__(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) to features (N, C * size * size)."""
        return reduced(images, self.size).flatten(1)


class PrincipalComponents:
    """Coordinates along the directions in which the training's images differ most, by their pixels.

    Args:
        facts: Facts of the data.
        components: directions.
        size: pixels a side that are looked at, at most.
        examples: training images that the directions are found from.
    """

    example: ClassVar[Mapping[str, Any]] = {"components": 4, "size": 8}

    def __init__(
        self,
        facts: DataFacts,
        components: Annotated[int, Ge(1), Le(65_536)] = 64,
        size: Annotated[int, Ge(1), Le(1024)] = 32,
        examples: Annotated[int, Ge(2), Le(10_000_000)] = 10_000,
    ) -> None:
        _check_images("pca", facts)
        self.components = components
        self.size = size
        self.examples = examples
        self.protocol: dict[str, object] = {
            "network": "pca",
            "components": components,
            "size": size,
            "examples": examples,
            "data": facts.fingerprint,
        }
        self._mean = self._directions = torch.empty(0)

    def learn(self, reals: Iterable[tuple[Tensor, Tensor | None]]) -> None:
        """Find the directions."""
        pixels = torch.cat([reduced(images, self.size).flatten(1).double().cpu() for images, _ in reals])
        self._mean = pixels.mean(0)
        centred = pixels - self._mean
        wanted = min(self.components, *centred.shape)
        if centred.shape[1] <= centred.shape[0]:
            vectors = torch.linalg.eigh(centred.T @ centred).eigenvectors.flip(1)
        else:
            vectors = torch.linalg.svd(centred, full_matrices=False).Vh.T
        # Signs are arbitrary; the largest entry of each direction is positive.
        chosen = vectors[:, :wanted]
        largest = chosen.gather(0, chosen.abs().argmax(0, keepdim=True))
        self._directions = chosen * largest.sign()

    def state(self) -> dict[str, Tensor]:
        """What was learned."""
        return {"mean": self._mean, "directions": self._directions}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over what was learned before."""
        self._mean, self._directions = state["mean"], state["directions"]
        numbers = torch.cat([self._mean, self._directions.flatten()]).numpy()
        self.protocol["weights"] = hashlib.sha256(numbers.tobytes()).hexdigest()[:16]

    def __call__(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) to coordinates (N, components)."""
        assert len(self._mean), "it has not learned"
        mean, directions = self._mean.to(images.device), self._directions.to(images.device)
        return ((reduced(images, self.size).flatten(1).double() - mean) @ directions).float()


class RandomNetwork(NetworkExtractor):
    """A convolutional network with fixed random weights: means and deviations of its maps (Naeem et al., 2020).

    It sees edges, colours and textures, and differs in nothing from machine to machine.

    Args:
        width: channels of its first layer; each of the following ones has twice as many.
        layers: each halves the resolution.
        size: pixels a side that it sees; null leaves images as they are.
        seed: Seed of its weights.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 4, "layers": 2}

    def __init__(
        self,
        width: Annotated[int, Ge(1), Le(4096)] = 32,
        layers: Annotated[int, Ge(1), Le(12)] = 4,
        size: Annotated[int, Ge(16), Le(4096)] | None = 64,
        seed: Seed = 0,
    ) -> None:
        network = _RandomMaps(width, layers, seed)
        super().__init__(network, "random_network", size=size, how="bilinear", normalise=((127.5,) * 3, (127.5,) * 3))
        self.protocol |= {"width": width, "layers": layers, "seed": seed}


class RandomPlaces(NetworkExtractor):
    """The last maps of the same network, on images as they are: a vector for each place.

    For statistics within an image where no trained network is at hand. Features are means over the places.

    Args:
        width: channels of its first layer; each of the following ones has twice as many.
        layers: each halves the resolution.
        seed: Seed of its weights.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 4, "layers": 1}

    def __init__(
        self, width: Annotated[int, Ge(1), Le(4096)] = 16, layers: Annotated[int, Ge(1), Le(12)] = 2, seed: Seed = 0
    ) -> None:
        maps = _RandomMaps(width, layers, seed)
        steps = [part for layer in maps.layers for part in (layer, nn.LeakyReLU(0.2))]
        super().__init__(nn.Sequential(*steps), "random_places", normalise=((127.5,) * 3, (127.5,) * 3))
        self.protocol |= {"width": width, "layers": layers, "seed": seed}


class _RandomMaps(nn.Module):
    def __init__(self, channels: int, layers: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList()
        before = 3
        for layer in range(layers):
            width = channels * 2**layer
            convolution = nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False)
            weight = torch.randn(convolution.weight.shape, generator=generator)
            convolution.weight.data = weight * math.sqrt(2 / weight[0].numel())
            self.layers.append(convolution)
            before = width

    def forward(self, images: Tensor) -> Tensor:
        found = []
        for layer in self.layers:
            images = nn.functional.leaky_relu(layer(images), 0.2)
            found += [images.mean((2, 3)), images.std((2, 3), correction=0)]
        return torch.cat(found, dim=1)


def reduced(images: Tensor, size: int) -> Tensor:
    """Images (N, C, H, W) as numbers from 0 to 1, averaged down to `size` pixels a side at most; vectors themselves."""
    if images.dim() == 2:
        return images.float()
    height, width = (min(size, side) for side in images.shape[2:])
    return adaptive_avg_pool2d(images.float() / 255, (height, width))


def _check_images(name: str, facts: DataFacts) -> None:
    if not facts.is_images:
        raise UserError(f"{name} looks at images; these data are vectors of {facts.dimensions} numbers")

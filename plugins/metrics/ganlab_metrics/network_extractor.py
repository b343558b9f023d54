"""Extractors that are a torch network: on the images' device, in a number format, behind a resize that has a name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganlab import UserError
from ganlab.bounds import Side
from ganlab_metrics.resizing import Resize, as_rgb, resize

DType = Literal["float32", "float64", "bfloat16"]
"""What a network computes in; published numbers are of float32."""

Normalise = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and standard deviation of each channel, of values from 0 to 255."""

IMAGENET: Normalise = (
    (255 * 0.485, 255 * 0.456, 255 * 0.406),
    (255 * 0.229, 255 * 0.224, 255 * 0.225),
)


class NetworkExtractor:
    """Features (N, D) of any `torch.nn.Module` that makes a tensor of RGB images.

    Images become RGB, are resized to `size` (None leaves them as they are), normalised, and laid out with channels
    last. Maps (N, C, H, W) that come out are averaged over places. The network is made when it is first needed, by
    `make`, so that an extractor costs nothing before; it is put into evaluation mode and moves with the images.

    Args:
        make: the network, or what makes it.
        name: of the network, for the protocol.
        weights: a hash of its weights; without it one is made of the network's tensors.
        size: pixels a side that the network sees.
        how: the resize.
        normalise: mean and deviation that are taken off values from 0 to 255.
        dtype: what the network computes in.
    """

    def __init__(
        self,
        make: nn.Module | Callable[[], nn.Module],
        name: str,
        weights: str | None = None,
        size: Side | None = None,
        how: Resize = "bicubic",
        normalise: Normalise = IMAGENET,
        dtype: DType = "float32",
    ) -> None:
        self._make = make
        self._network: nn.Module | None = None
        self.size = size
        self.how: Resize = how
        self.normalise = normalise
        self.dtype: torch.dtype = getattr(torch, dtype)
        self.protocol: dict[str, Any] = {
            "network": name,
            "weights": weights or hash_of_tensors(self.network),
            "resize": "none" if size is None else f"{how} {size}",
            "dtype": dtype,
        }

    @property
    def network(self) -> nn.Module:
        """The network, ready to be used."""
        if self._network is None:
            made = self._make if isinstance(self._make, nn.Module) else self._make()
            made = made.eval().requires_grad_(False).to(self.dtype)
            self._network = made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self._network

    def prepare(self, images: Tensor) -> Tensor:
        """What the network sees of images (N, C, H, W) with values from 0 to 255."""
        shown = as_rgb(images).to(torch.float64 if self.dtype == torch.float64 else torch.float32)
        if self.size is not None:
            shown = resize(shown, self.size, self.how)
        mean, deviation = (torch.tensor(part, device=shown.device, dtype=shown.dtype) for part in self.normalise)
        shown = (shown - mean[:, None, None]) / deviation[:, None, None]
        return shown.to(self.dtype).contiguous(memory_format=torch.channels_last)

    def __call__(self, images: Tensor) -> Tensor:
        """Features (N, D) in float32 of images (N, C, H, W), bytes or floats from 0 to 255."""
        features = self._seen(images)
        features = features.flatten(2).mean(2) if features.dim() > 2 else features
        return features.float()

    def places(self, images: Tensor) -> Tensor:
        """What the network makes of each place, (N, D, H, W) in float32; for networks that end with maps."""
        maps = self._seen(images)
        if maps.dim() != 4:
            raise UserError(
                f"{self.protocol['network']} makes one vector of an image, and none of its places: take an extractor "
                "that ends with maps, such as 'inception_places' or 'random_places'"
            )
        return maps.float()

    def _seen(self, images: Tensor) -> Tensor:
        if images.dim() != 4:
            raise UserError(f"{self.protocol['network']} looks at images; these data are vectors: take 'pixels'")
        made: Tensor = self.network.to(images.device)(self.prepare(images))
        return made


def hash_of_tensors(network: nn.Module) -> str:
    """16 digits that tell the parameters and buffers of networks apart."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def fold_normalization(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """One convolution, with a bias, that does what a convolution and the normalization behind it do in evaluation."""
    folded = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        convolution.kernel_size,  # type: ignore[arg-type]
        convolution.stride,  # type: ignore[arg-type]
        convolution.padding,  # type: ignore[arg-type]
        convolution.dilation,  # type: ignore[arg-type]
        convolution.groups,
    )
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()
    bias = torch.zeros_like(scale) if convolution.bias is None else convolution.bias.detach().double()
    with torch.no_grad():
        folded.weight.copy_(convolution.weight.detach().double() * scale[:, None, None, None])
        assert folded.bias is not None
        folded.bias.copy_((bias - norm.running_mean.double()) * scale + norm.bias.detach().double())
    return folded.to(convolution.weight.dtype)

"""Convolutions whose weights differ from image to image by factors of their input channels (Karras et al., 2020)."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab.nn.autocast import cast, without_autocast
from ganlab.nn.convolution import conv2d, conv_transpose2d
from ganlab.nn.upfirdn import Resampler

_EPS = 1e-8


def modulated_conv2d(
    images: Tensor,
    weight: Tensor,
    factors: Tensor,
    demodulate: bool = True,
    resampler: Resampler | None = None,
    fused: bool = False,
) -> Tensor:
    """Images (N, C, H, W) convolved by a weight (out, C, k, k), k odd, times `factors` (N, C) of each image's channels.

    `demodulate` divides each output channel of each image by the norm of its weights, so that independent inputs of
    unit variance give outputs of unit variance. With a resampler the result is (N, out, 2H, 2W): a transposed 3x3
    convolution, then the filter.

    Inputs and outputs are scaled in place of the weights, which is the same and takes one convolution for all
    images. `fused` makes a weight for each image and convolves in groups. The factors of outputs are in float32 at
    least, whatever the images' type.
    """
    with without_autocast(images.device):
        scales = _output_scales(weight, factors) if demodulate else None
    images, weight = cast(images, weight)  # type: ignore[assignment]
    doubling = resampler is not None
    if fused:
        convolved = _convolve_each(images, _weight_of_each(weight, factors, scales), doubling)
    else:
        convolved = _convolve(images * _of_channels(factors, images), weight[None], doubling)
        if scales is not None:
            convolved = convolved * _of_channels(scales, convolved)
    return convolved if resampler is None else resampler.after_transposed(convolved)


def _output_scales(weight: Tensor, factors: Tensor) -> Tensor:
    """1 over the norm of each output channel's weights in each image, (N, out).

    The squares of the weights are summed before they meet an image's factors: there is no weight for each image.
    """
    exact = torch.promote_types(factors.dtype, torch.float32)
    squares = weight.to(exact).square().sum((2, 3))
    return torch.rsqrt(factors.to(exact).square() @ squares.t() + _EPS)


def _of_channels(scales: Tensor, images: Tensor) -> Tensor:
    return scales.to(images.dtype)[:, :, None, None]


def _weight_of_each(weight: Tensor, factors: Tensor, scales: Tensor | None) -> Tensor:
    """(N, out, C, k, k)."""
    weights = weight * factors.to(weight.dtype)[:, None, :, None, None]
    return weights if scales is None else weights * scales.to(weight.dtype)[:, :, None, None, None]


def _convolve_each(images: Tensor, weights: Tensor, doubling: bool) -> Tensor:
    """Each image by its own weight: one convolution of one image, in groups."""
    convolved = _convolve(images.reshape(1, -1, *images.shape[2:]), weights, doubling)
    return convolved.view(images.shape[0], -1, *convolved.shape[2:])


def _convolve(images: Tensor, weights: Tensor, doubling: bool) -> Tensor:
    """Images (N, groups * C, H, W) by weights (groups, out, C, k, k)."""
    groups, side = len(weights), weights.shape[-1]
    if not doubling:
        return conv2d(images, weights.flatten(0, 1), padding=side // 2, groups=groups)
    assert side == 3, f"images are enlarged by a 3x3 convolution, not by {side}x{side}"
    return conv_transpose2d(images, weights.transpose(1, 2).flatten(0, 1), stride=2, groups=groups)

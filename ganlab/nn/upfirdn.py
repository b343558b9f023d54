"""Resampling of images with separable filters: insert zeros, pad, filter, and keep some of the pixels.

The gradient of such an operation is one of the same sort, with both rates exchanged. It runs as a plain depthwise
convolution in either direction: torch's gradient of a strided one is a transposed convolution, which in bfloat16 takes
fifty times as long, and the gradient of that runs channel by channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from ganlab.nn.autocast import cast, without_autocast
from ganlab.nn.tracing import is_traced

Padding = tuple[int, int]
"""Pixels before and after, of rows and of columns alike; negative ones are cut off."""


class _Plan(NamedTuple):
    """Rates, and the pixels around the images (above, below, left, right) after zeros were inserted."""

    up: int
    down: int
    vertical: Padding
    horizontal: Padding
    flipped: bool

    def adjoint(self, images: torch.Size, outputs: torch.Size, taps: int) -> _Plan:
        """What takes gradients of outputs (N, C, H', W') to those of images (N, C, H, W)."""
        vertical, horizontal = (
            self._adjoint_padding(images[axis], outputs[axis], taps, before)
            for axis, (before, _) in ((2, self.vertical), (3, self.horizontal))
        )
        return _Plan(self.down, self.up, vertical, horizontal, not self.flipped)

    def _adjoint_padding(self, size: int, result: int, taps: int, before: int) -> Padding:
        first = taps - 1 - before
        return first, (size - 1) * self.up + taps - first - result * self.down


# Torch's newer form of a function, with `setup_context`, reads the signature anew at each call, for 0.05 ms.
class _Resampling(Function):
    """Linear in the images, and its own kind of function backwards: it can be differentiated any number of times."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, taps: Tensor, plan: _Plan) -> Tensor:
        output = _resample(images, taps, plan)
        ctx.plan = plan.adjoint(images.shape, output.shape, len(taps))
        ctx.save_for_backward(taps)
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (taps,) = ctx.saved_tensors
        return _Resampling.apply(gradient, taps, ctx.plan), None, None


def upfirdn(
    images: Tensor, taps: Tensor, up: int = 1, down: int = 1, padding: Padding = (0, 0), gain: float = 1.0
) -> Tensor:
    """Images (N, C, H, W) with each pixel followed by `up` - 1 zeros, padded, filtered, and each `down`-th pixel kept.

    The filter is the outer product of `taps` (k,), which are constants, with themselves, times `gain`. H pixels
    become (H * up + sum of padding - k) // down + 1 pixels. Under autocast the images are filtered in its type.
    """
    assert taps.dim() == 1, f"a separable filter is given by its taps along one axis, not by {tuple(taps.shape)}"
    images, taps = cast(images, taps * gain**0.5 if gain != 1 else taps)  # type: ignore[assignment]
    plan = _Plan(up, down, padding, padding, flipped=False)
    if is_traced():
        return _resample(images, taps, plan)
    output: Tensor = _Resampling.apply(images, taps.detach(), plan)
    return output


def _resample(images: Tensor, taps: Tensor, plan: _Plan) -> Tensor:
    channels, count = int(images.shape[1]), len(taps)
    taps = taps.to(images.dtype)
    # A filter is a convolution, and what torch calls one does not mirror its kernel.
    taps = taps if plan.flipped else taps.flip(0)
    kernel = torch.outer(taps, taps).expand(channels, 1, count, count)
    if plan.up > 1:
        images = _with_zeros(images, plan.up)
    (above, below), (left, right) = plan.vertical, plan.horizontal
    sides: tuple[int, int] = (0, 0)
    if above == below >= 0 and left == right >= 0:
        sides = (above, left)
    else:
        images = functional.pad(images, (left, right, above, below))
    # The backward pass of a float32 island may run where autocast is active.
    with without_autocast(images.device):
        return functional.conv2d(images, kernel, None, plan.down, sides, 1, channels)


def _with_zeros(images: Tensor, up: int) -> Tensor:
    count, channels, height, width = images.shape
    order = torch.channels_last if images.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
    size = (count, channels, height * up, width * up)
    enlarged = torch.empty(size, dtype=images.dtype, device=images.device, memory_format=order).zero_()
    enlarged[:, :, ::up, ::up] = images
    return enlarged


class Resampler(nn.Module):
    """Enlarges or reduces images by two, or smooths them, with a filter that keeps constant images as they are.

    Args:
        taps: the filter along one axis; divided by their sum.
    """

    taps: Tensor

    def __init__(self, taps: Sequence[float] = (1.0, 3.0, 3.0, 1.0)) -> None:
        super().__init__()
        values = torch.tensor(list(taps), dtype=torch.float32)
        assert len(values) >= 2, "a filter that resamples has at least two taps"
        self.register_buffer("taps", values / values.sum(), persistent=False)

    def up(self, images: Tensor) -> Tensor:
        """Images (N, C, 2H, 2W)."""
        count = len(self.taps)
        return upfirdn(images, self.taps, up=2, padding=((count + 1) // 2, (count - 2) // 2), gain=4.0)

    def down(self, images: Tensor) -> Tensor:
        """Images (N, C, H / 2, W / 2)."""
        count = len(self.taps)
        return upfirdn(images, self.taps, down=2, padding=((count - 1) // 2, (count - 2) // 2))

    def after_transposed(self, images: Tensor) -> Tensor:
        """(N, C, 2H + 1, 2W + 1), as a transposed 3x3 convolution of stride 2 leaves them, to (N, C, 2H, 2W)."""
        before = (len(self.taps) - 1) // 2
        return upfirdn(images, self.taps, padding=(before, len(self.taps) - 2 - before), gain=4.0)

    def before_strided(self, images: Tensor) -> Tensor:
        """(N, C, 2H, 2W) to (N, C, 2H + 1, 2W + 1), which a 3x3 convolution of stride 2 reduces to half."""
        count = len(self.taps)
        return upfirdn(images, self.taps, padding=((count - 1) // 2 + 1, (count - 2) // 2 + 1))

    def smooth(self, images: Tensor) -> Tensor:
        """Images of the same size, filtered by an odd number of taps."""
        assert len(self.taps) % 2, "a filter with an even number of taps moves images by half a pixel"
        side = len(self.taps) // 2
        return upfirdn(images, self.taps, padding=(side, side))

    def extra_repr(self) -> str:
        """The option, for printing."""
        return f"taps={[round(tap, 4) for tap in self.taps.tolist()]}" if self.taps.device.type != "meta" else ""

"""Networks of all scales, as one module for each player."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlab import Scores
from ganlab.views import as_scores
from ganlab_singan.scales import Size

_PIXELS_AT_ONCE = 2**20  # of a pass that makes samples


class GeneratorPyramid(nn.Module):
    """Generators from the coarsest scale to the finest; each refines what those before it have made.

    `fixed` (1, 1, H, W) is the noise of the coarsest scale that the picture is reconstructed from, `amplitudes` are
    what the noise of each scale is multiplied with. Both belong to what is saved and exported.

    Args:
        generators: called with noise and an image of their scale.
        sizes: of the scales.
        channels: Channels of an image.
    """

    def __init__(self, generators: Sequence[nn.Module], sizes: Sequence[Size], channels: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(generators)
        self.sizes = tuple(sizes)
        self.channels = channels
        self.fixed: Tensor
        self.amplitudes: Tensor
        self.register_buffer("fixed", torch.randn(1, 1, *self.sizes[0]))
        self.register_buffer("amplitudes", torch.ones(len(self.scales)))

    def forward(self, noise: Sequence[Tensor], image: Tensor | None = None, start: int = 0) -> Tensor:
        """Images of the last scale that there is noise for.

        `noise` are standard normal numbers (N, C, H, W), or (N, 1, H, W) for all channels alike, for `start` and the
        scales after it, in the sizes that the images are to have; `image` is what the scale before `start` has made,
        of any size, and None at the coarsest. Gradients reach the last of these scales only.
        """
        learns = torch.is_grad_enabled()
        for scale, drawn in enumerate(noise, start):
            count, _, *size = drawn.shape
            if image is None:
                image = drawn.new_zeros(count, self.channels, *size)
            with torch.set_grad_enabled(learns and scale == start + len(noise) - 1):
                image = self.scales[scale](self.amplitudes[scale] * drawn, enlarged(image, size))
        assert image is not None, "there is noise for one scale at least"
        return image

    def reconstruction(self, scale: int) -> Tensor:
        """What the fixed noise becomes (1, C, H, W): none above the coarsest scale."""
        nothing = [self.fixed.new_zeros(1, 1, *size) for size in self.sizes[1 : scale + 1]]
        image: Tensor = self([self.fixed, *nothing])
        return image

    def in_pieces(self, noise: Sequence[Tensor], image: Tensor | None = None, start: int = 0) -> Tensor:
        """The same images, made few at a time where they are large; all at once in a graph of any number of images."""
        if torch.compiler.is_exporting() or torch.jit.is_tracing():
            traced: Tensor = self(noise, image, start)
            return traced
        rows = max(1, _PIXELS_AT_ONCE // noise[-1][0, 0].numel())
        count = len(noise[0])
        parts = []
        for first in range(0, count, rows):
            part = slice(first, first + rows)
            below = None if image is None else image[part]
            parts.append(self([drawn[part] for drawn in noise], below, start))
        return torch.cat(parts)

    def noise_of(self, values: Tensor, scales: int) -> list[Tensor]:
        """The noise of the first scales, of latents (N, numbers) that hold it one scale after the other."""
        shapes = self.noise_shapes(scales)
        parts = values.split([torch.Size(shape).numel() for shape in shapes], dim=1)
        return [part.view(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]

    def noise_shapes(self, scales: int, sizes: Sequence[Size] | None = None) -> list[tuple[int, int, int]]:
        """(C, H, W) of the noise of the first scales: that of the coarsest is the same for all channels."""
        return [(self.channels if scale else 1, *size) for scale, size in enumerate((sizes or self.sizes)[:scales])]

    def rest(self, scale: int) -> None:
        """Let the scales before this one use their averaged statistics, as they are not trained any more."""
        for earlier in self.scales[:scale]:
            earlier.eval()

    def begin(self, scale: int, amplitude: Tensor) -> None:
        """Start a scale with the weights of the one before, if they fit, and its noise."""
        copy_weights(self.scales, scale)
        self.amplitudes[scale] = amplitude


class DiscriminatorPyramid(nn.Module):
    """Discriminators from the coarsest scale to the finest, each for images of its own scale.

    Args:
        discriminators: called with images of their scale.
    """

    def __init__(self, discriminators: Sequence[nn.Module]) -> None:
        super().__init__()
        self.scales = nn.ModuleList(discriminators)

    def forward(self, images: Tensor, scale: int) -> Scores:
        """What that scale's discriminator says."""
        return as_scores(self.scales[scale](images))

    def begin(self, scale: int) -> None:
        """Start a scale with the weights of the one before, if they fit."""
        copy_weights(self.scales, scale)


def copy_weights(scales: nn.ModuleList, scale: int) -> None:
    """Give a scale's network all weights and statistics of the one before, unless they have other shapes."""
    source, target = scales[scale - 1].state_dict(), scales[scale].state_dict()
    if {name: value.shape for name, value in source.items()} == {name: value.shape for name, value in target.items()}:
        scales[scale].load_state_dict(source)


def enlarged(images: Tensor, size: Sequence[int]) -> Tensor:
    """Images of another size, by Keys' cubic filter (a = -1/2), antialiased where they shrink."""
    if list(images.shape[2:]) == list(size):
        return images
    return interpolate(images, size=tuple(size), mode="bicubic", antialias=True, align_corners=False)

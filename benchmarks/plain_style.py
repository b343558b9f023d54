"""StyleGAN2's networks and phases as a plain PyTorch program has them: what ganlab is timed against.

Maps are NCHW and in one precision; inputs and outputs of a modulated convolution are scaled, by factors from a weight
tensor for each image; filters run at the full rate, on zeros or before pixels are dropped; penalties are
differentiated twice by torch itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

Widths = dict[int, int]
"""Channels of each side of the maps."""


def filtered(images: Tensor, before: int, after: int, gain: float = 1.0) -> Tensor:
    """Images padded and filtered by (1, 3, 3, 1) in both directions, at full rate."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=images.dtype) / 8
    kernel = (torch.outer(taps, taps) * gain).expand(images.shape[1], 1, 4, 4)
    return F.conv2d(F.pad(images, (before, after, before, after)), kernel, groups=images.shape[1])


def enlarged(images: Tensor) -> Tensor:
    """Images of twice the side: zeros between the pixels, then the filter."""
    count, channels, height, width = images.shape
    spread = images.new_zeros(count, channels, height, 2, width, 2)
    spread[:, :, :, 0, :, 0] = images
    return filtered(spread.reshape(count, channels, 2 * height, 2 * width), 2, 1, gain=4.0)


def at_least_float32(values: Tensor) -> Tensor:
    """Values in float32, but in float64 where they are already."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def rectified(features: Tensor) -> Tensor:
    """The leaky rectifier."""
    return F.leaky_relu(features, 0.2)


class Dense(nn.Module):
    """A linear layer with an equalized learning rate."""

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0, multiplier: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / multiplier)
        self.bias = nn.Parameter(torch.full((outputs,), bias / multiplier))
        self.scale, self.multiplier = multiplier / math.sqrt(inputs), multiplier

    def forward(self, values: Tensor) -> Tensor:
        """Numbers (N, outputs)."""
        return F.linear(values, self.weight * self.scale, self.bias * self.multiplier)


def activated(features: Tensor, bias: Tensor) -> Tensor:
    """Bias, leaky rectifier and its gain."""
    return rectified(features + bias.view(1, -1, 1, 1)) * math.sqrt(2)


class Modulated(nn.Module):
    """A modulated convolution; its bias is added by whoever calls it."""

    def __init__(self, inputs: int, outputs: int, style: int, side: int = 3) -> None:
        super().__init__()
        self.affine = Dense(style, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = 1 / math.sqrt(inputs * side**2)

    def forward(self, features: Tensor, style: Tensor, up: bool = False, demodulate: bool = True) -> Tensor:
        """Maps (N, outputs, H, W) or, enlarged, (N, outputs, 2H, 2W)."""
        scales, weight = self.affine(style), self.weight * self.scale
        features = features * scales[:, :, None, None]
        if up:
            features = F.conv_transpose2d(features, weight.transpose(0, 1), stride=2)
            features = filtered(features, 1, 1, gain=4.0)
        else:
            features = F.conv2d(features, weight, padding=weight.shape[-1] // 2)
        if demodulate:
            each = weight[None] * scales[:, None, :, None, None]
            features = features * torch.rsqrt(each.square().sum((2, 3, 4)) + 1e-8)[:, :, None, None]
        return features


class Styled(Modulated):
    """A modulated convolution, noise, bias, rectifier."""

    def __init__(self, inputs: int, outputs: int, style: int) -> None:
        super().__init__(inputs, outputs, style)
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor, style: Tensor, up: bool = False, demodulate: bool = True) -> Tensor:
        """Maps after the layer."""
        features = super().forward(features, style, up, demodulate)
        noise = torch.randn(len(features), 1, *features.shape[2:])
        return activated(features + noise * self.strength, self.bias)


class PlainGenerator(nn.Module):
    """Latents to images and styles: a skip generator."""

    def __init__(self, widths: Widths, style: int, mapping_layers: int) -> None:
        super().__init__()
        self.mapping = nn.ModuleList(Dense(style, style, multiplier=0.01) for _ in range(mapping_layers))
        self.constant = nn.Parameter(torch.randn(1, widths[4], 4, 4))
        self.first = Styled(widths[4], widths[4], style)
        self.blocks = nn.ModuleList(
            nn.ModuleList([Styled(widths[side // 2], widths[side], style), Styled(widths[side], widths[side], style)])
            for side in widths
            if side > 4
        )
        self.images = nn.ModuleList(Modulated(width, 3, style, side=1) for width in widths.values())

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Images (N, 3, side, side), and the styles (N, layers, style), of which the path length is a gradient."""
        style = latents * torch.rsqrt(latents.square().mean(1, keepdim=True) + 1e-8)
        for layer in self.mapping:
            style = rectified(layer(style)) * math.sqrt(2)
        styles = style[:, None].repeat(1, 2 * len(self.images), 1)
        features = self.first(self.constant.expand(len(latents), -1, -1, -1), styles[:, 0])
        images = self._image(0, features, styles[:, 1])
        for place, (up, keep) in enumerate(self.blocks, start=1):  # type: ignore[misc]
            features = keep(up(features, styles[:, 2 * place - 1], up=True), styles[:, 2 * place])
            images = enlarged(images) + self._image(place, features, styles[:, 2 * place + 1])
        return images, styles

    def _image(self, place: int, features: Tensor, style: Tensor) -> Tensor:
        layer: Modulated = self.images[place]  # type: ignore[assignment]
        image: Tensor = layer(features, style, demodulate=False)
        return at_least_float32(image) + layer.bias.view(1, -1, 1, 1)


class PlainConvolution(nn.Module):
    """A convolution, after the filter and with a stride where it reduces."""

    def __init__(self, inputs: int, outputs: int, side: int = 3, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = 1 / math.sqrt(inputs * side**2)

    def forward(self, features: Tensor, down: bool = False) -> Tensor:
        """Maps (N, outputs, H, W), or half of that."""
        side = self.weight.shape[-1]
        if down:
            more = (side - 1) // 2
            features = filtered(features, 1 + more, 1 + more)
        weight, padding = self.weight * self.scale, 0 if down else side // 2
        features = F.conv2d(features, weight, stride=2 if down else 1, padding=padding)
        return features if self.bias is None else activated(features, self.bias)


class PlainDiscriminator(nn.Module):
    """Images to logits: residual blocks."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        sides = sorted(widths, reverse=True)
        self.first = PlainConvolution(3, widths[sides[0]], side=1)
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                [
                    PlainConvolution(widths[side], widths[side]),
                    PlainConvolution(widths[side], widths[side // 2]),
                    PlainConvolution(widths[side], widths[side // 2], side=1, bias=False),
                ]
            )
            for side in sides[:-1]
        )
        self.last = PlainConvolution(widths[4] + 1, widths[4])
        self.dense, self.logit = Dense(widths[4] * 16, widths[4]), Dense(widths[4], 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N,)."""
        features = self.first(images)
        for keep, down, shortcut in self.blocks:  # type: ignore[misc]
            features = (down(keep(features), down=True) + shortcut(features, down=True)) * math.sqrt(0.5)
        groups = features.view(4, -1, *features.shape[1:])
        deviation = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
        maps = deviation.repeat(4).view(-1, 1, 1, 1).expand(-1, 1, 4, 4).to(features.dtype)
        features = self.last(torch.cat([features, maps], 1)).flatten(1)
        return at_least_float32(self.logit(rectified(self.dense(features)) * math.sqrt(2))[:, 0])


class PlainPhases:
    """The phases of StyleGAN2's training, each with its optimizer's step."""

    def __init__(self, widths: Widths, style: int, mapping_layers: int, reals: Tensor) -> None:
        self.generator = PlainGenerator(widths, style, mapping_layers)
        self.discriminator = PlainDiscriminator(widths)
        self.networks = {"generator": self.generator, "discriminator": self.discriminator}
        self.style, self.reals, self.length = style, reals, torch.zeros(())
        self.optimizers = {
            network: torch.optim.Adam(network.parameters(), lr=2e-3, betas=(0.0, 0.99))
            for network in (self.generator, self.discriminator)
        }
        self.average = PlainGenerator(widths, style, mapping_layers).requires_grad_(False)

    @property
    def phases(self) -> dict[str, Callable[[], None]]:
        """What is timed, by name."""
        return {
            "discriminator": self.update_discriminator,
            "generator": self.update_generator,
            "r1": self.penalise_gradient,
            "path length": self.penalise_path_length,
        }

    def update_discriminator(self) -> None:
        """Tell reals from fakes."""
        with torch.no_grad():
            fakes, _ = self.generator(self._latents())
        loss = F.softplus(self.discriminator(fakes)).mean() + F.softplus(-self.discriminator(self.reals)).mean()
        self._step(self.discriminator, loss)

    def update_generator(self) -> None:
        """Make fakes that are taken for real, and move the average."""
        self.discriminator.requires_grad_(False)
        fakes, _ = self.generator(self._latents())
        self._step(self.generator, F.softplus(-self.discriminator(fakes)).mean())
        self.discriminator.requires_grad_(True)
        with torch.no_grad():
            for average, live in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                average.copy_(live.lerp(average, 0.999))

    def penalise_gradient(self) -> None:
        """R1."""
        reals = self.reals.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self.discriminator(reals).sum(), reals, create_graph=True)
        self._step(self.discriminator, 0.5 * gradient.square().sum((1, 2, 3)).mean() * 16)

    def penalise_path_length(self) -> None:
        """The path length of half as many images."""
        images, styles = self.generator(self._latents()[: max(1, len(self.reals) // 2)])
        noise = torch.randn_like(images) / math.sqrt(images.shape[2] * images.shape[3])
        (gradient,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)
        lengths = gradient.square().sum(2).mean(1).sqrt()
        self.length = self.length.lerp(lengths.mean().detach(), 0.01)
        self._step(self.generator, 2 * (lengths - self.length).square().mean() * 4)

    def _latents(self) -> Tensor:
        return torch.randn(len(self.reals), self.style)

    def _step(self, network: nn.Module, loss: Tensor) -> None:
        self.optimizers[network].zero_grad()
        loss.backward()
        self.optimizers[network].step()

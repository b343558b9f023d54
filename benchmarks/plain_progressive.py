"""Progressive networks and a step of their game as a plain PyTorch program has them: what ganlab is timed against."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class Scaled(nn.Module):
    """An equalized convolution (or a linear layer, as one of 1x1 or 4x4 maps)."""

    def __init__(self, inputs: int, outputs: int, kernel_size: int = 3, padding: int = 1) -> None:
        super().__init__()
        self.layer = nn.Conv2d(inputs, outputs, kernel_size, padding=padding)
        nn.init.normal_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)
        self.scale = math.sqrt(2 / (inputs * kernel_size**2))

    def forward(self, features: Tensor) -> Tensor:
        """Maps of the same or the padded size."""
        return F.conv2d(features, self.layer.weight * self.scale, self.layer.bias, padding=self.layer.padding)


def pixel_norm(features: Tensor) -> Tensor:
    """Features at a root mean square of 1 over channels."""
    return features * torch.rsqrt(features.square().mean(1, keepdim=True) + 1e-8)


class PlainGenerator(nn.Module):
    """Latents to images of one resolution; no growth."""

    def __init__(self, widths: dict[int, int], latent_size: int) -> None:
        super().__init__()
        self.first = nn.Linear(latent_size, widths[4] * 16)
        self.base = Scaled(widths[4], widths[4])
        pairs = [(widths[r // 2], widths[r]) for r in widths if r > 4]
        self.blocks = nn.ModuleList(nn.ModuleList([Scaled(a, b), Scaled(b, b)]) for a, b in pairs)
        self.rgb = Scaled(widths[max(widths)], 3, 1, 0)

    def forward(self, latents: Tensor) -> Tensor:
        """Images of latents."""
        x = pixel_norm(F.leaky_relu(self.first(pixel_norm(latents)).view(len(latents), -1, 4, 4), 0.2))
        x = pixel_norm(F.leaky_relu(self.base(x), 0.2))
        for first, second in self.blocks:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = pixel_norm(F.leaky_relu(first(x), 0.2))
            x = pixel_norm(F.leaky_relu(second(x), 0.2))
        return self.rgb(x)


class PlainDiscriminator(nn.Module):
    """Images of one resolution to logits; no growth."""

    def __init__(self, widths: dict[int, int]) -> None:
        super().__init__()
        self.rgb = Scaled(3, widths[max(widths)], 1, 0)
        pairs = [(widths[r], widths[r // 2]) for r in sorted(widths, reverse=True) if r > 4]
        self.blocks = nn.ModuleList(nn.ModuleList([Scaled(a, a), Scaled(a, b)]) for a, b in pairs)
        self.last = Scaled(widths[4] + 1, widths[4])
        self.dense = Scaled(widths[4], widths[4], 4, 0)
        self.logit = nn.Linear(widths[4], 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images."""
        x = F.leaky_relu(self.rgb(images), 0.2)
        for first, second in self.blocks:
            x = F.leaky_relu(first(x), 0.2)
            x = F.avg_pool2d(F.leaky_relu(second(x), 0.2), 2)
        groups = x.view(4, -1, *x.shape[1:])
        deviation = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
        x = torch.cat([x, deviation.repeat(4).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)], 1)
        x = F.leaky_relu(self.dense(F.leaky_relu(self.last(x), 0.2)), 0.2)
        return self.logit(x.flatten(1)).flatten()


class PlainStep:
    """One WGAN-GP step of both players in the usual way: three passes of D, whose weights get gradients in G's step."""

    def __init__(self, widths: dict[int, int], latent_size: int) -> None:
        self.latent_size = latent_size
        self.generator = PlainGenerator(widths, latent_size)
        self.discriminator = PlainDiscriminator(widths)
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.0, 0.99))
            for network in (self.discriminator, self.generator)
        ]
        self.average = PlainGenerator(widths, latent_size)

    def __call__(self, reals: Tensor) -> None:
        """Train both on a batch of reals."""
        for_discriminator, for_generator = self.optimizers
        latents = torch.randn(len(reals), self.latent_size)
        fakes = self.generator(latents).detach()
        for_discriminator.zero_grad()
        logits = self.discriminator(reals)
        loss = self.discriminator(fakes).mean() - logits.mean() + 1e-3 * logits.square().mean()
        weight = torch.rand(len(reals), 1, 1, 1)
        between = (weight * reals + (1 - weight) * fakes).requires_grad_()
        (gradient,) = torch.autograd.grad(self.discriminator(between).sum(), between, create_graph=True)
        (loss + 10 * (gradient.flatten(1).norm(dim=1) - 1).square().mean()).backward()
        for_discriminator.step()
        for_generator.zero_grad()
        (-self.discriminator(self.generator(torch.randn(len(reals), self.latent_size))).mean()).backward()
        for_generator.step()
        with torch.no_grad():
            for average, live in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                average.lerp_(live, 0.001)

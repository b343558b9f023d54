"""BigGAN for CIFAR-10 and its training step in plain torch, as one would write them from the paper."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, embedding, interpolate, relu
from torch.nn.utils.parametrizations import spectral_norm

_LATENT_SIZE = 128
_KEEP = 0.9999


def _conv(inputs: int, outputs: int, size: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(inputs, outputs, size, padding=size // 2))


class _ClassNorm(nn.Module):
    """Batch norm with gains and biases of each class."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=1e-4, affine=False)
        self.gain = nn.Parameter(torch.ones(classes, channels))
        self.bias = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        gain, bias = (embedding(labels, table)[:, :, None, None] for table in (self.gain, self.bias))
        return self.norm(features) * gain + bias


class _Up(nn.Module):
    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(_ClassNorm(width, classes) for _ in range(2))
        self.first, self.second, self.beside = _conv(width, width, 3), _conv(width, width, 3), _conv(width, width, 1)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        inside = self.first(interpolate(relu(self.norms[0](features, labels)), scale_factor=2))
        inside = self.second(relu(self.norms[1](inside, labels)))
        return inside + self.beside(interpolate(features, scale_factor=2))


class _Down(nn.Module):
    def __init__(self, inputs: int, width: int, halves: bool) -> None:
        super().__init__()
        self.is_first, self.halves = inputs == 3, halves
        self.first, self.second = _conv(inputs, width, 3), _conv(width, width, 3)
        self.beside = _conv(inputs, width, 1) if halves or inputs != width else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        inside = self.second(relu(self.first(images if self.is_first else relu(images))))
        beside = self.beside(images)
        return avg_pool2d(inside, 2) + avg_pool2d(beside, 2) if self.halves else inside + beside


class _Generator(nn.Module):
    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.width = width
        self.first = spectral_norm(nn.Linear(_LATENT_SIZE, 16 * width))
        self.blocks = nn.ModuleList(_Up(width, classes) for _ in range(3))
        self.norm, self.last = nn.BatchNorm2d(width, eps=1e-4), _conv(width, 3, 3)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        features = self.first(latents).view(-1, self.width, 4, 4)
        for block in self.blocks:
            features = block(features, labels)
        return torch.tanh(self.last(relu(self.norm(features))))


class _Discriminator(nn.Module):
    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        sizes = [(3, True), (width, True), (width, False), (width, False)]
        self.blocks = nn.Sequential(*(_Down(inputs, width, halves) for inputs, halves in sizes))
        self.last = spectral_norm(nn.Linear(width, 1))
        self.classes = spectral_norm(nn.Embedding(classes, width))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        features = relu(self.blocks(images)).sum((2, 3))
        return self.last(features)[:, 0] + (self.classes(labels) * features).sum(1)


class PlainBigGAN:
    """One step: some updates of the discriminator, one of the generator, and its average.

    Reals and fakes have passes of their own; the discriminator's gradients are computed in the generator's update too.
    """

    def __init__(self, width: int, classes: int, batch: int, steps: int, device: str) -> None:
        self.classes, self.batch, self.steps, self.device = classes, batch, steps, device
        self.generator = _Generator(width, classes).to(device)
        self.discriminator = _Discriminator(width, classes).to(device)
        self.average = copy.deepcopy(self.generator)
        players = (self.generator, self.discriminator)
        self.optimizers = [torch.optim.Adam(player.parameters(), lr=2e-4, betas=(0.0, 0.999)) for player in players]

    def __call__(self, images: Tensor, labels: Tensor) -> None:
        """Train on (steps x batch) images in [-1, 1] with their labels."""
        for reals, given in zip(images.split(self.batch), labels.split(self.batch), strict=True):
            with torch.no_grad():
                fakes, fake_labels = self._fakes()
            real, fake = self.discriminator(reals, given), self.discriminator(fakes, fake_labels)
            self._descend(1, relu(1 - real).mean() + relu(1 + fake).mean())
        fakes, fake_labels = self._fakes()
        self._descend(0, -self.discriminator(fakes, fake_labels).mean())
        with torch.no_grad():
            live = self.generator.state_dict()
            for name, value in self.average.state_dict().items():
                if value.is_floating_point():
                    value.copy_(value * _KEEP + live[name] * (1 - _KEEP))

    def _fakes(self) -> tuple[Tensor, Tensor]:
        labels = torch.randint(self.classes, (self.batch,), device=self.device)
        return self.generator(torch.randn(self.batch, _LATENT_SIZE, device=self.device), labels), labels

    def _descend(self, player: int, loss: Tensor) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        self.optimizers[player].step()

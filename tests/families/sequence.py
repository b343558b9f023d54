"""Sequences from sequences of maps, frame by frame (vid2vid: Wang et al., 2018).

Each frame is made of its map and of the frame before it. The discriminator judges whole sequences and, as a further
scale of its logits, single frames; the loss is the mean over both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot

from ganlab import InputFacts, Randomness, Scores, TwoPlayerGAN, UserError
from ganlab.randomness import layer_normal


class SequenceGAN(TwoPlayerGAN):
    """The plain game with sequences of maps, the input `places` of the data, in the place of latents."""

    example: ClassVar[dict] = {"generator": "frames", "discriminator": "sequences", "loss": "softplus"}

    def draw_latents(self, random: Randomness) -> Tensor:
        return random.normal("latents", 0)  # there are none

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        return generator(inputs["places"])

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor | Scores:
        return self.discriminator(images, inputs["places"])


def spread(maps: Tensor, classes: int) -> Tensor:
    """Maps (N, T, 1, H, W) of whole numbers as one channel for each class."""
    return one_hot(maps[:, :, 0], classes).movedim(-1, 2).to(torch.get_default_dtype())


class FrameGenerator(nn.Module):
    """Maps (N, T, 1, H, W) to images (N, T, C, H, W), each of its map and the image before it.

    Args:
        channels: of a frame.
        frames: of a sequence; 0 for data that are none.
        places: facts of the maps.
        width: channels inside.
    """

    def __init__(self, channels: int, frames: int, places: InputFacts, width: int = 6) -> None:
        super().__init__()
        if frames == 0:
            raise UserError("this generator makes sequences; choose data whose facts have 'frames'")
        self.channels, self.classes = channels, places.classes
        self.first = nn.Conv2d(channels + places.classes + 1, width, 3, padding=1)
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        conditions = spread(maps, self.classes)
        frame = conditions.new_zeros(len(maps), self.channels, *maps.shape[3:])
        frames = []
        for condition in conditions.unbind(1):
            noise = layer_normal(frame, 1, *frame.shape[2:])
            features = self.first(torch.cat([frame, condition, noise], dim=1))
            frame = self.last(leaky_relu(features, 0.2)).tanh()
            frames.append(frame)
        return torch.stack(frames, dim=1)


class SequenceDiscriminator(nn.Module):
    """Sequences with their maps to logits (N,), and of their frames (N, T).

    Args:
        channels: of a frame.
        frames: of a sequence.
        places: facts of the maps.
        width: channels inside.
    """

    def __init__(self, channels: int, frames: int, places: InputFacts, width: int = 6) -> None:
        super().__init__()
        self.classes = places.classes
        self.frame = nn.Conv2d(channels + places.classes, width, 3, stride=2, padding=1)
        self.of_frames, self.of_sequences = nn.Linear(width, 1), nn.Linear(frames * width, 1)

    def forward(self, images: Tensor, maps: Tensor) -> Scores:
        pairs = torch.cat([images, spread(maps, self.classes)], dim=2)
        features = leaky_relu(self.frame(pairs.flatten(0, 1)), 0.2).mean((2, 3)).unflatten(0, images.shape[:2])
        whole = self.of_sequences(features.flatten(1)).flatten()
        return Scores(logits=whole, further_logits=[self.of_frames(features).squeeze(2)], features=[features])

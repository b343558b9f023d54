"""Data sets of rectangles for the games beside this file: with labels, inputs, further domains, and in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganlab import DataFacts, InputFacts


class Shapes:
    """Grey images of a rectangle, wide or tall: two classes.

    Args:
        resolution: side of an image.
        size: number of images.
    """

    def __init__(self, resolution: int = 8, size: int = 24) -> None:
        self.side, self.size = resolution, size
        self.facts = self.facts_of(f"shapes-{resolution}-{size}", class_names=("wide", "tall"))

    def facts_of(self, fingerprint: str, **facts: Any) -> DataFacts:
        return DataFacts((1, self.side, self.side), self.size, fingerprint, **facts)

    def __len__(self) -> int:
        return self.facts.size

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return {"images": self.draw(index), "label": index % 2}

    def draw(self, index: int, right: int = 0, brightness: int = 255) -> Tensor:
        """The rectangle of an index, moved to the right."""
        image = torch.zeros(1, self.side, self.side, dtype=torch.uint8)
        height, width = (2, 4) if index % 2 == 0 else (4, 2)
        top, left = index * 7 % (self.side - height + 1), index * 5 % (self.side - width + 1) + right
        image[:, top : top + height, left : left + width] = brightness
        return image


class Outlined(Shapes):
    """Shapes with their outlines, an image each: pairs."""

    def __init__(self, resolution: int = 8, size: int = 24) -> None:
        super().__init__(resolution, size)
        outline = InputFacts((1, resolution, resolution), "images")
        self.facts = self.facts_of(f"outlined-{resolution}-{size}", inputs={"outline": outline})

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        image = self.draw(index)
        inside = -torch.nn.functional.max_pool2d(-image.float(), 3, 1, 1) == 255
        return {"images": image, "outline": image.masked_fill(inside, 0)}


class Described(Shapes):
    """Shapes with attributes, numbers that are 0 or 1: whether it is tall, and whether it is bright."""

    def __init__(self, resolution: int = 8, size: int = 24) -> None:
        super().__init__(resolution, size)
        self.facts = self.facts_of(f"described-{resolution}-{size}", inputs={"attributes": InputFacts((2,))})

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        tall, bright = index % 2, index // 2 % 2
        return {
            "images": self.draw(index, brightness=255 if bright else 128),
            "attributes": torch.tensor([tall, bright]),
        }


class Dark(Shapes):
    """Dark shapes on a bright ground, without labels."""

    def __init__(self, resolution: int = 8, size: int = 24) -> None:
        super().__init__(resolution, size)
        self.facts = self.facts_of(f"dark-{resolution}-{size}")

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return {"images": 255 - self.draw(index)}


class TwoDomains(Dark):
    """Dark shapes and, as the further domain `outlines`, other outlines: unpaired."""

    def __init__(self, resolution: int = 8, size: int = 24) -> None:
        super().__init__(resolution, size)
        self.further = {"outlines": Outlines(resolution, size - 7)}


class Outlines(Outlined):
    """Outlines alone."""

    def __init__(self, resolution: int = 8, size: int = 24) -> None:
        super().__init__(resolution, size)
        self.facts = self.facts_of(f"outlines-{resolution}-{size}")

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return {"images": super().__getitem__(index)["outline"]}


class Moving(Shapes):
    """Sequences of a rectangle that moves to the right, each with a map of it, of two classes, for each frame."""

    def __init__(self, resolution: int = 8, size: int = 24, frames: int = 3) -> None:
        super().__init__(resolution, size)
        shape = (frames, 1, resolution, resolution)
        self.facts = DataFacts(
            shape,
            size,
            f"moving-{resolution}-{size}-{frames}",
            frames=frames,
            inputs={"places": InputFacts(shape, "maps", classes=2)},
        )

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        clip = torch.stack([self.draw(index, right=frame, brightness=200) for frame in range(self.facts.frames)])
        return {"images": clip, "places": (clip > 0).long()}


class OneImage(Shapes):
    """A single image."""

    def __init__(self, resolution: int = 16) -> None:
        super().__init__(resolution, 1)
        self.facts = self.facts_of(f"one-image-{resolution}")

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return {"images": self.draw(3) // 2 + self.draw(4) // 2}

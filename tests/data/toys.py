"""Small data sets for the tests of ganlab.data."""

from __future__ import annotations

import torch

from ganlab.facts import DataFacts, InputFacts


class Numbered:
    """Images (1, 2, 2) whose pixels say which example they are; the label is the index modulo 3."""

    def __init__(self, size, dtype=torch.uint8, extra=False, broken=()):
        self.size, self.dtype, self.extra, self.broken = size, dtype, extra, set(broken)
        names = ("a", "b", "c")
        self.facts = DataFacts(shape=(1, 2, 2), size=size, fingerprint=f"numbered-{size}", class_names=names)

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if index in self.broken:
            raise OSError(f"picture{index}.png is truncated")
        image = torch.tensor([[[index, 0], [index, 100]]]).to(self.dtype)
        more = {"mask": torch.full((2, 2), float(index))} if self.extra else {}
        return {"images": image, "label": index % 3, **more}


class Points:
    """Vectors (2,) by `take` only."""

    def __init__(self, points):
        self.points = points
        self.facts = DataFacts((2,), len(points), "points", value_range=(-1.0, 1.0))

    def __len__(self):
        return len(self.points)

    def __getitem__(self, index):
        return {"images": self.points[index]}

    def take(self, indices):
        return {"images": self.points[list(indices)]}


class Paired:
    """Images (3, 8, 8), each with a photo, a class map, a mask without channels, and two attributes.

    Every pixel of `photo` is that of `images` plus one, every pixel of `map` the image's first channel modulo 4.
    """

    def __init__(self, size=20, fingerprint="paired", **changes):
        generator = torch.Generator().manual_seed(size)
        images = torch.randint(250, (size, 3, 8, 8), generator=generator, dtype=torch.uint8)
        self.fields = {
            "images": images,
            "photo": images + 1,
            "map": images[:, :1] % 4,
            "mask": (images[:, 0] % 2).to(torch.int16),
            "attributes": torch.stack([torch.arange(size) % 2, torch.arange(size)], 1),
        }
        self.fields |= changes
        self.facts = DataFacts(
            (3, 8, 8),
            size,
            fingerprint,
            inputs={
                "photo": InputFacts((3, 8, 8), "images"),
                "map": InputFacts((1, 8, 8), "maps", classes=4),
                "mask": InputFacts((8, 8), "maps", classes=2),
                "attributes": InputFacts((2,)),
            },
        )

    def __len__(self):
        return self.facts.size

    def __getitem__(self, index):
        return {name: value[index] for name, value in self.fields.items()}


class Sequences:
    """Sequences (3, 1, 4, 4): in frame t of example i the pixels are 10 i + t, but for a bright one on the left."""

    def __init__(self, size=6):
        frames = torch.arange(size)[:, None] * 10 + torch.arange(3)
        self.images = frames[:, :, None, None, None].expand(size, 3, 1, 4, 4).to(torch.uint8).clone()
        self.images[..., 0] = 255
        self.facts = DataFacts((3, 1, 4, 4), size, f"sequences-{size}", frames=3)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return {"images": self.images[index]}

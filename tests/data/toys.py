"""Small data sets for the tests of ganlab.data."""

from __future__ import annotations

import torch

from ganlab.contracts import DataFacts


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

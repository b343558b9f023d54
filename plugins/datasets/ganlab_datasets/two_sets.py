"""Two data sets as one, for games that learn from both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganlab.contracts import Dataset
from ganlab.errors import DataError

SECOND = "second"
"""The name of the further domain."""


class TwoSets:
    """The examples of `first`, with those of `second` as the further domain `second`, which do not belong to them.

    Each keeps what it knows of its images: attributes, classes or other inputs. Images of both are alike in size and
    channels. StarGAN learns the attributes of faces and the classes of others together, for example.
    """

    def __init__(self, first: Dataset, second: Dataset) -> None:
        if first.facts.shape != second.facts.shape:
            shapes = [" x ".join(map(str, each.facts.shape)) for each in (first, second)]
            raise DataError(
                f"the images of the first data set are {shapes[0]}, those of the second {shapes[1]}: bring both to one "
                "size and number of channels, such as by their 'resolution' and 'channels'"
            )
        self.dataset = first
        self.facts = first.facts
        self.further = {SECOND: second}
        self.held_out = getattr(first, "held_out", None)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self.dataset[index]

    def __getattr__(self, name: str) -> Any:
        if name in ("take", "take_reduced", "prepare", "inspect", "is_transparent", "every_label"):
            return getattr(self.dataset, name)  # these exist where the first data set has them
        raise AttributeError(name)

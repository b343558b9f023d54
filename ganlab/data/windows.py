"""Windows of sequences: so many consecutive frames, with the inputs that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.examples import IMAGES, check_examples, read_examples, reduce_examples
from ganlab.errors import DataError
from ganlab.facts import DataFacts


def read_windows(
    dataset: Dataset, indices: Sequence[int], places: Tensor, frames: int | None = None, resolution: int | None = None
) -> dict[str, Tensor]:
    """Stacked windows of the sequences at `indices`, of `frames` frames; None for those of an example.

    `places` (N,) say where they begin, from 0, the first frame, to 1, the last one at which a window fits. A data set
    whose sequences are longer than its examples has `take_windows`; of others the examples are cut. Raises `DataError`
    for more frames than there are, and as `read_examples`.
    """
    facts = dataset.facts
    frames = facts.frames if frames is None else frames
    if not 1 <= frames <= facts.frames:
        raise DataError(
            f"a training step takes windows of {frames} frames, but the sequences of the data have {facts.frames}: "
            "set 'data.frames' to as many"
        )
    take_windows = getattr(dataset, "take_windows", None)
    if take_windows is None:
        return cut_windows(read_examples(dataset, indices, resolution), places, frames, facts)
    windows = check_examples(facts.with_frames(frames), indices, dict(take_windows(indices, places, frames)))
    if resolution is None or resolution == facts.side:
        return windows
    return reduce_examples(windows, facts, resolution)


def cut_windows(examples: Mapping[str, Tensor], places: Tensor, frames: int, facts: DataFacts) -> dict[str, Tensor]:
    """Windows of stacked sequences, each from its place on."""
    if frames == facts.frames:
        return dict(examples)
    starts = window_starts(places, torch.full((len(places),), facts.frames), frames)
    rows = torch.arange(len(starts))[:, None]
    columns = starts[:, None] + torch.arange(frames)
    cut = (IMAGES, *facts.inputs_of_frames)
    return {name: value[rows, columns] if name in cut else value for name, value in examples.items()}


def window_starts(places: Tensor, lengths: Tensor, frames: int) -> Tensor:
    """The first frames (N,) of windows at `places` from 0 to 1 of sequences of these `lengths` (N,)."""
    rooms = lengths - frames
    return torch.minimum((places * (rooms + 1)).long(), rooms)

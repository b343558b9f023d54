"""Films as folders of frames, with a folder of label maps beside them: what vid2vid is trained on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import torch
from torch import Tensor

from ganlab.bounds import Steps
from ganlab.contracts import DataFacts
from ganlab.data import FileRecord
from ganlab.data.windows import window_starts
from ganlab.errors import DataError, DataMissing
from ganlab_datasets.label_maps import Classes, LabelMaps, Scenes


class FrameFolders(LabelMaps):
    """Films of any length, of which an example is a window of `frames` frames, with the class of each pixel.

    Each folder below `images` that holds pictures is a film; its frames follow each other by the numbers in their
    names. Below `maps` are the maps in folders of the same names: the input `label_map` (T, 1, H, W). Training draws
    another window of each film in every epoch; elsewhere a film stands for its first frames. All other options are
    those of `label_maps`: `instances` makes the input `edges` (T, 1, H, W), which is 1 where an object ends.

    Args:
        images: folder of folders of frames, or a zip.
        maps: the same with the maps.
        classes: number of classes, or their names.
        frames: how many frames an example has; no film has fewer.
    """

    def __init__(
        self,
        images: str,
        maps: str,
        classes: Classes | Sequence[str],
        frames: Steps = 8,
        **options: Any,
    ) -> None:
        try:
            super().__init__(images, maps, classes, **options)
        except DataMissing as missing:
            implied = None if missing.facts is None else _of_films(missing.facts, frames, missing.facts.size)
            raise DataMissing(str(missing), implied) from None
        self._films = Films(self.scenes, frames, images)
        held_out = self.held_out
        self.held_out = None if held_out is None else Films(held_out, frames, str(options["held_out_images"]))  # type: ignore[assignment]
        self.facts = self._films.facts

    def __len__(self) -> int:
        return len(self._films)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self._films[index]

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """The first windows of many films at once."""
        return self._films.take(indices)

    def take_windows(self, indices: Sequence[int], places: Tensor, frames: int) -> dict[str, Tensor]:
        """Windows of `frames` frames at places (N,) between the begin, 0, and the end, 1, of their films."""
        return self._films.take_windows(indices, places, frames)

    def inspect(self) -> Iterator[FileRecord]:
        """Of each film the first file that cannot be used, or its first."""
        records = list(super().inspect())
        for film in self._films.films:
            of_film = [records[place] for place in film]
            yield next((record for record in of_film if record.problem), of_film[0])

    def is_transparent(self, index: int) -> bool:
        """Whether any pixel of the first frame is less than opaque."""
        return super().is_transparent(self._films.films[index][0])


class Films:
    """Frames with their maps, in the order in which they follow each other in each film."""

    def __init__(self, scenes: Scenes, frames: int, path: str) -> None:
        self.scenes = scenes
        self.films = list(_films(scenes.images.source.names).values())
        shortest = min(self.films, key=len)
        if len(shortest) < frames:
            name = PurePosixPath(scenes.images.source.names[shortest[0]]).parent
            raise DataError(
                f"the film '{name}' in '{path}' has {len(shortest)} frames, and an example takes {frames}: set "
                "'frames' to fewer, or leave the film out"
            )
        self.facts = _of_films(scenes.facts, frames, len(self.films))

    def __len__(self) -> int:
        return len(self.films)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {name: value[0] for name, value in self.take([index]).items()}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """The first windows of many films."""
        return self.take_windows(indices, torch.zeros(len(indices)), self.facts.frames)

    def take_windows(self, indices: Sequence[int], places: Tensor, frames: int) -> dict[str, Tensor]:
        """Windows at places between the begins and the ends of films."""
        films = [self.films[index] for index in indices]
        starts = window_starts(places, torch.tensor([len(film) for film in films]), frames).tolist()
        read = self.scenes.take([at for film, start in zip(films, starts, strict=True) for at in film[start:][:frames]])
        shaped = {name: value if name == "images" else value[:, None] for name, value in read.items()}
        return {name: value.unflatten(0, (len(films), frames)) for name, value in shaped.items()}


def _films(names: Sequence[str]) -> dict[str, list[int]]:
    """The places of the frames of each film, in their order."""
    found: dict[str, list[int]] = defaultdict(list)
    for place in sorted(range(len(names)), key=lambda place: _in_numbers(names[place])):
        found[str(PurePosixPath(names[place]).parent)].append(place)
    return dict(found)


def _in_numbers(name: str) -> list[tuple[int, str]]:
    """A key by which frame 10 comes behind frame 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _of_films(facts: DataFacts, frames: int, size: int) -> DataFacts:
    """The facts of windows of films, from those of their frames."""
    inputs = {name: replace(of, shape=(frames, 1, *of.shape)) for name, of in facts.inputs.items()}
    return replace(
        facts,
        shape=(frames, *facts.shape),
        size=size,
        frames=frames,
        inputs=inputs,
        fingerprint=f"{facts.fingerprint}-films-{frames}",
    )

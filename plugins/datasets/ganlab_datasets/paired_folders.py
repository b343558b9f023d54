"""Pairs of pictures: in two folders by their names, or side by side in one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Literal

from torch import Tensor

from ganlab.bounds import Side
from ganlab.contracts import DataFacts
from ganlab.data import FileRecord
from ganlab.errors import DataError, DataMissing
from ganlab.facts import MISSING, InputFacts
from ganlab.pictures import SUFFIXES
from ganlab.printable import printable
from ganlab_datasets.image_files import MAX_PIXELS, ImageFiles, MaxPixels, Shade, Wanted, implied_facts
from ganlab_datasets.sources import ChosenFiles, Source, open_source

SOURCE = "source"
"""The name of the input."""

Path = str | tuple[str, str]
Range = tuple[float, float] | None
_NAMED = 3
_ALIKE = 0.02  # how far the proportions of two pictures of a pair may be apart


class PairedFolders:
    """Pictures with what they are made from, which is their input `source`: pairs A and B.

    `path` is a folder of files that hold A on the left and B on the right, as the data of pix2pix do, or [folder of A,
    folder of B], where two files of one name, apart from its ending, are a pair. Zips are taken as folders are. The
    input is A and the image is B, or with `direction: BtoA` the other way round. `held_out` has pairs that training
    never sees, in the same form. `unmatched` files are an error, or left out (`skip`).

    `resolution`, `crop`, `background`, `max_pixels` and `follow_links` are those of `image_folder`, for both pictures
    of a pair. `channels` and `value_range` are those of the image, `input_channels` and `input_value_range` those of
    the input; without them all that the files have.
    """

    def __init__(
        self,
        path: Path,
        direction: Literal["AtoB", "BtoA"] = "AtoB",
        held_out: Path | None = None,
        resolution: Side | tuple[Side, Side] | None = None,
        channels: Literal[1, 2, 3, 4] | None = None,
        input_channels: Literal[1, 2, 3, 4] | None = None,
        crop: bool = True,
        background: Literal["white", "black"] | tuple[Shade, Shade, Shade] | None = None,
        value_range: Range = None,
        input_value_range: Range = None,
        unmatched: Literal["error", "skip"] = "error",
        max_pixels: MaxPixels = MAX_PIXELS,
        follow_links: bool = False,
    ) -> None:
        image = Wanted(resolution, channels, crop, None, background, value_range, max_pixels)
        source = replace(image, channels=input_channels, value_range=input_value_range)
        swapped = direction == "BtoA"

        def pairs(where: Path) -> _Pairs:
            files = _two_sides(where, unmatched, follow_links)
            wanted = (image, source) if swapped else (source, image)
            made = [ImageFiles(side, _of_half(want, half)) for (side, half), want in zip(files, wanted, strict=True)]
            return _Pairs(*(reversed(made) if swapped else made))

        try:
            self._pairs = pairs(path)
            self.held_out = None if held_out is None else pairs(held_out)
        except DataMissing as missing:
            raise DataMissing(str(missing), _implied(image, source, held_out is not None)) from None
        self.facts = self._pairs.facts

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self._pairs[index]

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once."""
        return self._pairs.take(indices)

    def inspect(self) -> Iterator[FileRecord]:
        """The file of each image, or of its input where that is what there is something to say about."""
        return self._pairs.inspect()

    def is_transparent(self, index: int) -> bool:
        """Whether any pixel of the image or of its input is less than opaque."""
        return self._pairs.is_transparent(index)


class _Pairs:
    """Inputs and images, as many of both and in the same order."""

    def __init__(self, inputs: ImageFiles, images: ImageFiles) -> None:
        self.inputs, self.images = inputs, images
        _check_proportions(inputs, images)
        facts, of_inputs = images.facts, inputs.facts
        self.facts: DataFacts = replace(
            facts,
            fingerprint=f"{facts.fingerprint}-{of_inputs.fingerprint}",
            inputs={SOURCE: InputFacts(of_inputs.shape, "images", of_inputs.value_range)},
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {**self.images[index], SOURCE: self.inputs[index]["images"]}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {**self.images.take(indices), SOURCE: self.inputs.take(indices)["images"]}

    def inspect(self) -> Iterator[FileRecord]:
        for of_image, of_input in zip(self.images.inspect(), self.inputs.inspect(), strict=True):
            odd = of_input.problem or (of_input.transparency == "dropped" and of_image.transparency != "dropped")
            yield of_input if odd and not of_image.problem else of_image

    def is_transparent(self, index: int) -> bool:
        return self.images.is_transparent(index) or self.inputs.is_transparent(index)


def _of_half(wanted: Wanted, half: Literal["left", "right"] | None) -> Wanted:
    return replace(wanted, half=half)


def _two_sides(path: Path, unmatched: str, follow_links: bool) -> list[tuple[Source, Literal["left", "right"] | None]]:
    """The files of A and those of B, and which half of a file is meant."""
    if isinstance(path, str):
        source = open_source(path, SUFFIXES, follow_links)
        return [(source, "left"), (source, "right")]
    folders = [open_source(each, SUFFIXES, follow_links) for each in path]
    names = [_by_stem(folder, each) for folder, each in zip(folders, path, strict=True)]
    both = sorted(names[0].keys() & names[1].keys())
    _check_matches(path, names, both, unmatched)
    return [(ChosenFiles(folder, [of[stem] for stem in both]), None) for folder, of in zip(folders, names, strict=True)]


def _by_stem(source: Source, path: str) -> dict[str, str]:
    """Names by the name without its ending. Raises `DataError` where one stands for several files."""
    found: dict[str, str] = {}
    for name in source.names:
        stem = str(PurePosixPath(name).with_suffix(""))
        if stem in found:
            raise DataError(
                f"'{printable(found[stem])}' and '{printable(name)}' in '{path}' differ by their ending alone, so that "
                "it is unclear which belongs to a pair: remove one"
            )
        found[stem] = name
    return found


def _check_matches(path: tuple[str, str], names: Sequence[Mapping[str, str]], both: Sequence[str], how: str) -> None:
    alone = [sorted(set(of) - set(both)) for of in names]
    parts = [
        f"{len(stems)} of {len(of)} pictures in '{folder}' (such as {_listed(of[stem] for stem in stems[:_NAMED])})"
        for stems, of, folder in zip(alone, names, path, strict=True)
        if stems
    ]
    if not both:
        raise DataError(
            f"no picture in '{path[0]}' has a name that one in '{path[1]}' has, apart from the ending (such as "
            f"{printable(next(iter(names[0].values())))} and {printable(next(iter(names[1].values())))}): pairs are "
            "files of one name"
        )
    if parts and how == "error":
        raise DataError(
            f"{' and '.join(parts)} have no partner of their name, apart from the ending, in the other folder: add or "
            "remove files, or leave these out by 'unmatched: skip'"
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(printable(name) for name in names)


def _check_proportions(inputs: ImageFiles, images: ImageFiles) -> None:
    """Raise `DataError` for pairs whose pictures would not lie on each other."""
    for of_input, of_image in zip(inputs.source.names, images.source.names, strict=True):
        sizes = inputs.size_of(of_input), images.size_of(of_image)
        if sizes[0] is None or sizes[1] is None:
            continue
        (width, height), (other_width, other_height) = sizes
        if abs(width * other_height - height * other_width) > _ALIKE * width * other_height:
            raise DataError(
                f"the pictures of a pair have other proportions: {inputs.source.describe(of_input)} has "
                f"{width}x{height} pixels, {images.source.describe(of_image)} {other_width}x{other_height}, so that "
                "they do not lie on each other; cut them alike"
            )


def _implied(image: Wanted, source: Wanted, holds_out: bool) -> DataFacts | None:
    """The facts of pairs that are not there, by the options; None if unclear."""
    facts, of_input = (implied_facts(each.resolution, each.channels, [], each.value_range) for each in (image, source))
    if facts is None or of_input is None:
        return None
    inputs = {SOURCE: InputFacts(of_input.shape, "images", of_input.value_range)}
    return replace(facts, inputs=inputs, held_out=MISSING if holds_out else None)

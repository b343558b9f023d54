"""Pictures with maps of classes, and of the instances of objects: what SPADE is trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Ge, Le
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganlab.bounds import Side
from ganlab.contracts import DataFacts
from ganlab.data import FileRecord
from ganlab.errors import DataError, DataMissing, printable
from ganlab.facts import InputFacts, MapTable
from ganlab.pictures import SUFFIXES, nearest, opened, problem_of
from ganlab.pictures.maps import NotClasses, classes_in, instance_edges, numbers_in
from ganlab_datasets.image_files import MAX_PIXELS, ImageFiles, MaxPixels, Shade, Wanted, check_pixels, implied_facts
from ganlab_datasets.map_options import map_table
from ganlab_datasets.sources import ChosenFiles, Source, open_source

LABEL_MAP, EDGES = "label_map", "edges"
"""Names of the inputs."""

Classes = Annotated[int, Ge(1), Le(65_536)]
Id = Annotated[int, Ge(0), Le(65_535)]
_NAMED = 3
_ADVICE = (
    "'first_id' or 'ids' say which number means which class, 'palette' says it of colours, and 'unknown: true' makes "
    "all else one class more"
)


@dataclass(frozen=True)
class _Endings:
    image: str
    map: str
    instance: str


class LabelMaps:
    """Pictures with the class of each pixel, their input `label_map` (H, W).

    `images` and `maps` are folders, or zips, where files of one name apart from its ending belong together;
    `image_ending` and `map_ending` say what to cut off and leave other files out, as in `_leftImg8bit.png` and
    `_gtFine_labelIds.png` of Cityscapes. Maps are pictures of one channel: the number `first_id` means the first of
    `classes`, or `ids` lists the number of each. With `palette` they are coloured pictures, with the colour of each
    class. All else is an error, or with `unknown` one class more, the last. `classes` is their number or their names.

    `instances` holds a number for each object, of up to 32 bits, and makes the input `edges` (H, W), which is 1 where
    an object ends. `held_out_images`, `held_out_maps` and `held_out_instances` are never seen in training; `holdout` is
    for data without such a split. Images, maps and instances of one example have one size; they are brought to
    `resolution` together, maps by the nearest pixel. `resolution`, `channels`, `crop`, `max_pixels` and `follow_links`
    are those of `image_folder`.
    """

    def __init__(
        self,
        images: str,
        maps: str,
        classes: Classes | Sequence[str],
        instances: str | None = None,
        first_id: Id = 0,
        ids: Sequence[Id] | None = None,
        palette: Sequence[tuple[Shade, Shade, Shade]] | None = None,
        unknown: bool = False,
        image_ending: str = "",
        map_ending: str = "",
        instance_ending: str = "",
        held_out_images: str | None = None,
        held_out_maps: str | None = None,
        held_out_instances: str | None = None,
        resolution: Side | tuple[Side, Side] | None = None,
        channels: Literal[1, 3] | None = None,
        crop: bool = True,
        max_pixels: MaxPixels = MAX_PIXELS,
        follow_links: bool = False,
    ) -> None:
        names = [str(number) for number in range(classes)] if isinstance(classes, int) else list(classes)
        table = map_table(len(names), first_id, ids, palette, unknown)
        self._names = (*names, *(["unknown"] if unknown else []))
        wanted = Wanted(resolution, channels, crop, max_pixels=max_pixels)
        endings = _Endings(image_ending, map_ending, instance_ending)
        held_out = (held_out_images, held_out_maps, held_out_instances)
        _check_split(instances, held_out)

        def opened_at(paths: tuple[str, str, str | None]) -> Scenes:
            sources = _together(paths, endings, follow_links)
            return Scenes(ImageFiles(sources[0], wanted), sources[1:], table, self._names)

        try:
            self.scenes = opened_at((images, maps, instances))
            split = None if held_out_images is None else (held_out_images, str(held_out_maps), held_out_instances)
            self.held_out = None if split is None else opened_at(split)
        except DataMissing as missing:
            raise DataMissing(str(missing), self._implied(wanted, table, instances is not None)) from None
        self.facts = self.scenes.facts

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self.scenes[index]

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once."""
        return self.scenes.take(indices)

    def inspect(self) -> Iterator[FileRecord]:
        """The file of each image."""
        return self.scenes.images.inspect()

    def is_transparent(self, index: int) -> bool:
        """Whether any pixel of the image is less than opaque."""
        return self.scenes.images.is_transparent(index)

    def _implied(self, wanted: Wanted, table: MapTable, instances: bool) -> DataFacts | None:
        facts = implied_facts(wanted.resolution, wanted.channels, [])
        return None if facts is None else _with_maps(facts, table, instances, self._names)


class Scenes:
    """Images, maps and perhaps instances, as many of each and in the same order."""

    def __init__(self, images: ImageFiles, others: Sequence[Source], table: MapTable, names: tuple[str, ...]) -> None:
        self.images, self.table = images, table
        self.maps, *instances = others
        self.instances = instances[0] if instances else None
        prints = "-".join(source.fingerprint() for source in others)
        known = f"{images.facts.fingerprint}-{prints}-{_short(table)}"
        self.facts = _with_maps(replace(images.facts, fingerprint=known), table, bool(instances), names)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {**self.images[index], **self._read_maps(index)}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once."""
        read = [self._read_maps(index) for index in indices]
        return {**self.images.take(indices), **{name: torch.stack([maps[name] for maps in read]) for name in read[0]}}

    def _read_maps(self, index: int) -> dict[str, Tensor]:
        classes = self._read(self.maps, index, partial(classes_in, table=self.table))
        read = {LABEL_MAP: torch.from_numpy(np.ascontiguousarray(classes))}
        if self.instances is not None:
            read[EDGES] = torch.from_numpy(instance_edges(self._read(self.instances, index, numbers_in)))
        return read

    def _read(self, source: Source, index: int, how: Any) -> NDArray[Any]:
        name = source.names[index]
        try:
            with source.open(name) as file, opened(file) as picture:
                check_pixels(picture.size, MAX_PIXELS)
                self._check_size(picture, index)
                return nearest(how(picture), self.images.preparation)
        except NotClasses as error:
            raise DataError(f"{source.describe(name)} is no such map: {error}. {_ADVICE}") from error
        except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
            raise DataError(f"{source.describe(name)} cannot be read: {problem_of(error)}") from error

    def _check_size(self, picture: Image.Image, index: int) -> None:
        image = self.images.source.names[index]
        size = self.images.size_of(image)
        if size is not None and size != picture.size:
            raise ValueError(
                f"it has {picture.width}x{picture.height} pixels, and its image {self.images.source.describe(image)} "
                f"{size[0]}x{size[1]}: both must have one size, so that they lie on each other"
            )


def _with_maps(facts: DataFacts, table: MapTable, instances: bool, names: tuple[str, ...]) -> DataFacts:
    shape = facts.shape[1:]
    inputs = {LABEL_MAP: InputFacts(shape, "maps", classes=table.count, files=table)}
    if instances:
        inputs[EDGES] = InputFacts(shape, "maps", classes=2, files="instances")
    return replace(facts, inputs=inputs, extras={"map_classes": names})


def _check_split(instances: str | None, held_out: tuple[str | None, str | None, str | None]) -> None:
    if (held_out[0] is None) != (held_out[1] is None):
        raise DataError("'held_out_images' and 'held_out_maps' belong together: give both or neither")
    if held_out[0] is not None and (instances is None) != (held_out[2] is None):
        raise DataError("'instances' and 'held_out_instances' belong together: give both or neither")
    if held_out[0] is None and held_out[2] is not None:
        raise DataError("'held_out_instances' are those of 'held_out_images', which are not given")


def _together(paths: tuple[str, str, str | None], endings: _Endings, follow_links: bool) -> list[Source]:
    """The files of images, maps and instances that belong together. Raises `DataError` for those alone."""
    given = [path for path in paths if path is not None]
    cuts = (endings.image, endings.map, endings.instance)
    sources = [open_source(path, SUFFIXES, follow_links) for path in given]
    names = [_by_stem(source, path, cut) for source, path, cut in zip(sources, given, cuts, strict=False)]
    for of, path in zip(names[1:], given[1:], strict=True):
        alone = sorted(set(names[0]) - set(of))
        if alone:
            shown = ", ".join(printable(names[0][stem]) for stem in alone[:_NAMED])
            raise DataError(
                f"{len(alone)} of {len(names[0])} images in '{paths[0]}' (such as {shown}) have no file of their name "
                f"in '{path}', such as '{printable(alone[0])}' and an ending; names without their endings are equal: "
                "'image_ending', 'map_ending' and 'instance_ending' say what else to cut off"
            )
    order = sorted(names[0])
    return [ChosenFiles(source, [of[stem] for stem in order]) for source, of in zip(sources, names, strict=True)]


def _by_stem(source: Source, path: str, ending: str) -> dict[str, str]:
    """Names without their endings; with an `ending`, those of files that have it. Raises `DataError`."""
    chosen = [name for name in source.names if name.endswith(ending)]
    if not chosen:
        raise DataError(
            f"no picture in '{path}' has a name that ends in '{ending}' (one is {printable(source.names[0])})"
        )
    stems = [name.removesuffix(ending) if ending else str(PurePosixPath(name).with_suffix("")) for name in chosen]
    found = dict(zip(stems, chosen, strict=True))
    if len(found) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        raise DataError(
            f"several pictures in '{path}' are called '{printable(twice)}' apart from their ending: keep one"
        )
    return found


def _short(table: MapTable) -> str:
    return hashlib.blake2b(repr(table).encode(), digest_size=4).hexdigest()

"""Files that take the place of what samples are made from: pictures and maps, beside each other by their names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from ganlab.data.scaling import scale_input
from ganlab.errors import UserError
from ganlab.facts import InputFacts, MapTable
from ganlab.pictures import (
    SUFFIXES,
    Colour,
    Preparation,
    make_alike,
    nearest,
    opened,
    planes,
    problem_of,
)
from ganlab.pictures.files import header_of
from ganlab.pictures.maps import NotClasses, classes_in, instance_edges, numbers_in
from ganlab.printable import printable

_FILLED = 255  # the largest number of 8 bits
_MOST_CLASSES = 256
_NAMED = 3


@dataclass(frozen=True)
class ReadAs:
    """How files are read.

    `side` is what the larger side of each is brought to, None for its own size; `background` what shows through
    transparent pixels. `endings` are, by input, the end of the names of its files, which does not belong to the names
    that files of several inputs share; without one that is the suffix.
    """

    side: int | None = None
    background: Colour | None = None
    endings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InputFiles:
    """The files of one sample, by input; the first one names it, `name` is its path in its folder.

    `size` (height, width) is what those are brought to that lie on each other; `apart` are the inputs that do not.
    """

    name: Path
    files: Mapping[str, Path]
    size: tuple[int, int]
    apart: frozenset[str]
    facts: Mapping[str, InputFacts]
    read_as: ReadAs

    @property
    def first(self) -> Path:
        """The file that names the sample."""
        return next(iter(self.files.values()))

    def read(self) -> dict[str, Tensor]:
        """What is in the files, one example (1, ...) each, as networks get it. Raises `UserError` for what is none."""
        return {name: _read(file, self.facts[name], self._preparation(name))[None] for name, file in self.files.items()}

    def _preparation(self, name: str) -> Preparation:
        facts = self.facts[name]
        size = self.size
        if name in self.apart:
            size = _wished(_size_of(self.files[name], facts), self.read_as.side)
        assert facts.channels is not None
        bits = 16 if facts.kind == "images" and facts.value_range[1] > _FILLED else 8
        made = Preparation(facts.channels, bits, size, self.read_as.side is not None, "squeeze")
        return replace(made, background=None if made.keeps_transparency else self.read_as.background)


def find_inputs(
    paths: Mapping[str, Path], facts: Mapping[str, InputFacts], apart: frozenset[str], read_as: ReadAs
) -> list[InputFiles]:
    """The files of all samples, in the order of the names of the first input's.

    Each of `paths` is a folder, or one file, which belongs to all samples where it is not the first. Inputs but those
    `apart` lie on each other. Headers are read. Raises `UserError` for files without partners, of different sizes and
    for what is no picture.
    """
    main, *others = paths
    found = _by_stem(main, paths[main], read_as)
    of_others = {name: _partners(name, paths[name], main, found, read_as) for name in others}
    joined = [name for name in paths if name not in apart] or [main]
    root = paths[main].parent if paths[main].is_file() else paths[main]
    chosen = []
    for stem, file in found.items():
        files = {main: file, **{name: partners[stem] for name, partners in of_others.items()}}
        size = _wished(_common_size({name: files[name] for name in joined}, facts), read_as.side)
        chosen.append(InputFiles(file.relative_to(root), files, size, frozenset(paths) - set(joined), facts, read_as))
    return chosen


def numbers_for_all(name: str, text: str | None, facts: InputFacts, names: Sequence[str]) -> Tensor:
    """An input of numbers (1, K), the same for all files: `0,1,0.5`, or the `names` of those that are 1, as in `a,b`.

    Raises `UserError` where there are none, others, or not as many as are needed.
    """
    (count,) = facts.shape
    known = list(names) if len(names) == count else []
    parts = [] if text is None else [part.strip() for part in text.split(",")]
    if known and parts and set(parts) <= set(known):
        return torch.tensor([[float(each in parts) for each in known]])
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if len(values) == count and all(map(math.isfinite, values)):
        return torch.tensor([values])
    listed = f", or the names of those that are 1, of {', '.join(known)}" if known else ""
    raise UserError(
        f"samples of this run are made of '{name}' as well, {count} numbers that hold for all pictures: give "
        f"'--input {name}=0,1,...'{listed}"
    )


def _by_stem(name: str, source: Path, read_as: ReadAs) -> dict[str, Path]:
    """The files of a folder by what their names share with files of other inputs. Raises `UserError`."""
    ending = read_as.endings.get(name, "")
    if not source.exists():
        raise UserError(f"'{source}' does not exist; give a folder of pictures, or one picture")
    if source.is_file():
        return {_stem(Path(source.name), ending): source}
    within = [file for file in sorted(source.rglob("*")) if _is_picture(file, source)]
    chosen = [file for file in within if file.name.endswith(ending)]
    if not chosen:
        what = f"picture whose name ends in '{ending}'" if ending and within else "pictures"
        raise UserError(f"no {what} in '{source}' or the folders below; files count by their ending (.png, .jpg, ...)")
    found: dict[str, Path] = {}
    for file in chosen:
        relative = file.relative_to(source)
        stem = _stem(relative, ending)
        if stem in found:
            raise UserError(
                f"{printable(str(found[stem]))} and {printable(str(file))} would both become "
                f"{printable(relative.with_suffix('.png').name)}: rename one"
            )
        found[stem] = file
    return found


def _stem(relative: Path, ending: str) -> str:
    return str(relative).removesuffix(ending) if ending else str(relative.with_suffix(""))


def _is_picture(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.suffix.lower() in SUFFIXES and file.is_file() and not hidden


def _partners(name: str, source: Path, main: str, of_main: Mapping[str, Path], read_as: ReadAs) -> Mapping[str, Path]:
    found = _by_stem(name, source, read_as)
    if source.is_file():
        return dict.fromkeys(of_main, source)
    alone = [stem for stem in of_main if stem not in found]
    if alone:
        shown = ", ".join(printable(str(of_main[stem])) for stem in alone[:_NAMED])
        raise UserError(
            f"{len(alone)} of {len(of_main)} files of '{main}' (such as {shown}) have none of their name for '{name}' "
            f"in '{source}'; names without their endings are equal: '--ending {name}=TEXT' and '--ending {main}=TEXT' "
            "say what else to cut off"
        )
    return found


def _common_size(files: Mapping[str, Path], facts: Mapping[str, InputFacts]) -> tuple[int, int]:
    (main, first), *others = files.items()
    size = _size_of(first, facts[main])
    for name, file in others:
        if (found := _size_of(file, facts[name])) != size:
            sizes = [f"{width}x{height}" for height, width in (found, size)]
            raise UserError(
                f"{printable(str(file))} ('{name}') has {sizes[0]} pixels, and {printable(str(first))} ('{main}') "
                f"{sizes[1]}: both must have one size, so that they lie on each other"
            )
    return size


def _size_of(file: Path, facts: InputFacts) -> tuple[int, int]:
    """(height, width); of pictures as shown, of maps, whose numbers may have more bits than pictures', as stored."""
    try:
        with file.open("rb") as stream, opened(stream) as picture:
            width, height = header_of(picture).size if facts.kind == "images" else picture.size
    except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
        raise UserError(f"{printable(str(file))} cannot be read: {problem_of(error)}") from error
    return height, width


def _wished(size: Sequence[int], side: int | None) -> tuple[int, int]:
    height, width = size if side is None else (max(1, round(each * side / max(size))) for each in size)
    return height, width


def _read(file: Path, facts: InputFacts, preparation: Preparation) -> Tensor:
    try:
        with file.open("rb") as stream, opened(stream) as picture:
            if facts.kind == "images":
                return scale_input(torch.from_numpy(planes(make_alike(picture, preparation))), facts)
            values = numbers_in(picture) if facts.files == "instances" else classes_in(picture, _table_of(facts))
    except NotClasses as error:
        raise UserError(f"{printable(str(file))} is no map as those of the training: {error}") from error
    except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
        raise UserError(f"{printable(str(file))} cannot be read: {problem_of(error)}") from error
    values = nearest(values, preparation)
    made = scale_input(torch.from_numpy(instance_edges(values) if facts.files == "instances" else values.copy()), facts)
    return made if len(facts.shape) == 2 else made[None]


def _table_of(facts: InputFacts) -> MapTable:
    """What files hold; the map's own numbers where nothing else is known."""
    if isinstance(facts.files, MapTable):
        return facts.files
    classes = facts.classes or _MOST_CLASSES
    return MapTable(classes, tuple(range(classes)))

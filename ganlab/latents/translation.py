"""Pictures in files of any size, translated by a trained game that starts from pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import InputFacts
from ganlab.data.examples import IMAGES
from ganlab.data.scaling import scale
from ganlab.errors import UserError
from ganlab.evaluation.quantise import for_files
from ganlab.evaluation.sample_files import refuse_existing, write_image
from ganlab.evaluation.sampling import at_rest, class_of, get_ready
from ganlab.latents.progress import watched
from ganlab.latents.tiles import in_tiles
from ganlab.pictures import SUFFIXES, Colour, Preparation, make_alike, opened, planes, problem_of, read_header
from ganlab.printable import printable
from ganlab.randomness import Randomness, derive_seed, of_samples
from ganlab.training.module import GANModule

_FILLED = 255  # the largest number of 8 bits


@dataclass(frozen=True)
class Wishes:
    """How pictures are translated.

    `side` is what the larger side of each picture is brought to before, None for its own size; `tile` the side of tiles
    in which larger ones are translated, None for whole pictures, and `overlap` how many pixels these share.
    `background` is what shows through transparent pixels, `label` the class that is asked for, by name or number; None
    for one that is drawn, where the data have classes.
    """

    seed: int = 0
    side: int | None = None
    tile: int | None = None
    overlap: int | None = None
    background: Colour | None = None
    label: str | None = None


def translate_files(
    module: GANModule,
    source: Path,
    out: Path,
    options: Mapping[str, Any],
    wishes: Wishes,
    *,
    overwrite: bool = False,
    progress: bool = True,
) -> list[Path]:
    """Translate all pictures in a folder, or one file, into PNG files of their names; returns these.

    Picture i, in the order of the names, is sample i of the seed. Raises `UserError` for a game that does not start
    from one picture, for pictures that cannot be read, before anything is written, and for files that exist.
    """
    name, facts = picture_input(module, options)
    labels = _labels(module, wishes)
    files = _pictures(source)
    preparations = [_preparation(file, facts, wishes) for file in files]
    paths = [(out / file.relative_to(_root(source))).with_suffix(".png") for file in files]
    _check_apart(files, paths)
    refuse_existing(paths, overwrite)
    get_ready(module, True, options)
    facts_of_result = module.facts_of_samples(options)
    numbered = list(enumerate(zip(files, preparations, paths, strict=True)))
    for number, (file, preparation, path) in watched(numbered, "translating", progress):
        picture = scale(_read(file, preparation).to(module.device), facts.value_range)
        try:
            images = translate(module, {name: picture[None]}, options, number, wishes, labels)
        except UserError as error:
            raise UserError(f"{printable(str(file))}: {error}") from error
        write_image(for_files(images, facts_of_result).cpu()[0].numpy(), path)
    return paths


def translate(
    module: GANModule,
    inputs: Mapping[str, Tensor],
    options: Mapping[str, Any],
    number: int,
    wishes: Wishes,
    labels: Tensor | None = None,
) -> Tensor:
    """Sample `number` of the seed, made for one picture (1, C, H, W) in [-1, 1], whole or in tiles.

    `labels` is the class that is asked for (1,).
    """
    ((name, picture),) = inputs.items()
    random = of_samples(wishes.seed, 1, module.device, number)
    if labels is None and module.facts.classes:
        labels = random.integers("labels", module.facts.classes)
    work = partial(_sampled, module, name, options, random, labels)
    with at_rest(module, derive_seed(wishes.seed, "network", number)):
        if wishes.tile is None:
            return work(picture)
        overlap = wishes.tile // 4 if wishes.overlap is None else wishes.overlap
        return in_tiles(picture, work, wishes.tile, overlap)


def picture_input(module: GANModule, options: Mapping[str, Any]) -> tuple[str, InputFacts]:
    """The name of the one input that is a picture, and what it was in training. Raises `UserError` if there is none."""
    facts = module.facts
    also = module.made_from(options)
    if len(also) == 1 and not facts.inputs:
        whose = facts if also[0] == IMAGES else facts.further[also[0]]
        return also[0], InputFacts(whose.shape, "images", whose.value_range)
    pictures = [name for name, each in facts.inputs.items() if each.kind == "images"]
    if len(pictures) == 1 and len(facts.inputs) == 1 and not also:
        return pictures[0], facts.inputs[pictures[0]]
    kinds = {name: each.kind for name, each in facts.inputs.items()} | dict.fromkeys(also, "images")
    there = ", ".join(f"{name} ({kind})" for name, kind in kinds.items()) or "none"
    raise UserError(
        f"pictures are translated by games that start from one picture each; the inputs of this run are: {there}. "
        "'ganlab sample RUN --inputs NODE' takes maps, numbers and several inputs from a data set, such as "
        "'{name: label_maps, images: photos, maps: maps, ...}' with the options that the run was trained with"
    )


def _labels(module: GANModule, wishes: Wishes) -> Tensor | None:
    """The class that is asked for (1,), if one is. Raises `UserError` for one that there is not."""
    if wishes.label is None:
        return None
    return torch.tensor([class_of(wishes.label, module.facts)], device=module.device)


def _sampled(
    module: GANModule,
    name: str,
    options: Mapping[str, Any],
    random: Randomness,
    labels: Tensor | None,
    picture: Tensor,
) -> Tensor:
    return module.sample(random, labels, inputs={name: picture}, **options)


def _pictures(source: Path) -> list[Path]:
    if not source.exists():
        raise UserError(f"'{source}' does not exist; give a folder of pictures, or one picture")
    if source.is_file():
        return [source]
    found = [
        file
        for file in sorted(source.rglob("*"))
        if file.suffix.lower() in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(source).parts)
    ]
    if not found:
        raise UserError(
            f"no pictures in '{source}' or the folders below; files count by their ending (.png, .jpg, ...)"
        )
    return found


def _root(source: Path) -> Path:
    return source.parent if source.is_file() else source


def _check_apart(files: Sequence[Path], paths: Sequence[Path]) -> None:
    """Raise `UserError` where two pictures would become one file."""
    made: dict[Path, Path] = {}
    for file, path in zip(files, paths, strict=True):
        if path in made:
            raise UserError(
                f"{printable(str(made[path]))} and {printable(str(file))} would both become {printable(path.name)}: "
                "rename one"
            )
        made[path] = file


def _preparation(file: Path, facts: InputFacts, wishes: Wishes) -> Preparation:
    """How a picture is read: in its own size or with its larger side as wished, with the channels of the training."""
    assert facts.channels is not None
    try:
        with file.open("rb") as opened_file:
            width, height = read_header(opened_file).size
    except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
        raise UserError(f"{printable(str(file))} cannot be read: {problem_of(error)}") from error
    if wishes.side is not None:
        factor = wishes.side / max(width, height)
        width, height = (max(1, round(each * factor)) for each in (width, height))
    bits = 16 if facts.value_range[1] > _FILLED else 8
    made = Preparation(facts.channels, bits, (height, width), wishes.side is not None, "squeeze")
    return replace(made, background=None if made.keeps_transparency else wishes.background)


def _read(file: Path, preparation: Preparation) -> Tensor:
    try:
        with file.open("rb") as stream, opened(stream) as picture:
            return torch.from_numpy(planes(make_alike(picture, preparation)))
    except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
        raise UserError(f"{printable(str(file))} cannot be read: {problem_of(error)}") from error

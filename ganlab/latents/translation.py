"""Pictures and maps in files of any size, translated by a trained game that makes images of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab.data.examples import IMAGES
from ganlab.errors import UserError
from ganlab.evaluation.quantise import for_files
from ganlab.evaluation.sample_files import refuse_existing, write_image
from ganlab.evaluation.sampling import at_rest, class_of, get_ready
from ganlab.facts import InputFacts
from ganlab.latents.input_files import InputFiles, ReadAs, find_inputs, numbers_for_all
from ganlab.latents.progress import watched
from ganlab.latents.tiles import in_tiles
from ganlab.pictures import Colour
from ganlab.printable import printable
from ganlab.randomness import derive_seed, of_samples
from ganlab.training.module import GANModule

_FROM_DATA = (
    "'ganlab sample RUN --inputs NODE' takes them from a data set with the options that the run was trained with"
)


@dataclass(frozen=True)
class Wishes:
    """How pictures and maps are translated.

    `side` is what the larger side of each is brought to before, None for its own size; `tile` the side of tiles in
    which larger ones are translated, None for the whole, and `overlap` how many pixels these share. `background` is
    what shows through transparent pixels, `label` the class that is asked for, by name or number; None for one that is
    drawn, where the data have classes. `inputs` are the folders, or files, of further inputs by name, or numbers that
    hold for all pictures; `endings` are, by input, the ends of files' names by which the inputs differ.
    """

    seed: int = 0
    side: int | None = None
    tile: int | None = None
    overlap: int | None = None
    background: Colour | None = None
    label: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    endings: Mapping[str, str] = field(default_factory=dict)


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
    """Translate all pictures or maps in a folder, or one file, into PNG files of their names; returns these.

    File i, in the order of the names, is sample i of the seed. Raises `UserError` for a game that makes no images of
    pictures or maps, and, before anything is written, for files that cannot be read, that do not fit, or that exist.
    """
    needed, apart = needed_inputs(module, options)
    _check_names(wishes.inputs, "--input", needed)
    numbers = _numbers(module, needed, wishes)
    facts = {name: each for name, each in needed.items() if name not in numbers}
    samples = find_inputs(_paths(facts, source, wishes), facts, apart, _read_as(facts, wishes))
    labels = _labels(module, wishes)
    paths = [(out / sample.name).with_suffix(".png") for sample in samples]
    refuse_existing(paths, overwrite)
    if any(each.kind == "maps" for each in facts.values()):
        for sample in watched(samples, "checking", progress):
            sample.read()
    get_ready(module, True, options)
    facts_of_result = module.facts_of_samples(options)
    for number, (sample, path) in watched(list(enumerate(zip(samples, paths, strict=True))), "translating", progress):
        images = _translated(module, sample, numbers, options, number, wishes, labels)
        write_image(for_files(images, facts_of_result).cpu()[0].numpy(), path)
    return paths


def needed_inputs(module: GANModule, options: Mapping[str, Any]) -> tuple[dict[str, InputFacts], frozenset[str]]:
    """What one sample is made of, by name, and which of it need not lie on the rest.

    Pictures and maps of the data lie on each other. An example's own images, and those of a further domain, are
    pictures by themselves. Raises `UserError` where no picture or map is needed, or what no file holds.
    """
    data = module.facts
    needed = dict(data.inputs)
    apart = module.made_from(options)
    for name in apart:
        whose = data if name == IMAGES else data.further[name]
        needed[name] = InputFacts(whose.shape, "images", whose.value_range)
    there = ", ".join(f"{name} ({facts.kind})" for name, facts in needed.items()) or "none"
    if all(facts.kind == "numbers" for facts in needed.values()):
        raise UserError(
            f"{type(module).__name__} makes images of latents, and not of pictures or label maps: give a run of an "
            "architecture that makes images of images; 'ganlab plugins architectures' lists all"
        )
    if data.frames:
        raise UserError(
            f"this run makes films, of films of inputs ({there}), and files are translated one by one: {_FROM_DATA}"
        )
    if not all(map(_can_be_given, needed.values())):
        raise UserError(
            f"pictures, maps and rows of numbers can be given, and samples of this run are made of: {there}. "
            f"{_FROM_DATA}"
        )
    return needed, frozenset(apart)


def translate(
    module: GANModule,
    inputs: Mapping[str, Tensor],
    options: Mapping[str, Any],
    number: int,
    wishes: Wishes,
    labels: Tensor | None = None,
    apart: Collection[str] = (),
) -> Tensor:
    """Sample `number` of the seed, made of inputs (1, ...) as networks get them, whole or in tiles.

    `labels` is the class that is asked for (1,); inputs that are `apart` are not cut to tiles.
    """
    random = of_samples(wishes.seed, 1, module.device, number)
    if labels is None and module.facts.classes:
        labels = random.integers("labels", module.facts.classes)
    work = partial(module.sample, random, labels, **options)
    with at_rest(module, derive_seed(wishes.seed, "network", number)):
        if wishes.tile is None:
            return work(inputs=inputs)
        cut = {name: value for name, value in inputs.items() if name not in apart}
        overlap = wishes.tile // 4 if wishes.overlap is None else wishes.overlap
        height, width = next(iter(cut.values())).shape[-2:]

        def of_tile(rows: slice, columns: slice) -> Tensor:
            return work(inputs={**inputs, **{name: value[..., rows, columns] for name, value in cut.items()}})

        return in_tiles((height, width), of_tile, wishes.tile, overlap)


def _translated(
    module: GANModule,
    sample: InputFiles,
    numbers: Mapping[str, Tensor],
    options: Mapping[str, Any],
    number: int,
    wishes: Wishes,
    labels: Tensor | None,
) -> Tensor:
    inputs = {name: value.to(module.device) for name, value in (*sample.read().items(), *numbers.items())}
    try:
        return translate(module, inputs, options, number, wishes, labels, sample.apart.union(numbers))
    except UserError as error:
        raise UserError(f"{printable(str(sample.first))}: {error}") from error


def _can_be_given(facts: InputFacts) -> bool:
    return {"images": True, "maps": facts.channels == 1, "numbers": len(facts.shape) == 1}.get(facts.kind, False)


def _paths(facts: Mapping[str, InputFacts], source: Path, wishes: Wishes) -> dict[str, Path]:
    """The folders or files of all inputs, first that of the one that is given without a name."""
    left = [name for name in facts if name not in wishes.inputs]
    given = {name: Path(text) for name, text in wishes.inputs.items() if name in facts}
    if not left:
        raise UserError(
            f"'--input' names all inputs ({_listed(facts)}), and '{source}' is for none of them: leave one out"
        )
    if len(left) > 1:
        more = " ".join(f"--input {name}=FOLDER" for name in left[1:])
        raise UserError(
            f"samples of this run are made of {_listed(facts)}, and '{source}' is for '{left[0]}' alone; give the "
            f"rest, in files of the same names: {more}"
        )
    return {left[0]: source, **given}


def _numbers(module: GANModule, needed: Mapping[str, InputFacts], wishes: Wishes) -> dict[str, Tensor]:
    return {
        name: numbers_for_all(name, wishes.inputs.get(name), facts, module.facts.extras.get(name, ()))
        for name, facts in needed.items()
        if facts.kind == "numbers"
    }


def _read_as(facts: Mapping[str, InputFacts], wishes: Wishes) -> ReadAs:
    _check_names(wishes.endings, "--ending", facts)
    if wishes.background is not None and all(each.kind == "maps" for each in facts.values()):
        raise UserError("nothing shows through maps: leave '--background' out")
    return ReadAs(wishes.side, wishes.background, wishes.endings)


def _check_names(given: Mapping[str, Any], option: str, facts: Mapping[str, InputFacts]) -> None:
    for name in given:
        if name not in facts:
            raise UserError(f"'{option}' names '{name}'; samples of this run are made of {_listed(facts)}")


def _listed(names: Sequence[str] | Mapping[str, Any]) -> str:
    return " and ".join(f"'{name}'" for name in names)


def _labels(module: GANModule, wishes: Wishes) -> Tensor | None:
    """The class that is asked for (1,), if one is. Raises `UserError` for one that there is not."""
    if wishes.label is None:
        return None
    return torch.tensor([class_of(wishes.label, module.facts)], device=module.device)

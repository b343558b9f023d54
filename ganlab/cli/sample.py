"""`ganlab sample`: images from a run's averaged generator."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganlab.cli.interpolate import MovieChoice
from ganlab.cli.latent_tools import Checkpoint, Overwrite, RunName

if TYPE_CHECKING:
    from ganlab.evaluation.sampling import Samples
    from ganlab.evaluation.source import Source
    from ganlab.run.generator_file import OpenedGenerator
    from ganlab.training.module import GANModule


_MOST_IN_A_GRID = 10_000
_MOST_SEEDS = 1_000_000


Inputs = Annotated[
    str | None,
    typer.Option(
        metavar="NODE",
        help="Data that the samples are made for, as in '{name: image_folder, path: photos}'; without it the run's "
        "held-out examples.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("sample")(sample)


def sample(
    run: RunName,
    options: Annotated[
        list[str] | None, typer.Argument(help="Sampling options of the architecture, such as psi=0.7.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, max=10_000_000, help="How many samples.")] = None,
    out: Annotated[
        Path,
        typer.Option(help="Folder for 00000.png ... (films: 00000.gif and their frames; vectors: samples.npy)."),
    ] = Path("samples"),
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal files.")] = 0,
    seeds: Annotated[
        str | None, typer.Option(help="One sample of each of these seeds, as in 1,5,9 or 10-19, instead of --count.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Class of all samples, by number or name; else the example's, or i for sample i.")
    ] = None,
    inputs: Inputs = None,
    grid: Annotated[bool, typer.Option("--grid", help="One picture of all samples, grid.png, to look at.")] = False,
    columns: Annotated[int | None, typer.Option(min=1, help="Samples in a row of --grid; without it a square.")] = None,
    checkpoint: Checkpoint = None,
    movie: Annotated[
        MovieChoice | None, typer.Option(help="The kind of film that sequences become; without it gif.")
    ] = None,
    fps: Annotated[
        int | None, typer.Option(min=1, max=60, help="Frames of such a film in a second; without it 8.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write samples of a run's averaged generator as PNG files."""
    _check_usage(count, seeds, columns, grid)
    from ganlab.evaluation.sampling import choose_device
    from ganlab.run.generator_file import open_generator
    from ganlab.spec.sampling import check_sampling, read_assignments

    opened, folder = open_generator(run, choose_device(), checkpoint), out.resolve()
    module, listed = opened.module, None if seeds is None else read_seeds(seeds)
    chosen = check_sampling(type(module), read_assignments(options or []))
    with opened.run.where_it_started() if opened.run is not None and inputs is None else nullcontext():
        source = find_source(opened, inputs, chosen)
        made = make(module, source, count if listed is None else listed, seed, label, chosen)
        film = _film_of(module, chosen, movie, fps, grid)
        files = write(module, made, count or len(listed or ()), folder, grid, overwrite, columns, chosen, film)
    print(f"{len(files)} files in {out}" if len(files) > 1 else out / files[0].name)


def _check_usage(count: int | None, seeds: str | None, columns: int | None, grid: bool) -> None:
    """Raise `BadParameter` for options that contradict each other."""
    if (count is None) == (seeds is None):
        raise typer.BadParameter("give either the number of samples, or their seeds with --seeds", param_hint="--count")
    if columns is not None and not grid:
        raise typer.BadParameter("files have no columns: give --grid as well, or leave it out", param_hint="--columns")


def _film_of(
    module: GANModule, options: Mapping[str, Any], movie: MovieChoice | None, fps: int | None, grid: bool
) -> dict[str, Any]:
    """How films are written. Raises `BadParameter` for a choice that nothing would follow."""
    if (movie or fps) and (grid or not module.facts_of_samples(options).frames):
        what = "a grid is a picture" if grid else "these samples are no sequences"
        raise typer.BadParameter(
            f"{what}, so that no film is written: leave it out", param_hint="--movie" if movie else "--fps"
        )
    return {"film": (movie or MovieChoice.gif).value, "fps": fps or 8}


def make(
    module: GANModule,
    source: Source | None,
    which: int | Sequence[int] | None,
    seed: int,
    label: str | None,
    options: Mapping[str, Any],
) -> Iterator[Samples]:
    """So many samples of a seed, or one of each of a list of seeds; of one class if it is named."""
    from ganlab.evaluation.sampling import Labels, class_of, make_samples, sample_seeds

    labels: Labels = "cycle" if source is None or not source.dataset.facts.classes else None
    if label is not None:
        labels = class_of(label, module.facts)
    if isinstance(which, Sequence):
        return sample_seeds(module, which, labels=labels, source=source, options=options)
    assert which is not None
    return make_samples(module, which, seed, labels=labels, source=source, options=options)


def write(
    module: GANModule,
    made: Iterator[Samples],
    count: int,
    out: Path,
    grid: bool,
    overwrite: bool,
    columns: int | None = None,
    options: Mapping[str, Any] | None = None,
    film: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write `count` samples that were made with these options, or one picture of them; returns the files.

    `film` has the kind of film that sequences become, and its `fps`.
    """
    from ganlab.errors import UserError
    from ganlab.evaluation.pictures import picture_of
    from ganlab.evaluation.sample_files import refuse_existing, write_samples

    if not grid:
        facts = module.facts_of_samples(options or {})
        pieces = (samples.images for samples in made)
        return write_samples(pieces, count, out, facts, overwrite=overwrite, **(film or {}))
    if count > _MOST_IN_A_GRID:
        raise UserError(f"a picture holds at most {_MOST_IN_A_GRID:,} samples, not {count:,}; leave --grid out")
    path = out / "grid.png"
    refuse_existing([path], overwrite)
    columns = columns or math.ceil(math.sqrt(count))
    rows = count if module.facts.frames else math.ceil(count / columns)
    picture_of(module, made, (rows, columns)).save(path)
    return [path]


def find_source(opened: OpenedGenerator, node: str | None, options: Mapping[str, Any]) -> Source | None:
    """The examples that samples are made for: those of a node of YAML, or the run's own held-out ones.

    None for runs whose samples are made of nothing but random numbers. Raises `UserError` for data that do not fit.
    """
    from ganlab.build import open_dataset
    from ganlab.errors import DataMissing
    from ganlab.evaluation.source import source_for, source_of
    from ganlab.spec import node_of_text

    module, also = opened.module, opened.module.made_from(options)
    if node is not None:
        given = node_of_text("datasets", node, "--inputs")
        return source_for(module.facts, open_dataset(given), module.device, also)
    if not (module.facts.inputs or also):
        return None
    run = opened.run_for("Making samples for held-out examples, without --inputs,")
    try:
        return source_of(open_dataset(run.spec.data), module.device, also)
    except DataMissing as missing:
        raise DataMissing(
            f"samples of this run are made for examples: {missing}; others can be given by --inputs"
        ) from None


def read_seeds(text: str) -> list[int]:
    """The seeds that `1,5,9` or `10-19` lists. Raises `UserError`."""
    from ganlab.errors import UserError

    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UserError(f"--seeds takes numbers and ranges, such as 1,5,9 or 10-19, not '{part}'")
        if len(first) > 19 or len(last) > 19 or int(last or first) - int(first) > _MOST_SEEDS:
            raise UserError(f"--seeds takes numbers below 2**63, and at most {_MOST_SEEDS:,} of them, not '{part}'")
        seeds += range(int(first), int(last or first) + 1)
    return seeds

"""`ganlab sample`: images from a run's averaged generator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("sample")(sample)


def sample(
    run: Annotated[str, typer.Argument(help="A run's folder, or the name of an experiment: its newest run.")],
    options: Annotated[
        list[str] | None, typer.Argument(help="Sampling options of the architecture, such as psi=0.7.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="How many samples.")] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for 00000.png ... (vectors: samples.npy; --grid: grid.png).")
    ] = Path("samples"),
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal files.")] = 0,
    seeds: Annotated[
        str | None, typer.Option(help="One sample of each of these seeds, as in 1,5,9 or 10-19, instead of --count.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Class of all samples, by number or name; without it, sample i has class i.")
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", help="One picture of all samples.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
) -> None:
    """Write samples of a run's averaged generator as PNG files."""
    if (count is None) == (seeds is None):
        raise typer.BadParameter("give the number of samples, or their seeds with --seeds", param_hint="--count")
    from ganlab.evaluation.sample_files import write_samples
    from ganlab.evaluation.sampling import Labels, choose_device, class_of, sample_blocks, sample_seeds
    from ganlab.run.folder import open_run
    from ganlab.spec.sampling import check_sampling, read_assignments

    module = open_run(run).load_module(choose_device())
    chosen = check_sampling(type(module), read_assignments(options or []))
    labels: Labels = "cycle" if label is None else class_of(label, module.facts)
    if seeds is None:
        assert count is not None
        pieces = sample_blocks(module, count, seed, labels=labels, options=chosen)
    else:
        listed = read_seeds(seeds)
        count, pieces = len(listed), sample_seeds(module, listed, labels=labels, options=chosen)
    files = write_samples((images for images, _ in pieces), count, out, module.facts, grid=grid, overwrite=overwrite)
    print(f"{len(files)} files in {out}" if len(files) > 1 else files[0])


def read_seeds(text: str) -> list[int]:
    """The seeds that `1,5,9` or `10-19` lists. Raises `UserError`."""
    from ganlab.errors import UserError

    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UserError(f"--seeds takes numbers and ranges, such as 1,5,9 or 10-19, not '{part}'")
        seeds += range(int(first), int(last or first) + 1)
    return seeds

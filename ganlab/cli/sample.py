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
    count: Annotated[int, typer.Option(min=1, help="How many samples.")],
    out: Annotated[Path, typer.Option(help="Folder for 00000.png ... (vectors: samples.npy; --grid: grid.png).")],
    seed: Annotated[int, typer.Option(help="Equal seeds give equal files.")] = 0,
    label: Annotated[int | None, typer.Option(help="Class of all samples; without it, sample i has class i.")] = None,
    truncation: Annotated[float | None, typer.Option(help="For architectures that have a truncation.")] = None,
    grid: Annotated[bool, typer.Option("--grid", help="One picture of all samples.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
) -> None:
    """Write samples of a run's averaged generator as PNG files."""
    from ganlab.evaluation.sample_files import write_samples
    from ganlab.evaluation.sampling import choose_device, sample_blocks
    from ganlab.run.folder import open_run

    module = open_run(run).load_module(choose_device())
    pieces = sample_blocks(module, count, seed, labels="cycle" if label is None else label, truncation=truncation)
    files = write_samples((images for images, _ in pieces), count, out, module.facts, grid=grid, overwrite=overwrite)
    print(f"{len(files)} files in {out}" if len(files) > 1 else files[0])

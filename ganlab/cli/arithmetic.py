"""`ganlab arithmetic`: sums and differences of latents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.interpolate import Space
from ganlab.cli.latent_tools import (
    LATENTS,
    Checkpoint,
    Label,
    NoiseSeed,
    Overwrite,
    RunName,
    Settings,
    files_in,
    open_generator,
    print_files,
    sampling_settings,
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("arithmetic")(arithmetic)


def arithmetic(
    run: RunName,
    formula: Annotated[
        str,
        typer.Argument(
            help=f"Terms and signs between spaces, as in '1 - 5 + 9' or '1-3 - 4-6 + 7-9', each the mean of: {LATENTS}."
        ),
    ],
    options: Settings = None,
    space: Space = None,
    label: Label = None,
    noise_seed: NoiseSeed = 0,
    out: Annotated[Path, typer.Option(help="Folder for arithmetic.png and the result, result.npz.")] = Path(
        "arithmetic"
    ),
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Add and subtract latents, and show all terms and the result."""
    from ganlab.latents import arithmetic as tool
    from ganlab.latents.files import save_points

    picture, points = files_in(out, ["arithmetic.png", "result.npz"], overwrite)
    generator = open_generator(run, checkpoint)
    result = tool(
        generator,
        formula,
        space=space and space.value,  # type: ignore[arg-type]
        label=label,
        noise_seed=noise_seed,
        options=sampling_settings(options),
    )
    result.strip.save(picture)
    save_points(points, result.space.name, result.points.values, result.points.labels)
    print_files([picture, points])

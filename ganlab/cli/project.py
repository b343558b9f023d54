"""`ganlab project`: the latents or styles whose image is nearest to a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.latent_tools import (
    Checkpoint,
    Overwrite,
    RunName,
    Settings,
    files_in,
    open_generator,
    print_files,
    sampling_settings,
)


class ProjectionChoice(StrEnum):
    """Where to look for the picture."""

    w = "w"
    w_plus = "w+"
    z = "z"


class DistanceChoice(StrEnum):
    """What is minimised."""

    pixels = "pixels"
    discriminator = "discriminator"
    lpips = "lpips"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("project")(project)


def project(
    run: RunName,
    image: Annotated[Path, typer.Argument(help="A picture; its middle is taken and brought to the size of the data.")],
    options: Settings = None,
    space: Annotated[
        list[ProjectionChoice] | None,
        typer.Option(
            help="One style for all layers (w), one for each (w+), or latents (z). Give it again for another; by "
            "default w and w+ for generators with styles, and z for others."
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the search.")] = 1000,
    distance: Annotated[
        DistanceChoice,
        typer.Option(
            help="Pixels at all scales, features of the run's discriminator with them, or LPIPS, whose weights have to "
            "be on this machine."
        ),
    ] = DistanceChoice.pixels,
    learning_rate: Annotated[float, typer.Option(min=0.0, help="The largest rate, between rise and fall.")] = 0.1,
    fixed_noise: Annotated[bool, typer.Option("--fixed-noise", help="Leave the noise of layers as it is.")] = False,
    noise_weight: Annotated[
        float, typer.Option(min=0.0, help="Weight of the penalty that keeps noise from showing the picture.")
    ] = 1e5,
    label: Annotated[
        str | None, typer.Option(help="Class, by number or name, whose mean style is the start; else that of all.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal files.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for projection.png, distance.png and w.npz and so on.")] = Path(
        "projection"
    ),
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Find the styles whose image is nearest to a picture; write them, and what was found beside the picture."""
    from ganlab.latents import Space
    from ganlab.latents import project as search
    from ganlab.latents.projection import save_projections
    from ganlab.latents.target import read_target

    image = image.resolve()
    generator = open_generator(run, checkpoint)
    target = read_target(image, generator.facts).to(generator.device)
    default = [ProjectionChoice.w, ProjectionChoice.w_plus] if Space(generator).name == "w" else [ProjectionChoice.z]
    wanted = [choice.value for choice in space or default]
    paths = files_in(out, ["projection.png", "distance.png", *(f"{name}.npz" for name in wanted)], overwrite)
    found = [
        search(
            generator,
            target,
            name,  # type: ignore[arg-type]
            steps=steps,
            distance=distance.value,
            learning_rate=learning_rate,
            optimise_noise=not fixed_noise,
            noise_weight=noise_weight,
            label=label,
            seed=seed,
            options=sampling_settings(options),
            show_progress=True,
        )
        for name in wanted
    ]
    save_projections(found, target, out, distance.value)
    for projection in found:
        print(f"{projection.space}: distance {projection.first:.4g} at the start, {projection.distance:.4g} at the end")
    print_files(paths)

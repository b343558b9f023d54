"""`ganlab project`: the latents or styles whose image is nearest to a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from torch import Tensor

    from ganlab.evaluation.trained_generator import TrainedGenerator
    from ganlab.latents import Projection


class SpaceChoice(StrEnum):
    """Where to look for the picture."""

    w = "w"
    w_plus = "w+"
    z = "z"


class DistanceChoice(StrEnum):
    """What is minimised."""

    pixels = "pixels"
    discriminator = "discriminator"
    lpips = "lpips"


Picture = Annotated[
    Path, typer.Argument(help="A picture; its middle is taken and brought to the size of the data.", show_default=False)
]
Spaces = Annotated[
    list[SpaceChoice] | None,
    typer.Option(
        help="One style for all layers (w), one for each (w+), or latents (z). Give it again for another; by default w "
        "and w+ for generators with styles, and z for others."
    ),
]
Measure = Annotated[
    DistanceChoice,
    typer.Option(
        help="Pixels at all scales, features of the run's discriminator with them, or LPIPS, whose weights have to be "
        "on this machine."
    ),
]
Rate = Annotated[float, typer.Option(min=0.0, help="The largest rate, between rise and fall.")]
FixedNoise = Annotated[bool, typer.Option("--fixed-noise", help="Leave the noise of layers as it is.")]
NoiseWeight = Annotated[
    float, typer.Option(min=0.0, help="Weight of the penalty that keeps noise from showing the picture.")
]
StartLabel = Annotated[
    str | None, typer.Option(help="Class, by number or name, whose mean style is the start; else that of all.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("project")(project)


def project(
    run: RunName,
    image: Picture,
    options: Settings = None,
    space: Spaces = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the search.")] = 1000,
    distance: Measure = DistanceChoice.pixels,
    learning_rate: Rate = 0.1,
    fixed_noise: FixedNoise = False,
    noise_weight: NoiseWeight = 1e5,
    label: StartLabel = None,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal files.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for projection.png, distance.png, w.npz ...")] = Path("projection"),
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Find the styles whose image is nearest to a picture; write them, and what was found beside the picture."""
    from ganlab.latents.projection import save_projections
    from ganlab.latents.target import read_target

    generator = open_generator(run, checkpoint)
    target = read_target(image, generator.facts).to(generator.device)
    spaces = [choice.value for choice in space or usual_spaces(generator)]
    paths = files_in(out, ["projection.png", "distance.png", *(f"{name}.npz" for name in spaces)], overwrite)
    settings = {
        "steps": steps,
        "distance": distance.value,
        "learning_rate": learning_rate,
        "optimise_noise": not fixed_noise,
        "noise_weight": noise_weight,
        "label": label,
        "seed": seed,
        "options": sampling_settings(options),
    }
    found = search(generator, target, spaces, settings)
    save_projections(found, target, out, distance.value)
    print_files(paths)


def usual_spaces(generator: TrainedGenerator) -> list[SpaceChoice]:
    """W and W+ for generators with styles, z for others."""
    from ganlab.latents import Space

    return [SpaceChoice.w, SpaceChoice.w_plus] if Space(generator).name == "w" else [SpaceChoice.z]


def search(
    generator: TrainedGenerator, target: Tensor, spaces: list[str], settings: dict[str, Any]
) -> list[Projection]:
    """The projections into all spaces, each with a line about it."""
    from ganlab.latents import project as project_into

    found = []
    for name in spaces:
        one = project_into(generator, target, name, **settings, show_progress=True)  # type: ignore[arg-type]
        print(f"{one.space}: distance {one.first:.4g} at the start, {one.distance:.4g} at the end")
        found.append(one)
    return found

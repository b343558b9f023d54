"""`ganlab new`: a spec for one's own pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(new)


def new(
    spec: Annotated[Path, typer.Argument(help="The file to write, such as pictures.yaml.")],
    data: Annotated[Path, typer.Option(help="The folder or zip of pictures; its folders may be classes.")],
    resolution: Annotated[
        str | None, typer.Option(help="Side in pixels, or HEIGHTxWIDTH; chosen by the pictures if left out.")
    ] = None,
    hours: Annotated[
        float | None, typer.Option(help="How long to train: 1 hour on a CPU, 8 on an accelerator if left out.")
    ] = None,
    kimg: Annotated[
        float | None, typer.Option(help="Length in thousands of images instead; the speed is not measured then.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A recipe of 'ganlab plugins recipes' instead of the best.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Look at pictures and machine and write a commented spec that suits both."""
    from ganlab.cli.own_pictures import proposed, tell
    from ganlab.errors import UserError
    from ganlab.files import write_text_atomically
    from ganlab.recipes.proposal import Wishes

    if spec.suffix not in (".yaml", ".yml"):
        raise UserError(f"a spec's name ends in .yaml, not '{spec.name}': ganlab new {spec.stem}.yaml --data {data}")
    if spec.exists() and not force:
        raise UserError(f"'{spec}' exists already: name another file, or overwrite it with --force")
    wishes = Wishes(spec.stem, resolution_of(resolution), positive(hours, "--hours"), positive(kimg, "--kimg"), recipe)
    proposal = proposed(data, wishes)
    write_text_atomically(spec, proposal.text())
    tell("recipe", f"{proposal.recipe}: {proposal.reasons['architecture']}")
    tell("length", f"{proposal.tree['kimg']:g} t{proposal.reasons['kimg'][1:]}")
    tell("written", str(spec))
    tell("next", f"ganlab data check {spec}")
    tell("next", f"ganlab train {spec}")


def resolution_of(written: str | None) -> int | tuple[int, int] | None:
    """A side or a height and a width as they are written. Raises `UserError` for anything else."""
    from ganlab.errors import UserError

    if written is None:
        return None
    sides = written.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise UserError(f"--resolution is a number of pixels or HEIGHTxWIDTH, such as 64 or 64x48, not '{written}'")
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def positive(number: float | None, option: str) -> float | None:
    """The number itself. Raises `UserError` if it is not above 0."""
    from ganlab.errors import UserError

    if number is not None and not 0 < number < float("inf"):
        raise UserError(f"{option} is a number above 0, not {number:g}")
    return number

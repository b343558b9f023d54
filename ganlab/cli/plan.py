"""`ganlab plan`: what a training will take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(plan)


def plan(
    spec: Annotated[str, typer.Argument(help="The spec file, or a run's folder or name.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="Changes to the spec.")] = None,
    step: Annotated[
        bool, typer.Option("--step/--no-step", help="Play some rounds for time and memory, or tell by shapes alone.")
    ] = True,
    runs: Annotated[Path, typer.Option(help="The folder that will hold the run.")] = Path("runs"),
) -> None:
    """Tell what a training takes on this machine, memory, time and room on the disk, and what will not fit.

    Memory is told by the shapes of a step's tensors, without allocating any, and by a real step where one fits.
    """
    from ganlab.run.folder import spec_file
    from ganlab.spec import read_spec

    checked = read_spec(spec_file(spec), overrides or [])
    from ganlab.recipes.plan import lines_of, plan_training

    print("\n".join(lines_of(plan_training(checked, runs, step=step))))

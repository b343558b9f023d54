"""What `ganlab new` and `ganlab train --data` share: a spec is proposed for pictures, on this machine."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ganlab.errors import UserError

if TYPE_CHECKING:
    from ganlab.recipes.proposal import Proposal, Wishes
    from ganlab.run.part import RunPart
    from ganlab.run.run_callback import Resume
    from ganlab.spec.model import Spec

_KEPT_AS = "new.yaml"
_INDENT = 15  # as where a training says what it trains
_NARROWEST = 40


def proposed(data: Path, wishes: Wishes) -> Proposal:
    """The proposal for a folder or zip on this machine; says on the way what was found."""
    from ganlab.recipes.machine import this_machine
    from ganlab.recipes.pictures import look_at
    from ganlab.recipes.proposal import propose

    pictures = look_at(data)
    tell("pictures", f"{data}: {pictures}")
    if pictures.unlabelled:
        tell("", f"Folders are not taken for classes: {pictures.unlabelled}")
    machine = this_machine()
    tell("machine", str(machine))
    if wishes.kimg is not None:
        return propose(pictures, machine, wishes)
    from ganlab.recipes.pace import images_per_second

    tell("", "A short trial tells how fast it trains ...")
    return propose(pictures, machine, wishes, images_per_second)


def spec_for(
    data: Path, overrides: Sequence[str], runs: Path, resume: Resume | None
) -> tuple[Spec, Resume | None, list[RunPart]]:
    """What `train --data` trains: a proposal, which the run keeps, or the spec of the run that goes on."""
    from ganlab.run.folder import find_resumable, open_run

    if resume is None or (resume.or_start and find_resumable(runs / name_of(data)) is None):
        from ganlab.recipes.proposal import Wishes

        proposal = proposed(data, Wishes(name_of(data), kimg=_length(overrides)))
        spec = proposal.spec(overrides)
        _check_alone(spec)
        tell("recipe", f"{proposal.recipe}: {proposal.reasons['architecture']}")
        return spec, None, [_kept(proposal)]
    from ganlab.run.run_callback import Resume
    from ganlab.spec import read_spec

    run = open_run(runs / name_of(data)) if resume.run is None else open_run(resume.run, runs)
    return read_spec(run.path / "spec.yaml", overrides), Resume(run.path, resume.change), []


def tell(name: str, text: str) -> None:
    """Print a line with its name before it, wrapped as wide as the terminal is."""
    indent = " " * _INDENT
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    first = f"{name:{_INDENT}}"
    lines = textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    typer.echo("\n".join(lines))


def name_of(data: Path) -> str:
    """The name of an experiment on a folder or zip."""
    return data.expanduser().resolve().stem


def _length(overrides: Sequence[str]) -> float | None:
    """The length that overrides ask for, so that the speed need not be measured."""
    for override in overrides:
        key, _, value = override.partition("=")
        if key == "kimg":
            try:
                return float(value)
            except ValueError:
                return None
    return None


def _check_alone(spec: Spec) -> None:
    """Raise `UserError` for several processes, each of which would measure and choose for itself."""
    if spec.trainer.devices * spec.trainer.num_nodes > 1 or int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError(
            "'train --data' trains in one process: write the spec with 'ganlab new SPEC --data ...' and train that"
        )


def _kept(proposal: Proposal) -> RunPart:
    """Writes the spec with its comments into the run."""
    from ganlab.files import write_text_atomically
    from ganlab.run.part import RunPart
    from ganlab.tracking.tracker import Trackers

    class Kept(RunPart):
        def attach(self, run_path: Path, trackers: Trackers) -> None:
            super().attach(run_path, trackers)
            write_text_atomically(run_path / _KEPT_AS, proposal.text())

    return Kept()

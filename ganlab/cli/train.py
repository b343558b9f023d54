"""`ganlab train`: run an experiment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from ganlab.run.part import RunPart
    from ganlab.run.run_callback import Resume
    from ganlab.run.session import Outcome
    from ganlab.spec.model import Spec


class _TrainCommand(TyperCommand):
    """Lets `--resume` stand alone or before a run, which option parsers do not offer."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Tell `--resume RUN` from `--resume`, which an option, an override, a spec or nothing may follow."""
        if "--resume" in args:
            index = args.index("--resume")
            following = args[index + 1 : index + 2]
            value = following if following and _names_a_run(following[0]) else []
            args = [*args[:index], f"--resume={''.join(value)}", *args[index + 1 + len(value) :]]
        return super().parse_args(ctx, args)


def _names_a_run(argument: str) -> bool:
    from ganlab.spec.overrides import is_override

    path = Path(argument)
    is_spec = path.is_file() or path.suffix in (".yaml", ".yml")
    return path.is_dir() or not (argument.startswith("-") or is_spec or is_override(argument))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(cls=_TrainCommand)(train)


def train(
    spec: Annotated[
        Path | None, typer.Argument(help="The experiment's YAML file; not beside --data.", show_default=False)
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Changes to the spec, such as data.batch_size=32.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="A folder or zip of pictures instead of a spec: the spec is what 'ganlab new' would write."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="The folder that holds all runs.")] = Path("runs"),
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="[RUN]",
            help="Go on with the newest run of the spec's name, or with the run whose folder or name follows; 'auto' "
            "starts one where there is none.",
        ),
    ] = None,
    change: Annotated[
        bool, typer.Option("--change", help="Resume with other values than the run was trained with.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Try some rounds, a picture, metrics and a checkpoint, and tell how long it takes."
        ),
    ] = False,
    report: Annotated[bool, typer.Option("--report", help="Write the page of 'ganlab report' at the end.")] = False,
) -> None:
    """Run the experiment of a spec; the last line printed is the run folder."""
    from ganlab.run.signals import SignalWatch

    with SignalWatch().listening():  # what is imported below takes seconds
        checked, going_on, more = _chosen(spec, overrides or [], data, runs, _resume(resume, change))
        from ganlab.run.session import train as run_experiment

        if dry_run:
            _tell_dry_run(checked)
            return
        outcome = run_experiment(checked, runs, going_on, more)
    _finish(outcome, report)


def _chosen(
    spec: Path | None, overrides: list[str], data: Path | None, runs: Path, resume: Resume | None
) -> tuple[Spec, Resume | None, list[RunPart]]:
    """What to train, how to go on, and what else the run does."""
    if data is None:
        spec, overrides = _told_by_name(spec, overrides)
        if spec is None:
            raise typer.BadParameter("name a spec, or a folder of pictures with --data", param_hint="SPEC")
        from ganlab.spec import read_spec

        return read_spec(spec, overrides), resume, []
    from ganlab.cli.own_pictures import spec_for
    from ganlab.spec.overrides import is_override

    if spec is not None and not is_override(str(spec)):
        raise typer.BadParameter(f"it takes the place of the spec '{spec}': give one of both", param_hint="--data")
    return spec_for(data, [*([str(spec)] if spec else []), *overrides], runs, resume)


def _told_by_name(spec: Path | None, overrides: list[str]) -> tuple[Path | None, list[str]]:
    """The spec and the overrides; a sweep that varies the spec itself gives it among them, as `spec=PATH`."""
    from ganlab.spec.overrides import is_override

    words = [*([str(spec)] if spec else []), *overrides]
    named = [word for word in words if word.startswith("spec=")]
    if not named or not is_override(str(spec)):
        return spec, overrides
    return Path(named[-1].removeprefix("spec=")), [word for word in words if word not in named]


def _tell_dry_run(spec: Spec) -> None:
    from ganlab.run.dry_run import dry_run
    from ganlab.run.launch import is_first_process

    lines = dry_run(spec)
    if is_first_process():
        print("\n".join(lines))


def _resume(run: str | None, change: bool) -> Resume | None:
    from ganlab.run.run_callback import Resume

    if run is None and change:
        raise typer.BadParameter("it says how '--resume' goes on, which is not there", param_hint="--change")
    return None if run is None else Resume(None if run == "auto" else run or None, change, run == "auto")


def _finish(outcome: Outcome, page: bool) -> None:
    """Report on rank 0; exit with 128 + signal after one, except in ranks that Lightning's launcher watches."""
    from ganlab.run.launch import is_first_process

    if is_first_process():
        _report(outcome, page)
        if outcome.signal is not None:
            sys.exit(128 + outcome.signal)


def _report(outcome: Outcome, page: bool = False) -> None:
    from ganlab.run.report import end_lines

    if outcome.signal is not None:
        print(
            f"ganlab: stopped by a signal; the checkpoint is {outcome.run.last_checkpoint}, and 'ganlab train ... "
            "--resume' goes on",
            file=sys.stderr,
        )
    for line in end_lines(outcome.run, outcome.diversity):
        print(line)
    if page:
        print(f"{'report':14s} {_write_page(outcome)}")
    print(outcome.run.path)


def _write_page(outcome: Outcome) -> Path:
    from ganlab.studies.record import RunRecord
    from ganlab.studies.report import usual_place, write_report

    records = [RunRecord(outcome.run.path)]
    write_report(records, usual_place(records))
    return usual_place(records)

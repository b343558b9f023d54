"""`ganlab sweep`: run a sweep, or work on one that was begun."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from ganlab.sweeps.checking import SweepCheck
    from ganlab.sweeps.running import SweepOptions

_LEASE = 180.0
_Lease = Annotated[
    float, typer.Option("--lease", min=1, help="Seconds after which a worker that gives no sign of life is dead.")
]
_Storage = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A PostgreSQL database, for workers on many machines; else the sweep's folder."),
]


class _SweepGroup(TyperGroup):
    """Takes `ganlab sweep FILE` for `ganlab sweep run FILE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `run` in front of what is no command."""
        first = args[0] if args else "--help"
        return super().parse_args(ctx, args if first in (*self.commands, "--help", "-h") else ["run", *args])

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the options of `run` as well, since its name may be left out."""
        super().format_help(ctx, formatter)
        with formatter.section("Options of 'ganlab sweep FILE'"):
            self.commands["run"].format_options(ctx, formatter)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    sweep = typer.Typer(
        cls=_SweepGroup, no_args_is_help=True, help="Run a sweep: 'ganlab sweep FILE' is 'ganlab sweep run FILE'."
    )
    sweep.command()(run)
    sweep.command()(work)
    sweep.command()(show)
    app.add_typer(sweep, name="sweep")


def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The sweep's YAML file, in W&B's format.")],
    workers: Annotated[int, typer.Option(min=1, help="Trials at a time on this machine.")] = 1,
    runs: Annotated[Path, typer.Option(help="The folder that holds all runs.")] = Path("runs"),
    storage: _Storage = None,
    lease: _Lease = _LEASE,
    search_seed: Annotated[int, typer.Option(min=0, help="Seed of what random and bayes draw.")] = 0,
    wandb: Annotated[
        bool, typer.Option("--wandb", help="Leave the search to W&B's server, and start --workers agents of W&B here.")
    ] = False,
    slurm: Annotated[
        Path | None,
        typer.Option(
            metavar="OPTIONS",
            help="A YAML file: submit workers as jobs ('jobs: N', and options of submitit) and return.",
        ),
    ] = None,
) -> None:
    """Run all trials, or go on with a sweep that was stopped; the last line printed is its folder."""
    if wandb:
        _refuse_beside_wandb(context)
        raise typer.Exit(_run_hosted(file, workers))
    from ganlab.sweeps.devices import visible_devices
    from ganlab.sweeps.running import SweepOptions, end_lines, run_sweep

    check = checked(file, runs, None)
    options = SweepOptions(runs, workers, storage, lease, search_seed, tuple(visible_devices()))
    if slurm is not None:
        _submit(check, options, slurm)
        return
    results, signal = run_sweep(check, options)
    if signal is not None:
        print("ganlab: stopped by a signal; the same command goes on with the sweep", file=sys.stderr)
    for line in end_lines(results):
        print(line)
    print(results.folder)
    if signal is not None:
        sys.exit(128 + signal)
    if results.trials and all(trial.state == "failed" for trial in results.trials):
        sys.exit(1)


def _submit(check: SweepCheck, options: SweepOptions, path: Path) -> None:
    from ganlab.sweeps.cluster import read_job_options, submit_workers
    from ganlab.sweeps.running import begin_sweep

    if options.workers > 1:
        raise typer.BadParameter("a job is one worker; say how many in the file of '--slurm'", param_hint="--workers")
    jobs = read_job_options(path)
    folder, _ = begin_sweep(check, options)
    for number in submit_workers(folder, jobs, options.storage, options.lease_seconds):
        print(f"{'job':14s} {number}")
    print(folder.path)


def _refuse_beside_wandb(context: typer.Context) -> None:
    """The server keeps the trials, and W&B's agents know nothing of where ours would."""
    for name in ("runs", "storage", "lease", "search_seed", "slurm"):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise typer.BadParameter("it is for sweeps without W&B's server; leave out one of both", param_hint=option)


def _run_hosted(file: Path, agents: int) -> int:
    from ganlab.sweeps.hosted import run_hosted

    return run_hosted(checked(file, Path("runs"), None).sweep, agents=agents)


def work(
    folder: Annotated[Path, typer.Argument(help="The folder of a sweep that was begun: <runs>/sweeps/<name>.")],
    storage: _Storage = None,
    lease: _Lease = _LEASE,
) -> None:
    """One more worker for a sweep that was begun; what 'ganlab sweep' starts several of."""
    import os

    from ganlab.sweeps.folder import SweepFolder
    from ganlab.sweeps.running import work_on

    place = SweepFolder(folder.resolve())
    there = Path(place.record["working_directory"])
    if there.is_dir():
        os.chdir(there)  # so that paths in the command hold
    signal = work_on(place, storage, lease, {})
    if signal is not None:
        sys.exit(128 + signal)


def show(
    folder: Annotated[Path, typer.Argument(help="The folder of a sweep: <runs>/sweeps/<name>.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print records, a list of trials in each configuration.")
    ] = False,
    as_lines: Annotated[bool, typer.Option("--csv", help="Print a line of CSV for each trial.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write one page that needs no network instead, and print its path.")
    ] = None,
    storage: _Storage = None,
) -> None:
    """Show what a sweep found: configurations, best first, with mean and deviation over seeds."""
    if as_json + as_lines + (html is not None) > 1:
        raise typer.BadParameter("ask for one form at a time", param_hint="--json, --csv, --html")
    from ganlab.sweeps.results import read_sweep

    results = read_sweep(folder, storage)
    if html is not None:
        from ganlab.sweeps.results_page import write_sweep_page

        write_sweep_page(results, html)
        print(html)
        return
    import json
    import shutil

    from ganlab.sweeps.results_text import as_csv, leaderboard, records

    if as_json:
        print(json.dumps(records(results), indent=2, default=str))
    elif as_lines:
        print(as_csv(results), end="")
    else:
        print(leaderboard(results, shutil.get_terminal_size((80, 24)).columns))


def checked(file: Path, runs: Path, seconds_per_kimg: float | None) -> SweepCheck:
    """The check of a sweep, after telling what it found. Raises `UserError` with all that is wrong."""
    from ganlab.sweeps.checking import check_sweep
    from ganlab.sweeps.estimate import Pace, check_lines, measured_pace
    from ganlab.sweeps.file import read_sweep_file

    check = check_sweep(read_sweep_file(file))
    stated = None if seconds_per_kimg is None else Pace(seconds_per_kimg, "as you say")
    lines = check_lines(check, stated or measured_pace(check, runs))
    print("\n  ".join([f"{file}: ok: {lines[0]}", *lines[1:]]), flush=True)
    return check

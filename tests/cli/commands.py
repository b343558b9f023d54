"""The command line within the process of the tests, whose refusals arrive as they are raised."""

from __future__ import annotations

from click.testing import Result
from typer.testing import CliRunner

from ganlab.cli.app import app
from ganlab.errors import UserError


def run_command(*arguments: object) -> Result:
    """What `ganlab` with these arguments says. Raises its `UserError`."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, UserError):
        raise result.exception
    return result

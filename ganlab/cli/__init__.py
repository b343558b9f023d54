"""The command line: one file per command, each thin: parse, call, print."""

from __future__ import annotations

import sys

from ganlab.errors import Interrupted, ProcessLost, TrainingStopped, UserError, reason
from ganlab.printable import printable


def main() -> None:
    """Run the command line; a user's error is a sentence on stderr and exit code 2, with a traceback on request."""
    show_traceback = "--traceback" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--traceback"]
    from ganlab.cli.app import app

    try:
        app(args=arguments, prog_name="ganlab")
    except (UserError, TrainingStopped, ProcessLost, Interrupted) as error:
        if show_traceback:
            raise
        print(f"ganlab: {printable(str(error), kept=chr(10))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        if show_traceback or error.errno is None or isinstance(error, BrokenPipeError):
            raise
        name = f"'{printable(str(error.filename))}'" if error.filename else "a file"
        print(f"ganlab: cannot read or write {name}: {reason(error)}", file=sys.stderr)
        sys.exit(UserError.exit_code)

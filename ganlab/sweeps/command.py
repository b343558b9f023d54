"""The command of a trial: W&B's macros filled in with the trial's values, and the folder of its runs."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganlab.errors import UserError
from ganlab.spec.render import flow

DEFAULT_COMMAND = ("${interpreter}", "-m", "ganlab", "train", "${args_no_hyphens}")
"""For a file without `command`, whose spec is the parameter `spec`."""

PARAMETERS = "parameters.json"
"""The file in a trial's folder with all its values."""

_MACRO = re.compile(r"\$\{(\w+)(?::(\w+))?\}")


def trial_command(
    command: Sequence[str] | None, program: str | None, values: Mapping[str, Any], folder: Path
) -> list[str]:
    """What runs a trial: the command with its macros filled in, and behind it what tells it where its runs are.

    `--resume` is added where there is a run to go on with. Raises `UserError` for a macro that is none.
    """
    macros = _macros(values, program, folder)
    filled = [word for argument in command or DEFAULT_COMMAND for word in _filled(argument, macros)]
    going_on = ["--resume"] if any(path.is_dir() for path in folder.glob("*")) else []
    return [*filled, "--runs", str(folder), *going_on]


def override(key: str, value: Any) -> str:
    """A parameter as an override of the command line: `a.b=c`."""
    return f"{key}={flow(value)}"


def check_command(command: Sequence[str]) -> None:
    """Raise `UserError` for a macro that is none."""
    macros = _macros({}, "", Path())
    for argument in command:
        _filled(argument, macros)


def _macros(values: Mapping[str, Any], program: str | None, folder: Path) -> dict[str, list[str]]:
    overrides = [override(key, value) for key, value in values.items()]
    flags = [f"--{override(key, value)}" for key, value in values.items() if not isinstance(value, bool)]
    text = json.dumps(dict(values))
    return {
        "env": ["/usr/bin/env"] if os.name == "posix" else [],
        "interpreter": [sys.executable],
        "program": [program] if program else [],
        "args": [f"--{text}" for text in overrides],
        "args_no_hyphens": overrides,
        "args_no_boolean_flags": flags + [f"--{key}" for key, value in values.items() if value is True],
        "args_json": [text],
        "args_json_file": [str(folder / PARAMETERS)],
    }


def _filled(argument: str, macros: Mapping[str, list[str]]) -> list[str]:
    whole = _MACRO.fullmatch(argument)
    if whole and whole[1] != "envvar":
        return _words(whole, macros)
    return [_MACRO.sub(lambda found: _inside(found, macros), argument)]


def _inside(found: re.Match[str], macros: Mapping[str, list[str]]) -> str:
    if found[1] == "envvar":
        return os.environ.get(found[2] or "", found[2] or "")
    return " ".join(_words(found, macros))


def _words(found: re.Match[str], macros: Mapping[str, list[str]]) -> list[str]:
    if found[1] not in macros:
        allowed = ", ".join(f"${{{name}}}" for name in (*macros, "envvar:NAME"))
        raise UserError(f"command: '{found[0]}' is no macro; there are: {allowed}")
    return macros[found[1]]

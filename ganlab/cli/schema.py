"""`ganlab schema`: the JSON Schema, or the written reference, of everything installed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(schema)


def schema(
    out: Annotated[Path | None, typer.Option(help="Write to this file and not to the terminal.")] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The reference for readers, as in docs/spec.md.")
    ] = False,
) -> None:
    """Write a JSON Schema of everything installed, with which editors complete specs."""
    import json

    from ganlab.spec.json_schema import json_schema
    from ganlab.spec.reference import markdown as reference

    text = reference(_warn) if markdown else json.dumps(json_schema(_warn), indent=2) + "\n"
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")


def _warn(sentence: str) -> None:
    print(f"ganlab: left out: {sentence}", file=sys.stderr)

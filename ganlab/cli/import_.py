"""`ganlab import`: generators that other programs have trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import")(import_generator)


def import_generator(
    file: Annotated[Path, typer.Argument(help="A checkpoint of another program: .pkl, .pt, .pth or .safetensors.")],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NODE",
            help="Which program's, as 'ganlab plugins formats' lists them, or with options, as in '{name: NAME, ...}'.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for generator.safetensors, or the file itself.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Translate the generator of another program's checkpoint; no code in the file is run. Prints the new file."""
    import sys

    from ganlab.evaluation.sample_files import refuse_existing
    from ganlab.exchange.importing import import_generator as translate
    from ganlab.spec import node_of_text

    target = out if out.suffix == ".safetensors" else out / "generator.safetensors"
    refuse_existing([target], overwrite)
    imported = translate(file, node_of_text("formats", form, "--format"), out)
    for remark in imported.remarks:
        print(f"ganlab: {remark}", file=sys.stderr)
    print(imported.path)

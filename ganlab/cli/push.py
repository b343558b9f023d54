"""`ganlab push`: a folder of `ganlab export --to hub-folder` to the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("push")(push)


def push(
    folder: Annotated[Path, typer.Argument(help="What 'ganlab export --to hub-folder' has written.")],
    repository: Annotated[str, typer.Argument(help="Its name on the Hub, owner/name; made where there is none.")],
    private: Annotated[bool, typer.Option("--private", help="Let its owner alone see a new repository.")] = False,
) -> None:
    """Upload a hub-folder to the Hugging Face Hub, where a token of it is on this machine. Prints its address."""
    from ganlab.exchange.hub_folder import upload

    print(upload(folder, repository, private=private))

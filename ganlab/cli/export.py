"""`ganlab export`: a generator for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ganlab.cli.latent_tools import Checkpoint, RunName

if TYPE_CHECKING:
    from ganlab.run.generator_file import OpenedGenerator

Target = Literal["onnx", "torchscript", "safetensors", "hub-folder"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("export")(export)


def export(
    run: RunName,
    options: Annotated[
        list[str] | None,
        typer.Argument(help="Sampling options that the file keeps, such as truncation=0.5; psi stays an input."),
    ] = None,
    to: Annotated[
        Target,
        typer.Option(help="onnx and torchscript run without ganlab, safetensors with it; a hub-folder is to upload."),
    ] = "onnx",
    out: Annotated[
        Path | None, typer.Option(help="The file or folder; without it the generator's name with the usual suffix.")
    ] = None,
    noise_seed: Annotated[
        int, typer.Option(min=0, help="Of the noise that layers add in onnx and torchscript, the same for all images.")
    ] = 0,
    checkpoint: Checkpoint = None,
    licence: Annotated[
        str | None, typer.Option("--license", help="Of a hub-folder, by its name on the Hub, such as cc-by-4.0.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Write a run's averaged generator for other programs; images of the file are held against the generator's."""
    from ganlab.errors import UserError
    from ganlab.evaluation.sample_files import refuse_existing
    from ganlab.exchange.hub_folder import write_hub_folder
    from ganlab.run.generator_file import open_generator
    from ganlab.training.checkpoint import export_generator

    if (options or noise_seed) and to in ("safetensors", "hub-folder"):
        raise UserError(f"{to} keeps the whole generator, which samples with any options and noise: leave these out")
    if licence is not None and to != "hub-folder":
        raise UserError("--license stands in the card of a hub-folder; leave it out, or write it with --to hub-folder")
    opened = open_generator(run, "cpu", checkpoint)
    suffix = {"onnx": ".onnx", "torchscript": ".pt", "safetensors": ".safetensors", "hub-folder": ""}[to]
    path = out or Path(f"{opened.name}{suffix}")
    if to == "hub-folder":
        write_hub_folder(opened, path, licence=licence, overwrite=overwrite)
    elif to == "safetensors":
        refuse_existing([path], overwrite)
        export_generator(path, opened.module)
    else:
        refuse_existing([path], overwrite)
        _write_graph(opened, to, path, options or [], noise_seed)
    print(path)


def _write_graph(opened: OpenedGenerator, to: Target, path: Path, options: list[str], noise_seed: int) -> None:
    from ganlab.evaluation.trained_generator import TrainedGenerator
    from ganlab.exchange.graph import GeneratorGraph
    from ganlab.exchange.graph_files import write_onnx, write_torchscript
    from ganlab.spec.sampling import read_assignments

    graph = GeneratorGraph(TrainedGenerator(opened.module, opened.name), read_assignments(options), noise_seed)
    parity = (write_onnx if to == "onnx" else write_torchscript)(graph, path)
    print(f"inputs: {', '.join(graph.names)}")
    print(
        f"largest difference of a pixel from the live generator's: {parity.difference:.2g} (the images are in [-1, 1], "
        f"with a standard deviation of {parity.deviation:.2g})"
    )

"""`ganlab directions`: directions in w along which images change."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganlab.cli.latent_tools import (
    LATENTS,
    Checkpoint,
    Label,
    NoiseSeed,
    Overwrite,
    RunName,
    Settings,
    files_in,
    numbers_of,
    open_generator,
    print_files,
    sampling_settings,
)

if TYPE_CHECKING:
    from ganlab.contracts import Dataset
    from ganlab.evaluation.trained_generator import TrainedGenerator
    from ganlab.latents.attributes import Attributes
    from ganlab.latents.directions import Directions


class MethodChoice(StrEnum):
    """How directions are found."""

    sefa = "sefa"
    pca = "pca"
    attributes = "attributes"


Method = Annotated[
    MethodChoice,
    typer.Option(
        help="Factorisation of what layers make of styles, principal components of styles, or classes learned from "
        "samples that a metric labels."
    ),
]
Layers = Annotated[
    str | None, typer.Option(help="Layers that are moved: coarse, middle, fine, or numbers from 0; else all.")
]
Strengths = Annotated[
    str, typer.Option(help="How far, a column each, in standard deviations of styles along the direction.")
]
AttributeNames = Annotated[
    list[str] | None,
    typer.Option("--attribute", help="A class to learn, by name; again for another, else all."),
]
KeepOthers = Annotated[
    bool, typer.Option("--keep-others", help="Make an attribute's direction orthogonal to all others'.")
]
LabellerNode = Annotated[
    str, typer.Option(metavar="NODE", help="A metric that can label images, as in '{name: classifier}'.")
]
DataOfAttributes = Annotated[
    str | None,
    typer.Option(metavar="NODE", help="Data whose classes are the attributes; without it the run's, with labels."),
]
Samples = Annotated[int, typer.Option(min=100, help="Samples that are labelled, or whose styles are analysed.")]
Folder = Annotated[Path, typer.Option(help="Folder for sefa-0.png and so on, and for the directions, sefa.npz.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("directions")(directions)


def directions(
    run: RunName,
    options: Settings = None,
    method: Method = MethodChoice.sefa,
    count: Annotated[int, typer.Option(min=1, help="Directions of sefa and pca.")] = 5,
    layers: Layers = None,
    seeds: Annotated[str, typer.Option(help=f"What is moved, a row each: {LATENTS}.")] = "0-4",
    strengths: Strengths = "-3,-2,-1,0,1,2,3",
    attribute: AttributeNames = None,
    keep_others: KeepOthers = False,
    labeller: LabellerNode = "classifier",
    data: DataOfAttributes = None,
    samples: Samples = 10000,
    label: Label = None,
    noise_seed: NoiseSeed = 0,
    out: Folder = Path("directions"),
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Find directions in w, and show samples that are moved along each."""
    from ganlab.latents.mixing import layers_of
    from ganlab.latents.space import with_styles

    steps, settings = numbers_of(strengths, "--strengths"), sampling_settings(options)
    if method is not MethodChoice.attributes and (attribute or data or keep_others):
        raise typer.BadParameter("classes are learned with --method attributes", param_hint="--method")
    generator = open_generator(run, checkpoint)
    styled = with_styles(generator, "a direction in w")
    moved = None if layers is None else layers_of(layers, styled.style_layers())
    attributes = None
    if method is MethodChoice.attributes:
        dataset = labelled_data(run, data, generator)
        attributes = learn(generator, dataset, labeller, attribute or [], moved, samples, keep_others)
    found = attributes.directions if attributes else analyse(generator, method, count, moved, samples)
    curves = [f"{name}-probabilities.png" for name in found.names] if attributes else []
    names = [f"{name}.png" for name in found.names]
    paths = files_in(out, [*names, f"{method.value}.npz", *curves], overwrite)
    for number in range(len(found)):
        strip = found.strip(generator, number, seeds, steps, label=label, noise_seed=noise_seed, options=settings)
        strip.save(paths[number])
        if attributes:
            print(attributes.report(generator, number, steps, out / curves[number], options=settings))
    found.save(paths[len(found)])
    print_files(paths)


def analyse(
    generator: TrainedGenerator, method: MethodChoice, count: int, layers: list[int] | None, samples: int
) -> Directions:
    """Directions by factorisation or principal components."""
    from ganlab.latents.directions import pca, sefa

    find = sefa if method is MethodChoice.sefa else pca
    return find(generator, count, layers, samples=samples)


def labelled_data(run: str, node: str | None, generator: TrainedGenerator) -> Dataset:
    """The data whose classes are the attributes: those of a node of YAML, or the run's own with their labels."""
    from contextlib import nullcontext
    from dataclasses import replace

    from ganlab.build import open_dataset
    from ganlab.errors import UserError
    from ganlab.run.folder import open_run
    from ganlab.run.generator_file import SUFFIX
    from ganlab.spec import node_of_text
    from ganlab.spec.model import DataNode

    opened = None if node else open_run(Path(run).parent if run.endswith(SUFFIX) else run)
    with nullcontext() if opened is None else opened.where_it_started():
        given = opened.spec.data if opened else node_of_text("datasets", str(node), "--data")
        dataset = open_dataset(replace(given, labels=True) if isinstance(given, DataNode) else given)
    if dataset.facts.classes < 2:
        raise UserError("attributes are the classes of the data, and these have none; give labelled ones with --data")
    if dataset.facts.shape != generator.facts.shape:
        raise UserError(
            f"the data of the attributes have the shape {dataset.facts.shape}, and the generator makes "
            f"{generator.facts.shape}: give data of the same shape"
        )
    return dataset


def learn(
    generator: TrainedGenerator,
    dataset: Dataset,
    labeller: str,
    names: list[str],
    layers: list[int] | None,
    samples: int,
    keep_others: bool,
) -> Attributes:
    """Directions of classes, by a metric that labels images."""
    from ganlab.build import build_metrics
    from ganlab.errors import UserError
    from ganlab.latents.attributes import Labeller, attribute_directions
    from ganlab.spec import node_of_text

    node = node_of_text("metrics", labeller, "--labeller")
    metric = build_metrics([node], dataset.facts)[node.name]
    if not isinstance(metric, Labeller):
        raise UserError(f"the metric '{node.name}' cannot label images: it has no 'probabilities'; take classifier")
    return attribute_directions(
        generator, metric, dataset, names, layers, samples=samples, keep_others=keep_others, show_progress=True
    )

"""What `ganlab evaluate` measures by and compares with: metrics, pictures of any origin, references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ganlab.build import open_dataset
from ganlab.contracts import Dataset
from ganlab.errors import DataError, UserError
from ganlab.evaluation.npz_images import ARRAY, NpzImages, names_in
from ganlab.evaluation.reference_files import NoExamples, PublishedStatistics, read_statistics
from ganlab.evaluation.source import source_for
from ganlab.facts import DataFacts
from ganlab.plugins import find
from ganlab.spec import node_from, node_of_text
from ganlab.spec.constructor import constructor_of, plugin_of
from ganlab.spec.model import MetricNode, Node, own_names
from ganlab.spec.yaml_reader import read_yaml

Reference = Dataset | PublishedStatistics


def open_pictures(text: str, option: str) -> Dataset:
    """Images in a folder, a zip or an `.npz`, or those of a node of YAML such as `{name: digits, resolution: 32}`."""
    path = Path(text).expanduser()
    if path.is_dir():
        return open_dataset(node_from("datasets", {"name": "image_folder", "path": str(path), "labels": "none"}))
    if path.suffix == ".zip" and path.is_file():
        return open_dataset(node_from("datasets", {"name": "image_zip", "path": str(path), "labels": False}))
    if path.suffix == ".npz" and path.is_file():
        return NpzImages(path)
    if text.lstrip().startswith("{"):
        return open_dataset(node_of_text("datasets", text, option))
    raise DataError(
        f"{option} '{text}' is no folder, no .zip, no .npz of images and no node of a data set, such as "
        "'{name: image_folder, path: photos}'"
    )


def open_reference(text: str) -> Reference:
    """Images as `open_pictures` opens them, or the statistics of a `.npz` or `.pkl`, `FILE.pkl:SPACE` of several.

    An `.npz` that has both, as ADM's references have, gives its statistics; `FILE.npz:arr_0` gives its images.
    """
    name, _, part = text.rpartition(":")
    name, part = (name, part) if name.endswith((".pkl", ".npz")) else (text, "")
    path = Path(name).expanduser()
    if path.suffix == ".pkl":
        return read_statistics(path, part or None)
    if path.suffix != ".npz":
        return open_pictures(text, "--reference")
    if part not in ("", ARRAY):
        raise DataError(f"--reference '{text}': the images of an .npz are called '{ARRAY}', as in '{name}:{ARRAY}'")
    return NpzImages(path) if part or _has_images_alone(path) else read_statistics(path)


def _has_images_alone(path: Path) -> bool:
    names = names_in(path)
    return ARRAY in names and "mu" not in names


def examples_in_place_of(facts: DataFacts, reference: Reference, also: Sequence[str] = ()) -> Dataset:
    """What stands for the data of a training that is not known: the reference's examples, or none if it has none.

    `facts` are those of what is measured, `also` what its samples are made from besides. Raises `DataError` where
    samples are made for examples of another kind than the reference's.
    """
    if isinstance(reference, PublishedStatistics):
        if facts.inputs or also:
            raise DataError(
                "this generator makes images for examples, and statistics hold none: give data as the reference"
            )
        return NoExamples(facts)
    if facts.inputs or also:
        source_for(facts, reference, "cpu", also)
    return reference


def choose_metrics(names: str | None, of_spec: Sequence[Node], extractor: str | None = None) -> list[Node]:
    """The spec's nodes, or those named: with the spec's options where it has them, else with their own defaults.

    `names` may also be a list of nodes in YAML. An `extractor`, a name or a node of YAML, takes the place of that of
    all metrics which have one.
    """
    if names is None and not of_spec:
        raise UserError("there is no spec with metrics here; name some, as in --metrics swd,kid")
    nodes = list(of_spec) if names is None else _named(names, of_spec)
    if not nodes:
        raise UserError(f"'--metrics {names}' names no metric; name some, as in --metrics swd,kid")
    return nodes if extractor is None else [_with_extractor(node, extractor) for node in nodes]


def _named(names: str, of_spec: Sequence[Node]) -> list[Node]:
    if names.lstrip().startswith("["):
        return [node_from("metrics", node) for node in read_yaml(names, "--metrics").plain()]
    known = dict(zip(own_names(of_spec), of_spec, strict=True))
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    found = [find("metrics", name) for name in wanted if name not in known]
    return [known[name] for name in wanted if name in known] + [
        MetricNode("metrics", plugin.name, distribution=plugin.distribution) for plugin in found
    ]


def _with_extractor(node: Node, text: str) -> Node:
    if "extractor" not in constructor_of(plugin_of(node)).options:
        return node
    return replace(node, options={**node.options, "extractor": node_of_text("extractors", text, "--extractor")})

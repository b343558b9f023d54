"""What `ganlab evaluate` measures, and what it compares with: generators, pictures of any origin, references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ganlab.build import open_dataset, plugin_of
from ganlab.contracts import Dataset
from ganlab.errors import DataError, RunError, UserError, reason
from ganlab.evaluation.reference_files import PublishedStatistics, read_statistics
from ganlab.plugins import find
from ganlab.run.folder import Run, open_run
from ganlab.spec import node_from
from ganlab.spec.constructor import constructor_of
from ganlab.spec.model import MetricNode, Node, own_names
from ganlab.spec.yaml_reader import read_yaml
from ganlab.training.module import GANModule

Reference = Dataset | PublishedStatistics


def open_generator(text: str, device: torch.device, checkpoint: str | None = None) -> tuple[Run, GANModule]:
    """A run, or that of a `generator.safetensors` in its folder, with the module whose samples are measured.

    Raises `RunError` for a file that is not in a run's folder or does not fit the run's spec.
    """
    path = Path(text)
    if path.suffix != ".safetensors":
        run = open_run(text)
        return run, run.load_module(device, checkpoint)
    if not path.is_file():
        raise RunError(f"there is no file '{text}'")
    run = open_run(path.parent)
    module = run.load_module(device, checkpoint)
    from safetensors.torch import load_file

    try:
        module.averages.copies.load_state_dict(load_file(path, str(device)))
    except Exception as error:  # damaged files raise errors of many kinds
        raise RunError(f"'{text}' does not hold the generator of the run around it: {reason(error)}") from error
    return run, module


def open_pictures(text: str, option: str) -> Dataset:
    """Images in a folder or a zip, or those of a node of YAML such as `{name: digits, resolution: 32}`."""
    path = Path(text).expanduser()
    if path.is_dir():
        return open_dataset(node_from("datasets", {"name": "image_folder", "path": str(path), "labels": "none"}))
    if path.suffix == ".zip" and path.is_file():
        return open_dataset(node_from("datasets", {"name": "image_zip", "path": str(path), "labels": False}))
    if text.lstrip().startswith("{"):
        return open_dataset(node_from("datasets", read_yaml(text, option).plain()))
    raise DataError(
        f"{option} '{text}' is no folder, no .zip and no node of a data set, such as "
        "'{name: image_folder, path: photos}'"
    )


def open_reference(text: str) -> Reference:
    """Images as `open_pictures` opens them, or the statistics of a `.npz` or `.pkl`, `FILE.pkl:SPACE` of several."""
    name, _, space = text.rpartition(":")
    name, space = (name, space) if name.endswith(".pkl") else (text, "")
    if Path(name).suffix in (".npz", ".pkl"):
        return read_statistics(Path(name).expanduser(), space or None)
    return open_pictures(text, "--reference")


def choose_metrics(names: str | None, of_spec: Sequence[Node], extractor: str | None = None) -> list[Node]:
    """The spec's nodes, or those named: with the spec's options where it has them, else with their own defaults.

    `names` may also be a list of nodes in YAML. An `extractor`, a name or a node of YAML, takes the place of that of
    all metrics which have one.
    """
    if names is None and not of_spec:
        raise UserError("there is no spec with metrics here; name some, as in --metrics swd,kid")
    nodes = list(of_spec) if names is None else _named(names, of_spec)
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
    given: Any = read_yaml(text, "--extractor").plain() if text.lstrip().startswith("{") else text
    return replace(node, options={**node.options, "extractor": node_from("extractors", given)})

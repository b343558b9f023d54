"""Contradictions between the values of a spec that are right one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ganlab.errors import UserError
from ganlab.plugin_contracts import load
from ganlab.spec.constructor import plugin_of
from ganlab.spec.document import Origin, Path
from ganlab.spec.model import Node, RegularizerNode, Spec, own_names
from ganlab.spec.problems import Problems
from ganlab.spec.sampling import check_sampling
from ganlab.suggestions import did_you_mean

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def check_consistency(spec: Spec, origins: Mapping[Path, Origin], whole: Origin, problems: Problems) -> None:
    """Note every contradiction; `whole` is the place of the spec itself."""
    found = [*_name(spec), *_batches(spec), *_players(spec), *_metrics(spec), *_regularizers(spec)]
    found += _sampling(spec)
    for path, sentence in found:
        problems.add(origins.get(path, origins.get(path[:-1], whole)), path, sentence)


Finding = tuple[Path, str]


def _name(spec: Spec) -> Iterator[Finding]:
    if not _FOLDER.fullmatch(spec.name):
        sentence = "names a folder: it takes letters, digits, '.', '_' and '-', and starts with a letter or digit"
        yield ("name",), f"{sentence}, unlike '{spec.name}'"


def _batches(spec: Spec) -> Iterator[Finding]:
    data, trainer = spec.data, spec.trainer
    processes = trainer.devices * trainer.num_nodes
    if data.batch_size % processes:
        yield (
            ("data", "batch_size"),
            f"{data.batch_size} images cannot be shared equally by {processes} processes "
            "(trainer.devices times trainer.num_nodes)",
        )
    elif data.micro_batch is not None and data.micro_batch > data.batch_size // processes:
        yield (
            ("data", "micro_batch"),
            f"{data.micro_batch} images are more than the {data.batch_size // processes} that each process gets of a "
            f"batch of {data.batch_size}; leave it out or make it smaller",
        )


def _players(spec: Spec) -> Iterator[Finding]:
    players = getattr(_loaded(spec.architecture), "player_names", None)
    if not isinstance(players, tuple):
        return
    for player in players:
        if player not in spec.optimizers:
            yield ("optimizers", player), f"is missing: {spec.architecture.name} has a player '{player}' to optimize"
    for player in spec.optimizers:
        if player not in players:
            sentence = f"{spec.architecture.name} has no such player; its players: {', '.join(players)}"
            yield ("optimizers", player), sentence + did_you_mean(player, players)


def _metrics(spec: Spec) -> Iterator[Finding]:
    metrics = spec.evaluation.metrics if spec.evaluation else ()
    yield from _named_once([(("evaluation", "metrics", index), node) for index, node in enumerate(metrics)])
    if spec.evaluation and spec.evaluation.best:
        number, names = spec.evaluation.best.metric, own_names(metrics)
        if number.partition("/")[0] not in names:
            known = f"the metrics here: {', '.join(names)}" if names else "there is none in evaluation.metrics"
            path = ("evaluation", "best", "metric")
            yield path, f"'{number}' is no number of a metric; {known}" + did_you_mean(number.partition("/")[0], names)


def _regularizers(spec: Spec) -> Iterator[Finding]:
    provides = getattr(_loaded(spec.architecture), "provides", None)
    for option, value in spec.architecture.options.items():
        if not isinstance(value, tuple):
            continue
        nodes: list[tuple[Path, RegularizerNode]] = [
            (("architecture", option, index), node)
            for index, node in enumerate(value)
            if isinstance(node, RegularizerNode)
        ]
        yield from _named_once(nodes)
        yield from _weighted_constraints(nodes)
        for path, node in nodes if isinstance(provides, Mapping) else []:
            yield from _unprovided(spec.architecture, provides or {}, path, node)


def _named_once(nodes: Sequence[tuple[Path, Node]]) -> Iterator[Finding]:
    """Nodes of one list that cannot be told apart in the log, or that say the same twice."""
    names = own_names([node for _, node in nodes])
    for index, ((path, node), name) in enumerate(zip(nodes, names, strict=True)):
        alias = getattr(node, "alias", None)
        if alias is not None and not _NAME.fullmatch(alias):
            yield (*path, "alias"), f"names numbers of the log: it takes letters, digits, '_' and '-', unlike '{alias}'"
        elif name in names[:index]:
            yield path, f"another one of this list is called '{name}', too; give one of them another alias"
        elif node in [earlier for _, earlier in nodes[:index]]:
            yield path, f"'{node.name}' stands in the list already, with the same options; remove one or change it"


def _sampling(spec: Spec) -> Iterator[Finding]:
    architecture = _loaded(spec.architecture)
    for name, section in (("evaluation", spec.evaluation), ("snapshots", spec.snapshots)):
        for option, value in (section.sampling if section and isinstance(architecture, type) else {}).items():
            try:
                check_sampling(architecture, {option: value})
            except UserError as error:
                yield (name, "sampling", option), str(error)


def _weighted_constraints(nodes: list[tuple[Path, RegularizerNode]]) -> Iterator[Finding]:
    for path, node in nodes:
        regularizer = _loaded(node)
        if hasattr(regularizer, "after_update") and not hasattr(regularizer, "penalty") and node.weight != 1.0:
            yield (*path, "weight"), f"'{node.name}' has no penalty that a weight could scale; leave it out"


def _unprovided(
    architecture: Node, provides: Mapping[str, frozenset[str]], path: Path, node: RegularizerNode
) -> Iterator[Finding]:
    regularizer = _loaded(node)
    side, requires = getattr(regularizer, "side", None), getattr(regularizer, "requires", None)
    if not isinstance(side, str) or not isinstance(requires, set | frozenset):
        return  # not facts of the class; the architecture will ask the object
    if side not in provides:
        players = ", ".join(provides) or "none"
        yield path, f"'{node.name}' acts on the {side}, but {architecture.name} offers views for: {players}"
    elif lacking := sorted(requires - provides[side]):
        yield (
            path,
            f"'{node.name}' requires {', '.join(lacking)}, which {architecture.name} does not provide to the {side}; "
            f"it provides: {', '.join(sorted(provides[side]))}",
        )


def _loaded(node: Node) -> Any:
    return load(plugin_of(node))

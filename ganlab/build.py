"""From a checked spec to its data, metrics and architecture, and the trial of all that before a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from ganlab.builder import Builder, load_factory, value_at_start
from ganlab.contracts import (
    DataFacts,
    Dataset,
    Metric,
    PlayerOptimizer,
)
from ganlab.data.opening import Wishes, arrange, prepare
from ganlab.data.readiness import remark_on_transparency
from ganlab.distributed import is_first_on_machine
from ganlab.errors import DataMissing, SpecError, UserError
from ganlab.evaluation.directions import direction_of
from ganlab.evaluation.needs import check_needs
from ganlab.facts import MISSING
from ganlab.network_size import check_memory
from ganlab.randomness import derive_seed
from ganlab.rehearsal import rehearse_training
from ganlab.schedules import Schedule
from ganlab.spec.model import DataNode, Node, OptimizerNode, Spec, nodes_within, own_names
from ganlab.spec.record import record_of_generator
from ganlab.spec.sampling import check_sampling
from ganlab.training.collapse import CollapseWatch
from ganlab.training.compilation import check_compilation
from ganlab.training.devices import check_devices
from ganlab.training.guard import Guard
from ganlab.training.module import GANModule
from ganlab.training.scheduled_option import ScheduledOption, is_scheduled, value_at
from ganlab.training.settings import TrainingSettings


def build_dataset(node: Node) -> Dataset:
    """The data set of a spec's `data` section; its facts are known, its examples perhaps not ready to be read."""
    dataset: Dataset = Builder(None).construct(node, "data")
    if not isinstance(node, DataNode):
        return dataset
    return arrange(dataset, Wishes(node.labels, node.holdout, node.holdout_seed, node.cache))


def open_dataset(node: Node, cached: bool = True) -> Dataset:
    """The data set of a spec's `data` section, prepared once on each machine and ready to be read.

    One that is not `cached` is read from where it comes from, whatever `data.cache` says. Processes other than the
    first of a machine may read it when they have joined the first one's process group.
    """
    dataset = build_dataset(node if cached or not isinstance(node, DataNode) else replace(node, cache=None))
    if is_first_on_machine():
        prepare(dataset)
    return dataset


def build_metrics(nodes: Sequence[Node], facts: DataFacts) -> dict[str, Metric]:
    """Metrics by the names of their nodes. Raises `SpecError` for one that these data cannot give what it needs."""
    metrics = {}
    for index, (name, node) in enumerate(zip(own_names(nodes), nodes, strict=True)):
        place = f"evaluation.metrics.{index}"
        of_sequences = getattr(load_factory(node), "of_sequences", False)
        metrics[name] = Builder(facts if of_sequences else facts.of_frames).construct(node, place)
        try:
            check_needs(name, metrics[name], facts)
        except UserError as error:
            raise SpecError(f"{place}: {error}") from error
    return metrics


def networks_trained_with(node: Node) -> frozenset[str]:
    """Names of the networks of extractors that stand anywhere in a node, as the extractors call them."""
    found: set[str] = set()
    for each in nodes_within(node):
        found |= {each.name} if each.kind == "extractors" else set()
        found |= set(getattr(load_factory(each), "networks", ()))
    return frozenset(found)


def build_architecture(spec: Spec, facts: DataFacts) -> tuple[GANModule, list[ScheduledOption]]:
    """The architecture with its networks, initialised from the spec's seed, and its scheduled options."""
    builder = Builder(facts)
    torch.manual_seed(derive_seed(spec.seed, "initialisation"))
    module: GANModule = builder.construct(spec.architecture, "architecture")
    return module, builder.scheduled


def rehearse(spec: Spec) -> str | None:
    """Build everything a spec names and try a round of each kind on it, all without memory, as far as data are known.

    Returns what could not be checked or is strange, if anything. Raises `UserError` for whatever would keep the
    training from starting.
    """
    check_devices(spec.trainer)
    check_optimizers(spec)
    dataset, facts, note = _data_of(spec)
    if facts is None:
        return f"its networks were not held against the data: {note}"
    try:
        remark = rehearse_for(spec, facts, spec.trainer.devices * spec.trainer.num_nodes)
    except DataMissing as missing:  # the weights of a network that is trained elsewhere
        if note is None:
            raise
        remark = f"not all of it was tried: {missing}"
    remarks = [note and f"its data were not looked at: {note}", dataset and remark_on_transparency(dataset), remark]
    return "; ".join(remark for remark in remarks if remark) or None


def rehearse_for(spec: Spec, facts: DataFacts, processes: int) -> str | None:
    """Try what a spec names on data with these facts, shared by so many processes; as `rehearse`."""
    with torch.device("meta"):
        module = build_module(spec, facts)
    if spec.trainer.precision == "64-true":
        module.double()
    check_memory(module, spec.trainer)
    check_compilation(module, spec.trainer.compile)
    check_batch_sizes(module, spec, processes)
    if spec.evaluation:
        sampling = check_sampling(type(module), spec.evaluation.sampling)
        metrics = build_metrics(spec.evaluation.metrics, module.facts_of_samples(sampling))
        if spec.evaluation.best:
            direction_of(spec.evaluation.best, metrics)
    left_out = rehearse_training(module, spec.total_images, processes, _sampling(spec, type(module)))
    return "; ".join(remark for remark in (left_out, module.remark(spec.total_images)) if remark) or None


def _sampling(spec: Spec, architecture: type[GANModule]) -> list[Mapping[str, Any]]:
    """The sampling options that a training uses, each once."""
    used: list[Mapping[str, Any]] = []
    for section in (spec.snapshots, spec.evaluation):
        options = check_sampling(architecture, section.sampling) if section else {}
        if options not in used:
            used.append(options)
    return used


def check_optimizers(spec: Spec) -> None:
    """Raise `SpecError` if an optimizer refuses its options, as they are at the start or at the end of the training."""
    for player, node in spec.optimizers.items():
        factory = load_factory(node)
        for moment in (0, spec.total_images):
            options = {name: value_at(template, moment) for name, template in node.options.items()}
            try:
                factory([torch.nn.Parameter(torch.zeros(1))], **options)
            except (ValueError, TypeError, RuntimeError) as error:
                raise SpecError(
                    f"optimizers.{player}: {node.name} refuses its options"
                    f"{f' as they are after {moment} images' if moment else ''}: {error}"
                ) from error


def facts_of_data(spec: Spec) -> tuple[DataFacts | None, str | None]:
    """The facts of a spec's data; of data that are missing those that the spec implies, and why they are missing."""
    _, facts, missing = _data_of(spec)
    return facts, missing


def _data_of(spec: Spec) -> tuple[Dataset | None, DataFacts | None, str | None]:
    try:
        dataset = build_dataset(spec.data)
    except DataMissing as missing:
        facts = missing.facts
        if facts is not None and spec.data.holdout:
            facts = replace(facts, held_out=MISSING)
        return None, facts, str(missing)
    return dataset, dataset.facts, None


def check_batch_sizes(module: GANModule, spec: Spec, processes: int) -> None:
    """Raise `SpecError` if a batch of the training cannot be shared equally by so many processes."""
    for key, batch_size in module.batch_sizes(spec.data.batch_size).items():
        if batch_size % processes:
            raise SpecError(
                f"{key}: {batch_size} images cannot be shared equally by {processes} processes (trainer.devices x "
                "trainer.num_nodes); choose a multiple"
            )


def build_module(spec: Spec, facts: DataFacts) -> GANModule:
    """The architecture of a spec, ready to be trained by Lightning or to take a checkpoint."""
    module, scheduled = build_architecture(spec, facts)
    module.prepare(
        TrainingSettings(
            facts=facts,
            optimizers={player: _optimizer(node) for player, node in spec.optimizers.items()},
            seed=spec.seed,
            batch_size=spec.data.batch_size,
            micro_batch=spec.data.micro_batch,
            half_life_kimg=_as_given(spec.ema.half_life_kimg) if spec.ema else None,
            ramp_up=spec.ema.ramp_up if spec.ema else None,
            average_from_kimg=spec.ema.start_kimg if spec.ema else 0.0,
            guard=Guard(
                spec.guard.non_finite,
                spec.guard.limit,
                rate_factor=spec.guard.learning_rate_factor,
                watch=CollapseWatch(spec.guard),
            ),
            schedules=scheduled,
            penalty_precision=spec.trainer.penalty_precision,
            made_from=record_of_generator(spec, facts),
        )
    )
    return module


def _as_given(value: Any) -> float | Schedule:
    return value if isinstance(value, Schedule) else float(value)


def _optimizer(node: OptimizerNode) -> PlayerOptimizer:
    scheduled = {name: template for name, template in node.options.items() if is_scheduled(template)}
    options = value_at_start(node.options)
    return PlayerOptimizer(partial(load_factory(node), **options), scheduled, node.clip, options)

"""From a checked spec to objects: leaves first, the data's facts injected into constructors that ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from ganlab.contracts import (
    INJECTED_FACTS,
    DataFacts,
    Dataset,
    InputFacts,
    Metric,
    PlayerOptimizer,
    WeightedRegularizer,
)
from ganlab.data.opening import Wishes, arrange, prepare
from ganlab.data.readiness import remark_on_transparency
from ganlab.distributed import is_first_on_machine
from ganlab.errors import DataError, DataMissing, SpecError, UserError, reason
from ganlab.evaluation.directions import direction_of
from ganlab.evaluation.needs import check_needs
from ganlab.facts import MISSING
from ganlab.kinds import KINDS
from ganlab.network_size import check_memory, within_measure
from ganlab.plugin_contracts import load
from ganlab.plugins import Plugin, find
from ganlab.randomness import derive_seed
from ganlab.rehearsal import rehearse_training
from ganlab.schedules import Schedule
from ganlab.spec.constructor import constructor_of, input_parameters, parameter_names
from ganlab.spec.conversion import shown
from ganlab.spec.model import DataNode, Node, OptimizerNode, RegularizerNode, Spec, nodes_within, own_names
from ganlab.spec.record import record_of_generator
from ganlab.spec.sampling import check_sampling
from ganlab.suggestions import did_you_mean
from ganlab.training.collapse import CollapseWatch
from ganlab.training.compilation import check_compilation
from ganlab.training.devices import check_devices
from ganlab.training.guard import Guard
from ganlab.training.module import GANModule
from ganlab.training.scheduled_option import ScheduledOption, attribute_option, is_scheduled, value_at
from ganlab.training.settings import TrainingSettings


class Builder:
    """Builds nodes for one data set; collects the options that follow schedules on the way."""

    def __init__(self, facts: DataFacts | None) -> None:
        self.facts = facts
        self.scheduled: list[ScheduledOption] = []

    def construct(self, node: Node, place: str, changes: dict[str, Any] | None = None) -> Any:
        """The object of a node, with `changes` in the place of its own options and of the data's facts.

        Raises `SpecError` with the node's place if its constructor refuses the options.
        """
        factory, changes = load_factory(node), changes or {}
        own = {name: value for name, value in node.options.items() if name not in changes}
        options = {
            name: self._for_slot(factory, name, node, place)._value(value, f"{place}.{name}")
            for name, value in own.items()
        }
        facts = [name for name in parameter_names(factory) if name in INJECTED_FACTS and name not in changes]
        options = options | self._injected(node, facts, options, place) | changes
        options |= self._inputs(node, {n: o for n, o in input_parameters(factory).items() if n not in changes}, place)
        try:
            with within_measure(node, place):
                built = factory(**value_at_start(options))
        except (SpecError, DataError, NotImplementedError):
            raise  # the first two say where; the last is of the device, and no option's fault
        except UserError as error:
            raise SpecError(f"{place}: {error}") from error
        except (ValueError, TypeError, ArithmeticError, LookupError, MemoryError, OSError, RuntimeError) as error:
            raise SpecError(f"{place}: {node.name} cannot be built: {reason(error)}{_given(node)}") from error
        for name, template in options.items():
            if is_scheduled(template):
                self.scheduled.append(attribute_option(f"{place}.{name}", template, built, name))
        return self._wrap(node, built, place)

    def _for_slot(self, factory: Callable[..., Any], slot: str, node: Node, place: str) -> Builder:
        """The builder of what stands in a slot: one of another domain where the class attribute `domains` says so."""
        domain = getattr(factory, "domains", {}).get(slot)
        if domain is None or self.facts is None:
            return self
        if domain not in self.facts.further:
            there = ", ".join(self.facts.further) or "no further domains"
            raise SpecError(
                f"{place}.{slot}: {node.name} wants the further domain '{domain}' of the data, which have {there}; "
                "choose a data set whose 'further' has it"
            )
        builder = Builder(self.facts.further[domain])
        builder.scheduled = self.scheduled
        return builder

    def _value(self, value: Any, place: str) -> Any:
        if isinstance(value, Node):
            return NodeFactory(self, value, place) if value.repeatable else self.construct(value, place)
        if isinstance(value, list | tuple):
            return self._items(value, place)
        if isinstance(value, Mapping):
            return {key: self._value(part, f"{place}.{key}") for key, part in value.items()}
        return value

    def _items(self, values: list[Any] | tuple[Any, ...], place: str) -> Any:
        built = [self._value(part, f"{place}.{index}") for index, part in enumerate(values)]
        terms = [part for part in built if isinstance(part, WeightedRegularizer)]
        nodes = [node for node, part in zip(values, built, strict=True) if isinstance(part, WeightedRegularizer)]
        for term, name in zip(terms, own_names(nodes), strict=True):
            term.name = name
        return type(values)(built)

    def _wrap(self, node: Node, built: Any, place: str) -> Any:
        if not isinstance(node, RegularizerNode):
            return built
        term = WeightedRegularizer(node.alias or node.name, built, value_at(node.weight, 0), node.every)
        if is_scheduled(node.weight):
            self.scheduled.append(attribute_option(f"{place}.weight", node.weight, term, "weight"))
        return term

    def _injected(self, node: Node, wanted: Iterable[str], options: Mapping[str, Any], place: str) -> dict[str, Any]:
        if self.facts is None or not KINDS[node.kind].takes_facts:
            return {}
        return {name: self._fact(name, node, options, place) for name in wanted}

    def _inputs(self, node: Node, wanted: Mapping[str, bool], place: str) -> dict[str, InputFacts]:
        """The facts of the inputs of these names; where the mapping says so, a constructor may do without."""
        if self.facts is None or not KINDS[node.kind].takes_facts:
            return {}
        inputs = self.facts.inputs
        for name, optional in wanted.items():
            if name not in inputs and not optional:
                there = ", ".join(inputs) or "none"
                raise SpecError(f"{place}: {node.name} needs data with an input '{name}'; these have: {there}")
        return {name: inputs[name] for name in wanted if name in inputs}

    def _fact(self, name: str, node: Node, options: Mapping[str, Any], place: str) -> Any:
        facts = self.facts
        assert facts is not None
        fact = facts if name == "facts" else getattr(facts, name)
        given = options.get(name)
        if fact is None:
            raise SpecError(
                f"{place}: {node.name} needs {_NEEDS[name]}, but the data have the shape {_shape(facts.shape)}"
                + (_MAKE_SQUARE if facts.is_images else "")
            )
        if given is not None and given != fact:
            raise SpecError(
                f"{place}.{name}: the spec says {given}, but the data have {fact}; leave '{name}' out, it is taken "
                "from the data"
            )
        return fact


def _given(node: Node) -> str:
    """The options of a node that a spec has set, for a sentence about what the plugin itself does not say well."""
    declared = constructor_of(plugin_of(node)).options
    given = {name: value for name, value in node.options.items() if not isinstance(value, Node)}
    changed = [name for name, value in given.items() if name not in declared or declared[name].default != value]
    return f" (with {', '.join(f'{name}: {shown(given[name])}' for name in changed)})" if changed else ""


@dataclass(frozen=True)
class NodeFactory:
    """What a plugin gets for an argument `Factory[...]`: each call builds the node anew."""

    builder: Builder
    node: Node
    place: str

    def __call__(self, **changes: Any) -> Any:
        """A new instance, with these options or facts changed. Raises `SpecError` for an option that there is not."""
        constructor = constructor_of(plugin_of(self.node))
        for name in changes:
            if name not in constructor.options and not constructor.open:
                raise SpecError(
                    f"{self.place}: {self.node.name} has no option '{name}' to be built with; "
                    f"its options: {', '.join(constructor.options)}{did_you_mean(name, constructor.options)}"
                )
        return self.builder.construct(self.node, self.place, changes)


_NEEDS = {"channels": "images with channels", "resolution": "square images"}
_MAKE_SQUARE = ": set 'data.resolution' to one number, such as 64, if the data set has the option, or crop the pictures"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def value_at_start(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with every schedule replaced by its value at the start."""
    return {name: value_at(template, 0) for name, template in options.items()}


def load_factory(node: Node) -> Callable[..., Any]:
    """The class or function behind a node."""
    factory: Callable[..., Any] = load(plugin_of(node))
    return factory


def plugin_of(node: Node) -> Plugin:
    """The plugin that a node names."""
    return find(node.kind, f"{node.distribution}/{node.name}" if node.distribution else node.name)


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

"""From nodes to objects: leaves first, the data's facts injected into constructors that ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ganlab.contracts import (
    INJECTED_FACTS,
    DataFacts,
    InputFacts,
    WeightedRegularizer,
)
from ganlab.errors import DataError, SpecError, UserError, reason
from ganlab.kinds import KINDS
from ganlab.network_size import within_measure
from ganlab.plugin_contracts import load
from ganlab.spec.constructor import constructor_of, input_parameters, parameter_names, plugin_of
from ganlab.spec.conversion import shown
from ganlab.spec.model import Node, RegularizerNode, own_names
from ganlab.suggestions import did_you_mean
from ganlab.training.scheduled_option import ScheduledOption, attribute_option, is_scheduled, value_at


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

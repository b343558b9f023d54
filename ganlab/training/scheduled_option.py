"""Options that follow a schedule: the platform sets them on their objects before each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ganlab.schedules import Schedule


def value_at(template: Any, images_seen: float, rounds: float = 0) -> Any:
    """A value of a spec with its schedules replaced by their numbers at a moment of training."""
    if isinstance(template, Schedule):
        return template(images_seen, rounds)
    if isinstance(template, list | tuple):
        return type(template)(value_at(part, images_seen, rounds) for part in template)
    return template


def is_scheduled(template: Any) -> bool:
    """Whether a value of a spec is or contains a schedule."""
    if isinstance(template, list | tuple):
        return any(map(is_scheduled, template))
    return isinstance(template, Schedule)


@dataclass(frozen=True)
class ScheduledOption:
    """One option, the value it takes over time, and how it is set; `name` is the key of the spec."""

    name: str
    template: Any
    assign: Callable[[Any], None]

    def apply(self, images_seen: float, rounds: float = 0) -> None:
        """Set the option's value for this moment."""
        self.assign(value_at(self.template, images_seen, rounds))


def attribute_option(name: str, template: Any, target: object, attribute: str) -> ScheduledOption:
    """An option that lives in an object's attribute; an object without that attribute is the author's error."""
    assert hasattr(target, attribute), f"{type(target).__name__} keeps no attribute '{attribute}'"
    return ScheduledOption(name, template, lambda value: setattr(target, attribute, value))


def optimizer_option(name: str, template: Any, optimizer: torch.optim.Optimizer, option: str) -> ScheduledOption:
    """An option that lives in the parameter groups of an optimizer."""

    def assign(value: Any) -> None:
        for group in optimizer.param_groups:
            group[option] = value

    return ScheduledOption(name, template, assign)

"""Parts of a network that stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from ganlab.errors import UserError


def freeze(network: nn.Module, what: int | Sequence[str], option: str) -> None:
    """Stop the training of a network's first layers, or of the modules with these names.

    A layer is a module with parameters of its own, normalization included; layers count in the order in which the
    network defines them. Statistics that layers keep go on. Raises `UserError`, naming `option`, for what is not there.
    """
    layers = dict(_layers(network, ""))
    if isinstance(what, int):
        if what > len(layers):
            raise UserError(f"{option} is {what}, but the network has {len(layers)} layers: {', '.join(layers)}")
        chosen = list(layers.values())[:what]
    else:
        chosen = [_module(network, name, option) for name in what]
    for module in chosen:
        module.requires_grad_(False)


def _module(network: nn.Module, name: str, option: str) -> nn.Module:
    modules: dict[str, nn.Module] = dict(network.named_modules())
    if not name or name not in modules:
        names = ", ".join(name for name in modules if name and "parametrizations" not in name)
        raise UserError(f"{option}: the network has no module '{name}'; its modules: {names}")
    return modules[name]


def _layers(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    if is_parametrized(module) or next(module.parameters(recurse=False), None) is not None:
        yield name, module
        return
    for key, child in module.named_children():
        yield from _layers(child, f"{name}.{key}".lstrip("."))

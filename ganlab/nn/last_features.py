"""What the last layer of a network sees, for any network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized


def last_features(network: nn.Module, run: Callable[[], Any]) -> Tensor:
    """The input (N, ...) of the last layer with a weight that runs in `network` during `run()`.

    Layers of vectors and images count; an embedding, whose inputs are no features, does not.
    """
    inputs: list[Tensor] = []

    def remember(layer: nn.Module, arguments: tuple[Any, ...]) -> None:
        if arguments and isinstance(arguments[0], Tensor) and arguments[0].is_floating_point():
            inputs[:] = [arguments[0]]

    handles = [layer.register_forward_pre_hook(remember) for layer in network.modules() if _has_weight(layer)]
    # A compiled network does not call the hooks.
    compiled, network._compiled_call_impl = network._compiled_call_impl, None
    try:
        run()
    finally:
        network._compiled_call_impl = compiled
        for handle in handles:
            handle.remove()
    assert inputs, f"no layer with a weight runs in {type(network).__name__}"
    return inputs[0]


def _has_weight(layer: nn.Module) -> bool:
    # Looked up and not read: reading a parametrized weight would compute it.
    weight = layer._parameters.get("weight")
    return is_parametrized(layer, "weight") or (weight is not None and weight.dim() > 1)

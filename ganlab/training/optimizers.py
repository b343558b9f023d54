"""Torch's optimizers as plugins of kind `optimizers`, fused where torch can."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn

from ganlab.contracts import PlayerOptimizer
from ganlab.nn.memory_order import in_order_of

logger = logging.getLogger(__name__)

NotNegative = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Lt(1)]


def adam(
    params: Iterable[nn.Parameter],
    lr: NotNegative = 1e-3,
    betas: tuple[Share, Share] = (0.9, 0.999),
    eps: NotNegative = 1e-8,
    weight_decay: NotNegative = 0.0,
    amsgrad: bool = False,
) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba, 2015)."""
    return torch.optim.Adam(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, fused=True)


def adamw(
    params: Iterable[nn.Parameter],
    lr: NotNegative = 1e-3,
    betas: tuple[Share, Share] = (0.9, 0.999),
    eps: NotNegative = 1e-8,
    weight_decay: NotNegative = 1e-2,
    amsgrad: bool = False,
) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""
    return torch.optim.AdamW(
        params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, fused=True
    )


def rmsprop(
    params: Iterable[nn.Parameter],
    lr: NotNegative = 1e-2,
    alpha: NotNegative = 0.99,
    eps: NotNegative = 1e-8,
    weight_decay: NotNegative = 0.0,
    momentum: NotNegative = 0.0,
    centered: bool = False,
) -> torch.optim.Optimizer:
    """RMSprop (Hinton's lecture 6e), which WGAN was published with."""
    return torch.optim.RMSprop(
        params,
        lr=lr,
        alpha=alpha,
        eps=eps,
        weight_decay=weight_decay,
        momentum=momentum,
        centered=centered,
        foreach=True,
    )


def sgd(
    params: Iterable[nn.Parameter],
    lr: NotNegative = 1e-3,
    momentum: NotNegative = 0.0,
    weight_decay: NotNegative = 0.0,
    nesterov: bool = False,
) -> torch.optim.Optimizer:
    """Stochastic gradient descent, with momentum if wanted."""
    return torch.optim.SGD(params, lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov, fused=True)


def load_optimizer(
    optimizer: torch.optim.Optimizer, state: Mapping[str, Any], planned: PlayerOptimizer | None = None
) -> None:
    """Put a saved state into an optimizer, in the memory order of its parameters; the planned options hold.

    An optimizer that keeps other averages than the saved one starts afresh, with a warning. Fused optimizers walk
    through parameters and averages side by side, and do not look whether their orders agree.
    """
    options = planned.options if planned else {}
    groups = [
        {**own, **{name: value for name, value in saved.items() if name in own and name not in options}}
        | {"params": saved["params"]}
        for own, saved in zip(optimizer.state_dict()["param_groups"], state["param_groups"], strict=True)
    ]
    averages = dict(state["state"])
    if planned and not _fits(state, planned, groups):
        logger.warning("ganlab: warning: %s starts afresh: it was another optimizer before", type(optimizer).__name__)
        averages = {}
    optimizer.load_state_dict({"state": averages, "param_groups": groups})
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                values[name] = in_order_of(value, parameter)


def _fits(state: Mapping[str, Any], planned: PlayerOptimizer, groups: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a saved state has what the planned optimizer keeps of each parameter; equal options say that at once."""
    options = {name: value for name, value in planned.options.items() if name not in planned.schedules}
    saved = state["param_groups"]
    same_keys = all(set(group) == set(before) for group, before in zip(groups, saved, strict=True))
    if same_keys and all(before[name] == value for before in saved for name, value in options.items()):
        return True
    wanted = _kept_by(planned)
    return all(wanted <= set(values) for values in state["state"].values())


def _kept_by(planned: PlayerOptimizer) -> set[str]:
    """What the optimizer keeps of a parameter, as one step on a small one shows; nothing if it cannot step alone."""
    probe = nn.Parameter(torch.zeros(2, 2))
    probe.grad = torch.zeros(2, 2)
    try:
        optimizer = planned.factory([probe])
        optimizer.step()
    except Exception:  # whatever an optimizer of somebody else's needs beyond gradients
        return set()
    return set(optimizer.state[probe])

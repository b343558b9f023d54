"""What tests of layers under a penalty need: the same network in torch's layers, R1, and what a graph is made of."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from ganlab.nn import AveragePool, Conv2d, ConvTranspose2d, LeakyReLU, ReLU


def small_discriminator() -> nn.Module:
    """Strided, pooled and grouped convolutions on images (N, 3, 16, 16)."""
    torch.manual_seed(0)
    network = nn.Sequential(
        Conv2d(3, 16, 4, 2, 1),
        LeakyReLU(0.2),
        Conv2d(16, 32, 3, 1, 1, groups=4),
        AveragePool(2),
        LeakyReLU(0.2),
        Conv2d(32, 32, 3, 1, 1),
        LeakyReLU(0.2),
        Conv2d(32, 1, 4),
        nn.Flatten(0),
    )
    for parameter in network.parameters():
        if parameter.dim() == 4:
            nn.init.kaiming_normal_(parameter, 0.2)
    return network


def in_torch_layers(network: nn.Module) -> nn.Module:
    """The same weights in torch's own layers."""
    network = copy.deepcopy(network)
    for parent in network.modules():
        for name, layer in parent.named_children():
            if isinstance(layer, AveragePool):
                setattr(parent, name, nn.AvgPool2d(layer.size))
            elif isinstance(layer, Conv2d | ConvTranspose2d | LeakyReLU | ReLU):
                layer.__class__ = type(layer).__base__
    return network


def r1(network: nn.Module, images: Tensor) -> Tensor:
    """Half the squared norm of the gradient at each image, averaged."""
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(network(images).sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean() / 2


def r1_gradient(network: nn.Module, images: Tensor, autocast: bool = False) -> Tensor:
    """The gradient of R1 by all parameters in one float64 vector; without one, zeros."""
    network.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        penalty = r1(network, images)
    penalty.backward()
    parts = (torch.zeros_like(p) if p.grad is None else p.grad for p in network.parameters())
    return torch.cat([part.flatten().double() for part in parts])


def nodes(*outputs: Tensor) -> set[str]:
    """Names of all operations in the graph behind some tensors."""
    seen, waiting = set(), [output.grad_fn for output in outputs]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += _parents(node)
    return {node.name() for node in seen}


def _parents(node: torch.autograd.graph.Node) -> Iterable[torch.autograd.graph.Node | None]:
    return [parent for parent, _ in node.next_functions]


class ConvolutionCounter(TorchDispatchMode):
    """Counts results of convolutions: outputs, and gradients by images and by weights."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.convolution.default:
            self.count += 1
        elif func is torch.ops.aten.convolution_backward.default:
            self.count += sum(args[-1][:2])
        return func(*args, **(kwargs or {}))

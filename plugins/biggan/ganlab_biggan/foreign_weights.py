"""BigGAN generators of other programs: what their layouts have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.parametrize import is_parametrized

from ganlab.errors import UserError
from ganlab.foreign import Tensors, put
from ganlab_biggan.attention import SelfAttention
from ganlab_biggan.deep_blocks import DeepGeneratorBlock
from ganlab_biggan.residual import ResidualGenerator


class Layout(Protocol):
    """The weights of a generator by their places here; a weight is the one that acts, its spectral norm divided out."""

    def weight(self, place: str) -> Tensor:
        """Of a linear layer, a convolution or an embedding."""
        ...

    def bias(self, place: str) -> Tensor:
        """Of a linear layer or a convolution."""
        ...

    def statistics(self, place: str) -> tuple[Tensor, Tensor]:
        """Mean and variance of a batch norm."""
        ...

    def modulation(self, place: str) -> tuple[Tensor, Tensor]:
        """Weights of gain and bias of a batch norm, for a block's part of the latents and then the class."""
        ...

    def affine(self) -> tuple[Tensor, Tensor]:
        """Gain and bias of the last batch norm."""
        ...

    def strength(self, place: str) -> Tensor:
        """That of a self-attention."""
        ...


def node_of(name: str, options: Mapping[str, Any], eps: float) -> dict[str, Any]:
    """The node of an architecture with this generator, and the least of everything that only a training needs."""
    spectral = {"name": "spectral"}
    batch = {"name": "conditional_batch", "eps": eps, "synchronise": True, "linear": spectral}
    return {
        "name": "biggan",
        "generator": {"name": name, "width": 1, "normalizer": [spectral, batch], **options},
        "discriminator": {"name": "biggan", "width": 1, "attention": [], "conditioning": "none"},
        "loss": "hinge",
    }


def fill(generator: nn.Module, layout: Layout) -> None:
    """Give a generator its weights. Raises `RunError` for those that are missing or do not fit."""
    assert isinstance(generator, ResidualGenerator)
    embedding = generator.conditions.embedding
    if embedding is not None:
        put(embedding, "weight", layout.weight("shared"))
    _put_layer(generator.first, layout, "first")
    blocks = [block for stage in generator.stages for block in stage]  # type: ignore[attr-defined]
    for index, block in enumerate(blocks):
        for part, layer, norm in _parts(block):
            if norm is not None:
                _put_norm(norm, layout, f"{index}.{part}")
            _put_layer(layer, layout, f"{index}.{part}")
    for side, attention in generator.attention.items():
        assert isinstance(attention, SelfAttention)
        for part in ("query", "key", "value", "output"):
            put_used(getattr(attention, part), layout.weight(f"{side}.{part}"))
        put(attention, "strength", layout.strength(side).reshape(()))
    _put_last(generator, layout)


def put_used(layer: Any, weight: Tensor) -> None:
    """Give a layer the weight that it shall have in use, also where it divides by an estimate of its spectral norm."""
    if not is_parametrized(layer, "weight"):
        put(layer, "weight", weight)
        return
    norm: Any = layer.parametrizations.weight[0]
    nn.init.normal_(norm.u)
    put(layer, "weight", weight)
    # Of a weight that is normalized already: the estimate becomes exactly 1, whatever the iterations came to.
    estimate = norm.singular_value(weight)
    if estimate > norm.eps:
        norm.u.div_(estimate)


def spectral_weight(tensors: Tensors, weight: str, u: str, v: str | None = None) -> Tensor:
    """A weight over its spectral norm, of which `u`, and `v` or one iteration from `u`, are the vectors."""
    stored = tensors.take(weight)
    if u not in tensors:
        return stored
    matrix, left = stored.flatten(1), tensors.take(u).flatten()
    if v is None:
        right = normalize(left @ matrix, dim=0, eps=1e-12)
        left = normalize(matrix @ right, dim=0, eps=1e-12)
    else:
        right = tensors.take(v).flatten()
    return stored / (left @ matrix @ right)


def attention_sides(blocks: Sequence[int]) -> list[int]:
    """The sides of the maps behind these doublings, numbered from 0."""
    return [8 << block for block in blocks]


def size_of(first_outputs: int, multipliers: Sequence[int]) -> int:
    """The side of the images. Raises `UserError` for maps that do not start at 4x4 pixels."""
    if first_outputs != 16 * multipliers[0]:
        raise UserError(f"the first layer makes {first_outputs} numbers, which are no 4x4 maps of its channels")
    return 4 << (len(multipliers) - 1)


def _parts(block: Any) -> list[tuple[str, nn.Module, Any]]:
    """The layers of a block with their names in layouts, and the norm before each."""
    if isinstance(block, DeepGeneratorBlock):
        pairs = zip(block.convolutions, block.norms, strict=True)
        return [(str(number), layer, norm) for number, (layer, norm) in enumerate(pairs)]
    return [
        ("0", block.enlarge, block.before),
        ("1", block.convolve, block.between),
        ("shortcut", block.shortcut, None),
    ]


def _put_layer(layer: Any, layout: Layout, place: str) -> None:
    put_used(layer, layout.weight(place))
    put(layer, "bias", layout.bias(place))


def _put_norm(rectified: Any, layout: Layout, place: str) -> None:
    conditional = _last_of(rectified.norm)
    gain, bias = layout.modulation(place)
    put_used(conditional.gain, gain)
    put_used(conditional.bias, bias)
    _put_statistics(conditional.norm, *layout.statistics(place))


def _put_last(generator: ResidualGenerator, layout: Layout) -> None:
    norm = _last_of(generator.norm.norm)
    gain, bias = layout.affine()
    put(norm, "weight", gain)
    put(norm, "bias", bias)
    _put_statistics(norm, *layout.statistics("last"))
    _put_layer(generator.last, layout, "last")


def _put_statistics(norm: Any, mean: Tensor, variance: Tensor) -> None:
    put(norm, "running_mean", mean)
    put(norm, "running_var", variance)


def _last_of(norm: Any) -> Any:
    """A norm that may be the last in a sequence."""
    return list(norm)[-1] if isinstance(norm, nn.Sequential) else norm


def class_last(weight: Tensor, shared: int) -> Tensor:
    """The columns of a weight that stand for a class, which are its first ones, behind the others."""
    return torch.cat([weight[:, shared:], weight[:, :shared]], dim=1)

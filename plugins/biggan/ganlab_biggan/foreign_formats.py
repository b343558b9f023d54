"""BigGAN as other programs write it: BigGAN-PyTorch, PyTorch-StudioGAN, and the port of TensorFlow Hub's weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le
from torch import Tensor

from ganlab.bounds import Positive
from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.foreign import ForeignGenerator, Tensors
from ganlab_biggan.foreign_weights import attention_sides, class_last, fill, node_of, size_of, spectral_weight

_STEPS = 50  # of truncation between 0 and 1, for which the port has statistics each


class _Names:
    """Where a layout of residual blocks keeps what: names of tensors, with the number of a block in them."""

    first = "linear"
    parts: ClassVar[Mapping[str, str]] = {"0": "conv1", "1": "conv2", "shortcut": "conv_sc"}
    norms: ClassVar[Mapping[str, str]] = {"0": "bn1", "1": "bn2"}
    attention: ClassVar[Mapping[str, str]] = {"query": "theta", "key": "phi", "value": "g", "output": "o"}
    sigma = "gamma"
    last, last_norm = "output_layer.2", "output_layer.0"
    gain, bias = "gain", "bias"
    mean, variance = "stored_mean", "stored_var"
    inner = ""
    weight, u, v = "weight", "u0", ""


class _StudioNames(_Names):
    first = "linear0"
    parts: ClassVar[Mapping[str, str]] = {"0": "conv2d1", "1": "conv2d2", "shortcut": "conv2d0"}
    attention: ClassVar[Mapping[str, str]] = {
        "query": "conv1x1_theta",
        "key": "conv1x1_phi",
        "value": "conv1x1_g",
        "output": "conv1x1_attn",
    }
    sigma = "sigma"
    last, last_norm = "conv5", "bn4"
    gain, bias = "weight", "bias"
    mean, variance = "running_mean", "running_var"
    inner = "bn."
    weight, u, v = "weight_orig", "weight_u", "weight_v"


class _Residual:
    """The weights of BigGAN by their places; see `Layout`."""

    def __init__(self, tensors: Tensors, names: type[_Names]) -> None:
        self.tensors, self.names = tensors, names
        tensors.leave(".sv0", "num_batches_tracked")
        if "shared.weight" not in tensors:
            raise UserError("the generator has no tensor 'shared.weight': this format takes shared embeddings alone")
        self.blocks: list[str] = []
        self.attended: dict[str, str] = {}  # by the side of the maps
        for prefix in self._prefixes():
            if self._has(f"{prefix}.{names.parts['0']}"):
                self.blocks.append(prefix)
            else:
                self.attended[str(attention_sides([len(self.blocks) - 1])[0])] = prefix
        self.shared = tensors.shape("shared.weight")[1]

    def options(self) -> dict[str, Any]:
        """Those of the generator's node, from shapes."""
        first, inside = self._shape(self.names.first), self._shape(f"{self.blocks[0]}.bn1.gain")[1]
        channels = [self._shape(f"{prefix}.{self.names.parts['0']}") for prefix in self.blocks]
        chunk = inside - self.shared
        return {
            "multipliers": [channels[0][1], *(shape[0] for shape in channels)],
            "latent_size": first[1] * (len(self.blocks) + 1) if chunk else first[1],
            "shared": self.shared,
            "skip": "chunks" if chunk else "none",
            "attention": [int(side) for side in self.attended],
        }

    def weight(self, place: str) -> Tensor:
        """Of a linear layer, a convolution or an embedding."""
        return self.tensors.take("shared.weight") if place == "shared" else self._used(self._name(place))

    def bias(self, place: str) -> Tensor:
        """Of a linear layer or a convolution."""
        return self.tensors.take(f"{self._name(place)}.bias")

    def statistics(self, place: str) -> tuple[Tensor, Tensor]:
        """Mean and variance of a batch norm."""
        norm = self.names.last_norm if place == "last" else f"{self._norm(place)}"
        inner = "" if place == "last" else self.names.inner
        return (
            self.tensors.take(f"{norm}.{inner}{self.names.mean}"),
            self.tensors.take(f"{norm}.{inner}{self.names.variance}"),
        )

    def modulation(self, place: str) -> tuple[Tensor, Tensor]:
        """Weights of gain and bias; here the class stands before the part of the latents."""
        norm = self._norm(place)
        gain, bias = self._used(f"{norm}.gain"), self._used(f"{norm}.bias")
        return class_last(gain, self.shared), class_last(bias, self.shared)

    def affine(self) -> tuple[Tensor, Tensor]:
        """Gain and bias of the last batch norm."""
        norm = self.names.last_norm
        return self.tensors.take(f"{norm}.{self.names.gain}"), self.tensors.take(f"{norm}.{self.names.bias}")

    def strength(self, place: str) -> Tensor:
        """That of a self-attention."""
        return self.tensors.take(f"{self.attended[place]}.{self.names.sigma}")

    def _name(self, place: str) -> str:
        if place in ("first", "last"):
            return str(getattr(self.names, place))
        where, _, part = place.partition(".")
        if part in self.names.attention:
            return f"{self.attended[where]}.{self.names.attention[part]}"
        return f"{self.blocks[int(where)]}.{self.names.parts[part]}"

    def _norm(self, place: str) -> str:
        index, _, part = place.partition(".")
        return f"{self.blocks[int(index)]}.{self.names.norms[part]}"

    def _prefixes(self) -> list[str]:
        """The modules in `blocks`, in order; some programs put attention beside a block, others behind it."""
        found, index = [], 0
        markers = (self.names.parts["0"], self.names.attention["query"])
        while any(self._has(f"blocks.{index}.0.{marker}") for marker in markers):
            for place in (0, 1):
                prefix = f"blocks.{index}.{place}"
                found += [prefix] if any(self._has(f"{prefix}.{marker}") for marker in markers) else []
            index += 1
        return found

    def _has(self, name: str) -> bool:
        return f"{name}.{self.names.weight}" in self.tensors or f"{name}.weight" in self.tensors

    def _stored(self, name: str) -> str:
        stored = f"{name}.{self.names.weight}"
        return stored if stored in self.tensors else f"{name}.weight"

    def _shape(self, name: str) -> tuple[int, ...]:
        return self.tensors.shape(self._stored(name))

    def _used(self, name: str) -> Tensor:
        v = f"{name}.{self.names.v}" if self.names.v else None
        return spectral_weight(self.tensors, self._stored(name), f"{name}.{self.names.u}", v)


class BigGANPyTorch:
    """Checkpoints (`G_ema.pth`) of BigGAN-PyTorch, the program of one of BigGAN's authors, with shared embeddings.

    Args:
        eps: what batch norm adds to the variance.
    """

    records: ClassVar[tuple[str, ...]] = ()

    def __init__(self, eps: Positive = 1e-5) -> None:
        self.eps = eps

    def read(self, content: Any) -> ForeignGenerator:
        """The generator of a checkpoint. Raises `UserError` for a file of another kind."""
        if not isinstance(content, Mapping) or "linear.weight" not in content or "output_layer.2.weight" not in content:
            raise UserError("the file has no tensors 'linear.weight' and 'output_layer.2.weight' of BigGAN-PyTorch")
        return _residual(_Residual(Tensors(content), _Names), self.eps)


class StudioGAN:
    """Checkpoints (`model=G_ema-...pth`) of PyTorch-StudioGAN with its BigGAN networks (`big_resnet`).

    Args:
        eps: what batch norm adds to the variance.
    """

    records: ClassVar[tuple[str, ...]] = ()

    def __init__(self, eps: Positive = 1e-4) -> None:
        self.eps = eps

    def read(self, content: Any) -> ForeignGenerator:
        """The generator of a checkpoint. Raises `UserError` for a file of another kind."""
        state = content.get("state_dict") if isinstance(content, Mapping) else None
        if not isinstance(state, Mapping) or "linear0.bias" not in state or "conv5.bias" not in state:
            raise UserError("the file has no 'state_dict' with the layers 'linear0' and 'conv5' of StudioGAN's BigGAN")
        return _residual(_Residual(Tensors(state), _StudioNames), self.eps)


def _residual(layout: _Residual, eps: float) -> ForeignGenerator:
    options, tensors = layout.options(), layout.tensors
    side = size_of(tensors.shape(f"{layout.names.first}.bias")[0], options["multipliers"])
    channels = tensors.shape(f"{layout.names.last}.bias")[0]
    facts = _facts(channels, side, tensors.shape("shared.weight")[0])
    return ForeignGenerator(node_of("biggan", options, eps), facts, tensors, lambda made: fill(made, layout))


def _facts(channels: int, side: int, classes: int) -> DataFacts:
    return DataFacts((channels, side, side), 0, "", class_names=tuple(map(str, range(classes))))


class _Port:
    """The weights of the port of BigGAN-deep by their places; see `Layout`."""

    def __init__(self, tensors: Tensors, step: int) -> None:
        self.tensors, self.step = tensors, step
        tensors.leave("num_batches_tracked")
        self.blocks: list[str] = []
        self.attended: dict[str, str] = {}
        index = 0
        while True:
            prefix = f"generator.layers.{index}"
            if f"{prefix}.conv_0.weight_orig" in tensors:
                self.blocks.append(prefix)
            elif f"{prefix}.gamma" in tensors:
                self.attended[str(4 << (len(self.blocks) // 2))] = prefix
            else:
                return
            index += 1

    def options(self) -> dict[str, Any]:
        """Those of the generator's node, from shapes."""
        shared, _ = self.tensors.shape("embeddings.weight")
        inputs = [self.tensors.shape(f"{prefix}.conv_0.weight_orig")[1] for prefix in self.blocks[::2]]
        return {
            "multipliers": [*inputs, self.tensors.shape(f"{self.blocks[-1]}.conv_3.weight_orig")[0]],
            "latent_size": self.tensors.shape("generator.gen_z.weight_orig")[1] - shared,
            "shared": shared,
            "attention": [int(side) for side in self.attended],
        }

    def weight(self, place: str) -> Tensor:
        """Of a linear layer, a convolution or an embedding."""
        if place == "shared":
            return self.tensors.take("embeddings.weight").t()
        used = self._used(self._name(place))
        if place == "last":
            return used[:3]  # there are more for the sake of the hardware, which nobody uses
        return _channels_first(used) if place == "first" else used

    def bias(self, place: str) -> Tensor:
        """Of a linear layer or a convolution."""
        bias = self.tensors.take(f"{self._name(place)}.bias")
        if place == "last":
            return bias[:3]
        return _channels_first(bias[:, None])[:, 0] if place == "first" else bias

    def statistics(self, place: str) -> tuple[Tensor, Tensor]:
        """Mean and variance of a batch norm, for the truncation that was chosen."""
        norm = "generator.bn" if place == "last" else self._norm(place)
        return self.tensors.take(f"{norm}.running_means")[self.step], self.tensors.take(f"{norm}.running_vars")[
            self.step
        ]

    def modulation(self, place: str) -> tuple[Tensor, Tensor]:
        """Weights of gain and bias, for the latents and then the class."""
        norm = self._norm(place)
        return self._used(f"{norm}.scale"), self._used(f"{norm}.offset")

    def affine(self) -> tuple[Tensor, Tensor]:
        """Gain and bias of the last batch norm."""
        return self.tensors.take("generator.bn.weight"), self.tensors.take("generator.bn.bias")

    def strength(self, place: str) -> Tensor:
        """That of a self-attention."""
        return self.tensors.take(f"{self.attended[place]}.gamma")

    def _name(self, place: str) -> str:
        outside = {"first": "generator.gen_z", "last": "generator.conv_to_rgb"}
        if place in outside:
            return outside[place]
        where, _, part = place.partition(".")
        names = {"query": "theta", "key": "phi", "value": "g", "output": "o_conv"}
        if part in names:
            return f"{self.attended[where]}.snconv1x1_{names[part]}"
        return f"{self.blocks[int(where)]}.conv_{part}"

    def _norm(self, place: str) -> str:
        index, _, part = place.partition(".")
        return f"{self.blocks[int(index)]}.bn_{part}"

    def _used(self, name: str) -> Tensor:
        return spectral_weight(self.tensors, f"{name}.weight_orig", f"{name}.weight_u", f"{name}.weight_v")


class BigGANHub:
    """Weights of BigGAN-deep from TensorFlow Hub, as pytorch-pretrained-BigGAN keeps them (`pytorch_model.bin`).

    Args:
        truncation: the truncation whose statistics are taken, of the 50 in the file: a multiple of 0.02.
        eps: what batch norm adds to the variance.
    """

    records: ClassVar[tuple[str, ...]] = ()

    def __init__(self, truncation: Annotated[float, Ge(0), Le(1)] = 1.0, eps: Positive = 1e-4) -> None:
        self.step = round(truncation * _STEPS)
        self.eps = eps
        if abs(self.step - truncation * _STEPS) > 1e-6:
            raise UserError(
                f"'truncation' is {truncation}, and there are statistics for multiples of {1 / _STEPS} only"
            )

    def read(self, content: Any) -> ForeignGenerator:
        """The generator of a checkpoint. Raises `UserError` for a file of another kind."""
        if not isinstance(content, Mapping) or "generator.gen_z.weight_orig" not in content:
            raise UserError("the file has no tensor 'generator.gen_z.weight_orig' of pytorch-pretrained-BigGAN")
        tensors = Tensors(content)
        layout = _Port(tensors, self.step)
        options = layout.options()
        side = size_of(tensors.shape("generator.gen_z.bias")[0], options["multipliers"])
        remark = (
            f"its statistics are those of a truncation of {self.step / _STEPS:g}, whose latents are normal ones that "
            f"end at 2, times {self.step / _STEPS:g}; 'truncation' here is another distribution"
        )
        facts = _facts(3, side, tensors.shape("embeddings.weight")[1])
        node = node_of("biggan_deep", options, self.eps)
        return ForeignGenerator(node, facts, tensors, lambda made: fill(made, layout), [remark])


def _channels_first(rows: Tensor) -> Tensor:
    """Rows that make maps (4, 4, C) in the order in which they make maps (C, 4, 4)."""
    return rows.unflatten(0, (4, 4, -1)).permute(2, 0, 1, 3).flatten(0, 2)

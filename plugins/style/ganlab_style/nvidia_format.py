"""StyleGAN2 as NVIDIA's programs in PyTorch write it: stylegan2-ada-pytorch, and the repository of StyleGAN3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.foreign import ForeignGenerator, Record, Tensors, module_tensors
from ganlab_style.foreign_weights import Modulated, channel_options, fill, node_of

_CONNECTIONS = {"skip": "skip", "resnet": "residual", "orig": "original"}
_REMARK = (
    "noise is drawn anew for each sample, as with noise_mode='random'; noise=none leaves it out, and psi truncates as "
    "truncation_psi does"
)


class NvidiaStyleGAN2:
    """Network pickles (`.pkl`) of StyleGAN2: the averaged generator, `G_ema`.

    The source text that these files bring along is not run.
    """

    records: ClassVar[tuple[str, ...]] = ()

    def read(self, content: Any) -> ForeignGenerator:
        """The generator of a pickle. Raises `UserError` for other networks than StyleGAN2's."""
        network = content.get("G_ema") if isinstance(content, Mapping) else None
        if not isinstance(network, Record):
            raise UserError("the file has no network 'G_ema': it is no network pickle of NVIDIA's programs")
        tensors = Tensors(module_tensors(network))
        if "synthesis.b4.const" not in tensors:
            raise UserError("'G_ema' is no generator of StyleGAN2: it has no constant 'synthesis.b4.const'")
        tensors.leave("noise_const", "resample_filter")
        weights = _Weights(tensors)
        channels = tensors.shape(f"synthesis.b{weights.resolution}.torgb.bias")[0]
        classes = tensors.shape("mapping.embed.weight")[1] if "mapping.embed.weight" in tensors else 0
        facts = DataFacts(
            (channels, weights.resolution, weights.resolution),
            0,
            "",
            class_names=tuple(map(str, range(classes))),
        )
        node = node_of(_options(network, tensors, weights, classes))
        return ForeignGenerator(node, facts, tensors, lambda generator: fill(generator, weights), [_REMARK])


class _Weights:
    """The tensors by what they are for."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self.resolution = 4
        while f"synthesis.b{2 * self.resolution}.conv0.weight" in tensors:
            self.resolution *= 2

    def constant(self) -> Tensor:
        """Maps (1, C, 4, 4)."""
        return self.tensors.take("synthesis.b4.const")[None]

    def mean_style(self) -> Tensor:
        """The mean style (size,)."""
        return self.tensors.take("mapping.w_avg")

    def dense(self, index: int) -> tuple[Tensor, Tensor]:
        """Weight and bias of a layer of the mapping."""
        return self._pair(f"mapping.fc{index}")

    def embedding(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of what labels pass."""
        return self._pair("mapping.embed")

    def convolution(self, resolution: int, place: int) -> Modulated:
        """The first (0) or second (1) convolution of a resolution."""
        return self._modulated(f"synthesis.b{resolution}.conv{place}")

    def image(self, resolution: int) -> Modulated:
        """What makes images of a resolution."""
        return self._modulated(f"synthesis.b{resolution}.torgb")

    def shortcut(self, resolution: int) -> Tensor:
        """The weight of the other branch of a residual block."""
        return self.tensors.take(f"synthesis.b{resolution}.skip.weight")

    def _pair(self, name: str) -> tuple[Tensor, Tensor]:
        return self.tensors.take(f"{name}.weight"), self.tensors.take(f"{name}.bias")

    def _modulated(self, name: str) -> Modulated:
        weight, bias = self._pair(name)
        strength = f"{name}.noise_strength"
        noise = self.tensors.take(strength) if strength in self.tensors else None
        return Modulated(weight, *self._pair(f"{name}.affine"), bias, noise)


def _options(network: Record, tensors: Tensors, weights: _Weights, classes: int) -> dict[str, Any]:
    """The options of the generator's node, from shapes and from what the layers say of themselves."""
    resolutions = [1 << power for power in range(2, weights.resolution.bit_length())]
    channels = {r: tensors.shape(f"synthesis.b{r}.conv1.weight")[0] for r in resolutions}
    depth, size = tensors.count("mapping.fc{}.weight"), tensors.shape("mapping.w_avg")[0]
    if depth == 0:
        raise UserError("the mapping of 'G_ema' has no layers, which stylegan2 cannot have beside a mean style")
    inputs = tensors.shape("mapping.fc0.weight")[1]
    block = network.part("synthesis").part(f"b{weights.resolution}")
    layer = block.part("conv1")
    if (activation := layer.get("activation", "lrelu")) != "lrelu":
        raise UserError(f"the layers of 'G_ema' end in '{activation}', and those of stylegan2 in 'lrelu'")
    architecture = block.get("architecture", "skip")
    return {
        "latent_size": inputs - (tensors.shape("mapping.embed.weight")[0] if classes else 0),
        "style_size": size,
        "connections": _CONNECTIONS.get(architecture, architecture),
        **channel_options(channels),
        "mapping_layers": depth,
        "mapping_lr_multiplier": float(network.part("mapping").part("fc0").get("bias_gain", 0.01)),
        "noise": f"synthesis.b{weights.resolution}.conv1.noise_strength" in tensors,
        "clamp": layer.get("conv_clamp"),
    }

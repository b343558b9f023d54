"""R3GAN as its authors' program writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.foreign import ForeignGenerator, Record, Tensors, module_tensors, put
from ganlab_r3gan.generator import R3GANGenerator

_BLOCKS = 2
_MODEL = "Model."


class R3GANPickles:
    """Network pickles (`.pkl`) of the authors' program: the averaged generator, `G_ema`."""

    records: ClassVar[tuple[str, ...]] = ("R3GAN.", "torch.nn.modules.")

    def read(self, content: Any) -> ForeignGenerator:
        """The generator of a pickle. Raises `UserError` for other networks."""
        network = content.get("G_ema") if isinstance(content, Mapping) else None
        if not isinstance(network, Record):
            raise UserError("the file has no network 'G_ema': it is no network pickle of R3GAN")
        tensors = Tensors({name.removeprefix(_MODEL): value for name, value in module_tensors(network).items()})
        if _transition(0, "Basis") not in tensors:
            raise UserError(f"'G_ema' is no generator of R3GAN: it has no tensor '{_transition(0, 'Basis')}'")
        tensors.leave("Resampler.Kernel")
        count = tensors.count("MainLayers.{}.Layers.1.LinearLayer1.Layer.weight")
        options = _options(tensors, count)
        size = 4 << (count - 1)
        classes = tensors.shape("EmbeddingLayer.weight")[1] if "EmbeddingLayer.weight" in tensors else 0
        names = tuple(map(str, range(classes)))
        facts = DataFacts((tensors.shape("AggregationLayer.Layer.weight")[0], size, size), 0, "", class_names=names)
        ones = [1] * count
        node = {
            "name": "r3gan",
            "generator": {"name": "r3gan", **options},
            "discriminator": {"name": "r3gan", "widths": ones, "groups": ones, "conditioning": "none"},
            "loss": "relativistic",
        }
        return ForeignGenerator(node, facts, tensors, lambda generator: _fill(generator, tensors))


def _options(tensors: Tensors, count: int) -> dict[str, Any]:
    """The options of the generator's node, from shapes."""
    expanded = [tensors.shape(_block(stage, 0, "LinearLayer1.Layer.weight")) for stage in range(count)]
    mixed = [tensors.shape(_block(stage, 0, "LinearLayer2.Layer.weight")) for stage in range(count)]
    if any(_block(stage, _BLOCKS, "LinearLayer1.Layer.weight") in tensors for stage in range(count)):
        raise UserError(f"'G_ema' has more than {_BLOCKS} blocks in a stage, and r3gan has {_BLOCKS}")
    embedding = tensors.shape("EmbeddingLayer.weight")[0] if "EmbeddingLayer.weight" in tensors else 0
    return {
        "widths": [shape[1] for shape in expanded],
        "groups": [shape[0] // shape[1] for shape in mixed],
        "expansion": expanded[0][0] / expanded[0][1],
        "latent_size": tensors.shape(_transition(0, "LinearLayer.weight"))[1] - embedding,
        **({"embedding_size": embedding} if embedding else {}),
    }


def _fill(generator: nn.Module, tensors: Tensors) -> None:
    assert isinstance(generator, R3GANGenerator)
    put(generator, "basis", tensors.take(_transition(0, "Basis")))
    put(generator.entry, "weight", tensors.take(_transition(0, "LinearLayer.weight")))
    if generator.embedding is not None:
        put(generator.embedding, "weight", tensors.take("EmbeddingLayer.weight"))
    for stage, blocks in enumerate(generator.stages):
        if stage and not isinstance(generator.changes[stage - 1], nn.Identity):
            weight = tensors.take(_transition(stage, "LinearLayer.Layer.weight"))
            put(generator.changes[stage - 1], "weight", weight)
        for index, block in enumerate(blocks):  # type: ignore[arg-type]
            for layer, name in (("expand", "LinearLayer1"), ("mix", "LinearLayer2"), ("reduce", "LinearLayer3")):
                put(getattr(block, layer), "weight", tensors.take(_block(stage, index, f"{name}.Layer.weight")))
            for layer, name in (("first", "NonLinearity1"), ("second", "NonLinearity2")):
                put(getattr(block, layer), "bias", tensors.take(_block(stage, index, f"{name}.Bias")))
    put(generator.to_image, "weight", tensors.take("AggregationLayer.Layer.weight"))


def _transition(stage: int, name: str) -> str:
    return f"MainLayers.{stage}.Layers.0.{name}"


def _block(stage: int, index: int, name: str) -> str:
    return f"MainLayers.{stage}.Layers.{index + 1}.{name}"

"""Whether images show what their maps say, as a segmentation network sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab import DataFacts, InputFacts, UserError
from ganlab.bounds import Examples, Natural, Seed, Steps
from ganlab.contracts import Extractor
from ganlab_translation.segmentation_network import SegmentationNetwork

_HELD_OUT = 5  # one of so many reals is not learned


class Segmentation:
    """Agreement between what a segmentation network sees in fakes and the maps that these were made of (Park, 2019).

    `miou` is the mean over classes of the intersection of both divided by their union, in pixels of all fakes, without
    classes that neither shows; `accuracy` is the share of pixels that agree. The network is an extractor with a method
    `segment(images) -> (N, H, W)`, such as `torchvision_segmentation`. Without one, a small network learns the maps of
    the reals, but for a fifth: on these it has `real_miou` and `real_accuracy`, the bound of what can be told.

    Args:
        facts: Facts of the data.
        map: name of the input that is the map.
        network: what segments; null for the small network.
        unknown: a class of the map that does not count; null for none.
        examples: how many reals the small network learns, at most.
        width: channels of the small network.
        passes: how often it sees the reals.
        seed: seed of the small network.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"miou": True, "accuracy": True}
    needs: ClassVar[frozenset[str]] = frozenset({"reals", "fakes", "inputs"})
    example: ClassVar[Mapping[str, Any]] = {"width": 4, "passes": 1}
    example_inputs: ClassVar[Mapping[str, InputFacts]] = {"label_map": InputFacts((16, 16), "maps", classes=3)}

    def __init__(
        self,
        facts: DataFacts,
        map: str = "label_map",
        network: Extractor | None = None,
        unknown: Natural | None = None,
        examples: Examples = 2000,
        width: Annotated[int, Ge(1), Le(4096)] = 24,
        passes: Steps = 6,
        seed: Seed = 0,
    ) -> None:
        of_map = facts.inputs.get(map)
        if of_map is None or of_map.kind != "maps" or not of_map.classes or len(of_map.shape) != 2:
            raise UserError(
                f"the metric 'segmentation' compares with the input '{map}', a map (H, W) of known classes, which "
                f"these data do not have; their inputs: {', '.join(facts.inputs) or 'none'}"
            )
        if network is not None and not hasattr(network, "segment"):
            raise UserError(
                f"{type(network).__name__} tells no class of each pixel: 'network' takes an extractor that does, such "
                "as 'torchvision_segmentation', or null"
            )
        if not facts.is_images or facts.frames:
            raise UserError("the metric 'segmentation' looks at images, and the examples of these data are none")
        self.map = map
        self.classes = of_map.classes
        self.channels = facts.image_shape[0]
        self.unknown = unknown
        self.network: Any = network
        self.options = {"examples": examples, "width": width, "passes": passes, "metric_seed": seed}
        known = {"network": dict(network.protocol)} if network is not None else self.options
        self.protocol = {"map": map, "unknown": unknown, **known}
        self._reals: list[tuple[Tensor, Tensor]] = []
        self._bound: dict[str, float] = {}
        self.reset()

    def reset(self) -> None:
        """Forget the fakes."""
        self._fakes: list[tuple[Tensor, Tensor]] = []

    def update(self, images: Tensor, real: bool, inputs: Mapping[str, Tensor] | None) -> None:
        """Keep images with their maps."""
        assert inputs is not None, "images have the inputs that the metric needs"
        maps = inputs[self.map].long().cpu()
        if not real:
            self._fakes.append((images.cpu(), maps))
        elif self.network is None and sum(len(kept) for kept, _ in self._reals) < self.options["examples"]:
            self._reals.append((images.cpu(), maps))

    def compute(self) -> dict[str, float]:
        """The scores of the fakes since the last reset."""
        if not self._fakes:
            raise ValueError("the metric 'segmentation' needs at least one fake")
        if self.network is None:
            self._learn()
        return {**self._scores(*_joined(self._fakes)), **self._bound}

    def _learn(self) -> None:
        """Make the small network, and see what it tells of reals."""
        images, maps = _joined(self._reals)
        images, maps = images[: self.options["examples"]], maps[: self.options["examples"]]
        kept = torch.arange(len(images)) % _HELD_OUT == 0
        made = SegmentationNetwork(self.channels, self.classes, self.options["width"], self.options["metric_seed"])
        made.learn(images[~kept], maps[~kept], self.options["passes"])
        self.network, self._reals = made, []
        self._bound = {f"real_{name}": value for name, value in self._scores(images[kept], maps[kept]).items()}

    def _scores(self, images: Tensor, maps: Tensor) -> dict[str, float]:
        return agreement(self.network.segment(images).cpu(), maps, self.classes, self.unknown)


def agreement(seen: Tensor, maps: Tensor, classes: int, unknown: Natural | None = None) -> dict[str, float]:
    """Mean intersection over union, and accuracy, of classes (N, H, W) that were seen and those of maps."""
    counted = torch.ones_like(maps, dtype=torch.bool) if unknown is None else maps != unknown
    counts = torch.bincount(maps[counted] * classes + seen[counted], minlength=classes**2).view(classes, classes)
    both = counts.diagonal().double()
    either = counts.sum(0) + counts.sum(1) - both
    shown = either > 0
    if unknown is not None:
        shown[unknown] = False
    return {
        "miou": float((both[shown] / either[shown]).mean()),
        "accuracy": float(both.sum() / counts.sum().clamp_min(1)),
    }


def _joined(parts: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    images, maps = zip(*parts, strict=True)
    return torch.cat(images), torch.cat(maps)

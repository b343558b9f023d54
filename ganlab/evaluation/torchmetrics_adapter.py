"""Metrics of torchmetrics, such as FID and KID, as metrics of the platform."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from torch import Tensor


class TorchmetricsAdapter:
    """Wraps a torchmetrics metric that is updated with `(imgs, real)`, or with images only, and names its outputs.

    `outputs` has one name for each number that the metric computes; an empty name leaves a number out. Grey images
    are shown as RGB. The reals are kept over `reset`, and nothing is exchanged between processes, because the
    platform shows all images to one of them.
    """

    def __init__(self, metric: Any, outputs: Sequence[str]) -> None:
        self.metric = metric
        self.outputs = tuple(outputs)
        self.sees_reals = "real" in inspect.signature(metric.update).parameters
        self.needs = frozenset({"reals", "fakes"} if self.sees_reals else {"fakes"})
        if getattr(metric, "higher_is_better", None) is not None:
            self.higher_is_better = {self.outputs[0]: bool(metric.higher_is_better)}  # others are deviations
        metric.sync_on_compute = False
        metric.dist_sync_on_step = False
        if hasattr(metric, "reset_real_features"):
            metric.reset_real_features = False

    def update(self, images: Tensor, real: bool) -> None:
        """Show uint8 images (N, C, H, W)."""
        images = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
        self.metric.to(images.device)
        if self.sees_reals:
            self.metric.update(images, real=real)
        else:
            self.metric.update(images)

    def compute(self) -> dict[str, float]:
        """The numbers by their names."""
        computed = self.metric.compute()
        numbers = computed if isinstance(computed, tuple | list) else [computed]
        return {name: float(number) for name, number in zip(self.outputs, numbers, strict=True) if name}

    def reset(self) -> None:
        """Forget the fakes."""
        self.metric.reset()

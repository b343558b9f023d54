"""What metrics and the extractors of their features pass to the platform and get from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from ganlab.randomness import Randomness


class Metric(Protocol):
    """Kind `metrics`: says something of fakes, mostly by comparing them with reals.

    The class may have `needs`, a set of what it gets: `reals` and `fakes`, which is the default; `targets`, the image
    of the held-out example that each fake was made for; `inputs`, what it was made from; and `generator`, see
    `GeneratorMetric`. Nothing else is shown to it.

    `update` gets uint8 images (N, C, H, W), or float vectors (N, D), and, if it has arguments of these names, `labels`
    (N,), `inputs` (a mapping of tensors) and for fakes `targets` (as the images), which are None for reals. A metric
    that sees no fakes has `inputs`, those of the reals, without the word in `needs`.
    `higher_is_better` says how to read the numbers: a bool for all, or a mapping from names that `compute` returns.
    Sequences are shown frame by frame, (N * T, C, H, W), and its constructor gets the facts of frames; one that says
    `of_sequences = True`, such as a metric of motion, gets those of the sequences. Inputs stay whole.
    The platform shows the reals once, then calls `reset` (forget the fakes, keep what was learned of the reals),
    `update` with fakes, and `compute`.
    """

    def update(self, images: Tensor, real: bool) -> None: ...
    def compute(self) -> Mapping[str, float]: ...
    def reset(self) -> None: ...


class GeneratorMetric(Protocol):
    """Kind `metrics`, with `generator` among its `needs`: looks at the generator itself, such as at its smoothness.

    `measure` gets the architecture (a `GANModule`, in evaluation mode, without gradients), for its `draw`, `render` and
    `averaged_model`, and `random` with a row for each sample that was asked for. It is called on the first rank only,
    after the fakes, before `compute`. One that also needs reals or fakes has `update`, too.
    """

    def measure(self, module: Any, random: Randomness) -> None: ...
    def compute(self) -> Mapping[str, float]: ...
    def reset(self) -> None: ...


class FeatureMetric(Protocol):
    """Kind `metrics`, of features: compares those of fakes with those of reals, in the space of its `extractor`.

    `compare` gets `ganlab.evaluation.feature_set.Features`. The platform extracts them, once for all metrics whose
    extractors have the same `protocol`, on all ranks, and keeps those of reals between runs. `needs` may be `fakes`
    alone: then `reals` is None. If `compare` has arguments of these names, it also gets `training`, features of all
    training examples (of the first `examples` of them, if the metric says so), and `held_out`, those of the held-out
    examples, or None. A metric that reads nothing but means and covariances says `moments_only = True`: it can then be
    compared with published statistics. `notes`, if there is such a method, has sentences on how far the numbers of the
    last `compare` can be trusted.
    """

    extractor: Extractor

    def compare(self, reals: Any, fakes: Any) -> Mapping[str, float]: ...


class Extractor(Protocol):
    """Kind `extractors`: features of images, for metrics, neighbours and perceptual terms.

    uint8 images (N, C, H, W), or floats from 0 to 255 that were not rounded, become float features (N, D) on their
    device, each row a function of its image alone. `protocol` says in plain values all that the features depend on,
    such as the `network`, a hash of its weights and how images are resized.

    One whose features are means over the places of an image has `places(images)`, maps (N, D, H, W) of which the
    features are the means. One that classifies has `logits(features)`, class scores (N, K). One that learns from the
    data has `learn(reals)`, which gets pairs of training images and labels (or None), block by block, up to `examples`
    of them; `state()`, tensors by name; and `restore(state)`. The platform keeps the state between runs.
    """

    @property
    def protocol(self) -> Mapping[str, Any]: ...

    def __call__(self, images: Tensor) -> Tensor: ...

"""What the platform and its plugins pass to each other.

Leaf kinds are Protocols: an author keeps the signature and imports nothing. The annotations below also mark the
slots of a constructor: an argument annotated `Loss` is a nested node of kind `losses` in a spec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from ganlab.facts import INJECTED_FACTS, DataFacts, InputFacts
from ganlab.metric_contracts import Extractor, FeatureMetric, GeneratorMetric, Metric
from ganlab.randomness import Randomness
from ganlab.schedules import Schedule, Scheduled
from ganlab.views import Fakes, Latents, Scores, Views, named


@dataclass
class Examples:
    """Real examples of a further domain of the data: `images`, `labels` and `inputs` as in a `Batch`."""

    images: Tensor
    labels: Tensor | None = None
    inputs: Mapping[str, Tensor] = field(default_factory=dict)

    def rows(self, rows: slice) -> Examples:
        """Some of the examples."""
        labels = None if self.labels is None else self.labels[rows]
        return Examples(self.images[rows], labels, {name: value[rows] for name, value in self.inputs.items()})


@dataclass
class Batch:
    """Real examples and everything that a player's terms need to make fakes beside them.

    `images` is float in [-1, 1], (N, C, H, W), (N, T, C, H, W) for sequences, or (N, D) for vectors; `labels` is int64
    (N,) or None; `inputs` are a data set's further fields by name: images in [-1, 1], maps int64, numbers float;
    `random` gives this batch's slice of the random numbers; `further` holds as many examples of each further domain,
    which do not belong to these.
    """

    images: Tensor
    labels: Tensor | None
    random: Randomness
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    further: Mapping[str, Examples] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inputs = named("input of the data", self.inputs)
        self.further = named("further domain of the data", self.further)

    def __len__(self) -> int:
        return len(self.images)

    def split(self, size: int | None) -> list[Batch]:
        """Consecutive parts of at most `size` examples (one part when `size` is None)."""
        if size is None or size >= len(self):
            return [self]
        return [self._rows(start, min(size, len(self) - start)) for start in range(0, len(self), size)]

    def scoped(self, *names: int | str) -> Batch:
        """The same examples with independent random numbers."""
        return replace(self, random=self.random.scoped(*names))

    def _rows(self, start: int, count: int) -> Batch:
        rows = slice(start, start + count)
        part = Examples(self.images, self.labels, self.inputs).rows(rows)
        further = {name: examples.rows(rows) for name, examples in self.further.items()}
        return Batch(part.images, part.labels, self.random.slice(start, count), part.inputs, further)


@runtime_checkable
class WithStyles(Protocol):
    """What an architecture (a `GANModule`) offers besides `draw` and `render` if its generator has styles.

    `map` makes styles (N, layers, size) of latents, one vector for each layer, the coarsest first, and `synthesise`
    images of styles: together they are `render`, whose sampling options are the further keyword arguments of both.
    `style_layers` are as many of the layers as images are made of now; `mean_style` is the mean vector (size,) of
    training. `style_weights` has what each of these layers makes of its style by a linear map, as matrices
    (outputs, size); it is empty where styles enter otherwise.
    """

    def map(self, latents: Latents, *, averaged: bool = True) -> Tensor: ...
    def synthesise(self, styles: Tensor, *, averaged: bool = True) -> Tensor: ...
    def style_layers(self) -> int: ...
    def mean_style(self, *, averaged: bool = True) -> Tensor: ...
    def style_weights(self, *, averaged: bool = True) -> Sequence[Tensor]: ...


@runtime_checkable
class WithEncoder(Protocol):
    """What an architecture (a `GANModule`) offers besides `draw` and `render` if it finds the latents of images.

    `encode` makes latents (N, ...) as `render` takes them of images in [-1, 1], with their labels if there are any;
    where it knows a distribution of these, the mean.
    """

    def encode(self, images: Tensor, labels: Tensor | None = None, *, averaged: bool = True) -> Tensor: ...


@runtime_checkable
class WithMotion(Protocol):
    """What an architecture (a `GANModule`) offers besides `render` if its samples can move.

    `animate` makes films (N, frames, C, H, W) in [-1, 1], one for each row of `random`; its further keyword arguments
    are options of `ganlab animate`.
    """

    def animate(self, random: Randomness, frames: int, *, averaged: bool = True) -> Tensor: ...


class Generator(Protocol):
    """Slot of kind `generators`: an `nn.Module`; how it is called is between it and its architecture.

    One that maps latents to images says how many numbers it takes in `latent_size`. One that takes shares of classes
    (N, classes) as well as labels (N,) says `blends_labels = True` (see `ganlab.nn.class_shares`).
    """

    latent_size: int

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]: ...


class Discriminator(Protocol):
    """Slot of kind `discriminators`: an `nn.Module`; how it is called is between it and its architecture.

    It returns logits, or `Scores` where there are features or further heads as well.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor | Scores: ...
    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]: ...


class Loss(Protocol):
    """Kind `losses`: scalars to minimise, from logits (N,) or (N, ...) of reals and fakes in the same order.

    A loss with `needs_real_logits = True` gets the reals' logits on the generator's side too; others get None there.
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor: ...
    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor: ...


class Regularizer(Protocol):
    """Kind `regularizers`: an unweighted scalar penalty from the views that it names in `requires`.

    `side` is the player whose terms it joins. Weight and lazy interval live in the spec. One that rewards its player,
    so that its values may be negative, says so with `is_reward = True`. One with state is an `nn.Module`: its buffers
    are saved, its parameters are trained by the player on its side. Averages over updates are `ganlab.nn.RunningMean`s;
    other state changes in `after_update` (see `Constraint`), once for all parts of a batch. One whose penalty is made
    of a gradient names the players whose networks are differentiated twice in `differentiates_twice`, a frozenset:
    `trainer.compile` cannot take these.
    """

    side: ClassVar[str]
    requires: ClassVar[frozenset[str]]

    def penalty(self, views: Views) -> Tensor: ...


class Constraint(Protocol):
    """Kind `regularizers` without a penalty: what is done to a player's module after its updates.

    The platform calls `after_update`, without gradients, when the player's optimizer has made its step; a regularizer
    is called after those updates that its interval `every` makes due.
    """

    side: ClassVar[str]
    requires: ClassVar[frozenset[str]]

    def after_update(self, player: nn.Module) -> None: ...


@dataclass
class WeightedRegularizer:
    """A regularizer with the platform's part of its node: weight and lazy interval (in updates of its player)."""

    name: str
    regularizer: Regularizer | Constraint
    weight: Scheduled = 1.0
    every: int = 1


class Normalizer(Protocol):
    """Kind `normalizers`: `weight` changes a layer's weight, `activation` makes a module for its output.

    `weight(layer)` returns the layer (changed in place or wrapped). `activation(channels, condition)` returns a
    module called as `module(x)`, or `module(x, vector)` when `condition`, the size of a conditioning vector, is
    given; it takes (N, C) as well as (N, C, H, W). One whose gain and bias can also be made from a map says
    `takes_maps = True` and has a third argument, `spatial`, the channels of the map: the module is then called as
    `module(x, maps)`, with (N, C, H, W) and (N, spatial, ...) of any size. Networks that need this build it by
    `ganlab.nn.spatial_activation`, which refuses all others with a sentence.
    """

    def weight(self, layer: nn.Module) -> nn.Module: ...
    def activation(self, channels: int, condition: int | None = None) -> nn.Module: ...


class Augmentation(Protocol):
    """Kind `augmentations`: a module on images in [-1, 1], called alike for reals and fakes.

    `random` makes its draws a function of the step. An adaptive one also has `observe(real_logits)`, which is called
    at the end of each pass of the discriminator and may return scalars to log by name; its state lives in buffers,
    which have to be equal on all ranks: it takes means over them (`ganlab.distributed.mean_over_ranks`).
    """

    def __call__(self, images: Tensor, random: Randomness) -> Tensor: ...


class LatentWrapper(Protocol):
    """Kind `latents`: what is done to latents before fakes are made of them in training.

    `make(latents)` makes fakes of latents, `judge(fakes)` is the discriminator's opinion of them; the wrapper returns
    the fakes to train with, and may add `terms` to them, which join the terms of the player whose update it is.
    `random` is for draws of its own. One with `differentiates = True` works with gradients in the discriminator's
    update as well, where fakes are otherwise made without a graph. One with state is an `nn.Module`.
    """

    def __call__(
        self,
        make: Callable[[Tensor], Fakes],
        latents: Tensor,
        judge: Callable[[Fakes], Scores],
        random: Randomness,
    ) -> Fakes: ...


class Dataset(Protocol):
    """Kind `datasets`: a map-style data set; loaders, order and seeds belong to the platform.

    An example is a mapping with `images` (a tensor of `facts.shape` in its stored type), `label` (an int) where
    `facts.classes` is above 0, and a tensor for each of `facts.inputs`; it is a function of the index alone.

    What a data set may have besides: `take(indices) -> mapping` of stacked tensors under the same names, where many
    can be fetched at once; `take_reduced(indices, resolution)`, where there are smaller versions of its images,
    whose larger side has that resolution; `take_windows(indices, places, frames)`, where its sequences are longer
    than its examples, for windows of `frames` frames at places (N,) from 0, the begin, to 1, the end; `prepare()`,
    where there are files to make, which is called once on each machine before an example is read; `inspect()` (see
    `ganlab.data.records`) where it is made of files; `every_label()`, the labels of all examples in order, where
    they are known without reading these, and None where there are none; `held_out`, a data set of examples that
    training never sees; and `further`, data sets of other domains by name, whose examples do not belong to these.
    """

    facts: DataFacts

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...


Made = TypeVar("Made", covariant=True)


class Factory(Protocol[Made]):
    """Slot of a node that can be built several times: `Factory[Generator]` is written as one node of the generators.

    Each call builds a new instance, initialised independently, with its own instances of whatever is nested in it.
    Keywords change options of the node, or facts of the data (such as `resolution`), for this instance. Call it in the
    constructor, so that the run's seed decides the initialisation and checkpoints find what they belong to.
    """

    def __call__(self, **changes: Any) -> Made: ...


OptimizerFactory = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
"""Kind `optimizers`, with its options bound: parameters -> optimizer."""


@dataclass
class PlayerOptimizer:
    """An optimizer's node: the factory, the schedules of its options, and the platform's part.

    `clip` is the largest norm of a player's whole gradient, None for no clipping. `options` are those that the factory
    was given, at the start of the training: they hold where a checkpoint has others.
    """

    factory: OptimizerFactory
    schedules: Mapping[str, Any] = field(default_factory=dict)
    clip: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """What a plugin returns that stands for several nodes, such as a loss with its usual penalties.

    `nodes` are the keys of the node that holds the preset and what to put there, written as in a spec. The preset
    itself is replaced; lists are put in front of what the spec lists, without nodes whose name the spec lists
    itself; other keys are used where the spec does not set them. See `docs/write-a-plugin.md`.
    """

    nodes: Mapping[str, Any]


__all__ = [
    "INJECTED_FACTS",
    "Augmentation",
    "Batch",
    "Constraint",
    "DataFacts",
    "Dataset",
    "Discriminator",
    "Examples",
    "Extractor",
    "Factory",
    "Fakes",
    "FeatureMetric",
    "Generator",
    "GeneratorMetric",
    "InputFacts",
    "LatentWrapper",
    "Latents",
    "Loss",
    "Metric",
    "Normalizer",
    "OptimizerFactory",
    "PlayerOptimizer",
    "Preset",
    "Regularizer",
    "Schedule",
    "Scheduled",
    "Scores",
    "Sequence",
    "Views",
    "WeightedRegularizer",
    "WithEncoder",
    "WithMotion",
    "WithStyles",
]

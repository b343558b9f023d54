"""What a game makes and judges, and what it shows of that to regularizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ganlab.errors import MissingPart
from ganlab.randomness import Randomness

Part = TypeVar("Part")


class Named(dict[str, Part]):
    """Parts by name; asking for one that is not there ends in a sentence that says what is. `what` they are."""

    def __init__(self, what: str, parts: Mapping[str, Part]) -> None:
        super().__init__(parts)
        self.what = what

    def __missing__(self, name: str) -> Part:
        raise MissingPart(f"there is no {self.what} '{name}'; there are: {', '.join(self) or 'none'}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, dict(self))


def named(what: str, parts: Mapping[str, Part]) -> Named[Part]:
    """The parts as `Named`, which they may be already."""
    return parts if isinstance(parts, Named) else Named(what, parts)


@dataclass(kw_only=True)
class Latents:
    """What determines samples: row i of everything belongs to sample i.

    `values` are the latents (N, ...), empty for games that start from inputs alone; `random` is what layers of the
    networks draw their noise from. A family may add fields of its own, such as codes, in a subclass.
    """

    values: Tensor
    labels: Tensor | None = None
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    random: Randomness | None = None

    def __post_init__(self) -> None:
        self.inputs = named("input", self.inputs)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(kw_only=True)
class Fakes:
    """What a game made beside a batch of reals; both its players see the same object.

    `labels` and `inputs` are those that the images were made for, which need not be those of the reals. `terms` join
    the terms of the player whose update it is. A family adds what else it made (styles, codes) in a subclass: each
    further field is a view of its own name.
    """

    images: Tensor
    latents: Tensor
    labels: Tensor | None = None
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    terms: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inputs = named("input", self.inputs)


@dataclass(kw_only=True)
class Scores:
    """What a discriminator said in one pass.

    `logits` are (N,), or (N, ...) where it judges places of an image; `further_logits` are those of other scales.
    `features` are what its layers saw, the last layer's input last; `class_scores` (N, classes) are those of an
    auxiliary classifier, which the plain game trains; `heads` are further outputs by name, such as `poses`, for the
    game that knows them. A discriminator returns this, or its logits alone.
    """

    logits: Tensor
    features: Sequence[Tensor] = ()
    heads: Mapping[str, Tensor] = field(default_factory=dict)
    further_logits: Sequence[Tensor] = ()
    class_scores: Tensor | None = None

    def __post_init__(self) -> None:
        self.heads = named("head", self.heads)

    @property
    def scales(self) -> tuple[Tensor, ...]:
        """The logits of all scales."""
        return (self.logits, *self.further_logits)


def as_scores(answer: Tensor | Scores) -> Scores:
    """A discriminator's answer as `Scores`."""
    return answer if isinstance(answer, Scores) else Scores(logits=answer)


class Views:
    """What a player offers to regularizers, by name; what costs a pass is computed when it is first read.

    Tensors: `real_images`, `labels`, `inputs` and, of the fakes, `fake_images`, `fake_labels`, `fake_inputs`,
    `latents` and whatever the family made besides, such as `styles`. Of the pass that the loss is about: `real_scores`
    and `fake_scores` with their parts `real_logits`, `fake_logits`, `real_features`, `fake_features`, `real_heads` and
    `fake_heads`. `real_gradient` and `fake_gradient` are the gradients of the logits by the images, of the images'
    shape, which can be differentiated again, for the discriminator; penalties on them share
    the loss's pass, where they have its precision. A regularizer that reads one names it in `requires`.

    Callables: `discriminate(images, labels, inputs)` gives logits of other images; labels and inputs may be left out
    where fakes have those of the reals. `generate(latents, labels, inputs)` makes images, with the fakes' labels and
    inputs without others;
    `draw_latents(random)` draws latents. Then there are `random` and the modules, `discriminator` and `generator`.
    """

    real_images: Tensor
    fake_images: Tensor
    labels: Tensor | None
    fake_labels: Tensor | None
    inputs: Mapping[str, Tensor]
    fake_inputs: Mapping[str, Tensor]
    latents: Tensor
    real_scores: Scores
    fake_scores: Scores
    real_logits: Tensor
    fake_logits: Tensor
    real_features: Sequence[Tensor]
    fake_features: Sequence[Tensor]
    real_heads: Mapping[str, Tensor]
    fake_heads: Mapping[str, Tensor]
    real_gradient: Tensor
    fake_gradient: Tensor
    discriminate: Callable[..., Tensor]
    generate: Callable[..., Tensor]
    draw_latents: Callable[[Randomness], Tensor]
    random: Randomness
    discriminator: nn.Module
    generator: nn.Module

    def __init__(self, lazily: Mapping[str, Callable[[], Any]] | None = None, **named: Any) -> None:
        self._lazily = dict(lazily or {})
        self._named = named

    def __getattr__(self, name: str) -> Any:
        named, lazily = self.__dict__.get("_named", {}), self.__dict__.get("_lazily", {})
        if name in named:
            return named[name]
        if name not in lazily:
            raise AttributeError(f"this player offers no view '{name}'; it offers: {', '.join(sorted(self))}")
        named[name] = lazily[name]()
        return named[name]

    def __contains__(self, name: str) -> bool:
        return name in self._named or name in self._lazily

    def __iter__(self) -> Any:
        return iter({*self.__dict__.get("_named", {}), *self.__dict__.get("_lazily", {})})


GAME_VIEWS = frozenset(name for name in Views.__annotations__ if not name.startswith("_"))
"""The views of the plain game."""

GRADIENT_VIEWS = frozenset({"real_gradient", "fake_gradient"})
"""Those that are for the discriminator alone."""


def further_views(made: type) -> frozenset[str]:
    """Names of the views that a subclass of `Fakes` adds."""
    return frozenset(part.name for part in fields(made)) - {part.name for part in fields(Fakes)}


def full_precision(answer: Any) -> Any:
    """What networks made with half-precision numbers as float32, also inside of `Fakes`, `Scores` and collections.

    What holds none comes back itself.
    """
    if isinstance(answer, Tensor):
        return answer.float() if answer.dtype in (torch.bfloat16, torch.float16) else answer
    if isinstance(answer, Scores | Fakes):
        changes = _changed({part.name: getattr(answer, part.name) for part in fields(answer)})
        return replace(answer, **changes) if changes else answer
    if isinstance(answer, Mapping):
        changes = _changed(answer)
        return {**answer, **changes} if changes else answer
    if isinstance(answer, list | tuple) and type(answer) in (list, tuple):
        converted = [full_precision(value) for value in answer]
        alike = all(new is old for new, old in zip(converted, answer, strict=True))
        return answer if alike else type(answer)(converted)
    return answer


def _changed(parts: Mapping[str, Any]) -> dict[str, Any]:
    converted = {name: full_precision(value) for name, value in parts.items()}
    return {name: value for name, value in converted.items() if value is not parts[name]}

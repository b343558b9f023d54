"""What the discriminators of films see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganlab import InputFacts, Scores
from ganlab.contracts import Discriminator, Factory
from ganlab.views import as_scores
from ganlab_video.clips import Clip, films
from ganlab_video.generator import FLOW_SCALE
from ganlab_video.region import Region

FRAMES, REGION = "frames", "region"


@dataclass(frozen=True)
class Display:
    """What one discriminator sees of reals and of fakes, images (N, C, H, W) each, beside stacks of their maps.

    Of a region not every frame has something: `there` (N,) says which. `weight` is that of its terms for the generator.
    """

    name: str
    reals: Tensor
    fakes: Sequence[Tensor]
    maps: Tensor | None = None
    labels: Tensor | None = None
    there: Tensor | None = None
    weight: float = 1.0

    @property
    def term(self) -> str:
        """The name of its loss in the log."""
        return "loss" if self.name == FRAMES else self.name

    def judged(self, judge: Any, images: Tensor) -> Scores:
        """What the discriminator says of these images."""
        seen = (images, self.labels) if self.maps is None else (images, self.labels, self.maps)
        return as_scores(judge(*seen))

    def counted(self, value: Callable[[Scores, Scores], Tensor], first: Scores, second: Scores) -> Tensor:
        """A mean over images, of two scores; images without anything of the region count as 0."""
        if self.there is None:
            return value(first, second)
        pairs = zip(_rows(first, len(self.there)), _rows(second, len(self.there)), strict=True)
        return (torch.stack([value(*pair) for pair in pairs]) * self.there).mean()


@dataclass(frozen=True)
class FilmDisplays:
    """What judges of films see: `length` frames at each of so many strides, with the motion between them or without."""

    length: int
    scales: int
    motion: bool

    @property
    def strides(self) -> list[int]:
        """Frames from one to the next that is seen: 1, `length`, its square, and so on."""
        return [self.length**scale for scale in range(self.scales)]

    @property
    def spans(self) -> list[int]:
        """Frames before the last one that are seen, for each stride."""
        return [stride * (self.length - 1) for stride in self.strides]

    def channels(self, colours: int) -> int:
        """Channels of what is seen of frames of so many colours."""
        return self.length * colours + (2 * (self.length - 1) if self.motion else 0)


@dataclass(frozen=True)
class Judging:
    """Which frames of a clip discriminators see, and how.

    Single frames beside their maps, and where the generator `moves` frames, what was drawn anew as well; a `region` of
    them, if there is one; and films.
    """

    past: int
    moves: bool
    films: FilmDisplays
    region: Region | None = None

    def judges(
        self,
        shape: tuple[int, ...],
        inputs: Mapping[str, InputFacts],
        of_frames: Factory[Discriminator],
        of_films: Factory[Discriminator] | None,
        of_region: Factory[Discriminator] | None,
    ) -> dict[str, Any]:
        """The discriminators, by their names, for frames of this shape (C, H, W)."""
        made: dict[str, Any] = {FRAMES: of_frames(shape=shape, inputs=inputs)}
        if of_films is not None:
            seen = (self.films.channels(shape[0]), *shape[1:])
            made |= {f"films_{stride}": of_films(shape=seen, inputs={}) for stride in self.films.strides}
        if self.region is not None and of_region is not None:
            side = self.region.side(*shape[1:])
            made[REGION] = of_region(shape=(shape[0], side, side), inputs=self.region.facts(inputs, shape))
        return made

    def displays(self, clip: Clip, fakes: Tensor, raws: Tensor, labels: Tensor | None) -> Iterator[Display]:
        """What each discriminator sees of a clip and its fakes (N, F, C, H, W), if it sees anything."""
        maps = clip.maps[:, self.past :].flatten(0, 1)
        reals, made = clip.new_reals.flatten(0, 1), fakes.flatten(0, 1)
        of_each = None if labels is None else labels.repeat_interleave(clip.new_reals.shape[1])
        yield Display(FRAMES, reals, [made, raws.flatten(0, 1)] if self.moves else [made], maps, of_each)
        if self.region is not None:
            *place, there = self.region.find(maps)
            reals, made, maps = (self.region.cut(each, *place) for each in (reals, made, maps))
            yield Display(REGION, reals, [made], maps, of_each, there.to(reals.dtype), self.region.weight)
        whole = torch.cat([clip.made, fakes], dim=1)
        for stride, span in zip(self.films.strides, self.films.spans, strict=True):
            ends = range(max(clip.before, span), clip.reals.shape[1])
            if ends:
                shown = [self._films(of, clip.flows, ends, stride) for of in (clip.reals, whole)]
                of_each = None if labels is None else labels.repeat_interleave(len(ends))
                yield Display(f"films_{stride}", shown[0], shown[1:], labels=of_each)

    def _films(self, frames: Tensor, flows: Tensor | None, ends: range, stride: int) -> Tensor:
        shown = [films(frames, flows, end, self.films.length, stride, FLOW_SCALE) for end in ends]
        return torch.stack(shown, dim=1).flatten(0, 1)


def _rows(scores: Scores, count: int) -> list[Scores]:
    """What is said of each image."""
    return [
        Scores(
            logits=scores.logits[row : row + 1],
            further_logits=tuple(logits[row : row + 1] for logits in scores.further_logits),
            features=tuple(features[row : row + 1] for features in scores.features),
        )
        for row in range(count)
    ]

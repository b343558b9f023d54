"""Handwritten digits that move and turn on a canvas, with label maps and the motion of every pixel."""

from __future__ import annotations

import colorsys
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from ganlab.bounds import Seed, Steps
from ganlab.contracts import DataFacts
from ganlab.facts import InputFacts
from ganlab.randomness import derive_seed
from ganlab_datasets.digits import Digits

_VERSION = 1  # of the films, which a change of the drawing changes
_DIGITS = 10
_SHARE = 0.5  # of the canvas' side that a digit's side has
_BELONGS = 0.4  # of the ink, from which on a pixel belongs to its digit
_STRIPES = 3.0  # of a digit's side
_PATCHES = 4  # of the ground, along each side


@dataclass(frozen=True)
class _Film:
    """The digits of a film: `ink` (D, 1, S, S) and colours (D, 3), with their poses in all frames.

    `places` (T, D, 2) are centres in pixels, right and down, `angles` (T, D) in radians; `stripes` (D, 3) are
    direction, phase and strength.
    """

    ink: Tensor
    classes: Tensor
    colours: Tensor
    stripes: Tensor
    places: Tensor
    angles: Tensor
    ground: Tensor


class MovingDigits:
    """Films of real digits that move straight on, are thrown back by the edges, and turn; three channels in bytes.

    A digit's hue tells its class. Its brightness, the stripes on it, which move with it, and the pattern of the ground
    are drawn for each film and stand in no map, so that one film of maps has many right films, each of which stays like
    itself. The input `label_map` (T, 1, H, W) has 0 for the ground and 1 + d for the digit d, a pixel as a whole; the
    input `flow` (T, 3, H, W) says where each pixel was in the frame before, which is known unless it was hidden. A
    film is a function of its number, of the seed and of the options, and is made when it is read; hold some out by
    `holdout`.

    Args:
        resolution: side of a frame.
        frames: frames of a film.
        digits: how many digits a film has; the last one is in front.
        size: how many films there are.
        speed: most pixels that a digit moves on from a frame to the next.
        turn: most degrees that it turns meanwhile.
        seed: seed of all that is random.
    """

    example: ClassVar[Mapping[str, Any]] = {"resolution": 16, "frames": 3, "size": 12}

    def __init__(
        self,
        resolution: Annotated[int, Ge(8), Le(1024)] = 32,
        frames: Steps = 8,
        digits: Annotated[int, Ge(1), Le(20)] = 2,
        size: Annotated[int, Ge(1), Le(10_000_000)] = 2000,
        speed: Annotated[float, Ge(0), Le(1000)] = 2.0,
        turn: Annotated[float, Ge(0), Le(360)] = 12.0,
        seed: Seed = 0,
    ) -> None:
        self.resolution, self.frames, self.digits = resolution, frames, digits
        self.speed, self.turn, self.seed = speed, math.radians(turn), seed
        self._source = Digits(16)
        told = (_VERSION, resolution, frames, digits, size, speed, turn, seed, self._source.facts.fingerprint)
        sides = (resolution, resolution)
        self.facts = DataFacts(
            shape=(frames, 3, *sides),
            size=size,
            fingerprint=hashlib.blake2b(f"moving digits {told}".encode(), digest_size=16).hexdigest(),
            frames=frames,
            inputs={
                "label_map": InputFacts((frames, 1, *sides), "maps", classes=1 + _DIGITS),
                "flow": InputFacts((frames, 3, *sides), "flows"),
            },
            extras={"map_classes": ("ground", *map(str, range(_DIGITS)))},
        )

    def __len__(self) -> int:
        return self.facts.size

    def __getitem__(self, index: int) -> dict[str, Any]:
        film = self._film(index)
        spots = _spots(film, self.resolution)
        ink = grid_sample(
            film.ink.repeat(self.frames, 1, 1, 1), spots.flatten(0, 1), align_corners=False, padding_mode="zeros"
        )[:, 0].view(self.frames, self.digits, self.resolution, self.resolution)
        owner = _owner(ink)
        classes = torch.cat([torch.zeros(1, dtype=torch.uint8), 1 + film.classes.to(torch.uint8)])
        return {
            "images": _painted(film, ink, spots),
            "label_map": classes[owner.long()][:, None],
            "flow": _motion(film, owner, self.resolution),
        }

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many films at once."""
        films = [self[index] for index in indices]
        return {name: torch.stack([film[name] for film in films]) for name in films[0]}

    def _film(self, index: int) -> _Film:
        chance = torch.Generator().manual_seed(derive_seed("moving digits", self.seed, index))
        count, side = self.digits, self.resolution

        def drawn(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
            return low + (high - low) * torch.rand(shape, generator=chance)

        chosen = torch.randint(len(self._source), (count,), generator=chance)
        assert self._source.labels is not None
        classes = self._source.labels[chosen]
        values = drawn(count, low=0.6, high=1.0).tolist()
        shown = [colorsys.hsv_to_rgb(digit / _DIGITS, 0.8, value) for digit, value in zip(classes, values, strict=True)]
        moments = torch.arange(self.frames)[:, None]
        margin = side * _SHARE / 2
        way = drawn(count, 2, low=margin, high=side - margin) + moments[..., None] * drawn(
            count, 2, low=-self.speed, high=self.speed
        )
        turns = drawn(count, low=-math.pi, high=math.pi) + moments * drawn(count, low=-self.turn, high=self.turn)
        pattern = drawn(1, 3, 1, 1, low=0.0, high=0.3) + drawn(1, 3, _PATCHES, _PATCHES, low=0.0, high=0.12)
        return _Film(
            ink=self._source.images[chosen].float() / 255,
            classes=classes,
            colours=torch.tensor(shown),
            stripes=torch.stack([drawn(count, high=math.pi), drawn(count, high=2 * math.pi), drawn(count)], dim=1),
            places=_thrown_back(way, margin, side - margin),
            angles=turns,
            ground=interpolate(pattern, (side, side), mode="bicubic", align_corners=False).clamp(0, 0.55)[0],
        )


def _thrown_back(way: Tensor, low: float, high: float) -> Tensor:
    """Places on a way between two walls."""
    span = high - low
    return low + span - ((way - low) % (2 * span) - span).abs()


def _spots(film: _Film, side: int) -> Tensor:
    """Where each pixel lies on each digit, (T, D, H, W, 2), from -1 to 1 along its sides, right and down."""
    half = side * _SHARE / 2
    away = _pixels(side) - film.places[:, :, None, None]
    cosine, sine = film.angles.cos()[..., None, None], film.angles.sin()[..., None, None]
    right, down = away.unbind(-1)
    return torch.stack([cosine * right + sine * down, cosine * down - sine * right], dim=-1) / half


def _pixels(side: int) -> Tensor:
    """The middles of pixels (H, W, 2), right and down."""
    along = torch.arange(side) + 0.5
    return torch.stack(torch.meshgrid(along, along, indexing="xy"), dim=-1)


def _owner(ink: Tensor) -> Tensor:
    """To which digit, from 1 on, a pixel belongs (T, H, W): the one in front; 0 is the ground."""
    numbers = torch.arange(1, ink.shape[1] + 1).view(1, -1, 1, 1)
    return torch.where(ink >= _BELONGS, numbers, 0).amax(1)


def _painted(film: _Film, ink: Tensor, spots: Tensor) -> Tensor:
    """The frames (T, 3, H, W) in bytes."""
    direction, phase, strength = (each[None, :, None, None] for each in film.stripes.unbind(1))
    along = spots[..., 0] * direction.cos() + spots[..., 1] * direction.sin()
    shade = 1 - 0.5 * strength * (0.5 + 0.5 * (math.pi * _STRIPES * along + phase).sin())
    picture = film.ground.expand(len(ink), -1, -1, -1)
    for digit in range(ink.shape[1]):
        cover = ink[:, digit, None]
        picture = picture + cover * (film.colours[digit][:, None, None] * shade[:, digit, None] - picture)
    return (picture * 255 + 0.5).to(torch.uint8)


def _motion(film: _Film, owner: Tensor, side: int) -> Tensor:
    """Where each pixel was before (T, 3, H, W): right, down, and whether that is known; of the first frame nothing is.

    It is not known where the pixel or what is around its former place belonged to something else, or was outside.
    """
    before = _before(film, owner, side)
    flow = before - _pixels(side)
    inside = ((before >= 0.5) & (before <= side - 0.5)).all(-1)
    known = inside & (_around(owner.roll(1, 0), before) == owner[..., None]).all(-1)
    known[0], flow[0] = False, 0
    return torch.cat([flow.permute(0, 3, 1, 2), known[:, None].float()], dim=1)


def _before(film: _Film, owner: Tensor, side: int) -> Tensor:
    """The places (T, H, W, 2), in the frame before, of what each pixel shows."""
    middles = _pixels(side)
    turns = film.angles.roll(1, 0) - film.angles
    cosine, sine = turns.cos()[..., None, None], turns.sin()[..., None, None]
    right, down = (middles - film.places[:, :, None, None]).unbind(-1)
    turned = torch.stack([cosine * right - sine * down, sine * right + cosine * down], dim=-1)
    of_digits = film.places.roll(1, 0)[:, :, None, None] + turned
    choices = torch.cat([middles.expand(len(owner), 1, -1, -1, -1), of_digits], dim=1)
    return choices.gather(1, owner.long()[:, None, ..., None].expand(-1, -1, -1, -1, 2))[:, 0]


def _around(owner: Tensor, places: Tensor) -> Tensor:
    """What the four pixels around places belong to (T, H, W, 4)."""
    side = owner.shape[-1]
    corner = (places - 0.5).floor().long()
    frames = torch.arange(len(owner)).view(-1, 1, 1)
    found = [
        owner[frames, (corner[..., 1] + down).clamp(0, side - 1), (corner[..., 0] + right).clamp(0, side - 1)]
        for down in (0, 1)
        for right in (0, 1)
    ]
    return torch.stack(found, dim=-1)

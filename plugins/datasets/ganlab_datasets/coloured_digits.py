"""The handwritten digits in colours: several things are known of an image, and one can be changed alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganlab.bounds import Seed
from ganlab.contracts import DataFacts
from ganlab.errors import DataError
from ganlab.facts import InputFacts
from ganlab.randomness import derive_seed
from ganlab_datasets.digits import Digits, Resolution
from ganlab_datasets.in_memory import InMemory, content_fingerprint

Colour = Literal["red", "green", "blue", "yellow", "magenta", "cyan", "white"]
Ground = Literal["black", "grey", "lined"]
Trait = Literal["colour", "digit", "ground", "barred"]

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (1.0, 0.2, 0.2),
    "green": (0.2, 0.9, 0.2),
    "blue": (0.3, 0.4, 1.0),
    "yellow": (1.0, 0.9, 0.2),
    "magenta": (0.9, 0.2, 0.9),
    "cyan": (0.2, 0.9, 0.9),
    "white": (1.0, 1.0, 1.0),
}
"""Red, green and blue of the ink, from 0 to 1."""

_DARKEST = 0.7  # of the brightness that an image's ink is drawn from
_GREY = 0.25
_DIGITS = 10


class ColouredDigits(InMemory):
    """The 1,797 digits of `digits`, each in one of some colours, on one of some grounds; all of it is independent.

    `labels` says which trait is the class of an image; `none` or false for no class. `attributes` is an input of that
    name with traits as zeros and ones, in the order that is given: colours and grounds in theirs, the ten digits, and
    `barred`; true stands for colour and digit. Grounds are black, grey, or lined, which is every other row grey. With
    `bars` half of the images have white columns at both sides, where digits have next to nothing. `part` takes every
    second digit, so that two data sets share none. `resolution` is a power of two of at least 8. The `seed` decides
    what an image looks like.
    """

    def __init__(
        self,
        resolution: Resolution = 16,
        colours: Sequence[Colour] = ("red", "green", "blue", "yellow"),
        labels: Literal["colour", "digit", "ground", "none", False] = "colour",
        attributes: bool | Sequence[Trait] = False,
        seed: Seed = 0,
        grounds: Sequence[Ground] = ("black",),
        bars: bool = False,
        part: Literal["all", "even", "odd"] = "all",
    ) -> None:
        _check_different("colours", colours, get_args(Colour))
        _check_different("grounds", grounds, get_args(Ground))
        digits = Digits(resolution)
        assert digits.labels is not None
        random = np.random.default_rng(derive_seed("coloured digits", seed))
        drawn = torch.from_numpy(random.integers(len(colours), size=len(digits)))
        brightness = torch.from_numpy(random.uniform(_DARKEST, 1, len(digits)))
        ground = torch.from_numpy(random.integers(len(grounds), size=len(digits)))
        barred = torch.from_numpy(random.integers(2, size=len(digits))) if bars else torch.zeros_like(drawn)
        inks = torch.tensor([COLOURS[name] for name in colours], dtype=torch.float64)[drawn] * brightness[:, None]
        images = _drawn(digits.images, inks, _grounds(grounds, resolution)[ground], barred)
        traits = {
            "colour": (drawn, tuple(colours)),
            "digit": (digits.labels, digits.facts.class_names),
            "ground": (ground, tuple(grounds)),
            "barred": (barred, ("barred",)),
        }
        chosen = torch.arange(len(images))[
            {"all": slice(None), "even": slice(0, None, 2), "odd": slice(1, None, 2)}[part]
        ]
        known, names = traits.get(labels or "none", (None, ()))
        known = None if known is None else known[chosen]
        told = ["colour", "digit"] if attributes is True else list(attributes or ())
        inputs = {"attributes": _attributes([traits[name] for name in told])[chosen]} if told else {}
        facts = DataFacts(
            shape=(3, resolution, resolution),
            size=len(chosen),
            fingerprint=content_fingerprint("coloured digits", images[chosen], known, *inputs.values()),
            class_names=names,
            inputs={name: InputFacts(tuple(value.shape[1:])) for name, value in inputs.items()},
            extras={"attributes": tuple(each for name in told for each in traits[name][1])} if told else {},
        )
        super().__init__(images[chosen], known, facts, inputs)


def _check_different(option: str, given: Sequence[str], allowed: Sequence[str]) -> None:
    if not given or len(set(given)) != len(given):
        raise DataError(f"'{option}' of coloured_digits are different ones of {', '.join(allowed)}")


def _drawn(ink: Tensor, inks: Tensor, grounds: Tensor, barred: Tensor) -> Tensor:
    """Digits (N, 1, H, W) as bytes, in inks (N, 3), on grounds (N, H, W), with bars where `barred` (N,) is 1."""
    shown = ink.double()
    images = shown * inks[:, :, None, None] + (255 - shown) * grounds[:, None]
    width = max(1, ink.shape[-1] // 8)
    for columns in (slice(0, width), slice(-width, None)):
        images[..., columns] = torch.where(barred[:, None, None, None] == 1, 255.0, images[..., columns])
    return (images + 0.5).to(torch.uint8)


def _grounds(names: Sequence[Ground], side: int) -> Tensor:
    """(grounds, side, side), from 0 to 1; lines are an eighth of the side high."""
    lines = (torch.arange(side) // max(1, side // 8) % 2).double()[:, None].expand(side, side)
    made = {"black": torch.zeros_like(lines), "grey": torch.ones_like(lines), "lined": lines}
    return torch.stack([made[name] for name in names]) * _GREY


def _attributes(traits: Sequence[tuple[Tensor, Sequence[str]]]) -> Tensor:
    """Traits with their names as zeros and ones (N, K)."""
    planes = [one_hot(values, len(names)) if len(names) > 1 else values[:, None] for values, names in traits]
    return torch.cat(planes, dim=1).to(torch.uint8)

"""The handwritten digits in colours: data in which two things are known of an image, and one can be changed alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganlab.contracts import DataFacts
from ganlab.errors import DataError
from ganlab.facts import InputFacts
from ganlab.randomness import derive_seed
from ganlab_datasets.digits import Digits
from ganlab_datasets.in_memory import InMemory, content_fingerprint

Colour = Literal["red", "green", "blue", "yellow", "magenta", "cyan", "white"]

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
_DIGITS = 10


class ColouredDigits(InMemory):
    """The 1,797 digits of `digits` on black, each in one of some colours; colour and digit are independent.

    `labels` says which of the two is the class of an image; `none` or false for neither. With `attributes` an input of
    that name holds both as zeros and ones: the colours in their order, then the ten digits. `resolution` is a power of
    two of at least 8. The `seed` decides which colour an image has, and how bright it is.
    """

    def __init__(
        self,
        resolution: int = 16,
        colours: Sequence[Colour] = ("red", "green", "blue", "yellow"),
        labels: Literal["colour", "digit", "none", False] = "colour",
        attributes: bool = False,
        seed: int = 0,
    ) -> None:
        if not colours or len(set(colours)) != len(colours):
            raise DataError(f"'colours' of coloured_digits are different ones of {', '.join(get_args(Colour))}")
        digits = Digits(resolution)
        assert digits.labels is not None
        random = np.random.default_rng(derive_seed("coloured digits", seed))
        drawn = torch.from_numpy(random.integers(len(colours), size=len(digits)))
        brightness = torch.from_numpy(random.uniform(_DARKEST, 1, len(digits)))
        inks = torch.tensor([COLOURS[name] for name in colours], dtype=torch.float64)[drawn] * brightness[:, None]
        images = (digits.images.double() * inks[:, :, None, None] + 0.5).to(torch.uint8)
        classes = {"colour": (drawn, tuple(colours)), "digit": (digits.labels, digits.facts.class_names)}
        known, names = classes.get(labels or "none", (None, ()))
        inputs = {"attributes": _attributes(drawn, len(colours), digits.labels)} if attributes else {}
        facts = DataFacts(
            shape=(3, resolution, resolution),
            size=len(images),
            fingerprint=content_fingerprint("coloured digits", images, known, *inputs.values()),
            class_names=names,
            inputs={name: InputFacts(tuple(value.shape[1:])) for name, value in inputs.items()},
            extras={"attributes": (*colours, *digits.facts.class_names)} if attributes else {},
        )
        super().__init__(images, known, facts, inputs)


def _attributes(colours: Tensor, count: int, digits: Tensor) -> Tensor:
    return torch.cat([one_hot(colours, count), one_hot(digits, _DIGITS)], dim=1).to(torch.uint8)

"""Samples whose codes are chosen: a value for all, or walks along some while all else stays."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganlab import UserError
from ganlab_infogan.codes import Codes

WALK = 2.0
"""A traversal of a continuous code leads from minus to plus this, which is beyond what training has seen, as in the
paper's pictures."""


class ChosenCodes:
    """What to set in the codes of samples.

    Args:
        codes: the codes of the game.
        chosen: values by number of the code, or walks as in `-2:2:9`: from, to, steps. Of several walks the last code's
            is the fastest.
        traverse: steps of a walk along every code, one after the other; null for none.

    Raises `UserError` for codes and values that there are not.
    """

    def __init__(self, codes: Codes, chosen: Mapping[int, float | str], traverse: int | None = None) -> None:
        self.codes = codes
        self.traverse = traverse
        self.walks = {index: self._values(index, value) for index, value in sorted(chosen.items())}
        walking = [index for index, values in self.walks.items() if len(values) > 1]
        if traverse is not None and walking:
            raise UserError(f"code {walking[0]} walks by itself already: leave 'traverse' out, or give it one value")

    @property
    def length(self) -> int:
        """Consecutive samples that differ by their chosen codes alone."""
        own = math.prod(len(values) for values in self.walks.values())
        return own if self.traverse is None else self.traverse * len(self.codes)

    def __call__(self, codes: Tensor, places: Tensor) -> Tensor:
        """Codes (N, size) of the samples with the numbers `places` (N,), with what is chosen in its place."""
        codes = codes.clone()
        stride = math.prod(len(values) for values in self.walks.values())
        for index, values in self.walks.items():
            stride //= len(values)
            self._set(codes, index, codes.new_tensor(values)[places // stride % len(values)])
        for index in range(len(self.codes)) if self.traverse else ():
            rows = places // self.traverse % len(self.codes) == index
            self._set(codes, index, self._along(index, codes)[places % self.traverse], rows)
        return codes

    def _along(self, index: int, like: Tensor) -> Tensor:
        """The values of a traversal of a code."""
        assert self.traverse is not None
        if index < len(self.codes.categorical):
            return torch.arange(self.traverse, device=like.device) % self.codes.categorical[index]
        return torch.linspace(-WALK, WALK, self.traverse, device=like.device)

    def _set(self, codes: Tensor, index: int, values: Tensor, rows: Tensor | None = None) -> None:
        """Put values (N,) of a code into the rows (N,) that are true, or into all."""
        categorical = self.codes.categorical
        if index < len(categorical):
            first, size = sum(categorical[:index]), categorical[index]
            new = one_hot(values.long(), size).to(codes)
        else:
            first, size = sum(categorical) + index - len(categorical), 1
            new = values[:, None].to(codes)
        place = slice(first, first + size)
        codes[:, place] = new if rows is None else torch.where(rows[:, None], new, codes[:, place])

    def _values(self, index: int, value: float | str) -> list[float]:
        if not 0 <= index < len(self.codes):
            raise UserError(f"there is no code {index}: the codes are 0 to {len(self.codes) - 1}")
        values = _walk(index, value) if isinstance(value, str) else [float(value)]
        if index < len(self.codes.categorical):
            values = [round(number) if isinstance(value, str) else number for number in values]
            count = self.codes.categorical[index]
            if wrong := [number for number in values if number not in range(count)]:
                raise UserError(f"code {index} is a category from 0 to {count - 1}, not {wrong[0]:g}")
        return values


def _walk(index: int, text: str) -> list[float]:
    """The numbers of `from:to:steps`."""
    try:
        start, end, steps = text.split(":")
        if int(steps) >= 1:
            return torch.linspace(float(start), float(end), int(steps), dtype=torch.float64).tolist()
    except ValueError:
        pass
    raise UserError(f"code {index} takes a number, or from:to:steps as in -2:2:9, not '{text}'")

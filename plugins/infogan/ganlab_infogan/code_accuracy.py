"""Whether a categorical code found the classes that nobody told it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Natural
from ganlab.data.scaling import scale
from ganlab.randomness import Randomness

_BLOCK = 256
_BYTES = (0.0, 255.0)


class CodeAccuracy:
    """The share of reals whose most likely category means their class (Chen et al., 2016, section 7.2).

    `code_accuracy` is for the best assignment of each category to a class of its own, `purity` for each category's
    most frequent class, so that it is no smaller. Training need not see the labels: networks with `conditional: false`
    do not. The assignment is made on the same examples; with `evaluation.reals: held_out` on some that training
    never saw.

    Args:
        facts: Facts of the data.
        code: number of the categorical code.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"code_accuracy": True, "purity": True}
    needs: ClassVar[frozenset[str]] = frozenset({"reals", "generator"})
    example_architecture: ClassVar[str] = "infogan"

    def __init__(self, facts: DataFacts, code: Natural = 0) -> None:
        if not facts.classes:
            raise UserError("code_accuracy compares codes with classes, and these data have none: leave it out")
        self.facts = facts
        self.code = code
        self.protocol = {"code": code}
        self._reals: list[Tensor] = []
        self._labels: list[Tensor] = []
        self.reset()

    def reset(self) -> None:
        """Forget what the last network said."""
        self._said: list[Tensor] = []

    def update(self, images: Tensor, real: bool, labels: Tensor | None) -> None:
        """Keep reals and their classes."""
        assert labels is not None
        self._reals.append(images.cpu())
        self._labels.append(labels.cpu())

    def measure(self, module: Any, random: Randomness) -> None:
        """Ask the recognition head about all reals."""
        if not hasattr(module, "recognise"):
            raise UserError(f"{type(module).__name__} recognises no codes; code_accuracy is for 'infogan'")
        if self.code >= len(module.codes.categorical):
            count = len(module.codes.categorical)
            raise UserError(f"code_accuracy is for a categorical code, of which there are {count}; {self.code} is none")
        value_range = _BYTES if self.facts.is_images else self.facts.value_range
        for block in torch.cat(self._reals).split(_BLOCK):
            answer = module.recognise(scale(block.to(module.device), value_range))
            self._said.append(module.codes.logits(answer)[self.code].cpu())

    def compute(self) -> dict[str, float]:
        """Both numbers."""
        logits = torch.cat(self._said)
        counts = np.zeros((logits.shape[1], self.facts.classes), dtype=np.int64)
        np.add.at(counts, (logits.argmax(1).numpy(), torch.cat(self._labels).numpy()), 1)
        return {"code_accuracy": best_assignment(counts), "purity": float(counts.max(1).sum() / counts.sum())}


def best_assignment(counts: np.ndarray) -> float:
    """The largest share of examples on the diagonal of counts (categories, classes), in any order of either."""
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return float(counts[rows, columns].sum() / counts.sum())

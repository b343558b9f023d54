"""Latent codes: how they are drawn, how much there is to know of them, and how likely an answer makes them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal
from torch.nn.functional import log_softmax, one_hot

from ganlab import Randomness

BOUND = 1.0
"""Continuous codes are uniform between minus and plus this."""


@dataclass(frozen=True)
class Codes:
    """Categorical codes, then continuous ones, as they stand in a vector: one-hot, then as they are.

    Args:
        categorical: number of values of each categorical code.
        continuous: how many continuous codes there are.
        learned_deviation: whether an answer says how sure it is of a continuous code, or always has deviation 1.
    """

    categorical: tuple[int, ...]
    continuous: int
    learned_deviation: bool = False

    def __len__(self) -> int:
        return len(self.categorical) + self.continuous

    @property
    def size(self) -> int:
        """Numbers in a vector of codes."""
        return sum(self.categorical) + self.continuous

    @property
    def outputs(self) -> int:
        """Numbers in an answer: logits of the categories, means and, if they are learned, logarithms of deviations."""
        return self.size + (self.continuous if self.learned_deviation else 0)

    def draw(self, random: Randomness) -> Tensor:
        """Codes (N, size), all values equally likely."""
        numbers = random.uniform("continuous codes", self.continuous) * (2 * BOUND) - BOUND
        values = [random.integers(f"categorical code {index}", count) for index, count in enumerate(self.categorical)]
        categories = [one_hot(drawn, count).to(numbers) for drawn, count in zip(values, self.categorical, strict=True)]
        return torch.cat([*categories, numbers], dim=1)

    def entropies(self) -> list[float]:
        """H(c) of each code in nats, the differential entropy for continuous ones."""
        return [*(math.log(count) for count in self.categorical), *[math.log(2 * BOUND)] * self.continuous]

    def log_likelihoods(self, codes: Tensor, answer: Tensor) -> Tensor:
        """Logarithms of Q(c|x) of each code (N, codes), from codes (N, size) and an answer of the head (N, outputs)."""
        logits = self.logits(answer)
        given = codes[:, : sum(self.categorical)].split(list(self.categorical), dim=1) if self.categorical else ()
        of_categories = [(one * log_softmax(scores, dim=1)).sum(1) for one, scores in zip(given, logits, strict=True)]
        numbers = codes[:, sum(self.categorical) :]
        of_numbers = Normal(self.means(answer), self._deviations(answer), validate_args=False).log_prob(numbers)
        return torch.cat([*(value[:, None] for value in of_categories), of_numbers], dim=1)

    def logits(self, answer: Tensor) -> tuple[Tensor, ...]:
        """Of an answer, the logits of each categorical code."""
        return answer[:, : sum(self.categorical)].split(list(self.categorical), dim=1) if self.categorical else ()

    def means(self, answer: Tensor) -> Tensor:
        """Of an answer, the means of the continuous codes (N, continuous)."""
        return answer[:, sum(self.categorical) : self.size]

    def _deviations(self, answer: Tensor) -> Tensor:
        return answer[:, self.size :].exp() if self.learned_deviation else torch.ones_like(self.means(answer))

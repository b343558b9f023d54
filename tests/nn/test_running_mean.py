from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganlab.contracts import Views, WeightedRegularizer
from ganlab.nn import RunningMean
from ganlab.training.guard import Guard
from tests.tiny import Logistic, tiny_gan, tiny_settings
from tests.training.fitting import fit


def test_parts_count_by_their_examples_and_as_one_update() -> None:
    mean = RunningMean(0.75, shape=(2,))
    mean.observe(torch.tensor([[1.0, 0.0], [2.0, 0.0], [6.0, 0.0]]))
    mean.observe(torch.tensor([[3.0, 8.0]]))
    assert mean.current().tolist() == [0.0, 0.0]
    mean.commit()
    assert mean.current().tolist() == [0.25 * 3, 0.25 * 2]
    assert mean.updates == 1
    mean.commit()
    assert mean.updates == 1


def test_without_bias_the_first_average_is_the_first_mean() -> None:
    mean = RunningMean(0.9, debias=True)
    assert mean.current() == 0
    for value, expected in ((5.0, 5.0), (1.0, (0.09 * 5 + 0.1 * 1) / 0.19)):
        mean.observe(torch.tensor([value]))
        mean.commit()
        assert mean.current().item() == pytest.approx(expected)


def test_limits_clip_the_mean_of_an_update_and_not_its_examples() -> None:
    mean = RunningMean(0.5, limits=(0.0, 1.0))
    for values in ([-3.0, 4.0], [9.0, 0.0], [-1.0, 0.0]):
        mean.observe(torch.tensor(values))
        mean.commit()
    # Means 0.5, then 4.5 and -0.5 clipped.
    assert mean.current().item() == pytest.approx(((0.5 * 0.5) * 0.5 + 0.5 * 1) * 0.5)


def test_what_is_discarded_or_not_finite_leaves_no_trace() -> None:
    mean = RunningMean(0.5)
    mean.observe(torch.tensor([7.0]))
    mean.discard()
    mean.observe(torch.tensor([float("inf")]))
    mean.commit()
    assert (mean.value, mean.updates) == (0, 0)


def test_the_average_does_not_change_what_was_read_before() -> None:
    mean = RunningMean(0.0)
    before = mean.current()
    mean.observe(torch.ones(3, requires_grad=True))
    mean.commit()
    assert (before, mean.current()) == (0, 1)
    assert not mean.current().requires_grad


class Remembering(torch.nn.Module):
    side = "discriminator"
    requires = frozenset({"real_logits"})

    def __init__(self) -> None:
        super().__init__()
        self.average = RunningMean(0.0)
        self.seen: list[float] = []

    def penalty(self, views: Views) -> Tensor:
        self.average.observe(views.real_logits)
        self.seen.append(views.real_logits.mean().item())
        return views.real_logits.mean() * 0


class Exploding(Logistic):
    """Infinite in the last of three updates, after other parts that were finite."""

    calls = 0

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        self.calls += 1
        return super().discriminator(real_logits, fake_logits) * (float("inf") if self.calls == 6 else 1.0)


def test_the_platform_commits_accepted_updates_and_forgets_the_others() -> None:
    remembering = Remembering()
    settings = tiny_settings(guard=Guard("skip", limit=2), micro_batch=4)
    module = tiny_gan(settings, [WeightedRegularizer("memory", remembering)])
    module.loss = Exploding()
    fit(module, 24)
    assert module.clock.updates["discriminator"] == 3
    assert remembering.average.updates == 2
    assert remembering.average.current().item() == pytest.approx(sum(remembering.seen[2:4]) / 2)
    assert module.state_dict()["regularizer_modules.memory.average.updates"] == 2
    remembering.average.commit()
    assert remembering.average.updates == 2

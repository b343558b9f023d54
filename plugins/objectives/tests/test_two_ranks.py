"""Objectives that use the mean of a batch: half of it on each of two ranks gives what one process gives."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist
from ganlab_objectives.feature_matching import FeatureMatching
from ganlab_objectives.lecam import LeCam
from ganlab_objectives.mode_seeking import ModeSeeking
from ganlab_objectives.path_length import PathLength
from ganlab_objectives.relativistic_average import RelativisticAverage
from torch import Tensor, nn

from ganlab.contracts import Batch, WeightedRegularizer
from ganlab.distributed import Exchange, rank, world_size
from ganlab.nn import RunningMean
from ganlab.randomness import Randomness
from ganlab.testing.regularizer_checks import small_game
from ganlab.testing.two_ranks import run_on_two_ranks

COUNT, UPDATES = 8, 3


def batch(update: int) -> Batch:
    """This rank's share of an update's batch."""
    random = Randomness(update, count=COUNT)
    images = random.uniform("images", 1, 8, 8) * 2 - 1
    whole = Batch(images, None, random)
    return whole.split(COUNT // world_size())[rank()]


def gradients(player: str, loss: object, regularizers: list[nn.Module | object]) -> dict[str, Tensor]:
    """What the platform's synchronised gradients of some updates without steps are, and the state at the end."""
    game = small_game().double()
    game.loss = loss  # type: ignore[assignment]
    terms = [WeightedRegularizer(type(each).__name__, each) for each in regularizers]  # type: ignore[arg-type]
    game.regularizers = terms
    exchange, found = Exchange(game), {}
    for update in range(UPDATES):
        game.zero_grad()
        sum(game.terms_of(player)(batch(update)).values()).backward()  # type: ignore[union-attr]
        module = game.players()[player]
        exchange.synchronise(module.parameters(), False)
        for part in game.regularizer_modules.modules():
            if isinstance(part, RunningMean):
                part.commit()
        given = ((name, parameter.grad) for name, parameter in module.named_parameters())
        found |= {f"{update}.{name}": gradient.clone() for name, gradient in given if gradient is not None}
    return found | {name: value.clone() for name, value in game.regularizer_modules.state_dict().items()}


def objectives() -> dict[str, dict[str, Tensor]]:
    """Those that use means of a batch, on both sides."""
    generator = [PathLength(0.3), ModeSeeking(), FeatureMatching()]
    return {
        "discriminator": gradients("discriminator", RelativisticAverage(), [LeCam(decay=0.5, warm_up=0)]),
        "generator": gradients("generator", RelativisticAverage(), generator),
    }


def save_both(place: int, folder: Path) -> None:
    """Write what this process finds by itself, and then as one of two ranks."""
    torch.set_default_dtype(torch.float64)
    alone = objectives()
    dist.init_process_group("gloo")
    torch.save({"alone": alone, "shared": objectives()}, folder / f"{place}.pt")
    dist.destroy_process_group()


def test_gradients_and_memories_of_two_ranks_are_those_of_one_process(tmp_path):
    run_on_two_ranks(save_both, tmp_path)
    first, second = (torch.load(tmp_path / f"{place}.pt", weights_only=True) for place in range(2))
    for player, tensors in first["alone"].items():
        for name, value in tensors.items():
            shared = first["shared"][player][name]
            assert torch.equal(shared, second["shared"][player][name]), name
            torch.testing.assert_close(shared, value, rtol=1e-7, atol=1e-10, msg=name)
        assert any(value.abs().max() > 0 for value in tensors.values())
        remembered = [value for name, value in tensors.items() if name.endswith("average.updates")]
        assert [value.item() for value in remembered] == [3] * {"discriminator": 2, "generator": 1}[player]

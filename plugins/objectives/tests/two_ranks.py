"""Started twice by a test: writes gradients of what uses means of a batch, found alone and by two ranks."""

from __future__ import annotations

import sys
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


def main(folder: Path, place: int) -> None:
    """Write what this process finds by itself, and then as one of two ranks."""
    torch.set_default_dtype(torch.float64)
    alone = objectives()
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=place, world_size=2)
    torch.save({"alone": alone, "shared": objectives()}, folder / f"{place}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

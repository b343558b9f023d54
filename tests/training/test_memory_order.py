"""Games of images lie in memory with their channels last: the same training but for rounding, exact after a resume."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganlab.contracts import DataFacts
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.nn import Conv2d, ConvTranspose2d, LeakyReLU
from ganlab.training.checkpoint import (
    export_generator,
    load_checkpoint,
    module_state,
    restore_module,
    save_checkpoint,
)
from ganlab.training.optimizers import adam, load_optimizer
from tests.tiny import Logistic, tiny_gan, tiny_settings

BATCH = 8


class Maps(nn.Sequential):
    latent_size = 3

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        return super().forward(latents[:, :, None, None])


class Logits(nn.Sequential):
    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        self.seen = images.stride()
        return super().forward(images).flatten()


class First(Conv2d):
    channels_last = True


class InItsOwnOrder(Conv2d):
    channels_last = False


class UsualOrder(TwoPlayerGAN):
    channels_last = False


def game(kind: type[TwoPlayerGAN] = TwoPlayerGAN, first: type[Conv2d] = First) -> TwoPlayerGAN:
    torch.manual_seed(0)
    generator = Maps(ConvTranspose2d(3, 4, 4), nn.BatchNorm2d(4), nn.Tanh(), ConvTranspose2d(4, 2, 4, 2, 1), nn.Tanh())
    discriminator = Logits(first(2, 4, 4, 2, 1), LeakyReLU(0.2), Conv2d(4, 1, 4))
    module = kind(generator, discriminator, Logistic())
    module.prepare(tiny_settings(facts=DataFacts((2, 8, 8), 100, "noise")))
    module.configure_optimizers()
    return module


def play(module: TwoPlayerGAN, rounds: int) -> TwoPlayerGAN:
    for _ in range(rounds):
        position = module.clock.position
        images = torch.randint(256, (BATCH, 2, 8, 8), generator=torch.Generator().manual_seed(position)).byte()
        step = StepBatch(StepPlan(position, module.clock.images_seen, BATCH, 1, 0, BATCH), images)
        module.training_step(module.transfer_batch_to_device(step, torch.device("cpu"), 0), 0)
    return module


def is_channels_last(tensor: Tensor) -> bool:
    return tensor.is_contiguous(memory_format=torch.channels_last)


def test_networks_averages_and_optimizers_are_in_that_order() -> None:
    module = play(game(), 1)
    assert module.discriminator.seen == (128, 1, 16, 2)
    large = [(name, p) for name, p in module.named_parameters() if p.dim() == 4 and p.shape[1] > 1 and p.shape[-1] > 1]
    assert len(large) == 6  # two of them in the averages
    assert all(is_channels_last(parameter) for _, parameter in large)
    for optimizer in module.player_optimizers.values():
        for parameter, state in optimizer.state.items():
            assert state["exp_avg"].stride() == parameter.stride()


def test_the_training_is_that_in_the_usual_order_but_for_rounding() -> None:
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        sides = [play(game(kind), 5).state_dict() for kind in (TwoPlayerGAN, UsualOrder)]
    finally:
        torch.set_default_dtype(default)
    assert not is_channels_last(sides[1]["generator.3.weight"])
    torch.testing.assert_close(*sides, rtol=1e-7, atol=1e-9)


def test_a_resumed_training_is_in_that_order_and_equal_to_the_last_bit(tmp_path: Path) -> None:
    whole = play(game(), 6)
    save_checkpoint(tmp_path / "a.ckpt", module_state(play(game(), 3)))
    resumed = game()
    restore_module(resumed, load_checkpoint(tmp_path / "a.ckpt"))
    assert is_channels_last(resumed.generator[3].weight)
    play(resumed, 3)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_an_optimizers_state_takes_the_order_of_its_parameters() -> None:
    gradient, sides = torch.randn(4, 8, 3, 3), []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        weight = nn.Parameter(torch.ones(4, 8, 3, 3).to(memory_format=memory_format))
        sides.append((weight, adam([weight], lr=0.1)))
    for _ in range(2):
        for weight, optimizer in sides:
            weight.grad = torch.empty_like(weight).copy_(gradient * weight.detach())
            optimizer.step()
        load_optimizer(sides[1][1], copy.deepcopy(sides[0][1].state_dict()))  # of a run in the other order
    torch.testing.assert_close(sides[0][0], sides[1][0])


def test_a_network_can_opt_out() -> None:
    module = game(first=InItsOwnOrder)
    assert not is_channels_last(module.discriminator[0].weight)
    assert is_channels_last(module.generator[0].weight)


def test_games_of_vectors_stay_as_they_are() -> None:
    step = StepBatch(StepPlan(0, 0, 8, 1, 0, 8), torch.zeros(8, 5))
    module = tiny_gan(tiny_settings(facts=DataFacts((5,), 100, "noise")))
    assert module.transfer_batch_to_device(step, torch.device("cpu"), 0).images.shape == (8, 5)


def test_the_export_has_the_usual_order(tmp_path: Path) -> None:
    module = game()
    export_generator(tmp_path / "generator.safetensors", module)
    for name, value in load_file(tmp_path / "generator.safetensors").items():
        assert torch.equal(value, module.averages.copies.state_dict()[name])
        assert value.is_contiguous()

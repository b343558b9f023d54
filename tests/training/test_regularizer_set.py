"""What regularizers may do besides adding a penalty."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganlab.contracts import Views, WeightedRegularizer
from ganlab.errors import UserError
from tests.tiny import tiny_gan, tiny_settings
from tests.training.fitting import fit


class Clipping:
    side = "discriminator"
    requires: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.norms: list[float] = []

    def after_update(self, player: nn.Module) -> None:
        assert not torch.is_grad_enabled()
        for parameter in player.parameters():
            parameter.clamp_(-0.01, 0.01)
        self.norms.append(max(parameter.abs().max().item() for parameter in player.parameters()))


def test_a_constraint_acts_after_each_update_of_its_player() -> None:
    clipping = Clipping()
    module = fit(tiny_gan(regularizers=[WeightedRegularizer("clipping", clipping)], discriminator_steps=2), 48)
    assert len(clipping.norms) == 6
    assert max(clipping.norms) == max(p.abs().max().item() for p in module.discriminator.parameters())
    assert max(clipping.norms) == pytest.approx(0.01)
    assert max(p.abs().max().item() for p in module.generator.parameters()) > 0.01


def test_an_interval_holds_for_constraints_too() -> None:
    clipping = Clipping()
    fit(tiny_gan(regularizers=[WeightedRegularizer("clipping", clipping, every=4)]), 80)
    assert len(clipping.norms) == 3  # after the updates 0, 4 and 8 of 10


class Remembering(nn.Module):
    """A penalty with a memory of its own updates."""

    side = "discriminator"
    requires = frozenset({"real_logits"})

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("updates", torch.zeros(()))
        self.parts = 0

    def penalty(self, views: Views) -> Tensor:
        self.parts += 1
        return views.real_logits.square().mean()

    def after_update(self, player: nn.Module) -> None:
        self.updates += 1


def test_state_changes_once_for_all_parts_of_a_batch_and_is_saved() -> None:
    remembering = Remembering()
    module = fit(tiny_gan(tiny_settings(micro_batch=2), [WeightedRegularizer("memory", remembering)]), 24)
    assert (remembering.parts, remembering.updates) == (12, 3)
    assert module.state_dict()["regularizer_modules.memory.updates"] == 3


class Demanding:
    """What it requires depends on its options."""

    side = "discriminator"

    def __init__(self, view: str) -> None:
        self.requires = frozenset({view})

    def penalty(self, views: Views) -> Tensor:
        return torch.zeros(())


def test_what_a_regularizer_requires_is_asked_of_the_object() -> None:
    tiny_gan(regularizers=[WeightedRegularizer("demanding", Demanding("latents"))])
    with pytest.raises(UserError, match=r"'demanding', with these options, requires styles, which TwoPlayerGAN does"):
        tiny_gan(regularizers=[WeightedRegularizer("demanding", Demanding("styles"))])


class Looking:
    """Keeps what it is offered."""

    def __init__(self, side: str) -> None:
        self.side = side
        self.requires: frozenset[str] = frozenset()

    def penalty(self, views: Views) -> Tensor:
        self.views = views
        return views.fake_logits.mean() * 0


@pytest.mark.parametrize("side", ["discriminator", "generator"])
def test_the_plain_game_offers_what_it_says(side: str) -> None:
    looking = Looking(side)
    module = fit(tiny_gan(regularizers=[WeightedRegularizer("looking", looking)]), 8)
    views = looking.views
    assert all(name in views for name in module.provides[side])
    assert views.latents.shape == (8, 3)
    assert views.draw_latents(views.random.scoped("more")).shape == (8, 3)
    torch.testing.assert_close(views.discriminate(views.fake_images[2:4], views.labels[2:4]).shape, torch.Size([2]))
    torch.testing.assert_close(views.generate(views.latents[::2], views.labels[::2]).shape, torch.Size([4, 1, 4, 4]))

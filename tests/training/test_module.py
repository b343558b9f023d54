"""The training step against a hand-written loop of plain PyTorch, and what its parts promise."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from ganlab.contracts import Views, WeightedRegularizer
from ganlab.data.loader import StepLoader
from ganlab.errors import SpecError, TrainingStopped
from ganlab.schedules import Schedule
from ganlab.training.guard import Guard
from ganlab.training.module import GANModule
from tests.tiny import Logistic, TinyData, TinyDiscriminator, TinyGenerator, tiny_gan, tiny_settings
from tests.training.fitting import fit


def hand_written(steps: int) -> tuple[nn.Module, nn.Module]:
    """Two players in plain PyTorch on the stream that ganlab reads, with the draws that ganlab makes."""
    torch.manual_seed(0)
    generator, discriminator, loss = TinyGenerator(), TinyDiscriminator(), Logistic()
    optimizers = [torch.optim.Adam(m.parameters(), lr=1e-2, betas=(0.0, 0.99)) for m in (discriminator, generator)]
    batches = iter(StepLoader(TinyData(), step_size=lambda images: (8, 1), seed=0))
    for _ in range(steps):
        (batch,) = next(batches).batches(TinyData().facts, 0)
        fakes = generator(batch.random.scoped("discriminator").normal("latents", 3)).detach()
        optimizers[0].zero_grad()
        loss.discriminator(discriminator(batch.images), discriminator(fakes)).backward()
        optimizers[0].step()
        optimizers[1].zero_grad()
        fakes = generator(batch.random.scoped("generator").normal("latents", 3))
        loss.generator(None, discriminator(fakes)).backward()
        optimizers[1].step()
    return generator, discriminator


def test_five_steps_equal_a_hand_written_loop() -> None:
    module = fit(tiny_gan(), 40)
    generator, discriminator = hand_written(5)
    for ours, theirs in ((module.generator, generator), (module.discriminator, discriminator)):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)


def test_accumulation_gives_the_gradients_of_the_whole_batch() -> None:
    whole, parts = fit(tiny_gan(), 40), fit(tiny_gan(tiny_settings(micro_batch=2)), 40)
    for a, b in zip(whole.generator.parameters(), parts.generator.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_discriminator_steps_use_fresh_reals_and_count_as_images() -> None:
    module = tiny_gan(discriminator_steps=3)
    shown = []
    terms = module.discriminator_terms
    module.discriminator_terms = lambda batch: shown.append(batch.images.clone()) or terms(batch)
    fit(module, 48)
    assert module.clock.images_seen == 48
    assert module.clock.updates == {"discriminator": 6, "generator": 2}
    stream = StepLoader(TinyData(), step_size=lambda images: (48, 1), seed=0)
    (batch,) = next(iter(stream)).batches(TinyData().facts, 0)
    torch.testing.assert_close(torch.cat(shown), batch.images)


def test_only_the_player_that_is_updated_gets_gradients() -> None:
    module = tiny_gan()
    seen = {}
    terms = module.generator_terms

    def watch(batch):
        seen["frozen"] = not any(p.requires_grad for p in module.discriminator.parameters())
        return terms(batch)

    module.generator_terms = watch
    fit(module, 8)
    assert seen["frozen"]
    assert all(p.requires_grad for p in module.discriminator.parameters())


class Counting:
    side = "discriminator"
    requires = frozenset({"real_logits"})

    def __init__(self) -> None:
        self.calls = 0

    def penalty(self, views: Views) -> torch.Tensor:
        self.calls += 1
        return views.real_logits.square().mean()


def test_a_lazy_penalty_runs_when_due_and_is_scaled_by_its_interval() -> None:
    lazy = WeightedRegularizer("lazy", Counting(), weight=0.5, every=4)
    module = fit(tiny_gan(regularizers=[lazy]), 80)
    assert lazy.regularizer.calls == 3  # updates 0, 4 and 8 of 10
    views = Views(real_logits=torch.tensor([1.0, 3.0]))
    module.clock.updates["discriminator"] = 8
    assert module.penalties("discriminator", views)["lazy"].item() == pytest.approx(5.0 * 0.5 * 4)
    module.clock.updates["discriminator"] = 9
    assert module.penalties("discriminator", views) == {}


def test_gradient_clipping_bounds_the_norm_of_a_player() -> None:
    settings = tiny_settings()
    settings.optimizers["discriminator"].clip = 1e-3
    module = fit(tiny_gan(settings), 8)
    norm = torch.nn.utils.get_total_norm([p.grad for p in module.discriminator.parameters()])
    assert norm.item() == pytest.approx(1e-3, rel=1e-3)


def test_a_scheduled_learning_rate_is_set_before_each_step() -> None:
    settings = tiny_settings()
    schedule = Schedule("linear", ((0.0, 1e-2), (80.0, 0.0)))
    settings.optimizers["generator"].schedules = {"lr": schedule}
    module = fit(tiny_gan(settings), 48)
    assert module.player_optimizers["generator"].param_groups[0]["lr"] == pytest.approx(schedule(40))


def test_a_schedule_of_rounds_counts_training_steps() -> None:
    """6 rounds of a batch of 8, with 2 updates of the discriminator in each: the last round starts after 5."""
    settings = tiny_settings()
    schedule = Schedule("steps", ((0.0, 1e-2), (5.0, 1e-3), (6.0, 1e-4)), "rounds")
    settings.optimizers["generator"].schedules = {"lr": schedule}
    settings.half_life_kimg = Schedule("linear", ((0.0, 1.0), (6.0, 2.0)), "rounds")
    module = tiny_gan(settings)
    module.discriminator_steps = 2
    fit(module, 96)
    assert (module.clock.rounds, module.clock.updates["discriminator"]) == (6, 12)
    assert module.player_optimizers["generator"].param_groups[0]["lr"] == 1e-3
    assert module.averages.half_life(10**9, module.clock.rounds) == 2000


class Exploding(Logistic):
    """Infinite in chosen calls."""

    def __init__(self, bad_calls: set[int]) -> None:
        self.call = -1
        self.bad_calls = bad_calls

    def discriminator(self, real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
        self.call += 1
        scale = float("inf") if self.call in self.bad_calls else 1.0
        return super().discriminator(real_logits, fake_logits) * scale


def test_a_non_finite_gradient_stops_the_training_with_a_sentence() -> None:
    module = tiny_gan()
    module.loss = Exploding({3})
    with pytest.raises(TrainingStopped, match=r"discriminator is not finite at 24 images .*loss = inf"):
        fit(module, 80)


def test_skip_leaves_the_update_out_and_gives_up_at_the_limit() -> None:
    module = tiny_gan(tiny_settings(guard=Guard("skip", limit=2)))
    module.loss = Exploding({3, 4})
    fit(module, 80)
    assert all(torch.isfinite(p).all() for p in module.parameters())
    module = tiny_gan(tiny_settings(guard=Guard("skip", limit=2)))
    module.loss = Exploding({3, 4, 5})
    with pytest.raises(TrainingStopped, match="after 2 skipped updates in a row"):
        fit(module, 80)


def test_bf16_training_stays_finite() -> None:
    module = fit(tiny_gan(), 400, precision="bf16-mixed")
    assert all(torch.isfinite(p).all() for p in module.parameters())


def test_players_must_own_disjoint_parameters_and_all_that_train() -> None:
    module = tiny_gan()
    module.stray = nn.Linear(2, 2)
    with pytest.raises(SpecError, match=r"'stray.weight' .* belongs to no player"):
        module.prepare(tiny_settings())
    module = tiny_gan()
    module.generator.shared = module.discriminator.net
    with pytest.raises(SpecError, match="share the parameter"):
        module.prepare(tiny_settings())
    settings = tiny_settings()
    with pytest.raises(SpecError, match="players of TwoPlayerGAN are discriminator, generator"):
        tiny_gan(tiny_settings(optimizers={"discriminator": settings.optimizers["discriminator"]}))


def test_module_stays_small() -> None:
    assert len(inspect.getsource(inspect.getmodule(GANModule)).splitlines()) <= 250

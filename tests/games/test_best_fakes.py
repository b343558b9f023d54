from __future__ import annotations

import torch

from ganlab.contracts import Batch
from ganlab.games.two_player import best_fakes
from ganlab.randomness import Randomness
from ganlab.schedules import Schedule
from ganlab.training.scheduled_option import attribute_option
from tests.tiny import Logistic, tiny_gan, tiny_settings
from tests.training.fitting import fit


def test_the_best_share_is_kept_with_the_reals_beside_it() -> None:
    fakes, reals = torch.tensor([0.1, 3.0, -1.0, 2.0]), torch.tensor([1.0, 2.0, 3.0, 4.0])
    kept_reals, kept_fakes = best_fakes(reals, fakes, 0.5)
    assert kept_fakes.tolist() == [3.0, 2.0]
    assert kept_reals.tolist() == [2.0, 4.0]
    assert best_fakes(None, fakes, 0.01)[1].tolist() == [3.0]
    assert best_fakes(None, fakes, 1.0) == (None, fakes)


def test_logits_of_several_places_are_compared_by_their_mean() -> None:
    fakes = torch.tensor([[[5.0, -5.0]], [[1.0, 1.0]], [[0.0, 0.0]]])
    assert best_fakes(None, fakes, 0.34)[1].tolist() == [[[1.0, 1.0]]]


def test_the_other_fakes_get_no_gradient() -> None:
    fakes = torch.tensor([0.1, 3.0, -1.0, 2.0], requires_grad=True)
    Logistic().generator(None, best_fakes(None, fakes, 0.5)[1]).backward()
    assert (fakes.grad != 0).tolist() == [False, True, False, True]
    torch.testing.assert_close(fakes.grad[1], -torch.sigmoid(torch.tensor(-3.0)) / 2)


def test_only_the_generators_loss_is_about_the_best_and_every_part_keeps_its_share() -> None:
    seen: dict[str, list[int]] = {"discriminator": [], "generator": []}

    class Watched(Logistic):
        def discriminator(self, real_logits, fake_logits):
            seen["discriminator"].append(len(fake_logits))
            return super().discriminator(real_logits, fake_logits)

        def generator(self, real_logits, fake_logits):
            seen["generator"].append(len(fake_logits))
            return super().generator(real_logits, fake_logits)

    module = tiny_gan(tiny_settings(micro_batch=4), top_k=0.5)
    module.loss = Watched()
    fit(module, 8)
    assert seen == {"discriminator": [4, 4], "generator": [2, 2]}


def test_a_loss_on_pairs_keeps_the_pairs() -> None:
    seen: list[list[tuple[float, float]]] = []

    class Paired(Logistic):
        needs_real_logits = True

        def generator(self, real_logits, fake_logits):
            seen.append(list(zip(real_logits.tolist(), fake_logits.tolist(), strict=True)))
            return super().generator(real_logits, fake_logits)

    module = tiny_gan()
    module.loss = Paired()
    random = Randomness(0, count=8)
    batch = Batch(random.normal("images", 1, 4, 4), None, random)
    module.generator_terms(batch)
    module.top_k = 0.5
    module.generator_terms(batch)
    every, best = seen
    assert len(set(every)) == 8
    assert best == sorted(every, key=lambda pair: pair[1], reverse=True)[:4]


def test_the_share_can_follow_a_schedule() -> None:
    schedule = Schedule("linear", ((0.0, 1.0), (16.0, 0.5)))
    module = tiny_gan()
    module.settings.schedules = [attribute_option("top_k", schedule, module, "top_k")]
    fit(module, 24)
    assert module.top_k == 0.5


def test_all_fakes_are_the_plain_game() -> None:
    plain, whole = fit(tiny_gan(), 24), fit(tiny_gan(top_k=1.0), 24)
    for a, b in zip(plain.parameters(), whole.parameters(), strict=True):
        assert torch.equal(a, b)

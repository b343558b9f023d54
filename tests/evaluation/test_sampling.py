"""Samples depend on a seed and their index only."""

import pytest
import torch

from ganlab.contracts import DataFacts
from ganlab.errors import UserError
from ganlab.evaluation.sampling import sample_blocks
from ganlab.randomness import layer_normal
from ganlab.training.checkpoint import module_state, restore_networks
from tests.tiny import SampledModule, tiny_gan, tiny_settings


class Recording(SampledModule):
    """Stands for a GANModule: an image is its latent, its label and noise from the global generator."""

    def __init__(self, classes=3):
        super().__init__()
        self.facts = DataFacts((1, 1, 3), 10, "x", class_names=tuple(map(str, range(classes))))
        self.frozen = torch.nn.Linear(1, 1).eval()
        self.modes = []

    def sample(self, random, labels=None, *, inputs=None, averaged=True):
        assert not torch.is_grad_enabled()
        self.modes.append((self.training, len(random)))
        classes = labels.float() if labels is not None else torch.full((len(random),), -1.0)
        return torch.stack([random.normal("latents"), classes, torch.rand(len(random))], 1).view(-1, 1, 1, 3)


def gathered(*args, **options):
    pieces = list(sample_blocks(*args, **options))
    return torch.cat([images for images, _ in pieces])


def test_fewer_samples_are_a_prefix_and_later_ones_a_part():
    module = Recording()
    many = gathered(module, 200, seed=1)[..., :2]
    assert torch.equal(gathered(module, 70, seed=1)[..., :2], many[:70])
    assert torch.equal(gathered(module, 100, seed=1, first=50)[..., :2], many[50:150])
    assert torch.equal(gathered(module, 200, seed=1, batch_size=24)[..., :2], many)
    assert not torch.equal(gathered(module, 200, seed=2)[..., :2], many)


def test_noise_inside_a_network_repeats_and_leaves_the_callers_generator_alone():
    module = Recording()
    state = torch.random.get_rng_state()
    first = gathered(module, 130, seed=1)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(5)
    assert torch.equal(gathered(module, 130, seed=1), first)


def test_modes_are_put_back_between_pieces():
    module = Recording().train()
    module.frozen.eval()
    for _ in sample_blocks(module, 100, seed=0, batch_size=48):
        assert module.training
        assert not module.frozen.training
    assert module.modes == [(False, 48), (False, 48), (False, 4)]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(2, [2] * 70), ("cycle", [i % 3 for i in range(70)]), (torch.arange(70) // 30, [i // 30 for i in range(70)])],
)
def test_labels_as_asked_for(labels, expected):
    assert gathered(Recording(), 70, seed=0, labels=labels)[:, 0, 0, 1].tolist() == expected


def test_labels_cycle_by_index_not_by_piece():
    assert gathered(Recording(), 5, seed=0, labels="cycle", first=100)[:, 0, 0, 1].tolist() == [1, 2, 0, 1, 2]


def test_labels_are_uniform_by_default_and_absent_without_classes():
    drawn = gathered(Recording(), 3000, seed=0)[:, 0, 0, 1].long()
    assert (drawn.bincount(minlength=3) / 1000 - 1).abs().max() < 0.1
    assert all(labels is None for _, labels in sample_blocks(Recording(classes=0), 100, seed=0))


@pytest.mark.parametrize(("label", "classes", "words"), [(3, 3, "0 to 2"), (-1, 3, "0 to 2"), (0, 0, "no classes")])
def test_refuses_labels_that_are_no_class(label, classes, words):
    with pytest.raises(UserError, match=words):
        list(sample_blocks(Recording(classes), 1, seed=0, labels=label))


def test_a_real_module_gives_the_averaged_weights():
    module = tiny_gan(tiny_settings(half_life_kimg=1.0))
    before = gathered(module, 10, seed=0)
    with torch.no_grad():
        module.generator.out.bias += 1
    assert torch.equal(gathered(module, 10, seed=0), before)
    assert not torch.equal(gathered(module, 10, seed=0, averaged=False), before)


def test_the_batch_size_changes_rounding_only_also_for_noise_inside_layers():
    module = tiny_gan(tiny_settings(half_life_kimg=1.0))
    noisy = module.averages.copies["generator"].net
    noisy.append(Noise())
    whole = gathered(module, 40, seed=3)
    for size in (1, 7, 40):
        assert torch.allclose(gathered(module, 40, seed=3, batch_size=size), whole, atol=1e-6)
    later = gathered(module, 16, seed=3, first=16, batch_size=8)
    assert torch.equal(later, gathered(module, 32, seed=3, batch_size=8)[16:])
    noisy.pop(-1)
    assert (gathered(module, 40, seed=3) - whole).abs().max() > 0.1


class Noise(torch.nn.Module):
    def forward(self, values):
        return values + layer_normal(values, values.shape[1])


def test_getting_ready_happens_once_for_weights_and_options_whatever_the_seed():
    module, calls = tiny_gan(), []

    def before_sampling(random, *, averaged=True, **options):
        assert not module.training
        assert not torch.is_grad_enabled()
        calls.append((options, random.normal("latents", 2), layer_normal(torch.zeros(64, 1), 3), torch.rand(2)))

    module.before_sampling = before_sampling
    module.render = lambda latents, *, averaged=True, psi=1.0: torch.zeros(len(latents), 1, 4, 4)
    for seed in (1, 1, 2):
        gathered(module, 3, seed)
    assert len(calls) == 1
    gathered(module, 3, 1, options={"psi": 0.5})
    gathered(module, 3, 2)
    assert [options for options, *_ in calls] == [{}, {"psi": 0.5}, {}]
    module.clock.advance(8)
    gathered(module, 3, 2)
    assert len(calls) == 4
    restore_networks(module, module_state(module))  # other weights, though the moment is the same
    gathered(module, 3, 2)
    assert len(calls) == 5
    (_, latents, noise, global_noise), *others = calls
    for _, *drawn in others:
        assert all(map(torch.equal, drawn, (latents, noise, global_noise)))

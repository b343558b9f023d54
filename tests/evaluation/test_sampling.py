"""Samples depend on a seed and their index only."""

import pytest
import torch

from ganlab.contracts import DataFacts
from ganlab.errors import UserError
from ganlab.evaluation.sampling import sample_blocks
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

"""Mistakes of architectures and generators, each with the sentence that the kit says of it."""

import pytest
import torch

from ganlab.testing import CHECKS

SOURCE = '''
from dataclasses import replace
import torch
from torch import nn
from ganlab import GANModule
from ganlab.contracts import DataFacts, Discriminator, Generator, InputFacts, Loss
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.nn import RunningMean
from ganlab.randomness import layer_normal
from ganlab_toy import ToyGAN, ToyGenerator


class NoisyGenerator(ToyGenerator):
    """Noise by row."""
    def forward(self, latents, labels=None):
        return super().forward(latents + 0.1 * layer_normal(latents, 4), labels)


class TorchGenerator(ToyGenerator):
    """Noise from torch's own generator."""
    def forward(self, latents, labels=None):
        return super().forward(latents + 0.1 * torch.randn_like(latents), labels)


class MixingGenerator(ToyGenerator):
    """Images that see each other."""
    def forward(self, latents, labels=None):
        return super().forward(latents - latents.mean(0), labels)


class Right(ToyGAN):
    """Noise, and a running mean."""
    example = {"generator": "noisygenerator", "discriminator": "toy", "loss": "toy"}

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.level = RunningMean(0.9)

    def more_terms(self, player, batch, views):
        self.level.observe(views.fake_logits)
        return {"level": 0.1 * (views.fake_logits - self.level.current()).square().mean()}


class Translating(Right):
    """Paints over a photo, beside photos of a further domain."""
    example_facts = DataFacts(
        (1, 8, 8), 24, "pairs", class_names=("a", "b"), inputs={"photo": InputFacts((1, 8, 8), "images")},
        further={"others": DataFacts((1, 8, 8), 20, "others")},
    )

    def __init__(self, generator: Generator, discriminator: Discriminator, loss: Loss, photo: InputFacts):
        super().__init__(generator, discriminator, loss)

    def fakes(self, batch):
        made = super().fakes(batch)
        return replace(made, images=made.images + batch.inputs["photo"] * batch.further["others"].images)

    def render(self, latents, *, averaged=True):
        return super().render(latents, averaged=averaged) + latents.inputs["photo"]


class ForgetsInputs(Translating):
    """Samples of photos, and every sample of the first one."""
    def render(self, latents, *, averaged=True):
        images = super().render(latents, averaged=averaged)
        return images - latents.inputs["photo"] + latents.inputs["photo"][:1]


class MisplacedR1(Right):
    def more_terms(self, player, batch, views):
        if player == "discriminator":
            return {}
        images = batch.images.detach().requires_grad_()
        logits = self.discriminator(images, batch.labels)
        (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        return {"r1": slope.square().flatten(1).sum(1).mean()}


class WrongPlayer(Right):
    def penalties(self, player, views):
        return super().penalties("generator", views)


class NoPenalties(Right):
    def penalties(self, player, views):
        return {}


class TorchNoise(Right):
    example = {"generator": "torchgenerator", "discriminator": "toy", "loss": "toy"}


class TermNoise(Right):
    def more_terms(self, player, batch, views):
        noisy = batch.images + 0.1 * torch.randn_like(batch.images)
        logits = self.discriminator(noisy, batch.labels) + 0 * views.fake_logits
        return {"smooth": logits.square().mean()}


class IgnoresRandom(Right):
    def sample(self, random, labels=None, *, inputs=None, averaged=True):
        return self.network("generator", averaged)(torch.randn(len(random), 4), labels)


class ByTheBatch(Right):
    def draw_latents(self, random):
        latents = super().draw_latents(random)
        return latents.flip(0)


class MovedByPasses(Right):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.register_buffer("level_of_passes", torch.zeros(()))

    def more_terms(self, player, batch, views):
        self.level_of_passes.lerp_(views.fake_logits.detach().mean(), 0.1)
        return {"level": 0.1 * (views.fake_logits - self.level_of_passes).square().mean()}


class Unsaved(Right):
    count = 0

    def more_terms(self, player, batch, views):
        self.count += 1
        return {"late": views.fake_logits.square().mean() * float(self.count > 20)}


class WrongShares(Right):
    """Takes class 0 for shares of classes."""
    blends_labels = True

    def run_generator(self, generator, latents, labels, inputs):
        if labels is None:
            return generator(latents)
        labels = torch.zeros(len(labels)) if labels.dim() > 1 else labels
        return generator(latents) + labels.view(-1, 1, 1, 1)


class Styled(Right):
    """Latents are styles of two layers."""
    def map(self, latents, *, averaged=True):
        return latents.values[:, None].expand(-1, 2, -1)

    def synthesise(self, styles, *, averaged=True):
        return self.network("generator", averaged)(styles.mean(1))

    def style_layers(self):
        return 2

    def mean_style(self, *, averaged=True):
        return torch.zeros(4)

    def style_weights(self, *, averaged=True):
        return [torch.eye(4), torch.eye(4)]


class NotAveraged(Right):
    """A scale that moves while it is trained, and is in no average."""
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.register_buffer("scale", torch.ones(()))

    def after_update(self, player):
        self.scale.mul_(0.9)

    def render(self, latents, *, averaged=True):
        return super().render(latents, averaged=averaged) * self.scale


class OtherImages(Styled):
    def synthesise(self, styles, *, averaged=True):
        return -super().synthesise(styles, averaged=averaged)


class Encoding(Right):
    """Latents of an image are some of its numbers."""
    def encode(self, images, labels=None, *, averaged=True):
        return images.flatten(1).repeat(1, 2)[:, :4]


class WrongLatents(Right):
    def encode(self, images, labels=None, *, averaged=True):
        return images.flatten(1).repeat(1, 2)[:, :3]


class StandsAside(Right):
    """Films that take turns."""
    def animate(self, random, frames, *, averaged=True):
        films = self.sample(random, averaged=averaged)[:, None].expand(-1, frames, -1, -1, -1)
        return films - films.mean(0)


class WrongWeights(Styled):
    def style_weights(self, *, averaged=True):
        return [torch.zeros(4, 3)]
'''
NAMES = [line.split()[1].split("(")[0] for line in SOURCE.splitlines() if line.startswith("class ")]
SLOW = {"check_two_processes", "check_twenty_steps", "check_autocast", "check_seeds", "check_players_learn_alone"}


@pytest.fixture
def mistakes(install, toy):
    kinds = {True: "generators", False: "architectures"}
    groups: dict = {"generators": {}, "architectures": {}}
    for name in NAMES:
        groups[kinds[name.endswith("Generator")]][name.lower()] = f"ganlab_wrong:{name}"
    return install("ganlab-wrong", groups, {"ganlab_wrong": SOURCE})


def check(kind: str, name: str) -> None:
    for each in CHECKS[kind]:
        if each.__name__ not in SLOW:
            each(name)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("generators", "noisygenerator"),
        ("architectures", "right"),
        ("architectures", "translating"),
        ("architectures", "styled"),
        ("architectures", "encoding"),
    ],
)
def test_what_is_right_passes(mistakes, kind, name) -> None:
    check(kind, name)


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("generators", "torchgenerator", "its layers draw from torch's own generator.*layer_normal"),
        ("generators", "mixinggenerator", "an image depends on the others of its batch"),
        (
            "architectures",
            "misplacedr1",
            "the term 'r1' of the generator does not depend on the generator's para",
        ),
        ("architectures", "wrongplayer", "the discriminator's terms leave out the penalties of the discriminator"),
        ("architectures", "nopenalties", "the discriminator's terms leave out the penalties of the discriminator"),
        ("architectures", "torchnoise", "the same random key gives other samples"),
        ("architectures", "termnoise", "the term 'smooth' of the discriminator draws from torch's own generator"),
        ("architectures", "ignoresrandom", "the same random key gives other samples.* ignores 'random'"),
        ("architectures", "bythebatch", "samples 0 to 4 are others when they are made alone than among 8"),
        ("architectures", "forgetsinputs", "samples 5 to 7 are others when they are made alone than among 8"),
        ("architectures", "movedbypasses", "with micro-batches there is another .*level_of_passes"),
        ("architectures", "wrongshares", "with all of a class's share its images are others than for the class"),
        ("architectures", "otherimages", "makes other images than render"),
        ("architectures", "notaveraged", "samples need more than the modules in 'averaged'"),
        ("architectures", "wronglatents", r"encode\(\) returns \(3, 3\), and latents are \(3, 4\)"),
        ("architectures", "standsaside", "a film depends on the others that are made with it"),
        ("architectures", "wrongweights", r"a matrix of the shape \(4, 3\), not \(outputs, size\)"),
        ("architectures", "unsaved", "after 6 steps and a checkpoint, 6 more give another"),
    ],
)
def test_a_mistake_is_named(mistakes, kind, name, sentence) -> None:
    torch.manual_seed(0)
    with pytest.raises(AssertionError, match=sentence):
        check(kind, name)

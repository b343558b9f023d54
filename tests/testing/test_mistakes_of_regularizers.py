"""Mistakes of regularizers and losses, each with the sentence that the kit says of it."""

import pytest

from ganlab.testing import check_plugin

SOURCE = '''
import torch
from torch import nn
from ganlab.nn import RunningMean
from ganlab.schedules import Scheduled


class Good(nn.Module):
    """Pulls logits to their running mean."""
    side = "discriminator"
    requires = frozenset({"real_logits", "fake_images", "fake_labels", "discriminate", "random"})

    def __init__(self, strength: Scheduled = 1.0):
        super().__init__()
        self.strength = strength
        self.average = RunningMean(0.9)

    def penalty(self, views):
        self.average.observe(views.real_logits)
        noisy = views.fake_images + 0.1 * views.random.normal("noise", *views.fake_images.shape[1:])
        return self.strength * self.change(views, noisy)

    def change(self, views, images):
        logits = views.discriminate(images, views.fake_labels)
        return (views.real_logits - self.average.current()).square().mean() + logits.square().mean()


class Constraint:
    """Keeps weights small."""
    side = "discriminator"
    requires = frozenset()

    def after_update(self, player):
        for parameter in player.parameters():
            parameter.clamp_(-0.05, 0.05)


class Unsaved(Good):
    """Forgets what it has seen."""
    def __init__(self):
        super().__init__()
        self.seen = torch.zeros(())

    def penalty(self, views):
        self.seen = 0.9 * self.seen + 0.1 * views.real_logits.detach().mean()
        return (views.real_logits - self.seen).square().mean()


class Late(Good):
    """Begins at its tenth update, and counts where no checkpoint looks."""
    def __init__(self):
        super().__init__()
        self.count = 0

    def penalty(self, views):
        self.count += 1
        return views.real_logits.square().mean() * (10.0 if self.count >= 10 else 0.0)


class LateMean(Good):
    """A running mean that is no part of the module."""
    def __init__(self):
        super().__init__()
        self.hidden = [RunningMean(0.9)]

    def penalty(self, views):
        hidden = self.hidden[0]
        hidden.observe(views.real_logits)
        hidden.commit()
        return (views.real_logits - hidden.current()).square().mean()


class TorchNoise(Good):
    """Draws from torch's own generator."""
    def penalty(self, views):
        return self.change(views, views.fake_images + 0.1 * torch.randn_like(views.fake_images))


class LabelsOfReals(Good):
    """Leaves the labels of fakes out."""
    def change(self, views, images):
        return views.discriminate(images).square().mean()


class Copied(Good):
    """Copies a scheduled option."""
    def __init__(self, strength: Scheduled = 1.0):
        super().__init__(strength)
        self.factor = 2 * strength

    def penalty(self, views):
        return self.factor * self.change(views, views.fake_images)


class Renamed(Good):
    """Keeps a scheduled option under another name."""
    def __init__(self, weighting: Scheduled = 1.0):
        super().__init__()


class Shrinking(Constraint):
    """Never done."""
    def after_update(self, player):
        for parameter in player.parameters():
            parameter.mul_(0.5)


class Styled:
    """Asks for a view that only one family has, and is wrong there."""
    side = "generator"
    requires = frozenset({"strokes"})

    def penalty(self, views):
        return views.strokes.square()


class StyledWell(Styled):
    """The same, and right."""
    def penalty(self, views):
        return views.strokes.square().mean()


class CopiedMargin:
    """A loss that copies a scheduled option."""
    def __init__(self, margin: Scheduled = 1.0):
        self.margin = margin
        self.doubled = 2 * margin

    def discriminator(self, real_logits, fake_logits):
        return torch.relu(self.doubled - real_logits).mean() + torch.relu(self.doubled + fake_logits).mean()

    def generator(self, real_logits, fake_logits):
        return -fake_logits.mean()
'''

FAMILY = '''
from dataclasses import dataclass
from torch import Tensor
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.views import Fakes


@dataclass(kw_only=True)
class Strokes(Fakes):
    strokes: Tensor


class Painter(TwoPlayerGAN):
    """A family with a view of its own."""
    example = {"generator": "toy", "discriminator": "toy", "loss": "toy"}

    def fakes(self, batch) -> Strokes:
        made = super().fakes(batch)
        return Strokes(images=made.images, latents=made.latents, labels=made.labels, strokes=made.images.sum((1, 2, 3)))
'''


@pytest.fixture
def mistakes(install, toy):
    names = [line.split()[1].split("(")[0].rstrip(":") for line in SOURCE.splitlines() if line.startswith("class ")]
    regularizers = {name.lower(): f"ganlab_mistaken:{name}" for name in names if name != "CopiedMargin"}
    groups = {
        "regularizers": regularizers,
        "losses": {"copiedmargin": "ganlab_mistaken:CopiedMargin"},
        "architectures": {"painter": "ganlab_painter:Painter"},
    }
    return install("ganlab-mistaken", groups, {"ganlab_mistaken": SOURCE, "ganlab_painter": FAMILY})


@pytest.mark.parametrize("name", ["good", "constraint", "styledwell"])
def test_what_is_right_passes(mistakes, name) -> None:
    check_plugin("regularizers", name)


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("regularizers", "unsaved", "after 6 updates and a checkpoint, 8 more give another .*neither a parameter nor"),
        ("regularizers", "late", "after 6 updates and a checkpoint, 8 more give another .*neither a parameter nor"),
        ("regularizers", "latemean", "after 6 updates and a checkpoint, 8 more give another"),
        ("regularizers", "torchnoise", r"penalty\(views\) draws from torch's own generator.* views.random"),
        ("regularizers", "labelsofreals", "fakes have labels of their own: .*'discriminate"),
        ("regularizers", "copied", "'strength' may follow a schedule, but is read in the constructor only"),
        ("regularizers", "renamed", "no attribute 'weighting' to set it on"),
        ("regularizers", "shrinking", "called again, it changes the parameters again"),
        ("regularizers", "styled", r"penalty\(views\) returns the shape \(6,\), not a scalar"),
        ("losses", "copiedmargin", "'margin' may follow a schedule, but is read in the constructor only"),
    ],
)
def test_a_mistake_is_named(mistakes, kind, name, sentence) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_plugin(kind, name)

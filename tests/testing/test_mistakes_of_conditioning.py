"""Mistakes in an option `conditioning`, each with the sentence that the kit says of it."""

import pytest

from ganlab.testing import check_plugin

SOURCE = '''
import torch
from math import prod
from torch import nn
from ganlab.nn import ConditioningName, LabelInputName, Projection, conditioning_of


class Good(nn.Module):
    """A linear discriminator with all choices."""

    def __init__(self, shape: tuple[int, ...], classes: int = 0, conditioning: ConditioningName | None = None):
        super().__init__()
        self.conditioning = conditioning_of(conditioning, "projection", classes)
        channels = shape[0] + self.conditioning.channels if len(shape) == 3 else shape[0]
        size = channels * prod(shape[1:])
        self.last = nn.Linear(size, self.conditioning.outputs)
        self.projection = Projection(classes, size) if self.conditioning.projects else None

    def forward(self, images, labels=None):
        features = self.conditioning.joined(images, labels).flatten(1)
        outputs = self.last(self.seen(features))
        if self.projection is not None:
            outputs = outputs + self.projection(features, labels)
        return self.conditioning.scores(outputs, features, labels)

    def seen(self, features):
        return features


class Deaf(Good):
    """Does not project."""

    def forward(self, images, labels=None):
        self.projection = None
        return super().forward(images, labels)


class Detached(Good):
    """Keeps the classifier's gradient from the images."""

    def seen(self, features):
        return features.detach()


class Silent(Good):
    """Takes data without labels for any choice."""

    def __init__(self, shape: tuple[int, ...], classes: int = 0, conditioning: ConditioningName | None = None):
        super().__init__(shape, classes, conditioning if classes else None)


class Generating(nn.Module):
    """A generator that ignores its label."""

    latent_size = 4

    def __init__(self, shape: tuple[int, ...], classes: int = 0, conditioning: LabelInputName | None = None):
        super().__init__()
        conditioning_of({"none": "none", None: None}.get(conditioning, "concatenated"), "concatenated", classes)
        self.shape = shape
        self.layer = nn.Linear(4, prod(shape))

    def forward(self, latents, labels=None):
        return self.layer(latents).view(-1, *self.shape)
'''
DISCRIMINATORS = ("Good", "Deaf", "Detached", "Silent")


@pytest.fixture
def installed(install):
    entries = {
        "discriminators": {name.lower(): f"ganlab_mistaken:{name}" for name in DISCRIMINATORS},
        "generators": {"generating": "ganlab_mistaken:Generating"},
    }
    install("ganlab-mistaken", entries, {"ganlab_mistaken": SOURCE})


def test_a_network_that_keeps_what_it_promises_passes(installed) -> None:
    check_plugin("discriminators", "good")


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("discriminators", "deaf", "'conditioning: projection' ignores the label"),
        ("discriminators", "detached", "the generator learns nothing from the classifier"),
        ("discriminators", "silent", "of data without labels it does not say what it needs"),
        ("generators", "generating", "'conditioning: embedded' ignores the label"),
    ],
)
def test_mistakes_are_told_of(installed, kind, name, sentence) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_plugin(kind, name)

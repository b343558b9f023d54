"""The family with every loss, regularizer, normalizer and augmentation that is installed, in the middle of a fade."""

from __future__ import annotations

import math

import pytest
import torch

from ganlab.build import build_module
from ganlab.contracts import DataFacts
from ganlab.data.loader import StepLoader
from ganlab.errors import DataMissing, UserError
from ganlab.plugin_contracts import load
from ganlab.plugins import find, installed
from ganlab.spec import Document, Origin
from ganlab.spec.document import located
from ganlab.spec.resolution import resolve
from ganlab.testing import ExampleData
from ganlab.testing.training import differing, state_of

LABELLED = DataFacts((3, 16, 16), 24, "made up", class_names=("a", "b", "c"))
WIDTHS = {"name": "progressive", "fmap_base": 32, "fmap_max": 4}
STEPS = 7  # 8 images at 4 pixels, 24 + 8 at 8, and the first 16 of the fade to 16


def spec_of(generator=None, discriminator=None, **options):
    architecture = {
        "name": "progressive",
        "generator": {**WIDTHS, "latent_size": 4, **(generator or {})},
        "discriminator": {**WIDTHS, **(discriminator or {})},
        "loss": "wgan_gp",
        "fade_kimg": 0.024,
        "stabilise_kimg": 0.008,
        **options,
    }
    optimizer = {"name": "adam", "lr": 1e-3, "betas": [0.0, 0.99]}
    tree = {
        "name": "packs",
        "kimg": 1,
        "data": {"name": "digits", "batch_size": 8},
        "architecture": architecture,
        "optimizers": {"generator": optimizer, "discriminator": optimizer},
    }
    return resolve(Document("packs", located(tree, Origin("packs"))))


def trained(spec, facts=LABELLED):
    """A module after some steps, with the state that it started from."""
    module = build_module(spec, facts)
    before = state_of(module)
    module.configure_optimizers()
    loader = iter(StepLoader(ExampleData(facts), step_size=module.step_size, resolution=module.step_resolution, seed=0))
    for index in range(STEPS):
        module.training_step(next(loader), index)
    return module, before


def examples(kind):
    """A node of each plugin with the options of its example."""
    plugins = installed(kind)
    nodes = [
        {"name": plugin.reference, **getattr(load(find(kind, plugin.reference)), "example", {})} for plugin in plugins
    ]
    return pytest.mark.parametrize("node", nodes, ids=[plugin.name for plugin in plugins])


def check(module, before):
    """Every layer that ran has learned, with finite numbers."""
    assert module.stage.fading
    assert module.clock.updates == {"discriminator": STEPS, "generator": STEPS}
    changed = differing(before, state_of(module))
    for player in module.players():
        weights = [name for name in before if name.startswith(player) and name.endswith((".weight", ".original"))]
        still = {name for name in weights if name not in changed}
        assert len(still) < len(weights) / 4, still
    assert all(value.isfinite().all() for value in state_of(module).values())
    logged = module.scalars.reduce()
    assert all(math.isfinite(value) for value in logged.values())
    assert {"discriminator/loss", "generator/loss"} <= logged.keys()
    assert ("generator/classification" in logged) == bool(module.facts.classes)


@examples("losses")
def test_losses(node):
    check(*trained(spec_of(loss=node)))


@examples("regularizers")
def test_regularizers(node):
    try:
        spec = spec_of(loss="hinge", regularizers=[node])
    except UserError:
        pytest.skip("needs an option that only a whole spec gives")
    try:
        module, before = trained(spec)
    except DataMissing as error:
        pytest.skip(f"needs a file: {error}")
    check(module, before)
    without, _ = trained(spec_of(loss="hinge"))
    assert differing(state_of(without), state_of(module)), "the regularizer has no effect"


@examples("normalizers")
def test_normalizers(node):
    plain = node["name"].endswith("/equalized")
    players = {"normalizer": node, "equalized": not plain}
    check(*trained(spec_of(players, players)))


@examples("augmentations")
def test_augmentations(node):
    check(*trained(spec_of(augmentation=node)))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_channels(channels):
    module, before = trained(spec_of(), DataFacts((channels, 16, 16), 24, "made up"))
    check(module, before)
    assert module.generator(torch.zeros(2, 4)).shape == (2, channels, 16, 16)

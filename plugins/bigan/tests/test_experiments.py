"""The published experiments, built on the meta device."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganlab.testing import build_experiment

PAPERS = Path(__file__).parents[3] / "experiments/papers"
LATENTS = {
    "ali/cifar10": (64, "normal", True),
    "ali/svhn": (256, "normal", True),
    "ali/celeba": (256, "normal", True),
    "ali/tiny-imagenet": (256, "normal", True),
    "bigan/mnist": (50, "uniform", False),
    "bigan/imagenet": (200, "uniform", False),
}


def test_all_are_tested():
    found = {f"{paper}/{path.stem}" for paper in ("ali", "bigan") for path in (PAPERS / paper).glob("*.yaml")}
    assert found == set(LATENTS)


@pytest.mark.parametrize("name", LATENTS)
def test_latents_are_the_papers(name):
    _, facts, module = build_experiment(PAPERS / f"{name}.yaml")
    with torch.device("meta"):
        code = module.encoder.eval()(torch.zeros(2, *facts.shape))
    assert (module.generator.latent_size, module.latents, module.encoder.stochastic) == LATENTS[name]
    assert code.shape == (2, LATENTS[name][0] * (1 + module.encoder.stochastic))

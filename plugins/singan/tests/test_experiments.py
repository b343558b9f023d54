"""The published experiments, built on the meta device."""

from pathlib import Path

import pytest

from ganlab.testing import build_experiment

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
PAPERS = {
    "photograph": (8, (25, 37), (167, 250), 128 // 2),
    "super-resolution": (9, (18, 27), (120, 180), 128),
}


def test_all_are_tested():
    assert {path.stem for path in (EXPERIMENTS / "papers/singan").glob("*.yaml")} == set(PAPERS)


@pytest.mark.parametrize("name", PAPERS)
def test_scales_and_lengths_are_the_papers(name):
    scales, coarsest, finest, widest = PAPERS[name]
    spec, _, module = build_experiment(EXPERIMENTS / f"papers/singan/{name}.yaml")
    assert (len(module.sizes), module.sizes[0], module.sizes[-1]) == (scales, coarsest, finest)
    assert module.generator.scales[-1].correct.layers[0].out_channels == widest
    assert module.plan.images == 2000 * 3  # rounds, and real images in each
    assert module.plan.rate(1599 * 3) == 1
    assert module.plan.rate(1600 * 3) == pytest.approx(0.1)
    assert 1000 * spec.kimg == module.plan.complete_at
    assert module.remark(round(1000 * spec.kimg)) is None


@pytest.mark.parametrize("name", ["china", "china-large"])
def test_the_small_experiments_have_time_for_all_scales(name):
    spec, _, module = build_experiment(EXPERIMENTS / f"singan/{name}.yaml")
    assert 1000 * spec.kimg == module.plan.complete_at

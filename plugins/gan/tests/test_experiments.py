"""The published experiments, built on the meta device; networks counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab import DataFacts, InputFacts
from ganlab.testing import build_experiment, parameter_count

PAPERS = Path(__file__).parents[3] / "experiments/papers"
PLAIN = (101 * 1200 + 1201 * 1200 + 1201 * 784, 785 * 1200 + 241 * 1200 + 241)
CONDITIONAL = (101 * 200 + 11 * 1000 + 1201 * 1200 + 1201 * 784, 785 * 1200 + 11 * 250 + 291 * 960 + 241)
FACES = (101 * 8000 + 8001 * 8000 + 8001 * 2304, 2305 * 6000 + 1201 * 6000 + 1201)
COLOURS = (101 * 8000 + 8001 * 8000 + 8001 * 3072, 3073 * 8000 + 1601 * 8000 + 1601)
CONVOLVED = (
    101 * 8000 + 8001 * 8000 + 25 * 80 * 3 + 3072,
    (64 * 3 + 1) * 64 + (64 * 32 + 1) * 64 + (25 * 32 + 1) * 384 + (192 * 25 + 1) * 2500 + 501,
)
COUNTS = {
    "gan/mnist": PLAIN,
    "gan/mnist-minimax": PLAIN,
    "gan/tfd": FACES,
    "gan/cifar10": COLOURS,
    "gan/cifar10-convolutional": CONVOLVED,
    "cgan/mnist": CONDITIONAL,
    "cgan/flickr-tags": (101 * 500 + 4097 * 2000 + 2501 * 200, 201 * 500 + 4097 * 1200 + 1701 * 3000 + 1001),
}
FLICKR = DataFacts((200,), 25_000, "words", value_range=(-1.0, 1.0), inputs={"features": InputFacts((4096,))})


EPOCHS = {"gan/tfd": 102_236, "gan/cifar10": 40_000, "gan/cifar10-convolutional": 40_000}


def test_all_are_tested():
    found = {f"{paper}/{path.stem}" for paper in ("gan", "cgan") for path in (PAPERS / paper).glob("*.yaml")}
    assert found == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_networks_and_schedules(name):
    facts = FLICKR if name == "cgan/flickr-tags" else None
    spec, _, module = build_experiment(PAPERS / f"{name}.yaml", facts=facts)
    players = module.players()
    assert tuple(parameter_count(players[each]) for each in ("generator", "discriminator")) == COUNTS[name]
    for node in spec.optimizers.values():
        assert node.name == "sgd"
        momentum, rate, batch = node.options["momentum"], node.options["lr"], spec.data.batch_size
        epoch = EPOCHS.get(name, 60_000)
        for images in (0, spec.kimg * 500, spec.kimg * 1000):
            assert momentum(images) == pytest.approx(0.5 + 0.2 * images / epoch / 250, abs=0.002)
        decay, last = (1.00004 if name.startswith("cgan") else 1.000004), spec.kimg * 900
        assert rate(last) == pytest.approx(rate(0) / decay ** (last / batch), rel=0.05)

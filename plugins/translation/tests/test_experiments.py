"""The published experiments, built on the meta device, and the small ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.build import facts_of_data
from ganlab.facts import MISSING
from ganlab.spec import read_spec
from ganlab.testing import build_experiment, parameter_count

EXPERIMENTS = Path(__file__).parents[3] / "experiments"


def convolutions(*widths: int, kernel: int = 4) -> int:
    """Parameters of a discriminator: biases at both ends, gains and biases of norms in between."""
    pairs = list(zip(widths, widths[1:], strict=False))
    inner = sum(a * b * kernel**2 + 2 * b for a, b in pairs[1:-1])
    return inner + sum(a * b * kernel**2 + b for a, b in (pairs[0], pairs[-1]))


PATCH_1, PATCH_16 = convolutions(6, 64, 128, 1, kernel=1), convolutions(6, 64, 128, 1)
PATCH_70, PATCH_286 = 2_768_705, convolutions(6, 64, 128, 256, 512, 512, 512, 1)


PIX2PIX = {
    "facades": (1, 100, PATCH_70),
    "facades-l1": (0, 100, PATCH_70),
    "facades-gan": (1, 0, PATCH_70 - 3 * 64 * 16),
    "facades-cgan": (1, 0, PATCH_70),
    "facades-l1-gan": (1, 100, PATCH_70 - 3 * 64 * 16),
    "facades-patch-1": (1, 100, PATCH_1),
    "facades-patch-16": (1, 100, PATCH_16),
    "facades-patch-286": (1, 100, PATCH_286),
    **dict.fromkeys(("maps", "cityscapes", "edges2shoes", "night2day"), (1, 100, PATCH_70)),
}


def test_the_published_number_is_that_of_the_layers() -> None:
    assert convolutions(6, 64, 128, 256, 512, 1) == PATCH_70


def test_all_of_pix2pix_are_tested() -> None:
    assert {path.stem for path in (EXPERIMENTS / "papers/pix2pix").glob("*.yaml")} == set(PIX2PIX)


@pytest.mark.parametrize("name", PIX2PIX)
def test_pix2pix_is_the_papers(name: str) -> None:
    spec, _, module = build_experiment(EXPERIMENTS / f"papers/pix2pix/{name}.yaml")
    assert (module.adversarial, module.distance, parameter_count(module.discriminator)) == PIX2PIX[name]
    assert parameter_count(module.generator) == 54_413_955
    assert (spec.data.jitter, spec.data.flip) == ((None, False) if name == "edges2shoes" else (286, True))


@pytest.mark.parametrize(
    ("name", "generator", "identity"),
    [
        ("papers/cyclegan/horse2zebra", 11_378_179, 0),
        ("papers/cyclegan/monet2photo", 11_378_179, 5),
        ("papers/cyclegan/maps", 11_378_179, 0),
        ("papers/cyclegan/cityscapes", 7_837_699, 0),
        ("papers/climate/floods", 11_378_179, 0),
    ],
)
def test_cyclegan_is_the_papers(name: str, generator: int, identity: int) -> None:
    module = build_experiment(EXPERIMENTS / f"{name}.yaml").module
    assert {parameter_count(network) for network in module.generator.values()} == {generator}
    assert {parameter_count(network) for network in module.discriminator.values()} == {2_764_737}
    assert (module.identity, module.cycle, module.adversarial) == (identity, 10, 2)
    assert {len(pool.images) for pool in module.pools.values()} == {50}


@pytest.mark.parametrize(
    ("path", "overrides"),
    [
        ("emoji/pix2pix", ["data.path=[nowhere, nowhere else]"]),
        ("papers/pix2pix/facades", ["data.path=nowhere"]),
        ("papers/cyclegan/maps", ["data.domains={maps: nowhere, photos: nowhere else}"]),
    ],
)
def test_data_that_are_missing_hold_out_what_their_spec_says(path: str, overrides: list[str]) -> None:
    """So that metrics of held-out examples can be checked before the data are there."""
    facts, missing = facts_of_data(read_spec(EXPERIMENTS / f"{path}.yaml", overrides))
    assert missing is not None
    assert facts is not None
    assert facts.held_out == MISSING

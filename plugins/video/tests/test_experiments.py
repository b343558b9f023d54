"""The published experiments, built on the meta device, and the small ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.testing import build_experiment, parameter_count

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
WITHOUT_WEIGHTS = ["architecture.flow=none", "architecture.regularizers=[]"]


def judge(channels: int, scales: int) -> int:
    """Parameters of a discriminator: 4x4 convolutions of 64 to 512 channels, norms between the first and the last."""
    widths = [channels, 64, 128, 256, 512, 1]
    pairs = list(zip(widths, widths[1:], strict=False))
    ends = sum(before * after * 16 + after for before, after in (pairs[0], pairs[-1]))
    return scales * (ends + sum(before * after * 16 + 2 * after for before, after in pairs[1:-1]))


@pytest.mark.parametrize(
    ("name", "scales", "generator", "lengths"),
    [
        ("cityscapes-512", 1, 411_282_121, [8, 16, 30, 30]),
        ("cityscapes-1024", 2, 414_160_050, [6, 12, 24, 30]),
        ("cityscapes-2048", 3, 415_018_411, [6, 12, 24, 30]),
    ],
)
def test_the_papers_networks_and_windows(name: str, scales: int, generator: int, lengths: list[int]) -> None:
    spec, _, module = build_experiment(EXPERIMENTS / f"papers/vid2vid/{name}.yaml", WITHOUT_WEIGHTS)
    assert parameter_count(module.generator) == generator
    assert list(module.discriminator) == ["frames", "films_1", "films_3"]
    assert parameter_count(module.discriminator["frames"]) == judge(36 + 3, scales + 1)
    assert parameter_count(module.discriminator["films_3"]) == judge(3 * 3, scales + 1)
    every = 1000 * spec.architecture.options["doubled_every_kimg"]
    assert [module.step_frames(round(every * times)) for times in range(4)] == lengths
    rate = spec.optimizers["generator"].options["lr"]
    ends = [*module.schedule.joins, 1000 * spec.kimg]
    for begin, end, highest in zip([0, *ends], ends, [2e-4, 1e-4, 5e-5], strict=False):
        assert [rate(moment) for moment in (begin + 1, (begin + end) / 2, end)] == [highest, highest, 0]
    sides = [module.step_resolution(end - 1) for end in ends]
    assert sides == ([None] if scales == 1 else [512, 1024, 2048][:scales])
    freed = [end for end in module.schedule.changes(round(1000 * spec.kimg)) if not module.schedule.stage(end).fixed]
    halves = [(begin + end) / 2 for begin, end in zip(ends, ends[1:], strict=False)]
    assert set(halves) <= set(freed)


def test_all_published_experiments_are_tested() -> None:
    names = {path.stem for path in (EXPERIMENTS / "papers/vid2vid").glob("*.yaml")}
    assert names == {"cityscapes-512", "cityscapes-1024", "cityscapes-2048", "faceforensics-512", "dance-512"}


def test_faces_are_made_of_edges_in_one_size() -> None:
    spec, _, module = build_experiment(EXPERIMENTS / "papers/vid2vid/faceforensics-512.yaml", WITHOUT_WEIGHTS)
    assert parameter_count(module.discriminator["frames"]) == judge(1 + 3, 3)
    assert (module.given, module.step_resolution(0), module.generator.front) == (2, None, None)
    assert [module.step_frames(round(3520 * times)) for times in range(4)] == [14, 28, 56, 98]
    rate = spec.optimizers["generator"].options["lr"]
    assert [rate(704 * epochs) for epochs in (0, 10, 15, 20)] == pytest.approx([2e-4, 2e-4, 1e-4, 0])


def test_dancers_are_judged_by_their_faces_as_well() -> None:
    _, _, module = build_experiment(EXPERIMENTS / "papers/vid2vid/dance-512.yaml", WITHOUT_WEIGHTS)
    assert list(module.discriminator) == ["frames", "films_1", "films_3", "region"]
    assert parameter_count(module.discriminator["region"]) == judge(25 + 3, 1)
    assert module.judging.region.planes == (23, 24)
    assert (module.judging.region.side(512, 352), module.judging.region.weight) == (88, 2.0)
    assert [module.step_resolution(films) for films in (0, 19_999, 20_000)] == [256, 256, 512]
    assert [module.schedule.stage(films).fixed for films in (19_999, 20_000, 22_999, 23_000)] == [
        False,
        True,
        True,
        False,
    ]
    assert [module.step_frames(films) for films in (0, 5000, 10_000, 20_000, 25_000)] == [12, 24, 48, 12, 24]


def test_the_baseline_is_the_same_generator_without_what_is_of_films() -> None:
    names = ("moving-digits", "moving-digits-per-frame")
    module, alone = (build_experiment(EXPERIMENTS / f"vid2vid/{name}.yaml").module for name in names)
    assert list(alone.discriminator) == ["frames"]
    assert (alone.generator.past, alone.generator.moves, module.generator.past) == (0, False, 2)
    assert parameter_count(alone.discriminator["frames"]) == parameter_count(module.discriminator["frames"])

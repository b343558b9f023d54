from __future__ import annotations

from ganlab.training.clock import Clock, kimg_label, labelled_images


def test_passed_names_exactly_the_multiples_that_were_reached() -> None:
    clock = Clock()
    labels = []
    for _ in range(100):
        clock.advance(64)
        if clock.passed(1600):
            labels.append(clock.label(1600))
    assert labels == ["kimg-000001.600", "kimg-000003.200", "kimg-000004.800", "kimg-000006.400"]


def test_labels() -> None:
    assert kimg_label(20_000) == "kimg-000020"
    assert kimg_label(20_032) == "kimg-000020.032"


def test_state_round_trip() -> None:
    clock = Clock()
    clock.advance(64)
    clock.updates["generator"] += 1
    assert clock.rounds == 1
    copy = Clock()
    copy.load_state_dict(clock.state_dict())
    assert copy.state_dict() == clock.state_dict()
    assert copy.passed(64)  # a resumed run knows what was due at its checkpoint, and may not have been done
    copy.stand_still()
    assert not copy.passed(64)


def test_moments_are_read_from_names() -> None:
    names = ["kimg-000001.600.ckpt", "kimg-000000.png", "kimg-000000.600.png", "kimg-123456", "reals.png", "last.ckpt"]
    assert [labelled_images(name) for name in names] == [1600, 0, 600, 123_456_000, -1, -1]

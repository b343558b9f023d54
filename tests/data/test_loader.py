from __future__ import annotations

import multiprocessing
import os
import signal
import time
from itertools import islice

import pytest
import torch

from ganlab.data import StepLoader
from ganlab.errors import DataError, SpecError
from tests.data.toys import Numbered


def growing(images_seen):
    return (8, 2) if images_seen < 32 else (4, 1)


def fixed(images_seen):
    return 6, 1


def numbers(batch):
    return batch.images[:, 0, 0, 0].tolist()


def taken(dataset, count, **options):
    return list(islice(iter(StepLoader(dataset, seed=1, **{"step_size": growing, **options})), count))


def test_workers_do_not_change_the_batches():
    alone, with_workers = (taken(Numbered(30), 9, flip=True, workers=workers) for workers in (0, 2))
    for first, second in zip(alone, with_workers, strict=True):
        assert first.plan == second.plan
        assert torch.equal(first.images, second.images)
        assert torch.equal(first.labels, second.labels)


def test_two_ranks_together_read_what_one_process_reads():
    whole = taken(Numbered(30), 6)
    ranks = [taken(Numbered(30), 6, rank=rank, world_size=2) for rank in (0, 1)]
    for one, first, second in zip(whole, *ranks, strict=True):
        size = one.batch_size
        for step in range(one.steps):
            half = slice(step * size // 2, (step + 1) * size // 2)
            assert numbers(one)[step * size : (step + 1) * size] == numbers(first)[half] + numbers(second)[half]


def test_the_plan_follows_the_images_seen():
    batches = taken(Numbered(30), 5, position=100, images_seen=0)
    assert [(batch.position, batch.images_seen, batch.batch_size, batch.steps) for batch in batches] == [
        (100, 0, 8, 2),
        (116, 16, 8, 2),
        (132, 32, 4, 1),
        (136, 36, 4, 1),
        (140, 40, 4, 1),
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_resumes_and_restarts_anywhere(workers):
    whole = taken(Numbered(30), 8)
    later = taken(Numbered(30), 3, position=whole[5].position, images_seen=whole[5].images_seen, workers=workers)
    assert [numbers(batch) for batch in later] == [numbers(batch) for batch in whole[5:]]
    loader = StepLoader(Numbered(30), seed=1, step_size=growing, workers=workers)
    iterator = iter(loader)
    for _ in range(4):
        next(iterator)
    loader.restart(whole[1].position, whole[1].images_seen)
    assert numbers(next(iterator)) == numbers(whole[1])
    assert numbers(next(iter(loader))) == numbers(whole[2])


def test_it_has_no_length():
    with pytest.raises(TypeError):
        len(StepLoader(Numbered(30), seed=1, step_size=fixed))


def test_the_global_generator_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    taken(Numbered(30), 2)
    assert torch.equal(torch.rand(3), expected)


def test_a_batch_size_that_ranks_cannot_share_is_an_error():
    with pytest.raises(SpecError, match=r"6 .*by 4"):
        StepLoader(Numbered(30), seed=1, step_size=fixed, world_size=4)


class Deadly(Numbered):
    def __getitem__(self, index):
        os.kill(os.getpid(), signal.SIGKILL)


def failure(dataset, **options):
    try:  # not pytest.raises, whose record keeps the frames, and with them the worker processes, alive
        taken(dataset, 3, **options)
    except DataError as error:
        return str(error)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_file_is_named(workers):
    message = failure(Numbered(12, broken=[7]), workers=workers)
    assert "picture7.png is truncated" in message
    assert "Traceback" not in message


def test_a_worker_that_dies_is_reported():
    assert "data loading process died" in failure(Deadly(12), workers=1)


class Stuck(Numbered):
    """A file system that stops delivering."""

    def __getitem__(self, index):
        if index == 3:
            time.sleep(60)
        return super().__getitem__(index)


def test_workers_leave_signals_to_their_parent() -> None:
    """A signal to the whole group once ended them first, and with them the checkpoint that was to be written."""
    batches = iter(StepLoader(Numbered(30), seed=1, step_size=fixed, workers=1))
    next(batches)
    (worker,) = multiprocessing.active_children()
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(worker.pid, number)
    assert [len(next(batches).images) for _ in range(5)]
    assert worker.is_alive()


@pytest.mark.slow
def test_a_worker_that_stops_is_a_sentence() -> None:
    with pytest.raises(DataError, match=r"no loading process has delivered anything for 1 seconds: .*timeout_minutes"):
        taken(Stuck(30), 9, workers=1, timeout=1)

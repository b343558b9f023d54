"""Ranks that meet in a store in which others have met before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from torch.distributed import DistStoreError, HashStore, Store, TCPStore

from ganlab.run import rendezvous
from ganlab.run.rendezvous import fresh_store

TIMEOUT = timedelta(seconds=20)


@pytest.fixture
def store() -> Store:
    return TCPStore("127.0.0.1", 0, is_master=True, timeout=TIMEOUT)


def client(server: TCPStore) -> TCPStore:
    return TCPStore("127.0.0.1", server.port, is_master=False, timeout=TIMEOUT)


def meet(server: TCPStore, order: list[int]) -> list[Store]:
    """The stores of ranks that come in the given order, each with a connection of its own."""
    with ThreadPoolExecutor(len(order)) as pool:
        met = {rank: pool.submit(fresh_store, client(server), rank, len(order), TIMEOUT) for rank in order}
        return [met[rank].result() for rank in range(len(order))]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_ranks_that_start_again_do_not_read_what_was_written_before(store: TCPStore, order: list[int]) -> None:
    for attempt in range(3):
        ranks = meet(store, order)
        assert not any(rank.check(["address"]) for rank in ranks)
        ranks[1].set("address", str(attempt))
        assert {rank.get("address") for rank in ranks} == {str(attempt).encode()}


def test_a_rank_waits_for_the_new_rank_0_and_not_for_the_one_that_is_gone(
    store: TCPStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendezvous, "PATIENCE_SECONDS", 0.1)
    meet(store, [0, 1])
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(fresh_store, client(store), 1, 2, TIMEOUT)
        with pytest.raises(TimeoutError):
            early.result(timeout=0.5)
        first = fresh_store(client(store), 0, 2, TIMEOUT)
        first.set("address", "new")
        assert early.result().get("address") == b"new"


def test_a_rank_0_that_never_comes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendezvous, "PATIENCE_SECONDS", 0.1)
    old = HashStore()
    old.set(rendezvous.KEY, "of-a-run-that-is-gone")
    with pytest.raises(TimeoutError, match="rank 0 did not welcome rank 1"):
        fresh_store(old, 1, 2, timedelta(seconds=0.3))


def test_a_rank_that_never_comes_is_told() -> None:
    brief = timedelta(seconds=1)
    lonely = TCPStore("127.0.0.1", 0, is_master=True, timeout=brief)
    with pytest.raises(DistStoreError):
        fresh_store(lonely, 0, 2, brief)

"""How the ranks of torchrun meet again after it has restarted them."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from secrets import token_hex

from torch.distributed import PrefixStore, Store

KEY = "ganlab/rendezvous"
PATIENCE_SECONDS = 1.0


def kept_by_torchrun() -> bool:
    """Whether the store that ranks meet in is torchrun's own, which outlives them."""
    return os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"


def fresh_store(store: Store, rank: int, world_size: int, timeout: timedelta) -> Store:
    """A part of the store that only ranks of the same start know, once all of them have come.

    torchrun's store keeps what ranks wrote before a restart. Whoever is first would read the addresses of ranks that
    are gone (pytorch/pytorch issue 135712), and restarts are counted by each machine for itself, so that their number
    is no common name. So rank 0 makes a name, and welcomes whoever answers to it by something that is new as well.
    If not all ranks have come after the timeout, rank 0 raises the store's `DistStoreError`, and others `TimeoutError`.
    """
    name = _gather(store, world_size) if rank == 0 else _join(store, rank, timeout)
    return PrefixStore(name, store)


def _gather(store: Store, world_size: int) -> str:
    name = f"{KEY}/{token_hex(8)}"
    store.set(KEY, name)
    for rank in range(1, world_size):
        answer = store.get(f"{name}/{rank}").decode()  # waits; the store raises after its own timeout
        store.set(f"{name}/{rank}/{answer}", "welcome")
    return name


def _join(store: Store, rank: int, timeout: timedelta) -> str:
    answer, deadline = token_hex(8), time.monotonic() + timeout.total_seconds()
    while time.monotonic() < deadline:
        name = store.get(KEY).decode()
        store.set(f"{name}/{rank}", answer)
        if _comes(store, f"{name}/{rank}/{answer}"):
            return name
    raise TimeoutError(f"rank 0 did not welcome rank {rank} within {timeout.total_seconds():.0f} seconds")


def _comes(store: Store, key: str) -> bool:
    """Whether a key is set soon; that of a rank 0 that is gone never is."""
    try:
        store.wait([key], timedelta(seconds=PATIENCE_SECONDS))
    except RuntimeError:  # torch's DistStoreError, of a store that waited for nothing
        return False
    return True

"""What each worker of a machine may use: a share of its GPUs, and of its cores."""

from __future__ import annotations

import os
from collections.abc import Sequence


def visible_devices() -> list[str]:
    """The GPUs of this machine that CUDA may use, as `CUDA_VISIBLE_DEVICES` names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    import torch

    return [str(index) for index in range(torch.cuda.device_count())]


def share_of(devices: Sequence[str], worker: int, workers: int) -> list[str]:
    """The devices of one worker: as many as each can have alone, or one that it shares with others."""
    each = len(devices) // workers
    if each:
        return list(devices[worker * each : (worker + 1) * each])
    return [devices[worker % len(devices)]] if devices else []


def environment_for(devices: Sequence[str], worker: int, workers: int) -> dict[str, str]:
    """The variables by which a worker's trials keep to its share; what the user has set for threads stays."""
    given = {}
    if share := share_of(devices, worker, workers):
        given["CUDA_VISIBLE_DEVICES"] = ",".join(share)
    if "OMP_NUM_THREADS" not in os.environ:
        given["OMP_NUM_THREADS"] = str(max(1, cores() // workers))
    return given


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

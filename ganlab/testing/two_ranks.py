"""A function, or an example module's training, on two processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing

from ganlab.contracts import DataFacts
from ganlab.testing.training import State


def run_on_two_ranks(function: Callable[..., None], *arguments: Any) -> None:
    """Call a function of a module as `function(rank, *arguments)` on two processes, with a launcher's variables set.

    The processes are forked from one that has imported torch and Lightning once for all calls, so that they start in a
    moment. They have one torch thread each, and `torch.distributed.init_process_group("gloo")` finds what it needs. An
    error in one of them is raised here.
    """
    multiprocessing.set_forkserver_preload(["ganlab.testing.training"])
    given = (function, _free_port(), arguments)
    torch.multiprocessing.start_processes(_run_rank, given, nprocs=2, start_method="forkserver")


def train_on_two_ranks(name: str, facts: DataFacts, steps: int) -> tuple[State, State]:
    """Parameters and buffers of both ranks after some steps of an architecture's example."""
    with tempfile.TemporaryDirectory() as folder:
        run_on_two_ranks(_train_rank, name, facts, steps, folder)
        first, second = (torch.load(Path(folder, f"{rank}.pt"), weights_only=True) for rank in range(2))
    return first, second


def _run_rank(rank: int, function: Callable[..., None], port: int, arguments: tuple[Any, ...]) -> None:
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "TORCHELASTIC_RUN_ID": "two-ranks",
    }
    torch.set_num_threads(1)
    function(rank, *arguments)


def _train_rank(rank: int, name: str, facts: DataFacts, steps: int, folder: str) -> None:
    from ganlab.run.launch import detect_launch
    from ganlab.spec.model import TrainerSection
    from ganlab.testing.examples import example_module
    from ganlab.testing.training import state_of, train_steps

    arguments = detect_launch(TrainerSection(accelerator="cpu")).trainer_arguments()
    module = train_steps(example_module(name, facts), steps, precision="64-true", **arguments)
    torch.save(state_of(module), Path(folder, f"{rank}.pt"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

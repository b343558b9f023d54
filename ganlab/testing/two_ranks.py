"""An example module on two processes of this machine."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import torch
import torch.multiprocessing

from ganlab.contracts import DataFacts
from ganlab.testing.training import State


def train_on_two_ranks(name: str, facts: DataFacts, steps: int) -> tuple[State, State]:
    """Parameters and buffers of both ranks after some steps of an architecture's example."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = (name, facts, steps, _free_port(), folder)
        torch.multiprocessing.spawn(_train_rank, arguments, nprocs=2)
        first, second = (torch.load(Path(folder, f"{rank}.pt"), weights_only=True) for rank in range(2))
    return first, second


def _train_rank(rank: int, name: str, facts: DataFacts, steps: int, port: int, folder: str) -> None:
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "TORCHELASTIC_RUN_ID": "conformance",
    }
    torch.set_num_threads(1)
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

"""Sums over processes; on two of them, this file runs itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from ganlab.nn import stack_over_ranks, sum_over_ranks

VALUES = torch.tensor([[0.3, -1.2], [2.0, 0.7]], dtype=torch.float64)


def cubes(values: torch.Tensor) -> torch.Tensor:
    """A loss for each rank's value that depends on all of them in a way that is not linear."""
    return values.sum() ** 3 * values[0] + values[1].sin() * values[0] ** 2


def derivatives(loss: torch.Tensor, values: torch.Tensor) -> dict[str, torch.Tensor]:
    (first,) = torch.autograd.grad(loss, values, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), values)
    return {"first": first.detach(), "second": second}


def test_one_process_has_nothing_to_sum() -> None:
    assert sum_over_ranks(VALUES) is VALUES
    assert torch.equal(stack_over_ranks(VALUES), VALUES[None])


def test_both_derivatives_on_two_processes_are_those_of_one(tmp_path: Path) -> None:
    commands = [[sys.executable, __file__, str(tmp_path), str(rank)] for rank in range(2)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors[-3000:]
    whole = VALUES.clone().requires_grad_()
    # Each rank has the loss `cubes` of the sum and of the stack; their sum over both ranks is what is differentiated.
    expected = derivatives(2 * cubes(whole.sum(0)) + 2 * cubes(whole[:, 0]), whole)
    for rank in range(2):
        state = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name, value in expected.items():
            torch.testing.assert_close(state[name], value[rank], msg=f"{name} derivative on rank {rank}")


def main(folder: str, rank: int) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    own = VALUES[rank].clone().requires_grad_()
    loss = cubes(sum_over_ranks(own)) + cubes(stack_over_ranks(own)[:, 0])
    torch.save(derivatives(loss, own), Path(folder, f"{rank}.pt"))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

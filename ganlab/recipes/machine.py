"""What the machine has to train on."""

from __future__ import annotations

import os
from dataclasses import dataclass

_BF16_UNITS = ("amx_bf16", "avx512_bf16")


@dataclass(frozen=True)
class Machine:
    """The devices of one machine.

    Args:
        device: the name of an accelerator; empty where there is none.
        devices: how many accelerators there are.
        memory_gib: memory of one accelerator, or of the machine where there is none.
        cores: processor cores that this process may use.
        fast_bf16: whether the device computes in bfloat16 faster than in float32.
    """

    device: str = ""
    devices: int = 0
    memory_gib: float = 8.0
    cores: int = 1
    fast_bf16: bool = False

    @property
    def accelerated(self) -> bool:
        """Whether there is an accelerator."""
        return self.devices > 0

    def __str__(self) -> str:
        cores = f"{self.cores} core{'s' if self.cores != 1 else ''}"
        if not self.accelerated:
            return f"CPU with {cores}, {self.memory_gib:.0f} GiB of memory, no accelerator"
        several = f"{self.devices} x " if self.devices > 1 else ""
        return f"{several}{self.device} with {self.memory_gib:.0f} GiB, {cores}"


def this_machine() -> Machine:
    """The machine that this process runs on."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        return Machine(
            device=properties.name,
            devices=torch.cuda.device_count(),
            memory_gib=properties.total_memory / 2**30,
            cores=cores,
            fast_bf16=torch.cuda.is_bf16_supported(including_emulation=False),
        )
    if torch.backends.mps.is_available():
        return Machine("Apple GPU", 1, _memory_gib(), cores)
    return Machine(memory_gib=_memory_gib(), cores=cores, fast_bf16=_has_bf16_units())


def _memory_gib() -> float:
    from ganlab.training.devices import machine_memory

    return machine_memory() / 2**30


def _has_bf16_units() -> bool:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return not set(_BF16_UNITS).isdisjoint(flags.split())

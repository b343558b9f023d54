"""The devices of a training, before Lightning looks for them."""

from __future__ import annotations

import os

import torch
from pytorch_lightning.accelerators import AcceleratorRegistry, CUDAAccelerator, MPSAccelerator

from ganlab.errors import SpecError
from ganlab.spec.model import TrainerSection
from ganlab.suggestions import did_you_mean

_AUTO, _GPU = "auto", "gpu"


def check_devices(section: TrainerSection) -> None:
    """Raise `SpecError` for an accelerator that there is not, or not on this machine, or has fewer devices."""
    name = section.accelerator
    known = [_AUTO, _GPU, *sorted(AcceleratorRegistry.available_accelerators())]
    if name not in known:
        raise SpecError(
            f"trainer.accelerator: there is no accelerator '{name}'; choose from {', '.join(known)}"
            f"{did_you_mean(name, known)}"
        )
    if name == _AUTO:
        return
    kinds = [CUDAAccelerator, MPSAccelerator] if name == _GPU else [AcceleratorRegistry.get(name)]
    if not any(kind.is_available() for kind in kinds):
        raise SpecError(
            f"trainer.accelerator: '{name}' was asked for, but this machine has none; write 'auto' to take what there "
            "is, or add trainer.accelerator=cpu to check a spec that is for another machine"
        )
    if CUDAAccelerator in kinds and section.devices > (there := CUDAAccelerator.auto_device_count()):
        raise SpecError(f"trainer.devices: {section.devices} were asked for, but this machine has {there}")


def memory_of(section: TrainerSection) -> int:
    """Bytes of memory of the device that a training takes; of the machine where that is no GPU of its own memory."""
    if section.accelerator in (_AUTO, _GPU, "cuda") and torch.cuda.is_available():
        return int(torch.cuda.get_device_properties(0).total_memory)
    return machine_memory()


def machine_memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

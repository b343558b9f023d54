"""Where to run a network outside of training."""

from __future__ import annotations

import torch


def choose_device() -> torch.device:
    """The accelerator if there is one, else the CPU."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator or torch.device("cpu")

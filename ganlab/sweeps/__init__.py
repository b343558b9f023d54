"""Sweeps: many trainings of one spec with other values, chosen by a search, run by workers that can be killed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganlab.sweeps.file import SweepFile, read_sweep_file
    from ganlab.sweeps.results import Group, SweepResults, TrialResult, read_sweep

_PUBLIC = {
    "Group": "results",
    "SweepFile": "file",
    "SweepResults": "results",
    "TrialResult": "results",
    "read_sweep": "results",
    "read_sweep_file": "file",
}

__all__ = ["Group", "SweepFile", "SweepResults", "TrialResult", "read_sweep", "read_sweep_file"]


def __getattr__(name: str) -> Any:
    # Lazy, as Optuna takes a moment to load.
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ganlab.sweeps' has no attribute '{name}'")
    return getattr(importlib.import_module(f"ganlab.sweeps.{_PUBLIC[name]}"), name)

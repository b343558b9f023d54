"""Data: examples, the resumable stream, loading, checks before training, and pictures of data."""

from __future__ import annotations

from ganlab.data.examples import read_examples
from ganlab.data.grid import save_grid, save_scatter
from ganlab.data.loader import StepLoader
from ganlab.data.readiness import preflight
from ganlab.data.records import FileRecord
from ganlab.data.scaling import scale, to_bytes
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.data.stream import Stream

__all__ = [
    "FileRecord",
    "StepBatch",
    "StepLoader",
    "StepPlan",
    "Stream",
    "preflight",
    "read_examples",
    "save_grid",
    "save_scatter",
    "scale",
    "to_bytes",
]

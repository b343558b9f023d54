"""Specs to begin with: what pictures and machine are like, what suits them, and a commented file that says why."""

from __future__ import annotations

from ganlab.recipes.machine import Machine
from ganlab.recipes.task import Draft, Task

__all__ = ["Draft", "Machine", "Task"]

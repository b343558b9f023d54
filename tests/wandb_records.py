"""What a W&B server of the tests keeps of what clients send: runs, sweeps and artifacts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Run:
    """A run as the server has it; `history` are rows as they came, `offsets` where in the file each part began."""

    name: str
    project: str = "ganlab"
    facts: dict[str, Any] = field(default_factory=dict)
    history: dict[int, dict[str, Any]] = field(default_factory=dict)
    offsets: list[int] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    state: str = "running"
    exit_code: int | None = None
    preempting: bool = False
    stopped: bool = False

    @property
    def config(self) -> dict[str, Any]:
        """Plain values by name."""
        told = json.loads(self.facts.get("config") or "{}")
        return {name: entry["value"] for name, entry in told.items() if name != "_wandb"}

    def series(self, name: str) -> list[Any]:
        """All values of a number, in order."""
        return [row[name] for _, row in sorted(self.history.items()) if name in row]


@dataclass
class Sweep:
    """A sweep with the arguments of the trials that an agent is to be given, and what agents said."""

    name: str
    config: dict[str, Any]
    project: str
    trials: list[dict[str, Any]] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    stop: set[str] = field(default_factory=set)
    heartbeats: list[dict[str, bool]] = field(default_factory=list)


@dataclass
class Artifact:
    """One version of an artifact."""

    identity: str
    version: int
    kind: str
    name: str
    aliases: list[str]
    files: list[str] = field(default_factory=list)
    committed: bool = False
    deleted: bool = False

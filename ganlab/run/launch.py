"""How many processes a run has, and who starts them: Lightning, torchrun or SLURM."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lightning_fabric.plugins.environments import (
    ClusterEnvironment,
    LightningEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)

from ganlab.run.strategy import GradientSyncStrategy
from ganlab.spec.model import TrainerSection


@dataclass(frozen=True)
class Launch:
    """Devices on each node, nodes, and the environment that starts the processes."""

    devices: int
    num_nodes: int
    environment: ClusterEnvironment
    timeout_minutes: float = 30.0

    @property
    def world_size(self) -> int:
        """Number of processes."""
        return self.devices * self.num_nodes

    def trainer_arguments(self) -> dict[str, Any]:
        """Arguments of Lightning's Trainer for this launch."""
        arguments: dict[str, Any] = {"devices": self.devices, "num_nodes": self.num_nodes}
        if self.world_size > 1:
            arguments |= {"strategy": self._strategy()}
        else:
            arguments |= {"plugins": [LightningEnvironment()]}
        return arguments

    def _strategy(self) -> GradientSyncStrategy:
        timeout = timedelta(minutes=self.timeout_minutes)
        return GradientSyncStrategy(cluster_environment=self.environment, timeout=timeout)


def detect_launch(section: TrainerSection) -> Launch:
    """The launch of this process: a launcher's processes go before the spec's `devices` and `num_nodes`."""
    environment, timeout = os.environ, section.timeout_minutes
    if TorchElasticEnvironment.detect():
        local = int(environment["LOCAL_WORLD_SIZE"])
        return Launch(local, int(environment["WORLD_SIZE"]) // local, TorchElasticEnvironment(), timeout)
    tasks = int(environment.get("SLURM_NTASKS", 1))
    if "SLURM_STEP_ID" in environment and tasks > 1:  # inside srun, which starts one process a task
        nodes = int(environment.get("SLURM_NNODES", 1))
        return Launch(tasks // nodes, nodes, SLURMEnvironment(auto_requeue=False), timeout)
    return Launch(section.devices, section.num_nodes, LightningEnvironment(), timeout)


def is_first_process() -> bool:
    """Whether this is rank 0, known before the processes talk to each other."""
    if TorchElasticEnvironment.detect():
        return os.environ["RANK"] == "0"
    if "SLURM_STEP_ID" in os.environ:
        return os.environ.get("SLURM_PROCID", "0") == "0"
    return all(os.environ.get(name, "0") == "0" for name in ("NODE_RANK", "LOCAL_RANK"))

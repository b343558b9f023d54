"""The strategy for more than one device: nothing is wrapped, `GANModule.update` averages what it steps."""

from __future__ import annotations

from typing import Any

import torch.distributed
from pytorch_lightning.strategies import DDPStrategy, StrategyRegistry
from torch.distributed import DistNetworkError, DistStoreError, TCPStore

from ganlab.distributed import broadcast_module
from ganlab.errors import RunError, reason
from ganlab.run.launcher import WatchedLauncher
from ganlab.run.rendezvous import fresh_store, kept_by_torchrun


class GradientSyncStrategy(DDPStrategy):
    """Processes of Lightning, torchrun or SLURM without DistributedDataParallel.

    DistributedDataParallel expects one backward a step through all parameters; a GAN has several, through some of
    them, and through gradients of gradients. Here the module starts equal on all ranks and averages the gradients of
    the player that is about to step, so it stays equal.
    """

    strategy_name = "gradient_sync"

    def _configure_launcher(self) -> None:
        assert self.cluster_environment is not None
        self._launcher = WatchedLauncher(self.cluster_environment, self.num_processes, self.num_nodes)

    def setup_distributed(self) -> None:
        """Join the other ranks. Raises `RunError` if they cannot meet at the address that they were given."""
        try:
            if kept_by_torchrun():
                self._meet_in_torchruns_store()
            super().setup_distributed()  # which sets up all the rest where the ranks have met
        except (DistNetworkError, DistStoreError, TimeoutError) as error:
            environment = self.cluster_environment
            assert environment is not None
            raise RunError(
                f"the ranks cannot meet at {environment.main_address}, port {environment.main_port}: {reason(error)}; "
                "if another program has the port, set the environment variable MASTER_PORT to a free one, or unset it"
            ) from error

    def _meet_in_torchruns_store(self) -> None:
        environment = self.cluster_environment
        assert environment is not None
        assert self._timeout is not None
        rank, world_size = environment.global_rank(), environment.world_size()
        store = TCPStore(environment.main_address, environment.main_port, is_master=False, timeout=self._timeout)
        torch.distributed.init_process_group(
            self._get_process_group_backend(),
            store=fresh_store(store, rank, world_size, self._timeout),
            rank=rank,
            world_size=world_size,
            timeout=self._timeout,
            device_id=None if self.root_device.type == "cpu" else self.root_device,
        )

    def configure_ddp(self) -> None:
        """Start all ranks from the parameters and buffers of rank 0."""
        assert self.lightning_module is not None
        broadcast_module(self.lightning_module)

    @classmethod
    def register_strategies(cls, strategy_registry: Any) -> None:
        """Make `Trainer(strategy="gradient_sync")` find this strategy."""
        if cls.strategy_name not in strategy_registry:
            strategy_registry.register(
                cls.strategy_name, cls, description="averages the gradients of the player that steps; wraps nothing"
            )


GradientSyncStrategy.register_strategies(StrategyRegistry)

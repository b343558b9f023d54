"""The strategy for more than one device: nothing is wrapped, `GANModule.update` averages what it steps."""

from __future__ import annotations

from typing import Any

from pytorch_lightning.strategies import DDPStrategy, StrategyRegistry
from torch.distributed import DistNetworkError

from ganlab.distributed import broadcast_module
from ganlab.errors import RunError, reason
from ganlab.run.launcher import WatchedLauncher


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
            super().setup_distributed()
        except DistNetworkError as error:
            environment = self.cluster_environment
            assert environment is not None
            raise RunError(
                f"the ranks cannot meet at {environment.main_address}, port {environment.main_port}: {reason(error)}; "
                "if another program has the port, set the environment variable MASTER_PORT to a free one, or unset it"
            ) from error

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

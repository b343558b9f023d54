"""Watches for a training that goes wrong, and does about it what the spec says."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pytorch_lightning import Trainer

from ganlab.contracts import Dataset
from ganlab.distributed import broadcast_value, rank
from ganlab.errors import TrainingStopped
from ganlab.evaluation.real_logits import RealLogits
from ganlab.run.diversity_callback import DiversityCallback
from ganlab.run.part import RunPart
from ganlab.run.rollback_callback import RollbackCallback
from ganlab.spec.model import GuardSection
from ganlab.training.collapse import Line, Verdict
from ganlab.training.module import GANModule

logger = logging.getLogger(__name__)


class CollapseCallback(RunPart):
    """Measures and judges at each line of the log, on rank 0, which tells the others.

    Stands behind what logs and looks at the diversity, and before whatever saves checkpoints, so that a checkpoint
    knows of all that was seen before it.

    Args:
        section: what is a collapse, and what to do about one.
        dataset: of the training.
        diversity: looks at the fakes, if somebody does.
    """

    def __init__(self, section: GuardSection, dataset: Dataset, diversity: DiversityCallback | None) -> None:
        super().__init__()
        self.section = section
        self.diversity = diversity
        self.rollback: RollbackCallback
        self._dataset = dataset
        self._real_logits: RealLogits | None = None
        self._layers: dict[str, str] = {}
        self._line: Mapping[str, float] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Note how large weights are before they are trained; a resumed run knows."""
        watch = pl_module.settings.guard.watch
        if trainer.is_global_zero and not watch.has_begun:
            largest = self._largest(pl_module)
            watch.begin({name.partition("/")[2]: value for name, value in largest.items()})

    def gauge(self, module: GANModule, values: Mapping[str, float]) -> Mapping[str, float]:
        """What a line of the log gets besides: the largest singular values, logits of reals."""
        self._line = values
        if rank() != 0:
            return {}
        with self.trackers.pausing("looking for a collapse"):
            self._real_logits = self._real_logits or RealLogits(self._dataset)
            measured = {**self._largest(module), **self._real_logits.measure(module)}
        self._line = {**values, **measured}
        return measured

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Judge a line that there is, and act."""
        values, self._line = self._line, None
        if values is None:
            return
        verdict = self._judge(pl_module, values) if trainer.is_global_zero else None
        verdict = broadcast_value(verdict, pl_module.device)
        if verdict is not None:
            self._act(trainer, pl_module, verdict, batch.position + batch.images_shown)

    def rewind(self, images_seen: int) -> None:
        """Forget a line that was taken back."""
        super().rewind(images_seen)
        self._line = None

    def _largest(self, module: GANModule) -> dict[str, float]:
        """`weights/<player>`: the largest singular value of any of its layers' weights."""
        values = {}
        for player, network in module.players().items():
            found = module.settings.guard.watch.singular_values.measure(network, player)
            if found:
                layer, values[f"weights/{player}"] = max(found.items(), key=lambda item: item[1])
                self._layers[player] = layer
        return values

    def _judge(self, module: GANModule, values: Mapping[str, float]) -> Verdict | None:
        clock = module.clock
        line = Line(clock.images_seen, clock.rounds, values, module.loss_of_ignorance(), dict(self._layers))
        look = self.diversity.newest() if self.diversity else None
        return module.settings.guard.watch.judge(line, look)

    def _act(self, trainer: Trainer, module: GANModule, verdict: Verdict, next_position: int) -> None:
        guard, policy = module.settings.guard, self.section.collapse
        self.trackers.event(module.clock.images_seen, f"warning: {verdict.kind}", verdict.reason)
        if policy == "warn":
            if rank() == 0:
                logger.warning("ganlab: warning: %s", verdict.reason)
        elif policy == "stop" or guard.rollbacks >= guard.limit:
            tried = f" after {guard.rollbacks} rollbacks" if policy == "rollback" else ""
            raise TrainingStopped(
                f"{verdict.reason}; stopped{tried} (guard.collapse: {policy}). Checkpoints from before are kept, the "
                f"last sign of health was at {verdict.sound_until} images. A penalty of the discriminator's gradient "
                "such as r1, spectral norm, a lower learning rate, or an augmentation if there are few reals may help."
            )
        else:
            guard.rollbacks += 1
            self.rollback.roll_back(trainer, module, verdict.reason, next_position, verdict.sound_until)

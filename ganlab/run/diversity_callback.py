"""Watches, by the clock of images, that samples differ from each other about as much as the reals do."""

from __future__ import annotations

import logging
from typing import Any

from pytorch_lightning import Trainer

from ganlab.contracts import Dataset
from ganlab.evaluation.diversity import Diversity, DiversityMeter
from ganlab.run.part import RunPart
from ganlab.spec.model import DiversitySection
from ganlab.tracking.jsonl import logged_at
from ganlab.training.collapse import Look
from ganlab.training.module import GANModule

logger = logging.getLogger(__name__)

_SETTLED = 0.5  # share of the training after which samples that look alike are a finding
_SETTLED_IMAGES = 100_000  # or this many images, if they are fewer
_ADVICE = (
    "a penalty of the discriminator's gradient such as r1, spectral norm, a lower learning rate, or an augmentation if "
    "there are few reals"
)


class DiversityCallback(RunPart):
    """Logs `diversity/...` every `every_kimg` and at the end; `values` are the newest. Rank 0 does it all.

    Young generators make pictures that are alike; from half of the training or 100 kimg on, whichever comes
    first, this costs one warning. Stands before whatever saves checkpoints, so that a moment that can be resumed from
    has been looked at; a resumed run makes up for a line that was cut off with the rest of its moment.
    """

    def __init__(self, section: DiversitySection, dataset: Dataset, total_images: int) -> None:
        super().__init__(section.every_kimg * 1000)
        self.seed = section.seed
        self.dataset = dataset
        self.settled_at = min(total_images * _SETTLED, _SETTLED_IMAGES)
        self.values: dict[str, float] = {}
        self.looked_at = -1  # the moment of `values`
        self._meter: DiversityMeter | None = None
        self._warned = False

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Take over what was logged at this moment, or measure it if it was due."""
        clock = pl_module.clock
        if not trainer.is_global_zero or clock.images_seen == 0:
            return
        logged = logged_at(self.folder, clock.images_seen)
        self.values = {name: value for name, value in logged.items() if name.startswith("diversity/")}
        if self.values:
            self._done_at = self.looked_at = clock.images_seen
        elif self.is_due(pl_module):
            self._measure_once(pl_module)

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Measure if it is time to."""
        if self.is_due(pl_module) and trainer.is_global_zero:
            self._measure_once(pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Measure what training ended with, unless a signal ended it."""
        if trainer.is_global_zero and not pl_module.interrupted:
            self._measure_once(pl_module)

    def newest(self) -> Look | None:
        """The newest look: the spread of samples, within classes where these are known, in units of the reals."""
        if self.looked_at < 0:
            return None
        spread = self.values["diversity/overall"]
        if self.values.get("diversity/within_reals"):
            spread = min(spread, self.values["diversity/within"] / self.values["diversity/within_reals"])
        return Look(self.looked_at, spread, young=self.looked_at < self.settled_at)

    def rewind(self, images_seen: int) -> None:
        """Forget a look that was taken back."""
        super().rewind(images_seen)
        self.looked_at = self.looked_at if self.looked_at <= images_seen else -1

    def _measure_once(self, module: GANModule) -> None:
        moment = module.clock.images_seen
        if not self.first_time_at(moment):
            return
        with self.trackers.pausing("measuring diversity"):
            self._meter = self._meter or DiversityMeter(self.dataset, self.seed)
            diversity = self._meter.measure(module) if self._meter.useful else None
        if diversity is not None:
            self.values, self.looked_at = diversity.as_values(), moment
            self.trackers.scalars(moment, self.values)
            self._judge(diversity, moment)

    def _judge(self, diversity: Diversity, moment: int) -> None:
        finding = diversity.finding
        if finding and moment >= self.settled_at and not self._warned:
            self._warned = True
            classes = "'data.labels: false', " if self.dataset.facts.classes else ""
            advice = f"{finding}; try {classes}{_ADVICE}"
            logger.warning("ganlab: warning: %s", advice)
            self.trackers.event(moment, "warning of diversity", advice)

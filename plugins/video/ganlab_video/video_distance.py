"""A distance of films in any features of their frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from ganlab_metrics.frechet import frechet_distance
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.contracts import Extractor
from ganlab.evaluation.feature_set import Features
from ganlab_video.generator import EXAMPLE_FACTS


class VideoDistance:
    """Frechet distance of films, of which each is described by how its frames look and by how that changes.

    To a film belong the mean of the features of its frames and the mean of their absolute differences from one frame
    to the next: films of right frames that flicker, or stand still, are far from reals. The authors' number is of the
    same kind, in features of I3D and ResNeXt, which look at films as wholes; numbers of other features cannot be
    compared. It is biased: it falls with the number of films.

    Args:
        facts: facts of the data.
        extractor: features of single frames.
    """

    of_sequences: ClassVar[bool] = True
    higher_is_better: ClassVar[bool] = False
    example: ClassVar[Mapping[str, Any]] = {"extractor": "pixels"}
    example_facts: ClassVar[DataFacts] = EXAMPLE_FACTS

    def __init__(self, facts: DataFacts, extractor: Extractor) -> None:
        if facts.frames < 2:
            raise UserError("video_distance compares films, which take two frames at least: these data have none")
        self.frames = facts.frames
        self.extractor = extractor

    def compare(self, reals: Features, fakes: Features) -> Mapping[str, float]:
        """The distance."""
        return {"distance": frechet_distance(*(Features(of_films(each.rows, self.frames)) for each in (reals, fakes)))}


def of_films(rows: Tensor, frames: int) -> Tensor:
    """Features (N * T, D) of frames as those of films (N, 2 * D)."""
    films = rows.unflatten(0, (-1, frames))
    return torch.cat([films.mean(1), films.diff(dim=1).abs().mean(1)], dim=1)

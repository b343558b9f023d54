"""The plain game, with networks of this family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ganlab.games.two_player import TwoPlayerGAN


class R3GAN(TwoPlayerGAN):
    """The plain game; the paper's loss is the preset `r3gan`: relativistic, with R1 and R2 in every update."""

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "r3gan", "latent_size": 8, "widths": [8, 8, 4], "groups": [2, 2, 1]},
        "discriminator": {"name": "r3gan", "widths": [8, 8, 4], "groups": [2, 2, 1]},
        "loss": "r3gan",
    }

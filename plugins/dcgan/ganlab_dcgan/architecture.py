"""The game of DCGAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ganlab.games.two_player import TwoPlayerGAN


class DCGAN(TwoPlayerGAN):
    """The plain two-player game; what makes it DCGAN is its networks (Radford et al., 2015)."""

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "dcgan", "width": 4, "latent_size": 8},
        "discriminator": {"name": "dcgan", "width": 4},
        "loss": "non_saturating",
    }

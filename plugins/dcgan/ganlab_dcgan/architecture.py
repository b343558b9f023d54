"""The game of DCGAN."""

from __future__ import annotations

from ganlab.training.two_player import TwoPlayerGAN


class DCGAN(TwoPlayerGAN):
    """The plain two-player game; what makes it DCGAN is its networks (Radford et al., 2015)."""

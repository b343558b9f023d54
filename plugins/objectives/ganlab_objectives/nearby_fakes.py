"""Fakes from latents beside those of the batch."""

from __future__ import annotations

from torch import Tensor

from ganlab.contracts import Views


def nearby_fakes(views: Views, deviation: float) -> Tensor:
    """G(z + d) for the latents z of the batch and normal d with this standard deviation."""
    latents: Tensor = views.latents
    offset = deviation * views.random.normal("latent_offset", *latents.shape[1:]).to(latents)
    fakes: Tensor = views.generate(latents + offset)
    return fakes

"""R1 with a first guess of its weight, as one name."""

from __future__ import annotations

from ganlab.bounds import Count, Positive
from ganlab.contracts import Preset
from ganlab_objectives.distribution import DISTRIBUTION


def r1_heuristic(resolution: Count, batch_size: Count, scale: Positive = 1.0, every: Count = 16) -> Preset:
    """Stand for a lazy `r1` with the weight 0.0002 * resolution^2 / batch_size * scale.

    That is the rule of StyleGAN2-ADA's automatic configuration, with the same convention of gamma / 2. It was found
    for its networks at 128 pixels and more; other networks and small images often want 10 to 100 times as much, so
    that `scale` is the number to search (see `experiments/sweeps/r1_gamma.yaml`).

    Args:
        resolution: side of the images, `${data.resolution}` where the spec gives it there.
        batch_size: total over ranks, `${data.batch_size}` where the spec gives it there.
        scale: factor to search.
        every: interval in updates of the discriminator.
    """
    weight = 2e-4 * resolution**2 / batch_size * scale
    return Preset({"regularizers": [{"name": f"{DISTRIBUTION}/r1", "weight": weight, "every": every}]})


r1_heuristic.example = {"resolution": 256, "batch_size": 16}  # type: ignore[attr-defined]

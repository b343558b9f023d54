"""Top-k training: the generator learns from its best fakes only."""

from __future__ import annotations

from torch import Tensor


def best_fakes(real_logits: Tensor | None, fake_logits: Tensor, share: float) -> tuple[Tensor | None, Tensor]:
    """The logits (N, ...) of the `share` of fakes, at least one, that look most real, and of the reals beside them.

    Logits of several places in an image are averaged to compare fakes. The best are those of this part of a batch
    (a device's, or a micro-batch's), each of which thus keeps the same share.
    """
    if share >= 1:
        return real_logits, fake_logits
    scores = fake_logits.detach().flatten(1).mean(1) if fake_logits.dim() > 1 else fake_logits.detach()
    best = scores.topk(max(1, round(share * len(scores)))).indices
    return None if real_logits is None else real_logits[best], fake_logits[best]

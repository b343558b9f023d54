"""The colours of the training's picture, for paintings that are given others."""

from __future__ import annotations

import torch
from torch import Tensor


def main_colours(picture: Tensor, count: int) -> Tensor:
    """So many colours (colours, C), or as many as there are, around which the pixels of a picture (1, C, H, W) lie.

    They are the means of k-means, which starts from the same pixels each time.
    """
    from sklearn.cluster import KMeans

    pixels = picture[0].flatten(1).T.cpu().double()
    different = len(pixels.unique(dim=0))
    found = KMeans(min(count, different), n_init=1, random_state=0).fit(pixels.numpy())
    return torch.from_numpy(found.cluster_centers_).to(picture)


def in_colours(images: Tensor, colours: Tensor) -> Tensor:
    """Images (N, C, H, W) with the nearest of some colours (colours, C) in the place of each pixel."""
    pixels = images.movedim(1, -1)
    nearest = torch.cdist(pixels.flatten(0, -2), colours).argmin(dim=1)
    return colours[nearest].view(pixels.shape).movedim(-1, 1)

"""A pool of earlier fakes, so that a discriminator does not forget them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlab.distributed import gather_batch, rank
from ganlab.randomness import Randomness


class ImagePool(nn.Module):
    """Keeps up to `size` images and gives earlier ones in place of new ones (Shrivastava et al., 2017).

    While there is room, an image is kept and returned. Afterwards it is returned itself with probability one half, and
    else takes the place of a kept one, which is returned. The pool is saved with the run and equal on all ranks; it
    takes the images of all of them in the order of the batch.

    Args:
        size: images that are kept; 0 gives images back as they are.
        shape: of one image.
    """

    images: Tensor
    kept: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("kept", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def exchange(self, images: Tensor, random: Randomness) -> Tensor:
        """Images (N, *shape), some of them of earlier calls, without gradients. A collective: every rank calls it."""
        size = len(self.images)
        if size == 0:
            return images.detach()
        whole = gather_batch(images).to(self.images)
        draws = Randomness(*random.key, "pool", count=len(whole))
        swaps, places = draws.uniform("swap").tolist(), draws.integers("place", size).tolist()
        kept = int(self.kept.item())
        returned = []
        for index, image in enumerate(whole):
            place = None if kept >= size and swaps[index] < 0.5 else places[index]
            returned.append(image)
            if kept < size:
                self.images[kept] = image
                kept += 1
            elif place is not None:
                returned[-1] = self.images[place].clone()
                self.images[place] = image
        self.kept.fill_(kept)
        own = slice(rank() * len(images), (rank() + 1) * len(images))
        return torch.stack(returned[own]).to(images)

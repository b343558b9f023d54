"""A pool of earlier fakes, so that a discriminator does not forget them."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab.distributed import gather_batch
from ganlab.nn.committed import Committed
from ganlab.randomness import Randomness


class ImagePool(Committed):
    """Keeps up to `size` images and gives earlier ones in place of new ones (Shrivastava et al., 2017).

    While there is room, an image is kept and returned. Afterwards it is returned itself with probability one half, and
    else takes the place of a kept one, which is returned. Images of one update see the pool as it was before; the
    images of all parts and ranks then go into it in the order of the batch, the last one of several for a place. So
    neither devices nor micro-batches change it. The pool is saved with the run and equal on all ranks.

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
        self._shown: list[Tensor] = []
        self._places: list[Tensor] = []

    @torch.no_grad()
    def exchange(self, images: Tensor, random: Randomness) -> Tensor:
        """The images (N, *shape) of the rows of `random`, some replaced by earlier ones, without gradients.

        Once an update for each row.
        """
        size = len(self.images)
        if size == 0:
            return images.detach()
        assert len(images) == len(random), f"{len(images)} images for {len(random)} rows of a batch"
        draws = random.scoped("pool")
        swaps, places = draws.uniform("swap") >= 0.5, draws.integers("place", size)
        fresh = self.kept + random.start + torch.arange(len(images), device=self.kept.device)
        room = fresh < size
        self._shown.append(images.detach())
        # Images that are not kept go to a place behind the last.
        self._places.append(torch.where(room, fresh, torch.where(swaps, places, size)))
        earlier = (swaps & ~room).view(-1, *[1] * (images.dim() - 1))
        return torch.where(earlier, self.images[places].to(images), images.detach())

    @torch.no_grad()
    def commit(self, refused: Tensor | None = None) -> None:
        """Keep what is to be kept of the images of an update. A collective."""
        if not self._shown:
            return
        images, places = gather_batch(torch.cat(self._shown)), gather_batch(torch.cat(self._places))
        self.discard()
        if refused is not None:
            places = torch.where(refused, len(self.images), places)
        rows = torch.arange(len(images), device=places.device)
        last = rows.new_full((len(self.images) + 1,), -1).scatter_reduce(0, places, rows, "amax")[:-1]
        replaced = (last >= 0).view(-1, *[1] * (images.dim() - 1))
        self.images.copy_(torch.where(replaced, images[last.clamp_min(0)].to(self.images), self.images))
        self.kept.copy_(
            torch.maximum(self.kept, ((last >= 0) * (torch.arange(len(last), device=last.device) + 1)).max())
        )

    def discard(self) -> None:
        """Forget the images of an update that is left out."""
        self._shown.clear()
        self._places.clear()

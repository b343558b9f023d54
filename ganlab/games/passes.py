"""The passes through the discriminator in one update, each made when it is first asked for, and once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor

from ganlab.contracts import Batch
from ganlab.errors import UserError
from ganlab.randomness import Randomness
from ganlab.views import Fakes, Scores

_NOT_GIVEN: Any = object()


class Judging(Protocol):
    """What passes need of a game; `ganlab.games.two_player.TwoPlayerGAN` says what these are."""

    @property
    def penalties_share_passes(self) -> bool: ...  # noqa: D102
    def due_views(self, player: str) -> frozenset[str]: ...  # noqa: D102
    def judge(  # noqa: D102
        self, images: Tensor, labels: Tensor | None, random: Randomness, inputs: Mapping[str, Tensor] | None = None
    ) -> Scores: ...


class Passes:
    """What the discriminator says of the reals and fakes of one player's update, and the slopes there.

    Where a penalty that is due reads a gradient by the images, these ask for one from the start, so that loss and
    penalties share a pass. Penalties that need more precision than the loss have passes of their own.
    """

    def __init__(self, game: Judging, player: str, batch: Batch, fakes: Fakes) -> None:
        self.game = game
        self.batch = batch
        self.fakes = fakes
        self.judges = player == "discriminator"
        self.reals = batch.images
        self.random = batch.random.scoped("penalty")
        self.shared = game.penalties_share_passes  # asked here: penalties themselves run without autocast
        due = game.due_views(player) if self.judges and self.shared else frozenset()
        if "real_gradient" in due:
            self.reals = _with_gradient(self.reals)
        if "fake_gradient" in due:
            fakes.images = _with_gradient(fakes.images)

    @cached_property
    def real_scores(self) -> Scores:
        """Of the reals; for the generator without a graph, unless the player made some of their inputs."""
        batch = self.batch
        with torch.set_grad_enabled(self.judges or any(value.requires_grad for value in batch.inputs.values())):
            return self.game.judge(self.reals, batch.labels, batch.random.scoped("real"), batch.inputs)

    @cached_property
    def fake_scores(self) -> Scores:
        """Of the fakes."""
        fakes = self.fakes
        return self.game.judge(fakes.images, fakes.labels, self.batch.random.scoped("fake"), fakes.inputs)

    @cached_property
    def real_gradient(self) -> Tensor:
        """Of the logits, at the reals."""
        if self.shared:
            return _gradient(self.reals, self.real_scores)
        return self._fresh_gradient(self.reals, self.batch.labels, self.batch.inputs)

    @cached_property
    def fake_gradient(self) -> Tensor:
        """Of the logits, at the fakes."""
        if self.shared:
            return _gradient(self.fakes.images, self.fake_scores)
        return self._fresh_gradient(self.fakes.images, self.fakes.labels, self.fakes.inputs)

    def discriminate(
        self, images: Tensor, labels: Tensor | None = _NOT_GIVEN, inputs: Mapping[str, Tensor] = _NOT_GIVEN
    ) -> Tensor:
        """Logits of other images, as many as the batch has or for the first of them.

        Labels and inputs are those of the batch, where fakes have the same.
        """
        if labels is _NOT_GIVEN:
            labels = self._common("labels")
        if inputs is _NOT_GIVEN:
            inputs = self._common("inputs")
        random, count = self.random, len(images)
        if count < len(random):
            random, inputs = random.slice(0, count), {name: value[:count] for name, value in inputs.items()}
        return self.game.judge(images, labels, random, inputs).logits

    def offered(self) -> dict[str, Callable[[], Any]]:
        """The views of these passes by name."""
        views: dict[str, Callable[[], Any]] = {
            "real_scores": lambda: self.real_scores,
            "fake_scores": lambda: self.fake_scores,
            "real_logits": lambda: self.real_scores.logits,
            "fake_logits": lambda: self.fake_scores.logits,
            "real_features": lambda: self.real_scores.features,
            "fake_features": lambda: self.fake_scores.features,
            "real_heads": lambda: self.real_scores.heads,
            "fake_heads": lambda: self.fake_scores.heads,
        }
        if self.judges:
            views |= {"real_gradient": lambda: self.real_gradient, "fake_gradient": lambda: self.fake_gradient}
        return views

    def _fresh_gradient(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor:
        images = _with_gradient(images)
        return _gradient(images, self.game.judge(images, labels, self.random, inputs))

    def _common(self, what: str) -> Any:
        if getattr(self.batch, what) is not getattr(self.fakes, what):
            raise UserError(
                f"a regularizer calls 'discriminate(images)' in a game whose fakes have {what} of their own; it must "
                f"say whose {what} belong to the images: 'discriminate(images, {what}=views.{what})' for reals, "
                f"'{what}=views.fake_{what}' for fakes"
            )
        return getattr(self.batch, what)


def _with_gradient(images: Tensor) -> Tensor:
    return images.detach().requires_grad_()


def _gradient(images: Tensor, scores: Scores) -> Tensor:
    """The gradient of each image's logits; that of the batch's sum, which is the same without batch statistics."""
    assert images.requires_grad, "a gradient by the images is prepared for regularizers that name it in 'requires'"
    total = torch.stack([logits.sum() for logits in scores.scales]).sum()
    (gradient,) = torch.autograd.grad(total, images, create_graph=True)
    return gradient

"""The training of a spec, written by hand: the yardstick of `overhead.py`."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from ganlab.build import build_architecture, build_dataset
from ganlab.data import read_examples
from ganlab.data.scaling import scale
from ganlab.data.stream import Stream
from ganlab.spec.model import Spec
from ganlab.views import as_scores

_HALF_LIFE = 10_000  # images; the value of the average does not matter to the time


class PlainLoop:
    """Plain torch for one generator and one discriminator, with R1, Adam and an average of the generator.

    It has the networks, the loss and the order of the data of a spec, keeps all data in memory as floats, and has
    nothing else: no log, guard, checkpoint or picture.
    """

    def __init__(self, spec: Spec) -> None:
        dataset = build_dataset(spec.data)
        module, _ = build_architecture(spec, dataset.facts)
        self.generator: nn.Module = module.generator
        self.discriminator: nn.Module = module.discriminator
        self.loss = module.loss
        self.average = copy.deepcopy(self.generator)
        self.batch_size = spec.data.batch_size
        self.discriminator_steps = module.discriminator_steps
        assert all(term.name == "r1" for term in module.regularizers), "only R1 is written out here"
        self.r1 = module.regularizers[0] if module.regularizers else None
        self.optimizers = {
            player: torch.optim.Adam(network.parameters(), fused=True, **spec.optimizers[player].options)
            for player, network in (("generator", self.generator), ("discriminator", self.discriminator))
        }
        examples = read_examples(dataset, range(len(dataset)))
        self.images = scale(examples["images"], dataset.facts.value_range)
        self.labels = examples["label"] if dataset.facts.classes else None
        self.stream = Stream(dataset, spec.seed)
        self.position = 0
        self.updates = 0

    def step(self) -> None:
        """One training step."""
        for _ in range(self.discriminator_steps):
            images, labels = self._batch()
            self._train_discriminator(images, labels)
        self._train_generator(images, labels)
        with torch.no_grad():
            keep = 0.5 ** (self.batch_size * self.discriminator_steps / _HALF_LIFE)
            live = list(self.generator.parameters())
            torch._foreach_lerp_(list(self.average.parameters()), live, 1 - keep)
            buffers = list(self.average.buffers())
            if buffers:
                torch._foreach_copy_(buffers, list(self.generator.buffers()))

    def _batch(self) -> tuple[Tensor, Tensor | None]:
        positions = torch.arange(self.position, self.position + self.batch_size)
        indices, _ = self.stream.locate(positions)
        self.position += self.batch_size
        return self.images[indices], None if self.labels is None else self.labels[indices]

    def _train_discriminator(self, images: Tensor, labels: Tensor | None) -> None:
        with torch.no_grad():
            fakes = self.generator(torch.randn(len(images), self.generator.latent_size), labels)
        penalised = self.r1 is not None and self.updates % self.r1.every == 0
        images = images.requires_grad_(penalised)  # loss and penalty share a pass
        real_logits, fake_logits = self._judge(images, labels), self._judge(fakes, labels)
        loss = self.loss.discriminator(real_logits, fake_logits)
        if self.r1 is not None and penalised:
            (gradient,) = torch.autograd.grad(real_logits.sum(), images, create_graph=True)
            loss = loss + gradient.square().flatten(1).sum(1).mean() * (self.r1.weight * self.r1.every / 2)
        self.updates += 1
        self._descend("discriminator", loss)

    def _train_generator(self, images: Tensor, labels: Tensor | None) -> None:
        self.discriminator.requires_grad_(False)
        fakes = self.generator(torch.randn(len(images), self.generator.latent_size), labels)
        real_logits = None
        if getattr(self.loss, "needs_real_logits", False):
            with torch.no_grad():
                real_logits = self._judge(images, labels)
        self._descend("generator", self.loss.generator(real_logits, self._judge(fakes, labels)))
        self.discriminator.requires_grad_(True)

    def _judge(self, images: Tensor, labels: Tensor | None) -> Tensor:
        return as_scores(self.discriminator(images, labels)).logits

    def _descend(self, player: str, loss: Tensor) -> None:
        self.optimizers[player].zero_grad()
        loss.backward()
        self.optimizers[player].step()

"""The game of CycleGAN: images of two domains into each other, without pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from ganlab.bounds import Natural
from ganlab.contracts import Batch, Discriminator, Factory, Generator, InputFacts, Loss
from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.nn import ImagePool
from ganlab.randomness import Randomness
from ganlab.schedules import Scheduled
from ganlab.training.module import GANModule, Terms
from ganlab.views import Latents, as_scores

IMAGES = "images"


class CycleGAN(GANModule):
    """Two translations, there and back, and a discriminator of each domain (Zhu et al., 2017).

    The data are the first domain, their one further domain is the second. The first one's name is that in the extras of
    the data's facts, or `first`. Generators are called with images (N, C, H, W), discriminators with images. In each
    round both generators are updated first; the discriminators then see the fakes of that update, or earlier ones from
    a buffer each, which is saved with the run. Samples are images of the first domain, made of the second one's.

    The paper's generators minimise (D(G(x)) - 1)^2, of which `lsgan` is half: `adversarial: 2` is as published.

    Args:
        generator: images of a domain to images of the other; built for each direction.
        discriminator: images to logits; built for each domain.
        loss: the loss of each discriminator and its generator.
        facts: facts of the data.
        cycle: weight of the mean absolute difference between an image and itself, translated there and back.
        identity: weight of that between an image and itself, translated to its own domain; half of `cycle` as
            published for paintings, 0 for all else.
        adversarial: weight of the loss in the generators' terms.
        pool: earlier fakes that are kept for each discriminator.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "resnet", "width": 2, "blocks": 1},
        "discriminator": {"name": "patch", "width": 2, "patch": 16},
        "loss": "lsgan",
        "pool": 6,
    }
    example_facts: ClassVar[DataFacts] = DataFacts(
        (3, 16, 12), 24, "colours", further={"grey": DataFacts((1, 16, 12), 17, "greys")}
    )

    def __init__(
        self,
        generator: Factory[Generator],
        discriminator: Factory[Discriminator],
        loss: Loss,
        facts: DataFacts,
        cycle: Annotated[Scheduled, Ge(0)] = 10.0,
        identity: Annotated[Scheduled, Ge(0)] = 0.0,
        adversarial: Annotated[Scheduled, Ge(0)] = 1.0,
        pool: Natural = 50,
    ) -> None:
        super().__init__()
        self.first, self.second = _two_domains(facts)
        self.sampled_from = (self.second,)
        shapes = {self.first: facts.shape, self.second: facts.further[self.second].shape}
        _check_shapes(shapes, needs_alike=identity != 0)
        other = {self.first: self.second, self.second: self.first}
        sources = {name: {"source": InputFacts(shapes[other[name]], IMAGES)} for name in shapes}
        self.generator = nn.ModuleDict(
            {name: _module(generator(shape=shape, inputs=sources[name])) for name, shape in shapes.items()}
        )
        self.discriminator = nn.ModuleDict(
            {name: _module(discriminator(shape=shape, inputs={})) for name, shape in shapes.items()}
        )
        self.pools = nn.ModuleDict({name: ImagePool(pool, shape) for name, shape in shapes.items()})
        self.other, self.loss = other, loss
        self.cycle, self.identity, self.adversarial = cycle, identity, adversarial
        self._shown: dict[int, dict[str, Tensor]] = {}

    # ---------------------------------------------------------------- the game

    def play(self, batches: Sequence[Batch]) -> None:
        """One round: both generators, then both discriminators on the fakes of that update."""
        self._shown = {}
        self.update("generator", self.generator_terms, batches[-1])
        self.update("discriminator", self.discriminator_terms, batches[-1])
        self._shown = {}

    def generator_terms(self, batch: Batch) -> Terms:
        """Make fakes of both domains that look real and lead back to where they came from."""
        reals = self.reals(batch)
        fakes = self.translated(reals)
        self._shown[batch.random.start] = {name: images.detach() for name, images in fakes.items()}
        back = self.translated(fakes)
        terms = {}
        for name, judge in self.discriminator.items():
            loss = self.loss.generator(None, as_scores(judge(fakes[name])).logits)
            terms[name] = self.adversarial * loss
            terms[f"cycle_{name}"] = self.cycle * l1_loss(back[name], reals[name])
        if self.identity:
            same = {name: make(reals[name]) for name, make in self.generator.items()}
            terms |= {f"identity_{name}": self.identity * l1_loss(same[name], reals[name]) for name in same}
        return terms

    def discriminator_terms(self, batch: Batch) -> Terms:
        """Tell reals of each domain from fakes, old and new."""
        reals = self.reals(batch)
        fakes = self._shown.pop(batch.random.start, None)
        if fakes is None:
            with torch.no_grad():
                fakes = self.translated(reals)
        terms = {}
        for name, judge in self.discriminator.items():
            shown = self.pools[name].exchange(fakes[name], batch.random.scoped(name))  # type: ignore[operator]
            real_logits, fake_logits = (as_scores(judge(images)).logits for images in (reals[name], shown))
            terms[name] = self.loss.discriminator(real_logits, fake_logits)
            self.scalars.add(f"logits/real_{name}", real_logits.detach().mean())
            self.scalars.add(f"logits/fake_{name}", fake_logits.detach().mean())
        return terms

    def reals(self, batch: Batch) -> dict[str, Tensor]:
        """The images of both domains, which do not belong together."""
        return {self.first: batch.images, self.second: batch.further[self.second].images}

    def translated(self, images: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Images of each domain, made of those of the other."""
        return {name: make(images[self.other[name]]) for name, make in self.generator.items()}

    # ---------------------------------------------------------------- samples

    def made_from(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The images of the domain that is not wanted."""
        return (self.second,) if self._wanted(options.get("to")) == self.first else (IMAGES,)

    def domain_of(self, options: Mapping[str, Any]) -> str | None:
        """The second domain, where it is wanted."""
        return None if self._wanted(options.get("to")) == self.first else self.second

    def render(self, latents: Latents, *, to: str | None = None, averaged: bool = True) -> Tensor:
        """Translated images.

        Args:
            latents: with the images to translate in their inputs.
            to: the domain that is wanted; null for the first, that of the data themselves.
            averaged: by the averaged generators.
        """
        wanted = self._wanted(to)
        source = latents.inputs[self.second if wanted == self.first else IMAGES]
        images: Tensor = self.network("generator", averaged)[wanted](source)
        return images

    def panels(
        self, fakes: Tensor, inputs: Mapping[str, Tensor], images: Tensor | None, random: Randomness
    ) -> Sequence[Tensor]:
        """What was translated and what became of it; beside these the same from the first domain to the second."""
        make = self.network("generator")
        if self.second in inputs:
            shown = [inputs[self.second], fakes]
            return shown if images is None else [*shown, images, make[self.second](images)]
        return [inputs[IMAGES], fakes] if IMAGES in inputs else [fakes]

    def _wanted(self, to: str | None) -> str:
        if to is None:
            return self.first
        if to not in self.other:
            raise UserError(f"there is no domain '{to}' to translate to; the domains are: {', '.join(self.other)}")
        return to


def _two_domains(facts: DataFacts) -> tuple[str, str]:
    if len(facts.further) != 1:
        there = ", ".join(facts.further) or "none"
        raise UserError(
            f"CycleGAN translates between two domains, so that the data need one further domain; these have: {there}. "
            "Take a data set such as 'unpaired_folders'"
        )
    (second,) = facts.further
    return str(facts.extras.get("domain", "first")), second


def _check_shapes(shapes: Mapping[str, tuple[int, ...]], needs_alike: bool) -> None:
    if len({shape[-2:] for shape in shapes.values()}) > 1 or any(len(shape) != 3 for shape in shapes.values()):
        raise UserError(
            "both domains need images of one size, and theirs are "
            + ", ".join(f"{name}: {' x '.join(map(str, shape))}" for name, shape in shapes.items())
            + "; set 'data.resolution'"
        )
    if needs_alike and len(set(shapes.values())) > 1:
        raise UserError(
            "'identity' translates images to their own domain, for which both need as many channels: set it to 0, or "
            "'data.channels'"
        )


def _module(network: Any) -> nn.Module:
    assert isinstance(network, nn.Module)
    return network

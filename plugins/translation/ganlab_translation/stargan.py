"""The game of StarGAN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from ganlab import Batch, DataFacts, Fakes, Latents, Randomness, TwoPlayerGAN, UserError, Views
from ganlab.bounds import Weight
from ganlab.contracts import Discriminator, Generator
from ganlab.nn import gather_batch
from ganlab_translation.domains import Changes, Domains
from ganlab_translation.stargan_networks import HEAD

_OLD, _NEW = "domains", "wanted domains"
_SHOWN = 16  # domains in pictures of a training


@dataclass(kw_only=True)
class ChangedFakes(Fakes):
    """Fakes with the domains (N, size) of the reals that they were made of, and those that they were given."""

    old_domains: Tensor
    new_domains: Tensor


class StarGAN(TwoPlayerGAN):
    """One generator changes images between all domains (Choi et al., 2018).

    Domains are the classes of the data, or attributes of which an image has several: an input `attributes` of zeros and
    ones. Data with a further domain (in the data set's sense) of images with classes or attributes of their own are the
    paper's training on two data sets: each update is made on a batch of the first, then on one of the second, and a
    mask says which domains are known. An image is given the domains of another image of its batch, by the
    discriminator's and the generator's update alike.

    Both players classify: the discriminator the reals, the generator its fakes, weighted by `classification` and
    `generator_classification`. Attributes have a binary cross-entropy each, which are summed.

    Args:
        reconstruction: weight of the mean absolute difference between a real and what becomes of it when it is changed
            and changed back.
        identity: weight of the mean absolute difference between a real and what becomes of it when it is asked to be
            what it is, as CycleGAN has it and the paper does not: without, any change that can be undone will do.
        exclusive: groups of attributes of the first data set, by name or number, of which an image has one, such as
            colours of hair. They are for sampling; training takes the attributes as they are.
    """

    sampled_from: ClassVar[tuple[str, ...]] = ("images",)
    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "stargan", "width": 4, "blocks": 1},
        "discriminator": {"name": "stargan", "width": 4, "depth": 2},
        "loss": "wasserstein",
        "regularizers": [{"name": "gradient_penalty", "weight": 10.0}],
    }

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        facts: DataFacts,
        reconstruction: Weight = 10.0,
        identity: Weight = 0.0,
        exclusive: Sequence[Sequence[str]] = (),
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, **options)
        self.domains = Domains(facts)
        groups = (exclusive, *[()] * (len(self.domains.sets) - 1))
        self.changes = [Changes(each, of_set) for each, of_set in zip(self.domains.sets, groups, strict=True)]
        self.reconstruction = reconstruction
        self.identity = identity

    # ---------------------------------------------------------------- training

    def play(self, batches: Sequence[Batch]) -> None:
        """The discriminator on every batch, then the generator on the last, of each data set in turn."""
        prepared = [self._of_each_set(batch) for batch in batches]
        for batch in (part for parts in prepared for part in parts):
            self.update("discriminator", self.terms_of("discriminator"), batch)
        for step in range(self.generator_steps):
            for batch in prepared[-1]:
                self.update("generator", self.terms_of("generator"), batch.scoped(step) if step else batch)

    def fakes(self, batch: Batch) -> ChangedFakes:
        """The reals with the domains of others."""
        if _OLD in batch.inputs:
            old, new = batch.inputs[_OLD], batch.inputs[_NEW]
        else:  # a batch that no round has prepared
            old = self.domains.vector(self.domains.sets[0].known(batch.labels, batch.inputs))
            new = old[batch.random.uniform("wanted domains").argsort()]

        def make(latents: Tensor) -> ChangedFakes:
            return ChangedFakes(
                images=self._changed(batch.images, new, batch.random),
                latents=latents,
                labels=batch.labels,
                inputs=batch.inputs,
                old_domains=old,
                new_domains=new,
            )

        return self.wrapped(make, self.draw_latents(batch.random), batch)

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        """What classification costs each player, and what is lost on the way there and back."""
        if player == "discriminator":
            logits = views.real_heads[HEAD]
            self.scalars.add("accuracy/real", self.domains.accuracy(logits.detach(), views.old_domains))
            return {"classification": self.classification * self.domains.loss(logits, views.old_domains)}
        weight = self.classification if self.generator_classification is None else self.generator_classification
        logits = views.fake_heads[HEAD]
        self.scalars.add("accuracy/fake", self.domains.accuracy(logits.detach(), views.new_domains))
        back = self._changed(views.fake_images, views.old_domains, batch.random.scoped("back"))
        terms = {
            "classification": weight * self.domains.loss(logits, views.new_domains),
            "reconstruction": self.reconstruction * l1_loss(back, batch.images),
        }
        if self.identity != 0:
            same = self._changed(batch.images, views.old_domains, batch.random.scoped("same"))
            terms["identity"] = self.identity * l1_loss(same, batch.images)
        return terms

    def draw_latents(self, random: Randomness) -> Tensor:
        """There are none: (N, 0)."""
        return random.normal("latents", 0)

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """The images among the inputs, with the domains among them."""
        images: Tensor = generator(inputs["images"], inputs[_OLD])
        return images

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Any:
        """Scores of images; domains are for it to tell."""
        return self.discriminator(images)

    # ---------------------------------------------------------------- sampling

    def made_from(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The examples' images, or those of the further data set that is asked for."""
        return ("images",) if options.get("of") is None else (self._further(options),)

    def domain_of(self, options: Mapping[str, Any]) -> str | None:
        """The further data set whose images are changed, if there is one."""
        return None if options.get("of") is None else self._further(options)

    def render(
        self,
        latents: Latents,
        *,
        domain: str | int | None = None,
        attribute: Mapping[str, float] | None = None,
        of: str | None = None,
        strip: bool = False,
        averaged: bool = True,
    ) -> Tensor:
        """Examples' images with other domains: of classes that of the label, of attributes those that are set.

        Args:
            latents: as `draw` makes them, of images and their labels or attributes.
            averaged: use the averaged weights.
            domain: one domain by its name, of any data set: a class, or an attribute that shall be there. What another
                data set than the image's knows besides is not there.
            attribute: attributes by name or number, as in `attribute.Smiling=1`; others stay as they are.
            of: a further data set whose images shall be changed, in place of those of the first; without a domain into
                any of its classes.
            strip: show the image itself and beside it the image in every domain.
        """
        images = latents.inputs["images" if of is None else of]
        if strip:
            return torch.cat([images, *self._strip(images, *self._own(latents, of), averaged)], dim=-1)
        which, known = self._own(latents, of)
        if domain is not None:
            which, known = self._with(str(domain), which, known)
        for name, value in (attribute or {}).items():
            changes = self.changes[which]
            if not changes.domains.several:
                raise UserError("'attribute' is about attributes, and these data have classes: ask for a label instead")
            known = changes.with_domain(known, changes.number(name, "'attribute'"), value)
        return self.changed(images, known, which, averaged=averaged)

    def changed(self, images: Tensor, known: Tensor, which: int = 0, *, averaged: bool = True) -> Tensor:
        """Images with these domains (N, domains) of one of the data sets, the first or a further one."""
        made: Tensor = self.network("generator", averaged)(images, self.domains.vector(known, which))
        return made

    def set_of(self, facts: DataFacts) -> int:
        """Which of the data sets has these facts: 0 for the first. Raises `UserError` if none has."""
        prints = [each.fingerprint for each in (self.facts, *self.facts.further.values())]
        if facts.fingerprint not in prints:
            raise UserError("these are the domains of another data set than those of the training")
        return prints.index(facts.fingerprint)

    def panels(
        self, fakes: Tensor, inputs: Mapping[str, Tensor], images: Tensor | None, random: Randomness
    ) -> Sequence[Tensor]:
        """The image, and beside it the image in every domain of all data sets (in the first sixteen)."""
        given = [name for name in ("images", *self.domains.further) if name in inputs]
        if not given:
            return [fakes]
        of = None if given[0] == "images" else given[0]
        latents = Latents(values=fakes.new_empty(len(fakes), 0), inputs=inputs)
        strip = self._strip(inputs[given[0]], *self._own(latents, of), averaged=True)
        return [inputs[given[0]], *islice(strip, _SHOWN)]

    # ---------------------------------------------------------------- inside

    def _further(self, options: Mapping[str, Any]) -> str:
        return self.domains.further[self.domains.place(str(options["of"])) - 1]

    def _own(self, latents: Latents, of: str | None) -> tuple[int, Tensor]:
        """Of which data set the images are, and which of its domains are known of them or asked for."""
        which = 0 if of is None else self.domains.place(of)
        of_set = self.domains.sets[which]
        if of is None and (of_set.several or latents.labels is not None):
            return which, of_set.known(latents.labels, latents.inputs)
        nothing = latents.values.new_zeros(len(latents.values), len(of_set))
        if of_set.several or latents.random is None:
            return which, nothing
        return which, of_set.known(latents.random.integers("domain", len(of_set)), {})

    def _with(self, domain: str, which: int, known: Tensor) -> tuple[int, Tensor]:
        """The data set of a domain, and its domains with that one; what is known of another set says nothing there."""
        wanted, index = self.domains.find(domain)
        if wanted != which:
            known = known.new_zeros(len(known), len(self.domains.sets[wanted]))
        return wanted, self.changes[wanted].with_domain(known, index)

    def _strip(self, images: Tensor, which: int, known: Tensor, averaged: bool) -> Iterator[Tensor]:
        for number, changes in enumerate(self.changes):
            own = known if number == which else known.new_zeros(len(known), len(changes.domains))
            for index in range(len(changes.domains)):
                yield self.changed(images, changes.turned(own, index), number, averaged=averaged)

    def _changed(self, images: Tensor, domains: Tensor, random: Randomness) -> Tensor:
        return self.generate(images.new_empty(len(images), 0), None, random, {"images": images, _OLD: domains})

    def _of_each_set(self, batch: Batch) -> list[Batch]:
        """A batch of each data set, with the domains of its examples and those that they shall be given."""
        sets = [Batch(batch.images, batch.labels, batch.random, batch.inputs)]
        for name, examples in batch.further.items():
            sets.append(Batch(examples.images, examples.labels, batch.random.scoped(name), examples.inputs))
        return [self._with_domains(part, which) for which, part in enumerate(sets)]

    def _with_domains(self, batch: Batch, which: int) -> Batch:
        """The domains of the global batch in another order, of which each rank takes its rows."""
        old = self.domains.vector(self.domains.sets[which].known(batch.labels, batch.inputs), which)
        order = gather_batch(batch.random.uniform(_NEW)).argsort()
        start = batch.random.start
        new = gather_batch(old)[order[start : start + len(batch)]]
        return replace(batch, inputs={**batch.inputs, _OLD: old, _NEW: new})

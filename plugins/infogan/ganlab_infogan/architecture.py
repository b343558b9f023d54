"""The game of InfoGAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from ganlab import Batch, Fakes, Latents, Randomness, TwoPlayerGAN, UserError, Views
from ganlab.bounds import Count, Natural, Positive, Weight
from ganlab.contracts import Discriminator, Generator
from ganlab_infogan.chosen_codes import ChosenCodes
from ganlab_infogan.codes import Codes
from ganlab_infogan.recognition import HEAD, RecognisingDiscriminator


@dataclass(kw_only=True)
class CodedFakes(Fakes):
    """Fakes with the codes (N, size) that they were made of."""

    codes: Tensor


class InfoGAN(TwoPlayerGAN):
    """Images tell the codes that they were made of (Chen et al., 2016).

    The last numbers of the latent vector are the codes: categorical ones, one-hot, then continuous ones, uniform in
    [-1, 1]; the numbers before are noise. A head on the discriminator's last features is Q(c|x). Both players minimise
    their loss of the plain game minus weight * E[log Q(c|x)] of the fakes (equation 6); the discriminator's player owns
    trunk and head, the generator's update moves neither. The log has `information/code_0` and so on, the lower bound
    E[log Q(c|x)] + H(c) of each code's mutual information with the image, in nats (equation 5), `information/bound`,
    their sum, and `information/entropy`, H(c), which the bound of categorical codes cannot exceed.

    Args:
        categorical: number of values of each categorical code.
        continuous: how many continuous codes there are.
        categorical_weight: the paper's lambda, for categorical codes.
        continuous_weight: the same for continuous codes.
        noise: distribution of the noise, `uniform` in [-1, 1] as in the authors' code, or `normal`.
        learned_deviation: the head says how sure it is of continuous codes, as in the paper; else its deviation is 1,
            as in the authors' published model, and its term is half the squared error but for a constant.
        recognition_units: units of the head's hidden layer.
        recognition_slope: Slope below zero of the leaky ReLU behind it; the authors' code has 0.01.
    """

    averaged: ClassVar[tuple[str, ...]] = ("generator", "discriminator")  # which recognises codes in samples, too
    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "infogan", "latent_size": 9, "units": [8], "widths": [4, 4]},
        "discriminator": {"name": "infogan", "units": [8], "widths": [4, 4]},
        "loss": "non_saturating",
        "categorical": [3],
        "recognition_units": 6,
    }

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        shape: tuple[int, ...],
        classes: int = 0,
        categorical: Sequence[Count] = (10,),
        continuous: Natural = 2,
        categorical_weight: Weight = 1.0,
        continuous_weight: Weight = 1.0,
        noise: Literal["normal", "uniform"] = "uniform",
        learned_deviation: bool = False,
        recognition_units: Count = 128,
        recognition_slope: Positive = 0.1,
        **options: Any,
    ) -> None:
        codes = Codes(tuple(categorical), continuous, learned_deviation)
        if not len(codes):
            raise UserError("infogan needs a code at least: give 'categorical' or 'continuous' one")
        noise_size = generator.latent_size - codes.size
        if noise_size < 0:
            raise UserError(
                f"the generator's latent_size is {generator.latent_size}, but the codes alone need {codes.size} of its "
                f"numbers: set 'architecture.generator.latent_size' to that and the noise, such as {codes.size + 62}"
            )
        outputs = codes.outputs
        judge = RecognisingDiscriminator(discriminator, shape, classes, outputs, recognition_units, recognition_slope)
        super().__init__(generator, judge, **options)
        self.codes = codes
        self.noise_size = noise_size
        self.noise = noise
        self.categorical_weight = categorical_weight
        self.continuous_weight = continuous_weight

    def draw_latents(self, random: Randomness) -> Tensor:
        """Noise and codes (N, latent_size)."""
        if self.noise == "normal":
            noise = random.normal("latents", self.noise_size)
        else:
            noise = random.uniform("latents", self.noise_size) * 2 - 1
        return torch.cat([noise, self.codes.draw(random)], dim=1)

    def fakes(self, batch: Batch) -> CodedFakes:
        """The plain game's fakes, with the codes as they were drawn."""
        made = super().fakes(batch)
        known = {part.name: getattr(made, part.name) for part in fields(made)}
        return CodedFakes(**known, codes=self.codes.draw(batch.random))

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        """What both players pay for codes that the head does not find in the fakes."""
        found = self.codes.log_likelihoods(views.codes, views.fake_heads[HEAD]).mean(0)
        if player == "generator":
            self._log_information(found.detach())
        categories = len(self.codes.categorical)
        terms = {}
        if categories:
            terms["categorical_codes"] = -self.categorical_weight * found[:categories].sum()
        if self.codes.continuous:
            terms["continuous_codes"] = -self.continuous_weight * found[categories:].sum()
        return terms

    def render(
        self,
        latents: Latents,
        *,
        code: Mapping[int, float | str] | None = None,
        traverse: Count | None = None,
        averaged: bool = True,
    ) -> Tensor:
        """Images of latents with chosen codes.

        Args:
            latents: as `draw` makes them.
            averaged: use the averaged weights.
            code: values of codes by number, categorical ones first, as in `code.0=3`; or walks from:to:steps, as in
                `code.1=-2:2:9`. The samples of a walk have the noise and the other codes of its first.
            traverse: steps of a walk along each code in turn, continuous ones from -2 to 2: with as many columns, a
                picture's row varies one code, as in the paper.
        """
        chosen = ChosenCodes(self.codes, code or {}, traverse)
        places, values = self._first_of_walk(latents, chosen.length)
        noise, codes = values.split([self.noise_size, self.codes.size], dim=1)
        changed = replace(latents, values=torch.cat([noise, chosen(codes, places)], dim=1))
        return super().render(changed, averaged=averaged)

    def recognise(self, images: Tensor, labels: Tensor | None = None, *, averaged: bool = True) -> Tensor:
        """What the head says of images in [-1, 1]: see `Codes` for what stands where in its answer (N, outputs)."""
        answer: Tensor = self.network("discriminator", averaged)(images, labels).heads[HEAD]
        return answer

    def _first_of_walk(self, latents: Latents, length: int) -> tuple[Tensor, Tensor]:
        """The numbers of the samples, and of each the latents of the first sample of its walk."""
        random, values = latents.random, latents.values
        start, step = (0, 1) if random is None else (random.start, random.step)
        places = start + step * torch.arange(values.shape[0], device=values.device)
        if random is None or length == 1:
            return places, values
        first, last = start // length, (start + step * (values.shape[0] - 1)) // length
        count = last - first + 1
        firsts = Randomness(*random.key, count=count, start=first * length, step=length, device=random.device)
        return places, self.draw_latents(firsts)[places // length - first]

    def _log_information(self, found: Tensor) -> None:
        entropies = found.new_tensor(self.codes.entropies())
        bounds = found + entropies
        for index, bound in enumerate(bounds):
            self.scalars.add(f"information/code_{index}", bound)
        self.scalars.add("information/bound", bounds.sum())
        self.scalars.add("information/entropy", entropies.sum())

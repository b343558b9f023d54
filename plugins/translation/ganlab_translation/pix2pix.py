"""The game of pix2pix: images from images, by pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from annotated_types import Ge
from torch import Tensor
from torch.nn.functional import l1_loss

from ganlab.bounds import Steps
from ganlab.contracts import Batch, Discriminator, Generator, InputFacts, Loss, Scores, Views, WeightedRegularizer
from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.nn.conditions import stacked
from ganlab.randomness import Randomness
from ganlab.schedules import Scheduled
from ganlab.training.module import Terms


class Pix2Pix(TwoPlayerGAN):
    """The plain game with the inputs of the data in the place of latents, and a distance to the target (Isola, 2017).

    The generator gets all inputs of the data that are images, and maps one-hot, as one stack of channels (N, C, H, W);
    the discriminator gets an image, its label or None, and the stack. The paper's rows: `adversarial: 0` for L1 alone,
    `distance: 0` for the game alone, and the discriminator's `conditional: false` for one that does not see the input.

    Args:
        generator: the stack of inputs to images.
        discriminator: images and the stack to logits.
        loss: what the players minimise.
        inputs: facts of the data's inputs.
        regularizers: penalties that join a player's terms, and constraints.
        distance: weight of the mean absolute difference between a fake and its target.
        adversarial: weight of the loss in the generator's terms.
        discriminator_weight: weight of the loss in the discriminator's terms.
        discriminator_steps: updates of the discriminator in a round.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "unet", "width": 2, "depth": 2},
        "discriminator": {"name": "patch", "width": 2, "patch": 16},
        "loss": "non_saturating",
    }
    example_facts: ClassVar[DataFacts] = DataFacts(
        (3, 16, 12), 24, "pairs", inputs={"source": InputFacts((1, 16, 12), "images")}
    )

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        loss: Loss,
        inputs: Mapping[str, InputFacts],
        regularizers: Sequence[WeightedRegularizer] = (),
        distance: Annotated[Scheduled, Ge(0)] = 100.0,
        adversarial: Annotated[Scheduled, Ge(0)] = 1.0,
        discriminator_weight: Annotated[Scheduled, Ge(0)] = 0.5,
        discriminator_steps: Steps = 1,
    ) -> None:
        if not inputs:
            raise UserError(
                "pix2pix translates the inputs of the data, and these have none: take a data set of pairs, such as "
                "'paired_folders'"
            )
        super().__init__(
            generator, discriminator, loss, regularizers=regularizers, discriminator_steps=discriminator_steps
        )
        self.inputs = dict(inputs)
        self.distance = distance
        self.adversarial = adversarial
        self.discriminator_weight = discriminator_weight

    def draw_latents(self, random: Randomness) -> Tensor:
        """None: (N, 0)."""
        return random.normal("latents", 0)

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Images of the inputs."""
        images: Tensor = generator(stacked(inputs, self.inputs))
        return images

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor | Scores:
        """What the discriminator says of images beside the inputs."""
        return self.discriminator(images, labels, stacked(inputs, self.inputs))

    def discriminator_terms(self, batch: Batch) -> Terms:
        """Tell reals from fakes, at half the pace."""
        terms = super().discriminator_terms(batch)
        return {**terms, "loss": self.discriminator_weight * terms["loss"]}

    def generator_terms(self, batch: Batch) -> Terms:
        """Make fakes that look real and are near their targets."""
        terms = super().generator_terms(batch)
        return {**terms, "loss": self.adversarial * terms["loss"]}

    def more_terms(self, player: str, batch: Batch, views: Views) -> Terms:
        """The generator's distance to the targets."""
        if player != "generator":
            return {}
        return {"distance": self.distance * l1_loss(views.fake_images, batch.images)}

    def loss_of_ignorance(self) -> float | None:
        """As the plain game's, weighted."""
        loss = super().loss_of_ignorance()
        return None if loss is None else loss * float(self.discriminator_weight)

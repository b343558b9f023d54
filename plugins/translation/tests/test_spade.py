from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ganlab_layers.batch import BatchNormalizer
from ganlab_layers.multiscale import MultiscaleDiscriminator
from ganlab_layers.pixelnorm import PixelNormalizer
from ganlab_objectives.hinge import Hinge
from ganlab_translation.layer_matching import LayerMatching
from ganlab_translation.spade import SPADE, divergence
from ganlab_translation.spade_generator import EXAMPLE_FACTS, SPADEGenerator
from ganlab_translation.style_encoder import StyleEncoder

from ganlab import Batch, InputFacts, Latents, Randomness, UserError, WeightedRegularizer
from ganlab.data.loader import StepLoader
from ganlab.nn.conditions import condition_channels, stacked
from ganlab.testing import parameter_count
from ganlab.testing.examples import ExampleData, example_settings
from ganlab.testing.training import plain_steps, state_of
from ganlab.testing.two_ranks import run_on_two_ranks

SHAPE, INPUTS = EXAMPLE_FACTS.shape, EXAMPLE_FACTS.inputs
STYLED = Latents(values=torch.zeros(1, 3), inputs={"images": torch.zeros(1, *SHAPE)})
ENCODER = StyleEncoder(SHAPE, 3, 8, [4])
JUDGE = MultiscaleDiscriminator(SHAPE, INPUTS, width=2, layers=2)


def maps(classes: int, edges: bool, height: int, width: int) -> dict[str, InputFacts]:
    both = {"label_map": classes, "edges": 2} if edges else {"label_map": classes}
    return {name: InputFacts((height, width), "maps", classes=number) for name, number in both.items()}


def game(encoder: bool = True, **options) -> SPADE:
    torch.manual_seed(0)
    normalizer = BatchNormalizer(synchronise=True, map_width=4)
    module = SPADE(
        SPADEGenerator(SHAPE, INPUTS, 3, [4, 4, 2], [0, 1], normalizer),
        MultiscaleDiscriminator(SHAPE, INPUTS, width=2, layers=2, normalizer=PixelNormalizer()),
        INPUTS,
        StyleEncoder(SHAPE, 3, 8, [4], PixelNormalizer()) if encoder else None,
        loss=Hinge(),
        regularizers=[WeightedRegularizer("layer_matching", LayerMatching(), 10.0)],
        **options,
    )
    module.prepare(example_settings(module, EXAMPLE_FACTS))
    return module


def first_batch(module: SPADE) -> Batch:
    batch = next(iter(StepLoader(ExampleData(module.facts), step_size=module.step_size, seed=0)))
    return batch.map(module.in_order).batches(module.facts, 0)[0]


@pytest.mark.parametrize(
    ("data", "size", "doubled", "parameters"),
    [
        ((183, True), (256, 256), (0, 2, 3, 4, 5), 97_480_899),
        pytest.param((151, False), (256, 256), (0, 2, 3, 4, 5), 96_492_483, marks=pytest.mark.slow),
        ((35, True), (256, 512), (0, 1, 2, 3, 4, 5), 93_048_003),
    ],
    ids=["COCO-Stuff", "ADE20K", "Cityscapes"],
)
def test_parameters_are_as_many_as_published(data, size, doubled, parameters):
    shape, inputs = (3, *size), maps(*data, *size)
    with torch.device("meta"):
        generator = SPADEGenerator(shape, inputs, doubled_after=doubled)
        assert parameter_count(generator) == parameters
        assert generator.start == (size[0] // 2 ** len(doubled), size[1] // 2 ** len(doubled))


def test_parameters_with_an_encoder_are_as_many_as_published():
    with torch.device("meta"):
        assert parameter_count(StyleEncoder((3, 256, 256))) == 10_463_424
        assert parameter_count(SPADEGenerator((3, 256, 256), maps(183, True, 256, 256), latent_size=256)) == 112_626_883


@pytest.mark.parametrize("latent_size", [0, 3])
@pytest.mark.parametrize(("height", "width"), [(9, 12), (17, 5), (32, 24)])
def test_any_sides_come_back(latent_size, height, width):
    generator = SPADEGenerator(SHAPE, INPUTS, latent_size, [4, 4, 2], [0, 1])
    source = torch.rand(2, 4, height, width)
    assert generator(torch.zeros(2, latent_size), None, source).shape == (2, 3, height, width)


def test_modulation_is_the_papers_in_float64():
    """Equation 1: (1 + gain(map)) * normalized + bias(map), with 3x3 convolutions of 3x3 convolutions of the map."""
    torch.manual_seed(0)
    norm = BatchNormalizer(map_width=5).activation(2, spatial=3).double()
    features, source = torch.randn(4, 2, 3, 4).double(), torch.rand(4, 3, 6, 8).double()
    mean, variance = features.mean((0, 2, 3)), features.var((0, 2, 3), correction=0)
    normalized = (features - mean.view(1, 2, 1, 1)) / (variance.view(1, 2, 1, 1) + 1e-5).sqrt()
    nearest = source[:, :, ::2, ::2]

    def convolved(layer, images):
        padded = np.pad(images.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        made = np.einsum("nchwij,ocij->nohw", windows, layer.weight.detach().numpy())
        return torch.tensor(made) + layer.bias.detach().view(1, -1, 1, 1)

    hidden = convolved(norm.shared, nearest).clamp(min=0)
    expected = normalized * (1 + convolved(norm.gain, hidden)) + convolved(norm.bias, hidden)
    torch.testing.assert_close(norm(features, source), expected, rtol=1e-9, atol=1e-9)


def test_maps_of_two_classes_are_one_channel():
    values = {"label_map": torch.tensor([[[0, 2, 1]]]), "edges": torch.tensor([[[0, 1, 0]]])}
    facts = {"label_map": InputFacts((1, 3), "maps", classes=3), "edges": InputFacts((1, 3), "maps", classes=2)}
    assert condition_channels(facts, (3, 1, 3)) == 4
    assert stacked(values, facts).tolist() == [[[[1, 0, 0]], [[0, 0, 1]], [[0, 1, 0]], [[0, 1, 0]]]]


def test_terms_are_the_papers_in_float64():
    module = game().double()
    batch = first_batch(module)
    batch = Batch(batch.images.double(), None, batch.random, batch.inputs)
    source = torch.cat(
        [torch.nn.functional.one_hot(batch.inputs["label_map"], 3).movedim(-1, 1), batch.inputs["edges"][:, None]], 1
    ).double()
    mean, log_variance = module.encoder(batch.images)
    style = mean + torch.exp(0.5 * log_variance) * batch.random.normal("latents", 3)
    fakes = module.generator(style, None, source)
    real, fake = (module.discriminator(images, None, source) for images in (batch.images, fakes))

    found = module.discriminator_terms(batch)
    hinge = [
        (1 - r).clamp(min=0).mean() + (1 + f).clamp(min=0).mean()
        for r, f in ((real.logits, fake.logits), (real.further_logits[0], fake.further_logits[0]))
    ]
    torch.testing.assert_close(found["loss"], sum(hinge) / 2, rtol=1e-8, atol=0)

    found = module.generator_terms(batch)
    expected = {
        "loss": -(fake.logits.mean() + fake.further_logits[0].mean()) / 2,
        "layer_matching": 10 / 2 * sum((r - f).abs().mean() for r, f in zip(real.features, fake.features, strict=True)),
        "kl": -0.05 * 0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum() / len(batch),
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-8, atol=0)


def test_divergence_is_that_of_normal_distributions():
    mean, log_variance = torch.randn(5, 3).double(), torch.randn(5, 3).double()
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(torch.zeros(3), torch.ones(3)))
    torch.testing.assert_close(divergence(mean, log_variance), expected.sum(1).double(), rtol=1e-6, atol=1e-9)


def test_the_generators_update_trains_the_encoder():
    module = game()
    before = state_of(module)
    plain_steps(module, 1)
    changed = {name.split(".")[0] for name, value in state_of(module).items() if not torch.equal(value, before[name])}
    assert {"encoder", "generator", "discriminator"} <= changed


def test_styles_are_drawn_or_those_of_images():
    module = game().eval()
    batch = first_batch(module)
    assert module.made_from({"style": "images"}) == ("images",)
    assert module.made_from({}) == ()
    inputs = {**batch.inputs, "images": batch.images}
    latents = module.draw(Randomness(0, count=8), None, inputs)
    with torch.no_grad():
        three = module.render(latents, styles=3)
        torch.testing.assert_close(three[..., :12], module.render(latents))
        assert (three[..., :12] - three[..., 12:24]).abs().max() > 0
        own = module.render(latents, style="images")
        mean = module.averaged_model("encoder")(batch.images)[0]
        expected = module.render(Latents(values=mean, inputs=inputs))
        panels = module.panels(three[..., :12], batch.inputs, batch.images, Randomness(0, count=8))
    torch.testing.assert_close(own, expected)
    assert len(panels) == 1 + 1 + 2 + 1
    torch.testing.assert_close(panels[2], three[..., 12:24])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SPADEGenerator(SHAPE, {}), "these data have no inputs"),
        (lambda: SPADEGenerator(SHAPE, INPUTS, widths=[4], doubled_after=[1]), "from 0 to 0 for 1 'widths'"),
        (lambda: SPADEGenerator((3, 4, 4), maps(3, False, 4, 4)), "too often for 4 x 4 pixels"),
        (lambda: SPADEGenerator(SHAPE, INPUTS, 0, [4], [0], PixelNormalizer()), "takes_maps"),
        (lambda: game(False).render(STYLED, style="images"), "needs an encoder"),
        (
            lambda: SPADE(SPADEGenerator(SHAPE, INPUTS, 2, [4], [0]), JUDGE, INPUTS, ENCODER, loss=Hinge()),
            "set 'architecture.generator.latent_size' to 3",
        ),
    ],
)
def test_mistakes_end_in_a_sentence(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()


def train_rank(rank: int, folder: str) -> None:
    from ganlab.run.launch import detect_launch
    from ganlab.spec.model import TrainerSection
    from ganlab.testing.training import train_steps

    arguments = detect_launch(TrainerSection(accelerator="cpu")).trainer_arguments()
    module = train_steps(game(), 2, precision="64-true", **arguments)
    torch.save(state_of(module), Path(folder, f"{rank}.pt"))


@pytest.mark.slow
def test_two_processes_with_synchronised_statistics_end_like_one(tmp_path):
    from ganlab.testing.training import train_steps

    run_on_two_ranks(train_rank, str(tmp_path))
    alone = state_of(train_steps(game(), 2, precision="64-true"))
    for rank in range(2):
        for name, value in torch.load(tmp_path / f"{rank}.pt", weights_only=True).items():
            torch.testing.assert_close(value, alone[name], rtol=1e-6, atol=1e-9)

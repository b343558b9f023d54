"""VGG19's term in the game of films, with seeded weights."""

from __future__ import annotations

import pytest
import torch
from ganlab_layers.multiscale import MultiscaleDiscriminator
from ganlab_objectives.lsgan import LeastSquares
from ganlab_translation.perceptual_matching import SHARES, PerceptualMatching
from ganlab_video.generator import FilmGenerator
from ganlab_video.vid2vid import Vid2Vid
from torchvision.models import vgg19

from ganlab import DataFacts, InputFacts
from ganlab.contracts import WeightedRegularizer
from ganlab.data.loader import StepLoader
from ganlab.testing.examples import ExampleData, example_settings
from ganlab.testing.training import differing, plain_steps, state_of

INPUTS = {"label_map": InputFacts((3, 1, 16, 16), "maps", classes=3), "flow": InputFacts((3, 3, 16, 16), "flows")}
FACTS = DataFacts((3, 3, 16, 16), 8, "films", frames=3, inputs=INPUTS)
WEIGHT = 20.0


def judge(shape, inputs):
    return MultiscaleDiscriminator(shape, inputs, width=2, layers=2, scales=1)


def game(regularizers=()):
    torch.manual_seed(1)
    generator = FilmGenerator(FACTS, width=2, halvings=1, blocks=0)
    module = Vid2Vid(generator, judge, LeastSquares(), FACTS, regularizers=regularizers, update_frames=2)
    module.prepare(example_settings(module, FACTS, batch_size=2))
    return module


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    torch.manual_seed(0)
    network = vgg19(weights=None, init_weights=False).features
    path = tmp_path_factory.mktemp("weights") / "vgg.pth"
    torch.save({f"features.{name}": value for name, value in network.state_dict().items()}, path)
    return network, [WeightedRegularizer("perceptual_matching", PerceptualMatching(str(path)), weight=WEIGHT)]


def apart(network, fakes, reals):
    """The authors' distance, the weighted mean absolute differences of features."""
    total = torch.zeros(())
    for index, layer in enumerate(network[: max(SHARES) + 1]):
        layer.inplace = False
        fakes, reals = layer(fakes), layer(reals)
        total = total + SHARES.get(index, 0.0) * (fakes - reals).abs().mean()
    return total


def test_the_term_is_ten_times_the_sum_of_those_of_frames_and_of_what_was_drawn_anew(layers):
    network, regularizers = layers
    module = game(regularizers)
    loader = StepLoader(ExampleData(FACTS), step_size=module.step_size, seed=0)
    batch = next(iter(loader)).map(module.in_order).batches(FACTS, 0)[0]
    _, (start, clip) = module._clips(batch)  # the second, in which frames are not what was drawn
    assert not torch.equal(clip.fakes, clip.raws)
    terms = module.generator_terms(clip.as_batch(batch, start))
    reals = clip.new_reals.flatten(0, 1)
    expected = sum(apart(network, made.flatten(0, 1), reals) for made in (clip.fakes, clip.raws))
    torch.testing.assert_close(terms["perceptual_matching"], WEIGHT / 2 * expected, rtol=1e-4, atol=1e-6)
    gradient = torch.autograd.grad(terms["perceptual_matching"], module.generator.stages[0].of_maps[0][0].weight)
    assert gradient[0].any()


def test_it_trains_with_the_others_and_is_no_part_of_checkpoints(layers):
    module, without = (plain_steps(game(terms), 2) for terms in (layers[1], ()))
    assert float(module.scalars._fresh["generator/perceptual_matching"][-1]) > 0
    assert state_of(module).keys() == state_of(without).keys()
    assert differing(state_of(module.generator), state_of(without.generator))

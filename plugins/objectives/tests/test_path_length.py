import math

import pytest
import torch
from ganlab_objectives.path_length import PathLength
from torch import nn

from ganlab.contracts import Views
from ganlab.nn import RunningMean
from ganlab.randomness import Randomness

COUNT, LATENT, SHAPE = 6, 3, (2, 4, 5)
PIXELS = 4 * 5

pytestmark = pytest.mark.usefixtures("seeded")


def latents():
    return torch.randn(COUNT, LATENT, dtype=torch.float64)


def noise(rows=slice(None)):
    return Randomness(0, count=COUNT).normal("path_length", *SHAPE).double()[rows] / math.sqrt(PIXELS)


def views(generate, values, **more):
    return Views(latents=values, fake_labels=None, generate=generate, random=Randomness(0, count=COUNT), **more)


def linear(matrix):
    return lambda z, labels=None: (z @ matrix).view(-1, *SHAPE)


def test_of_a_linear_generator():
    matrix = torch.randn(LATENT, 40, dtype=torch.float64, requires_grad=True)
    regularizer = PathLength(decay=0.25, shrink=1)
    penalty = regularizer.penalty(views(linear(matrix), latents()))
    # G(z) = z M: the gradient of <G(z), y> is M y for every z.
    lengths = (noise().flatten(1) @ matrix.t()).square().sum(1).sqrt()
    average = 0.25 * lengths.mean()
    torch.testing.assert_close(penalty, (lengths - average).square().mean())
    # The average is not detached.
    (gradient,) = torch.autograd.grad(penalty, matrix, retain_graph=True)
    (expected,) = torch.autograd.grad((lengths - average).square().mean(), matrix)
    torch.testing.assert_close(gradient, expected)


def test_the_average_goes_on_after_the_update_only():
    matrix = torch.randn(LATENT, 40, dtype=torch.float64)
    regularizer = PathLength(decay=0.25, shrink=1)
    lengths = (noise().flatten(1) @ matrix.t()).square().sum(1).sqrt()
    first, again = (regularizer.penalty(views(linear(matrix), latents())) for _ in range(2))
    torch.testing.assert_close(first, again)
    means = [module for module in regularizer.modules() if isinstance(module, RunningMean)]
    assert means == [regularizer.average]
    regularizer.average.commit()
    torch.testing.assert_close(regularizer.average.value, (0.25 * lengths.mean()).float())
    second = regularizer.penalty(views(linear(matrix), latents()))
    average = 0.75 * regularizer.average.value.double() + 0.25 * lengths.mean()
    torch.testing.assert_close(second, (lengths - average).square().mean(), rtol=1e-6, atol=0)
    assert "average.value" in regularizer.state_dict()


def test_lengths_from_styles_are_root_mean_squares_over_layers():
    layers, size = 3, 2
    first = torch.randn(layers * size, 40, dtype=torch.float64)
    mapping = torch.randn(LATENT, layers * size, dtype=torch.float64, requires_grad=True)
    values = latents()
    styles = (values @ mapping).view(COUNT, layers, size)

    def synthesise(w, labels=None):
        return (w.flatten(1).square() @ first).view(-1, *SHAPE)

    offered = views(None, values, styles=styles, synthesise=synthesise)
    penalty = PathLength(shrink=1, decay=1.0).penalty(offered)
    by_style = (2 * styles.flatten(1) * (noise().flatten(1) @ first.t())).view(COUNT, layers, size)
    lengths = by_style.square().sum(2).mean(1).sqrt()
    torch.testing.assert_close(penalty, (lengths - lengths.mean()).square().mean())
    # The mapping behind the styles learns too.
    (gradient,) = torch.autograd.grad(penalty, mapping, retain_graph=True)
    (expected,) = torch.autograd.grad((lengths - lengths.mean()).square().mean(), mapping)
    torch.testing.assert_close(gradient, expected)


def test_shrinking_takes_the_same_images_however_the_batch_is_shared_out():
    matrix, seen = torch.randn(LATENT, 40, dtype=torch.float64), []
    values = latents()

    def generate(z, labels):
        seen.append(z.detach())
        assert len(labels) == len(z)
        return linear(matrix)(z)

    for start, count in ((0, 6), (0, 3), (3, 3)):
        part = Randomness(0, count=6).slice(start, count)
        rows = slice(start, start + count)
        PathLength(shrink=2).penalty(
            Views(latents=values[rows], fake_labels=torch.arange(6)[rows], generate=generate, random=part)
        )
    torch.testing.assert_close(seen[0], values[::2])
    torch.testing.assert_close(torch.cat(seen[1:]), values[::2])


def test_it_can_be_differentiated_by_the_weights_of_a_network():
    network = nn.Sequential(nn.Linear(LATENT, 5), nn.Tanh(), nn.Linear(5, 40)).double()

    def penalty(weight):
        parameters = dict(network.named_parameters()) | {"0.weight": weight}
        call = torch.func.functional_call
        return PathLength(shrink=1).penalty(
            views(lambda z, labels: call(network, parameters, (z,)).view(-1, *SHAPE), fixed)
        )

    fixed = latents()
    assert torch.autograd.gradcheck(penalty, (network[0].weight,))
    assert torch.autograd.gradgradcheck(penalty, (network[0].weight,))

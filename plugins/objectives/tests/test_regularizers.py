import pytest
import torch
from ganlab_objectives.drift import Drift
from ganlab_objectives.gradient_penalty import GradientPenalty
from ganlab_objectives.input_gradient import input_gradient
from ganlab_objectives.r1 import R1
from ganlab_objectives.r2 import R2
from torch import nn

from ganlab.contracts import Views
from ganlab.errors import SpecError, UserError
from ganlab.randomness import Randomness
from ganlab.spec import node_from

COUNT, SHAPE = 5, (2, 3, 3)
DIMENSIONS = 18

pytestmark = pytest.mark.usefixtures("seeded")


def images():
    return torch.randn(COUNT, *SHAPE, dtype=torch.float64)


def views(discriminate, real_images=None, fake_images=None):
    real_images = images() if real_images is None else real_images
    fake_images = images() if fake_images is None else fake_images
    return Views(
        real_images=real_images,
        fake_images=fake_images,
        labels=None,
        fake_labels=None,
        discriminate=lambda x, labels: discriminate(x),
        random=Randomness(0, "penalty", count=COUNT),
        lazily={
            "real_gradient": lambda: gradient_of(discriminate, real_images),
            "fake_gradient": lambda: gradient_of(discriminate, fake_images),
        },
    )


def gradient_of(discriminate, images):
    """What the platform offers, by autograd: of each image's logit, and with a graph."""
    images = images.detach().requires_grad_()
    return torch.autograd.grad(discriminate(images).sum(), images, create_graph=True)[0]


def linear_critic(slope):
    return lambda x: x.flatten(1) @ slope


def quadratic_critic(matrix):
    """x' A x / 2 with a symmetric A: the gradient is A x."""
    return lambda x: (x.flatten(1) @ matrix * x.flatten(1)).sum(1) / 2


def symmetric_matrix():
    matrix = torch.randn(DIMENSIONS, DIMENSIONS, dtype=torch.float64)
    return (matrix + matrix.t()) / 2


def interpolation():
    return Randomness(0, "penalty", count=COUNT).uniform("interpolation").double().view(-1, 1, 1, 1)


def small_network():
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(3, 1)).double()
    return network, lambda x: network(x).squeeze(1)


def test_input_gradient_of_a_quadratic_critic():
    matrix, x = symmetric_matrix(), images()
    expected = (x.flatten(1) @ matrix).view_as(x)
    torch.testing.assert_close(input_gradient(quadratic_critic(matrix), x), expected)
    assert not x.requires_grad


def test_r1_of_a_linear_critic_is_half_the_squared_slope():
    slope = torch.randn(DIMENSIONS, dtype=torch.float64, requires_grad=True)
    penalty = R1().penalty(views(linear_critic(slope)))
    torch.testing.assert_close(penalty, slope.square().sum() / 2)
    (gradient,) = torch.autograd.grad(penalty, slope)
    torch.testing.assert_close(gradient, slope)


def test_r1_of_a_quadratic_critic():
    matrix, real_images = symmetric_matrix().requires_grad_(), images()
    x = real_images.flatten(1)
    penalty = R1().penalty(views(quadratic_critic(matrix), real_images))
    expected = ((x @ matrix).square().sum(1) / 2).mean()
    torch.testing.assert_close(penalty, expected)
    # With f = x'Ax/2 as written, the derivative by A is that of |(A + A')x/2|^2 / 2, averaged over the batch.
    (gradient,) = torch.autograd.grad(penalty, matrix)
    outer = torch.einsum("ni,nj->ij", x @ matrix.detach(), x) / COUNT
    torch.testing.assert_close(gradient, (outer + outer.t()) / 2)


def test_r1_needs_neither_fakes_nor_a_graph_of_the_reals():
    real_images = images().requires_grad_()
    slope = torch.ones(DIMENSIONS, dtype=torch.float64, requires_grad=True)
    gradient = gradient_of(linear_critic(slope), real_images)
    R1().penalty(Views(real_gradient=gradient)).backward()
    assert real_images.grad is None
    offered = {"real_images": real_images, "labels": None, "discriminate": lambda x, labels: linear_critic(slope)(x)}
    R1(finite_difference=0.1).penalty(Views(**offered)).backward()
    assert real_images.grad is None
    torch.testing.assert_close(slope.grad, 2 * slope.detach())


def test_r2_is_r1_at_the_fakes():
    matrix, real_images, fake_images = symmetric_matrix().requires_grad_(), images(), images()
    penalty = R2().penalty(views(quadratic_critic(matrix), real_images, fake_images))
    torch.testing.assert_close(penalty, ((fake_images.flatten(1) @ matrix).square().sum(1) / 2).mean())


def test_r2_sends_nothing_to_the_generator():
    fake_images = images().requires_grad_()
    slope = torch.ones(DIMENSIONS, dtype=torch.float64, requires_grad=True)
    for regularizer in (R2(), R2(finite_difference=0.1)):
        regularizer.penalty(views(linear_critic(slope), fake_images=fake_images)).backward()
    assert fake_images.grad is None
    torch.testing.assert_close(slope.grad, 2 * slope.detach())


@pytest.mark.parametrize("at", ["reals", "fakes"])
def test_gradient_penalty_at_images_themselves(at):
    matrix, real_images, fake_images = symmetric_matrix().requires_grad_(), images(), images()
    points = (real_images if at == "reals" else fake_images).flatten(1)
    penalty = GradientPenalty(at=at).penalty(views(quadratic_critic(matrix), real_images, fake_images))
    torch.testing.assert_close(penalty, ((points @ matrix).square().sum(1).sqrt() - 1).square().mean())


def test_gradient_penalty_of_dragan_is_around_the_reals():
    matrix, real_images = symmetric_matrix().requires_grad_(), images()
    noise = Randomness(0, "penalty", count=COUNT).normal("noise", *SHAPE).double()
    points = (real_images + 0.5 * noise).flatten(1)
    penalty = GradientPenalty(at="reals", noise=0.5).penalty(views(quadratic_critic(matrix), real_images))
    torch.testing.assert_close(penalty, ((points @ matrix).square().sum(1).sqrt() - 1).square().mean())


@pytest.mark.parametrize(
    ("node", "option"),
    [
        ({"name": "gradient_penalty", "target": -1}, "target"),
        ({"name": "gradient_penalty", "at": "reals", "noise": -0.1}, "noise"),
        ({"name": "latent_consistency", "deviation": 0}, "deviation"),
        ({"name": "consistency", "fakes": -1}, "fakes"),
        ({"name": "r1", "weight": {"linear": [1, -1], "over_kimg": 1}}, "weight"),
    ],
)
def test_numbers_without_a_meaning_are_refused(node, option):
    with pytest.raises(SpecError, match=f"{option}: needs a number (of at least|above) 0 or a schedule"):
        node_from("regularizers", node)


def test_noise_on_lines_is_refused():
    with pytest.raises(UserError, match="'noise' is for penalties at reals or fakes"):
        GradientPenalty(noise=0.5)


def test_gradient_penalty_with_target_zero_at_reals_is_twice_r1():
    network, discriminate = small_network()
    offered = views(discriminate)
    penalty = GradientPenalty(target=0.0, at="reals").penalty(offered)
    torch.testing.assert_close(penalty, 2 * R1().penalty(offered))


@pytest.mark.parametrize("target", [1.0, 750.0])
def test_gradient_penalty_of_a_linear_critic(target):
    slope = torch.randn(DIMENSIONS, dtype=torch.float64, requires_grad=True)
    penalty = GradientPenalty(target=target).penalty(views(linear_critic(slope)))
    norm = slope.square().sum().sqrt()
    torch.testing.assert_close(penalty, (norm - target) ** 2 / target**2)
    (gradient,) = torch.autograd.grad(penalty, slope)
    torch.testing.assert_close(gradient, (2 * (norm - target) / target**2 * slope / norm).detach())


def test_gradient_penalty_at_target_zero_is_the_squared_norm():
    slope = torch.randn(DIMENSIONS, dtype=torch.float64)
    slope.requires_grad_()
    penalty = GradientPenalty(target=0.0).penalty(views(linear_critic(slope)))
    torch.testing.assert_close(penalty, slope.square().sum())


def test_one_sided_penalty_leaves_small_gradients_alone():
    small = torch.full((DIMENSIONS,), 0.1, dtype=torch.float64, requires_grad=True)
    large = torch.full((DIMENSIONS,), 1.0, dtype=torch.float64, requires_grad=True)
    one_sided, two_sided = GradientPenalty(one_sided=True), GradientPenalty()
    assert one_sided.penalty(views(linear_critic(small))) == 0
    assert two_sided.penalty(views(linear_critic(small))) > 0
    torch.testing.assert_close(
        one_sided.penalty(views(linear_critic(large))), two_sided.penalty(views(linear_critic(large)))
    )


def test_gradient_penalty_takes_one_point_per_image_between_fake_and_real():
    matrix = symmetric_matrix()
    real_images, fake_images, weight = images(), images(), interpolation()
    assert weight.flatten().unique().numel() == COUNT
    points = (weight * real_images + (1 - weight) * fake_images).flatten(1)
    norm = (points @ matrix).square().sum(1).sqrt()
    penalty = GradientPenalty().penalty(views(quadratic_critic(matrix.requires_grad_()), real_images, fake_images))
    torch.testing.assert_close(penalty, (norm - 1).square().mean())


def test_gradient_penalty_sends_nothing_to_the_generator():
    fake_images = images().requires_grad_()
    slope = torch.ones(DIMENSIONS, dtype=torch.float64, requires_grad=True)
    GradientPenalty().penalty(views(linear_critic(slope), fake_images=fake_images)).backward()
    assert fake_images.grad is None


def test_gradient_penalty_of_a_constant_critic_is_finite():
    slope = torch.zeros(DIMENSIONS, dtype=torch.float64, requires_grad=True)
    penalty = GradientPenalty().penalty(views(linear_critic(slope)))
    penalty.backward()
    assert penalty == 1
    assert torch.isfinite(slope.grad).all()


def test_gradient_penalty_of_vectors():
    vectors = torch.randn(COUNT, 2, dtype=torch.float64)
    slope = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
    penalty = GradientPenalty().penalty(views(lambda x: x @ slope, vectors, vectors + 1))
    torch.testing.assert_close(penalty, torch.tensor(16.0, dtype=torch.float64))


@pytest.mark.parametrize(
    "regularizer",
    [
        R1(),
        R2(),
        GradientPenalty(),
        GradientPenalty(one_sided=True, target=0.1),
        GradientPenalty(at="reals", noise=0.5),
    ],
)
def test_penalties_differentiate_through_a_network(regularizer):
    network, discriminate = small_network()
    real_images, fake_images = images(), images()
    weight = network[0].weight

    def penalty(values):
        parameters = dict(network.named_parameters()) | {"0.weight": values}
        call = torch.func.functional_call
        return regularizer.penalty(
            views(lambda x: call(network, parameters, (x,)).squeeze(1), real_images, fake_images)
        )

    assert torch.autograd.gradcheck(penalty, (weight,))
    assert torch.autograd.gradgradcheck(penalty, (weight,))


def test_drift_is_the_mean_squared_logit_of_the_reals():
    logits = torch.tensor([1.0, -3.0], requires_grad=True)
    penalty = Drift().penalty(Views(real_logits=logits))
    penalty.backward()
    assert penalty == 5
    assert logits.grad.tolist() == [1.0, -3.0]


@pytest.mark.parametrize(
    "regularizer",
    [R1(), R2(), R1(finite_difference=0.1), R2(finite_difference=0.1), GradientPenalty(), Drift()],
    ids=["r1", "r2", "r1 by differences", "r2 by differences", "gradient penalty", "drift"],
)
def test_penalties_use_only_the_views_that_they_require(regularizer):
    _, discriminate = small_network()
    every_view = views(discriminate)
    required = {
        name: torch.ones(COUNT) if name == "real_logits" else getattr(every_view, name) for name in regularizer.requires
    }
    assert regularizer.side == "discriminator"
    assert torch.isfinite(regularizer.penalty(Views(**required)))


@pytest.mark.parametrize(("target", "one_sided"), [(1.0, False), (0.0, False), (0.5, True)])
def test_gradient_penalty_per_pixel_is_the_mean_over_pixels_of_a_critic_of_patches(target, one_sided):
    """A critic that weighs each pixel's channels by itself: its gradient at a pixel is that pixel's weights."""
    weights = torch.randn(3, 4, 5, dtype=torch.float64)

    def patches(images, labels=None):
        return (images * weights).sum(1, keepdim=True)  # (N, 1, 4, 5): a logit for each pixel

    offered = Views(
        discriminate=patches,
        labels=None,
        fake_labels=None,
        real_images=torch.randn(6, 3, 4, 5, dtype=torch.float64),
        fake_images=torch.randn(6, 3, 4, 5, dtype=torch.float64),
        random=Randomness("pixels", count=6),
    )
    penalty = GradientPenalty(target=target, one_sided=one_sided, per_pixel=True).penalty(offered)
    norms = weights.square().sum(0).sqrt()
    distances = norms if target == 0 else (norms - target) / target
    distances = distances.clamp(min=0) if one_sided else distances
    assert penalty.item() == pytest.approx(distances.square().mean().item())

import math

import pytest
import torch
from ganlab_objectives.hinge import Hinge
from ganlab_objectives.lsgan import LeastSquares
from ganlab_objectives.minimax import Minimax
from ganlab_objectives.non_saturating import NonSaturating
from ganlab_objectives.relativistic import Relativistic
from ganlab_objectives.relativistic_average import RelativisticAverage
from ganlab_objectives.wasserstein import Wasserstein
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

REAL = torch.tensor([0.3, -1.2, 2.5, 0.9], dtype=torch.float64)
FAKE = torch.tensor([-0.7, 1.4, 0.2, -3.0], dtype=torch.float64)
ONES, ZEROS = torch.ones_like(REAL), torch.zeros_like(REAL)


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def assert_close(actual, expected):
    torch.testing.assert_close(actual, torch.as_tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-12)


def test_minimax_is_cross_entropy_and_its_negative():
    loss = Minimax()
    assert_close(loss.discriminator(REAL, FAKE), cross_entropy(REAL, ONES) + cross_entropy(FAKE, ZEROS))
    assert_close(loss.generator(None, FAKE), -cross_entropy(FAKE, ZEROS))


def test_minimax_at_the_optimum_is_log_four():
    # With p_data = p_generator the best discriminator says 1/2 everywhere.
    assert_close(Minimax().discriminator(ZEROS, ZEROS), math.log(4))


def test_non_saturating_generator_wants_the_label_real():
    loss = NonSaturating()
    assert_close(loss.discriminator(REAL, FAKE), Minimax().discriminator(REAL, FAKE))
    assert_close(loss.generator(None, FAKE), cross_entropy(FAKE, ONES))


def test_non_saturating_gradient_is_sigmoid_minus_one():
    logits = FAKE.clone().requires_grad_()
    NonSaturating().generator(None, logits).backward()
    assert_close(logits.grad, (torch.sigmoid(FAKE) - 1) / len(FAKE))


def test_logistic_losses_stay_finite_for_large_logits():
    large = torch.tensor([-1e4, 1e4])
    for loss in (Minimax(), NonSaturating(), Relativistic(), RelativisticAverage()):
        assert torch.isfinite(loss.discriminator(large, -large))
        assert torch.isfinite(loss.generator(large, -large))


def test_hinge():
    loss = Hinge()
    assert_close(loss.discriminator(REAL, FAKE), mean([0.7, 2.2, 0, 0.1]) + mean([0.3, 2.4, 1.2, 0]))
    assert_close(loss.generator(None, FAKE), -mean(FAKE.tolist()))


@pytest.mark.parametrize(("a", "b", "c"), [(0, 1, 1), (-1, 1, 0)])
def test_least_squares(a, b, c):
    loss = LeastSquares(fake_target=a, real_target=b, generator_target=c)
    expected = mean((r - b) ** 2 for r in REAL.tolist()) / 2 + mean((f - a) ** 2 for f in FAKE.tolist()) / 2
    assert_close(loss.discriminator(REAL, FAKE), expected)
    assert_close(loss.generator(None, FAKE), mean((f - c) ** 2 for f in FAKE.tolist()) / 2)


def test_least_squares_defaults_are_the_zero_one_coding():
    loss = LeastSquares()
    assert loss.discriminator(ONES, ZEROS) == 0
    assert loss.generator(None, ONES) == 0


def test_wasserstein():
    loss = Wasserstein()
    assert_close(loss.discriminator(REAL, FAKE), mean(FAKE.tolist()) - mean(REAL.tolist()))
    assert_close(loss.generator(None, FAKE), -mean(FAKE.tolist()))


INNER = {
    "logistic": lambda margin: math.log1p(math.exp(-margin)),
    "hinge": lambda margin: max(0.0, 1 - margin),
    "least_squares": lambda margin: (margin - 1) ** 2,
}


@pytest.mark.parametrize("inner", INNER)
def test_relativistic_pairs(inner):
    loss, score = Relativistic(inner), INNER[inner]
    pairs = list(zip(REAL.tolist(), FAKE.tolist(), strict=True))
    assert_close(loss.discriminator(REAL, FAKE), mean(score(r - f) for r, f in pairs))
    assert_close(loss.generator(REAL, FAKE), mean(score(f - r) for r, f in pairs))


@pytest.mark.parametrize("inner", INNER)
def test_relativistic_average(inner):
    loss, score = RelativisticAverage(inner), INNER[inner]
    reals, fakes = REAL.tolist(), FAKE.tolist()
    for_discriminator = mean(score(r - mean(fakes)) for r in reals) + mean(score(mean(reals) - f) for f in fakes)
    for_generator = mean(score(f - mean(reals)) for f in fakes) + mean(score(mean(fakes) - r) for r in reals)
    assert_close(loss.discriminator(REAL, FAKE), for_discriminator)
    assert_close(loss.generator(REAL, FAKE), for_generator)


@pytest.mark.parametrize("loss", [Relativistic(), RelativisticAverage()])
@pytest.mark.parametrize("side", ["discriminator", "generator"])
def test_relativistic_gradients_reach_both_logits(loss, side):
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    getattr(loss, side)(real, fake).backward()
    assert real.grad.abs().min() > 0
    assert fake.grad.abs().min() > 0
    # Only differences count, so that a common shift of all logits changes nothing.
    assert_close(real.grad.sum() + fake.grad.sum(), 0.0)


def test_relativistic_says_that_it_needs_reals():
    assert Relativistic.needs_real_logits
    assert RelativisticAverage.needs_real_logits
    assert not getattr(Hinge, "needs_real_logits", False)


@pytest.mark.parametrize(
    "loss",
    [Minimax(), NonSaturating(), Hinge(), LeastSquares(), Wasserstein(), Relativistic(), RelativisticAverage()],
)
def test_losses_take_maps_of_logits(loss):
    # A mean over patches as well as over images: logits of shape (N, H, W) from a patch discriminator.
    real, fake = REAL.view(2, 2, 1), FAKE.view(2, 2, 1)
    assert loss.discriminator(real, fake).shape == ()
    assert loss.generator(real, fake).shape == ()


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


R, F = REAL.tolist(), FAKE.tolist()
COUNT = len(R)

# Derivatives by hand: of the discriminator's side by each real and each fake, of the generator's by each fake.
GRADIENTS = {
    "minimax": (Minimax(), [-sigmoid(-r) for r in R], [sigmoid(f) for f in F], [-sigmoid(f) for f in F]),
    "logistic": (NonSaturating(), [-sigmoid(-r) for r in R], [sigmoid(f) for f in F], [-sigmoid(-f) for f in F]),
    "hinge": (Hinge(), [-float(r < 1) for r in R], [float(f > -1) for f in F], [-1.0 for _ in F]),
    "lsgan": (LeastSquares(-1, 1, 0.5), [r - 1 for r in R], [f + 1 for f in F], [f - 0.5 for f in F]),
    "wasserstein": (Wasserstein(), [-1.0 for _ in R], [1.0 for _ in F], [-1.0 for _ in F]),
    "relativistic": (
        Relativistic(),
        [-sigmoid(f - r) for r, f in zip(R, F, strict=True)],
        [sigmoid(f - r) for r, f in zip(R, F, strict=True)],
        [-sigmoid(r - f) for r, f in zip(R, F, strict=True)],
    ),
    "relativistic hinge": (
        Relativistic("hinge"),
        [-float(r - f < 1) for r, f in zip(R, F, strict=True)],
        [float(r - f < 1) for r, f in zip(R, F, strict=True)],
        [-float(f - r < 1) for r, f in zip(R, F, strict=True)],
    ),
    "relativistic least squares": (
        Relativistic("least_squares"),
        [2 * (r - f - 1) for r, f in zip(R, F, strict=True)],
        [-2 * (r - f - 1) for r, f in zip(R, F, strict=True)],
        [2 * (f - r - 1) for r, f in zip(R, F, strict=True)],
    ),
    # Each logit acts by itself and, with 1/N, in the mean that the others are compared with.
    "relativistic average": (
        RelativisticAverage(),
        [-sigmoid(mean(F) - r) - mean(sigmoid(f - mean(R)) for f in F) for r in R],
        [sigmoid(f - mean(R)) + mean(sigmoid(mean(F) - r) for r in R) for f in F],
        [-sigmoid(mean(R) - f) - mean(sigmoid(r - mean(F)) for r in R) for f in F],
    ),
    "relativistic average least squares": (
        RelativisticAverage("least_squares"),
        [2 * (r - mean(F) - 1) + mean(2 * (mean(R) - f - 1) for f in F) for r in R],
        [-2 * (mean(R) - f - 1) - mean(2 * (r - mean(F) - 1) for r in R) for f in F],
        [2 * (f - mean(R) - 1) + mean(2 * (mean(F) - r - 1) for r in R) for f in F],
    ),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_those_of_the_formula(name):
    loss, by_real, by_fake, by_fake_of_generator = GRADIENTS[name]
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    loss.discriminator(real, fake).backward()
    assert_close(real.grad, [value / COUNT for value in by_real])
    assert_close(fake.grad, [value / COUNT for value in by_fake])
    fake.grad = None
    loss.generator(REAL, fake).backward()
    assert_close(fake.grad, [value / COUNT for value in by_fake_of_generator])

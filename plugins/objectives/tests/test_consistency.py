import pytest
import torch
from ganlab_objectives.consistency import Consistency
from ganlab_objectives.flip_and_shift import FlipAndShift
from ganlab_objectives.latent_consistency import LatentConsistency
from ganlab_objectives.latent_diversity import LatentDiversity

from ganlab.contracts import Views
from ganlab.errors import UserError
from ganlab.randomness import Randomness

COUNT, SHAPE = 5, (1, 2, 3)
RANDOM = Randomness(0, count=COUNT)

pytestmark = pytest.mark.usefixtures("seeded")


def images():
    return torch.randn(COUNT, *SHAPE, dtype=torch.float64)


def brighter(images, random):
    """An augmentation that shows that it got draws of its own for each image."""
    return images + random.uniform("brightness").double().view(-1, 1, 1, 1)


def brightness(name):
    return RANDOM.scoped("consistency", name).uniform("brightness").double()


@pytest.mark.parametrize(("reals", "fakes"), [(1.0, 0.0), (1.0, 1.0), (0.5, 2.0), (0.0, 1.0)])
def test_of_a_linear_critic(reals, fakes):
    slope = torch.randn(6, dtype=torch.float64, requires_grad=True)
    real_images, fake_images = images(), images()

    def discriminate(x):
        return x.flatten(1) @ slope

    views = Views(
        real_images=real_images,
        real_logits=discriminate(real_images),
        labels=None,
        fake_images=fake_images,
        fake_logits=discriminate(fake_images),
        fake_labels=None,
        discriminate=lambda x, labels: discriminate(x),
        random=RANDOM,
    )
    penalty = Consistency(SHAPE, brighter, reals=reals, fakes=fakes).penalty(views)
    # Brightness b changes the logit by b times the sum of the slopes.
    squares = reals * brightness("reals").square().mean() + fakes * brightness("fakes").square().mean()
    torch.testing.assert_close(penalty, squares * slope.sum().square())
    (gradient,) = torch.autograd.grad(penalty, slope)
    torch.testing.assert_close(gradient, (2 * squares * slope.sum()).expand(6).detach())


def test_vectors_need_an_augmentation():
    with pytest.raises(UserError, match="flips and shifts images and not vectors of 2: set 'augmentation'"):
        Consistency((2,))
    Consistency((2,), brighter)


def test_an_augmentation_with_state_is_saved_with_the_regularizer():
    class Stateful(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("probability", torch.zeros(()))

        def forward(self, images, random):
            return images

    assert "augmentation.probability" in Consistency(SHAPE, Stateful()).state_dict()


def test_an_augmentation_that_adapts_sees_the_reals_logits():
    class Adaptive(torch.nn.Module):
        def forward(self, images, random):
            return images

        def observe(self, real_logits):
            assert not real_logits.requires_grad
            self.seen = real_logits

    logits = torch.randn(COUNT, requires_grad=True)
    consistency = Consistency(SHAPE, Adaptive())
    views = Views(
        real_images=images(),
        real_logits=logits,
        labels=None,
        discriminate=lambda images, labels: logits,
        random=RANDOM,
    )
    assert consistency.penalty(views) == 0
    assert torch.equal(consistency.augmentation.seen, logits)


def test_flip_and_shift_moves_pixels_and_reflects_edges():
    sizes = torch.arange(16.0)
    picture = (sizes[:, None] * 100 + sizes).expand(64, 1, 16, 16)
    random = Randomness(0, count=64)
    changed = FlipAndShift()(picture, random)
    seen = set()
    for image in changed[:, 0]:
        matches = [
            (flip, dy, dx)
            for flip in (False, True)
            for dy in range(-2, 3)
            for dx in range(-2, 3)
            if torch.equal(image, moved(picture[0, 0], flip, dy, dx))
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    assert {flip for flip, _, _ in seen} == {False, True}
    assert {dy for _, dy, _ in seen} == {dx for _, _, dx in seen} == {-2, -1, 0, 1, 2}
    assert torch.equal(changed, FlipAndShift()(picture, random))


def moved(picture, flip, dy, dx):
    padded = torch.nn.functional.pad(picture[None, None], (2, 2, 2, 2), mode="reflect")[0, 0]
    shifted = padded[2 + dy : 18 + dy, 2 + dx : 18 + dx]
    return shifted.flip(1) if flip else shifted


def test_flip_and_shift_passes_gradients():
    leaf = torch.rand(4, 3, 8, 8, requires_grad=True)
    FlipAndShift()(leaf, Randomness(0, count=4)).sum().backward()
    assert leaf.grad.sum() == 4 * 3 * 8 * 8


def zcr_views(slope, matrix, z):
    def generate(latents):
        return latents @ matrix

    def discriminate(images):
        return images @ slope

    fakes = generate(z)
    return Views(
        latents=z,
        fake_images=fakes,
        fake_logits=discriminate(fakes.detach()),
        fake_labels=None,
        generate=generate,
        discriminate=lambda images, labels: discriminate(images),
        random=RANDOM,
    )


def test_both_halves_of_zcr_of_linear_networks():
    slope = torch.randn(4, dtype=torch.float64, requires_grad=True)
    matrix = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    views = zcr_views(slope, matrix, torch.randn(COUNT, 3, dtype=torch.float64))
    offset = 0.1 * RANDOM.normal("latent_offset", 3).double()
    consistency, diversity = (kind(deviation=0.1).penalty(views) for kind in (LatentConsistency, LatentDiversity))
    torch.testing.assert_close(consistency, (offset @ matrix @ slope).square().mean())
    torch.testing.assert_close(diversity, -(offset @ matrix).square().mean())
    # One half is the discriminator's alone and the other the generator's.
    by_slope, by_matrix = torch.autograd.grad(consistency, (slope, matrix), allow_unused=True)
    change = (offset @ matrix).detach()
    torch.testing.assert_close(by_slope, 2 * change.t() @ (change @ slope.detach()) / COUNT)
    assert by_matrix is None
    (by_matrix,) = torch.autograd.grad(diversity, matrix)
    torch.testing.assert_close(by_matrix, -2 * offset.t() @ change / (COUNT * 4))

"""What people do with a trained pyramid: other sizes, later starts, given pictures, films."""

import pytest
import torch
from ganlab_singan.animation import Walk
from ganlab_singan.architecture import SinGAN
from ganlab_singan.colours import main_colours
from ganlab_singan.requests import Request, blurred
from scipy.ndimage import gaussian_filter
from sklearn.cluster import KMeans
from torch.nn.functional import interpolate

from ganlab import Randomness, UserError
from ganlab.contracts import WithMotion
from ganlab.evaluation.sampling import make_samples
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.latents.animation import animated
from ganlab.spec.sampling import check_sampling, read_assignments
from ganlab.testing.examples import example_module
from ganlab.testing.training import plain_steps


def cubic(images, size):
    return interpolate(images, size=size, mode="bicubic", antialias=True)


SIZES = ((8, 11), (12, 16))


@pytest.fixture(scope="module")
def trained():
    module = plain_steps(example_module("singan", SinGAN.example_facts, batch_size=1), 42).eval()
    assert module.trained == 1
    module.averaged_model("generator").amplitudes[1] = 0.3  # strong enough to be seen
    return module


def sampled(module, count, *texts, inputs=None, seed=0):
    options = check_sampling(type(module), read_assignments(texts))
    return TrainedGenerator(module).sample(count, seed, inputs=inputs, **options)


def normal(purpose, *shape, count=2, scoped=()):
    return Randomness(0, "samples", count=count).scoped(*scoped).normal(purpose, *shape)


@torch.no_grad()
def test_samples_have_any_size(trained):
    coarse, fine = trained.averaged_model("generator").scales
    sizes = [(4, 21), (6, 30)]
    noise = [normal(f"noise {i}", c, *sizes[i], scoped=["other sizes"]) for i, c in ((0, 1), (1, 3))]
    below = coarse(noise[0].expand(-1, 3, -1, -1), torch.zeros(2, 3, *sizes[0]))
    expected = fine(0.3 * noise[1], cubic(below, sizes[1]))
    # Sizes below 8 pixels are not offered, which the networks themselves do not mind.

    from ganlab.views import Latents

    random = Randomness(0, "samples", count=2)
    request = Request("samples", None, (6, 30), 4.0, 0.0, 1, SIZES)
    made = request.answer(trained.averaged_model("generator"), Latents(values=torch.empty(2, 0), random=random))
    torch.testing.assert_close(made, expected)
    assert sampled(trained, 2, "size=[40, 10]").shape == (2, 3, 40, 10)


@torch.no_grad()
def test_samples_that_start_later_have_the_reconstructions_layout(trained):
    pyramid = trained.averaged_model("generator")
    below = pyramid.scales[0](pyramid.fixed.expand(1, 3, -1, -1), torch.zeros(1, 3, *SIZES[0]))
    expected = pyramid.scales[1](0.3 * normal("noise 1", 3, *SIZES[1]), cubic(below, SIZES[1]).expand(2, -1, -1, -1))
    torch.testing.assert_close(sampled(trained, 2, "start=1"), expected)


@torch.no_grad()
def test_painting_refines_a_picture_of_any_size(trained):
    pyramid = trained.averaged_model("generator")
    painting = torch.rand(2, 3, 30, 20) * 2 - 1
    sizes = [(11, 8), (16, 11)]  # the painting's proportions, the training's larger side
    coarse = cubic(painting, sizes[0])
    noise = normal("noise 1", 3, *sizes[1], scoped=["other sizes"])
    expected = pyramid.scales[1](0.3 * noise, cubic(coarse, sizes[1]))
    torch.testing.assert_close(sampled(trained, 2, "task=paint", inputs={"images": painting}), expected)


@torch.no_grad()
def test_a_painting_takes_the_colours_of_the_training(trained):
    pyramid = trained.averaged_model("generator")
    painting = torch.rand(1, 3, 12, 16) * 2 - 1
    rebuilt = pyramid.reconstruction(0)[0].flatten(1).T.double().numpy()
    means = KMeans(3, n_init=1, random_state=0).fit(rebuilt)
    coarse = cubic(painting, SIZES[0])[0].permute(1, 2, 0).double().numpy()
    chosen = means.cluster_centers_[means.predict(coarse.reshape(-1, 3))].reshape(coarse.shape)
    below = torch.from_numpy(chosen).float().permute(2, 0, 1)[None]
    noise = normal("noise 1", 3, *SIZES[1], count=1, scoped=["other sizes"])
    expected = pyramid.scales[1](0.3 * noise, cubic(below, SIZES[1]))
    made = sampled(trained, 1, "task=paint", "colours=3", inputs={"images": painting})
    torch.testing.assert_close(made, expected)


def test_the_main_colours_are_all_where_there_are_few():
    colours = torch.tensor([[1.0, -1.0, 0.5], [-0.25, 0.0, 0.75]])
    picture = colours[torch.randint(2, (6, 7))].permute(2, 0, 1)[None]
    for count in (2, 5):
        torch.testing.assert_close(main_colours(picture, count).sort(0).values, colours.sort(0).values)


@pytest.mark.parametrize("task", ["edit", "harmonise"])
def test_edits_leave_alone_what_the_mask_leaves_out(trained, task):
    picture = torch.rand(1, 3, 12, 16) * 2 - 1
    mask = torch.zeros(1, 1, 12, 16, dtype=torch.long)
    mask[..., :6] = 1
    given = {"images": picture, "mask": mask}
    made = sampled(trained, 1, f"task={task}", "feather=0", inputs=given)
    torch.testing.assert_close(made[..., 6:], picture[..., 6:])
    free = sampled(trained, 1, "task=paint", inputs=given)
    torch.testing.assert_close(made[..., :6], free[..., :6])
    soft = sampled(trained, 1, f"task={task}", "feather=1", inputs=given)
    assert 0 < (soft - picture)[..., 6].abs().max() < (free - picture)[..., 6].abs().max()


def test_the_border_of_a_mask_is_blurred_as_scipy_blurs():
    mask = (torch.rand(1, 1, 20, 30, dtype=torch.float64) > 0.5).double()
    expected = gaussian_filter(mask[0, 0].numpy(), 1.5, mode="nearest", radius=5)
    torch.testing.assert_close(blurred(mask, 1.5)[0, 0], torch.from_numpy(expected))


@torch.no_grad()
def test_super_resolution_repeats_the_last_scale(trained):
    picture = torch.rand(1, 3, 12, 16) * 2 - 1
    made = sampled(trained, 1, "task=super_resolution", "factor=2.25", inputs={"images": picture})
    assert made.shape == (1, 3, 27, 36)
    last = trained.averaged_model("generator").scales[1]
    expected = picture
    for step, size in enumerate([(18, 24), (27, 36)], 1):  # the training's steps are by 1.5
        expected = last(0.3 * normal(f"noise of step {step}", 3, *size, count=1), cubic(expected, size))
    torch.testing.assert_close(made, expected)


@torch.no_grad()
def test_films_walk_around_the_reconstruction(trained):
    generator = TrainedGenerator(trained)
    assert isinstance(trained, WithMotion)
    still = animated(generator, [3], 4, {"stay": 1})
    rebuilt = trained.averaged_model("generator").reconstruction(1)
    torch.testing.assert_close(still, rebuilt[None].expand(1, 4, -1, -1, -1))
    film = animated(generator, [3, 5], 4)
    assert film.shape == (2, 4, 3, 12, 16)
    assert not torch.equal(film[0], film[1])
    torch.testing.assert_close(film[:1], animated(generator, [3], 4))
    slow, fast = (animated(generator, [3], 30, {"smoothness": part}) for part in (0.95, 0.2))
    speeds = [float((each[0, 1:] - each[0, :-1]).square().mean()) for each in (slow, fast)]
    assert speeds[0] < speeds[1]
    assert animated(generator, [0], 2, {"start": 1, "size": [20, 12]}).shape == (1, 2, 3, 20, 12)


def test_a_walk_follows_the_papers_recursion(trained):
    walk = Walk(0, None, 0.1, 0.9, 1, SIZES)
    random, still = Randomness("walk", count=1), torch.randn(1, 4, 5)
    places = list(walk._places(still, random, 3))
    u = [random.scoped(frame).normal("noise", 1, 4, 5)[0] for frame in range(3)]
    one, two = 0.95 * still + 0.05 * random.scoped("first").normal("noise", 1, 4, 5)[0], still
    for frame in range(3):
        one, two = 0.1 * still + 0.9 * (one + 0.9 * (one - two) + 0.1 * u[frame]), one
        torch.testing.assert_close(places[frame], one)


def test_a_sample_does_not_depend_on_how_many_are_made(trained):
    whole = sampled(trained, 5, "size=[20, 30]")
    pieces = torch.cat([made.images for made in make_samples(trained, 5, 0, options={"size": (20, 30)}, batch_size=2)])
    torch.testing.assert_close(pieces, whole)


@pytest.mark.parametrize(
    ("texts", "inputs", "sentence"),
    [
        (["task=paint"], None, "give 'inputs' with: images"),
        (["task=edit"], {"images": torch.zeros(1, 3, 9, 9)}, "say which by a mask"),
        (["task=paint"], {"images": torch.zeros(1, 1, 9, 9)}, "has 1 channels and the training's 3"),
        (["task=paint", "start=0"], {"images": torch.zeros(1, 3, 9, 9)}, "a picture enters at 1 to 1"),
        (["start=2"], None, "scales that have been trained are 0 to 1"),
        (["task=super_resolution", "size=[9, 9]"], {"images": torch.zeros(1, 3, 9, 9)}, "follows from 'factor'"),
        (["colours=5"], None, "those of a painting"),
        (["size=[4, 9]"], None, "size"),
        (["size=[4096, 4097]"], None, "size"),
    ],
)
def test_what_cannot_be_made_is_refused(trained, texts, inputs, sentence):
    with pytest.raises(UserError, match=sentence):
        sampled(trained, 1, *texts, inputs=inputs)


def test_pictures_need_a_scale_above_the_coarsest():
    module = example_module("singan", SinGAN.example_facts).eval()
    for task in ("paint", "super_resolution"):
        with pytest.raises(UserError, match="none has been trained yet"):
            sampled(module, 1, f"task={task}", inputs={"images": torch.zeros(1, 3, 9, 9)})


def test_a_latent_without_a_picture_is_refused(trained):
    latents = trained.draw(Randomness(0, count=1))
    with pytest.raises(UserError, match="is about a picture: give one"):
        trained.render(latents, task="paint")

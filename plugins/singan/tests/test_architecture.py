"""The game: its terms at a scale, what happens when the next one begins, and exactness across it."""

import functools

import pytest
import torch
from ganlab_layers.batch import BatchNormalizer
from ganlab_layers.none import NoNormalizer
from ganlab_objectives.gradient_penalty import GradientPenalty
from ganlab_objectives.wasserstein import Wasserstein
from ganlab_singan.architecture import SinGAN
from ganlab_singan.networks import SinGANDiscriminator, SinGANGenerator
from torch.nn.functional import interpolate

from ganlab import Batch, DataFacts, InputFacts, Randomness, UserError, WeightedRegularizer
from ganlab.data.loader import StepLoader
from ganlab.testing.examples import ExampleData, example_module, example_settings
from ganlab.testing.training import default_type, differing, plain_steps, resumed, state_of, train_steps
from ganlab.testing.two_ranks import train_on_two_ranks

FACTS = DataFacts((3, 12, 16), 1, "picture")


def make(facts=FACTS, normalizer=NoNormalizer, batch_size=1, **options):
    torch.manual_seed(0)
    built = {
        kind: functools.partial(network, facts.shape[0], 4, layers=3, normalizer=normalizer())
        for kind, network in (("generator", SinGANGenerator), ("discriminator", SinGANDiscriminator))
    }
    settings = {"coarsest": 8, "scale_kimg": 0.006, "discriminator_steps": 1, "generator_steps": 1, **options}
    module = SinGAN(**built, loss=Wasserstein(), facts=facts, **settings)
    module.prepare(example_settings(module, facts, batch_size=batch_size))
    return module


def batch(module, count=2):
    image = torch.rand(1, *module.facts.shape).expand(count, -1, -1, -1) * 2 - 1
    return Batch(image, None, Randomness("step", count=count))


def cubic(images, size):
    return interpolate(images, size=size, mode="bicubic", antialias=True)


def test_terms_of_a_scale_are_the_papers():
    """Written out with the networks alone: noise by its amplitude, what the scale below made, and the picture."""
    with default_type(torch.float64):
        module = make(regularizers=[WeightedRegularizer("penalty", GradientPenalty(per_pixel=True), 0.1)]).double()
        module.clock.images_seen = 6
        module.generator.amplitudes[1] = 0.3
        given = batch(module)
        terms = {player: module.terms_of(player)(given) for player in ("discriminator", "generator")}
        coarse, fine = module.generator.scales
        judge = module.discriminator.scales[1]
        size = module.sizes[0]
        noise = [given.random.normal("noise 0", 1, *size), given.random.normal("noise 1", 3, 12, 16)]
        below = coarse(noise[0].expand(-1, 3, -1, -1), torch.zeros(2, 3, *size))
        fakes = fine(0.3 * noise[1], cubic(below, (12, 16)))
        reals = given.images
        rebuilt = coarse(module.generator.fixed.expand(1, 3, -1, -1), torch.zeros(1, 3, *size))
        rebuilt = fine(torch.zeros(1, 3, 12, 16), cubic(rebuilt, (12, 16)))
        assert size == (8, 11)
    torch.testing.assert_close(terms["generator"]["loss"], -judge(fakes).mean())
    torch.testing.assert_close(terms["generator"]["reconstruction"], 10 * ((rebuilt - reals) ** 2).mean())
    torch.testing.assert_close(terms["discriminator"]["loss"], judge(fakes).mean() - judge(reals).mean())
    assert set(terms["discriminator"]) == {"loss", "penalty"}
    _check_penalty(terms["discriminator"]["penalty"], judge, fakes, reals, given)


def _check_penalty(penalty, judge, fakes, reals, given):
    part = given.random.scoped("penalty").uniform("interpolation").double().view(-1, 1, 1, 1)
    between = (part * reals + (1 - part) * fakes).detach().requires_grad_()
    (slope,) = torch.autograd.grad(judge(between).sum(), between)
    torch.testing.assert_close(
        penalty.double(), 0.1 * ((slope.square().sum(1).sqrt() - 1) ** 2).mean(), rtol=1e-5, atol=1e-7
    )


def test_gradients_reach_the_current_scale_alone():
    module = make()
    module.clock.images_seen = 6
    with module.only("generator"):
        sum(module.generator_terms(batch(module)).values()).backward()
    moved = {name.split(".")[1] for name, p in module.generator.named_parameters() if p.grad is not None}
    assert moved == {"1"}


def test_the_next_scale_begins_where_the_last_one_ended():
    module = make(normalizer=BatchNormalizer, noise=0.2)
    plain_steps(module, 5)
    assert (module.scale, module.trained) == (0, 0)
    before = {player: len(optimizer.state) for player, optimizer in module.player_optimizers.items()}
    plain_steps(module, 1)
    assert (module.scale, module.trained) == (1, 0)
    for pyramid in (module.generator, module.averaged_model("generator"), module.discriminator):
        below, begun = (scale.state_dict() for scale in pyramid.scales)
        assert not differing(below, begun)
    rebuilt = module.generator.eval().reconstruction(0)
    picture = ExampleData(FACTS).images[:1] / 127.5 - 1
    error = (cubic(rebuilt, (12, 16)) - picture).square().mean().sqrt()
    torch.testing.assert_close(module.generator.amplitudes, torch.stack([torch.ones(()), 0.2 * error]))
    assert all(before.values())
    assert all(not optimizer.state for optimizer in module.player_optimizers.values())


def test_scales_that_were_trained_stay_as_they_are():
    module = make(normalizer=BatchNormalizer)
    plain_steps(module, 6)
    below = {name: value.clone() for name, value in module.generator.scales[0].state_dict().items()}
    first = {name: value.clone() for name, value in module.generator.scales[1].state_dict().items()}
    plain_steps(module, 3)
    assert not differing(below, module.generator.scales[0].state_dict())  # nor do its averaged statistics move
    assert "correct.layers.1.running_mean" in differing(first, module.generator.scales[1].state_dict())
    assert (module.scale, module.trained) == (1, 1)


def test_wider_scales_start_anew():
    module = make(coarsest=4, scales=5, facts=DataFacts((3, 32, 32), 1, "picture"))
    widths = [scale.correct.layers[0].out_channels for scale in module.generator.scales]
    assert widths == [4, 4, 4, 4, 8]
    fresh = {name: value.clone() for name, value in module.generator.scales[4].state_dict().items()}
    module.generator.begin(4, torch.tensor(0.5))
    assert not differing(fresh, module.generator.scales[4].state_dict())


def test_learning_rates_fall_at_the_end_of_each_scale():
    module = make(decay_at=0.5, decay=0.25)
    rates = []
    for _ in range(12):
        plain_steps(module, 1)
        rates.append(module.player_optimizers["generator"].param_groups[0]["lr"] / 1e-3)
    assert rates == pytest.approx(([1.0] * 3 + [0.25] * 3) * 2)


@pytest.mark.parametrize("steps", [3, 6, 8])
def test_resuming_is_exact_in_a_scale_and_between_two(steps):
    module = plain_steps(make(normalizer=BatchNormalizer), steps)
    other = resumed(module, make(normalizer=BatchNormalizer))
    assert not differing(state_of(plain_steps(module, 4)), state_of(plain_steps(other, 4)))
    random = Randomness(0, count=2)
    assert torch.equal(module.eval().sample(random), other.eval().sample(random))


def test_two_processes_end_like_one_across_a_new_scale():
    """With a batch of 8: the published batch is one picture, which two processes cannot share."""
    first, second = train_on_two_ranks("singan", SinGAN.example_facts, 7)
    assert not differing(first, second)
    alone = train_steps(example_module("singan", SinGAN.example_facts), 7, precision="64-true")
    assert alone.trained == 1
    for name, value in state_of(alone).items():
        torch.testing.assert_close(first[name], value, rtol=1e-9, atol=1e-9, msg=name)


def test_progress_is_told_by_scale_and_round():
    module = plain_steps(make(discriminator_steps=2, scale_kimg=0.008), 6)
    assert module.scalars_now() == {"scale/number": 1, "scale/height": 12, "scale/width": 16, "scale/rounds": 2}
    assert "in scale 0 of 0 to 1, and all of them take 0.016" in module.remark(5)
    assert module.remark(16) is None
    assert module.moments(16) == [0, 8]


def test_a_rolled_back_step_begins_nothing(monkeypatch):
    """A step whose gradients are refused does not move the clock, and no scale begins."""
    module = plain_steps(make(), 5)
    begun = []
    monkeypatch.setattr(module, "_begin", lambda scale, images: begun.append(scale))
    loader = StepLoader(ExampleData(FACTS), step_size=module.step_size, seed=0)
    stale = next(iter(loader))  # of the start
    module.training_step(stale, 0)
    assert begun == []
    plain_steps(module, 1)
    assert begun == [1]


def test_a_picture_that_is_mirrored_is_refused():
    module = make()
    module.configure_optimizers()
    loader = StepLoader(ExampleData(FACTS), step_size=module.step_size, seed=0, flip=True)

    def play():
        for index, step in enumerate(loader):
            module.training_step(step.map(module.in_order), index)

    with pytest.raises(UserError, match="leave 'data.flip' and 'data.jitter' out"):
        play()


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (DataFacts((3, 12, 16), 24, "many"), "learns from one picture, and these data are 24"),
        (DataFacts((2,), 1, "point"), "learns from a picture"),
        (
            DataFacts((3, 12, 16), 1, "m", inputs={"mask": InputFacts((1, 12, 16), "maps", classes=2)}),
            "have mask with it",
        ),
        (DataFacts((3, 6, 16), 1, "low"), "has only 6 pixels"),
    ],
)
def test_other_data_are_refused(facts, sentence):
    with pytest.raises(UserError, match=sentence):
        make(facts)

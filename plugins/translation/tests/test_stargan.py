from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ganlab_objectives.gradient_penalty import GradientPenalty
from ganlab_objectives.wasserstein import Wasserstein
from ganlab_translation.stargan import StarGAN
from ganlab_translation.stargan_networks import StarGANDiscriminator, StarGANGenerator

from ganlab import DataFacts, InputFacts, Latents, Randomness, UserError, WeightedRegularizer
from ganlab.contracts import Batch, Examples
from ganlab.data.loader import StepLoader
from ganlab.spec.sampling import check_sampling, read_assignments
from ganlab.testing import parameter_count
from ganlab.testing.examples import ExampleData, example_settings
from ganlab.testing.training import plain_steps, state_of
from ganlab.testing.two_ranks import run_on_two_ranks

MOODS = DataFacts((3, 9, 6), 24, "moods", class_names=("happy", "sad"))
FACES = DataFacts((3, 9, 6), 24, "faces", inputs={"attributes": InputFacts((3,))}, further={"second": MOODS})


def game(facts: DataFacts = FACES, **options) -> StarGAN:
    torch.manual_seed(0)
    generator = StarGANGenerator(facts, width=4, blocks=1, downsamplings=2)
    module = StarGAN(
        generator,
        StarGANDiscriminator(facts, width=4, depth=2),
        facts,
        loss=Wasserstein(),
        regularizers=[WeightedRegularizer("gradient_penalty", GradientPenalty(), 10.0)],
        **options,
    )
    module.prepare(example_settings(module, facts))
    return module


def first_batch(module: StarGAN) -> Batch:
    batch = next(iter(StepLoader(ExampleData(module.facts), step_size=module.step_size, seed=0)))
    return batch.map(module.in_order).batches(module.facts, 0)[0]


@pytest.mark.parametrize(("side", "discriminator"), [(128, 44_762_048), (256, 44_884_928)])
def test_parameters_are_as_many_as_published(side, discriminator):
    facts = DataFacts((3, side, side), 4, "celeba", inputs={"attributes": InputFacts((5,))})
    with torch.device("meta"):
        assert parameter_count(StarGANGenerator(facts)) == 8_430_528
        assert parameter_count(StarGANDiscriminator(facts)) == discriminator


def test_any_sides_come_back():
    generator = StarGANGenerator(MOODS, width=4, blocks=1)
    for height, width in ((9, 6), (13, 21), (8, 8)):
        assert generator(torch.zeros(2, 3, height, width), torch.eye(2)).shape == (2, 3, height, width)


def test_the_domain_changes_the_image():
    generator = StarGANGenerator(MOODS, width=4, blocks=1)
    images = torch.rand(1, 3, 9, 6)
    happy, sad = (generator(images, torch.eye(2)[[index]]) for index in range(2))
    assert (happy - sad).abs().max() > 1e-3


def test_too_deep_a_discriminator_is_refused():
    with pytest.raises(UserError, match="9x6 pixels do not allow; give at most 2"):
        StarGANDiscriminator(MOODS, depth=4)


def test_terms_are_the_papers_in_float64():
    """Equations 1 to 6, with the penalty at the points that the game draws."""
    module = game(replace(MOODS, further={}), identity=5.0).double()
    batch = first_batch(module)
    batch = Batch(batch.images.double(), batch.labels, batch.random)
    (prepared,) = module._of_each_set(batch)
    prepared = replace(prepared, inputs={name: value.double() for name, value in prepared.inputs.items()})
    judged, judge, generate = {}, module.discriminator, module.generator
    old, new = prepared.inputs["domains"], prepared.inputs["wanted domains"]
    assert sorted(map(tuple, new.tolist())) == sorted(map(tuple, old.tolist()))
    fakes = generate(batch.images, new)
    real, fake = judge(batch.images), judge(fakes)
    judged["loss"] = fake.logits.mean() - real.logits.mean()
    judged["classification"] = torch.nn.functional.cross_entropy(real.heads["domains"], old.argmax(1))
    terms = module.discriminator_terms(prepared)
    for name, value in judged.items():
        torch.testing.assert_close(terms[name], value, rtol=1e-9, atol=0)
    weights = batch.random.scoped("penalty").uniform("interpolation").double().view(-1, 1, 1, 1)
    points = (weights * batch.images + (1 - weights) * fakes.detach()).requires_grad_()
    (slope,) = torch.autograd.grad(judge(points).logits.sum(), points)
    norm = slope.flatten(1).square().sum(1).sqrt()
    torch.testing.assert_close(terms["gradient_penalty"], 10 * (norm - 1).square().mean(), rtol=1e-6, atol=0)
    made = module.generator_terms(prepared)
    torch.testing.assert_close(made["loss"], -fake.logits.mean(), rtol=1e-9, atol=0)
    asked = torch.nn.functional.cross_entropy(fake.heads["domains"], new.argmax(1))
    torch.testing.assert_close(made["classification"], asked, rtol=1e-9, atol=0)
    lost = (generate(fakes, old) - batch.images).abs().mean()
    torch.testing.assert_close(made["reconstruction"], 10 * lost, rtol=1e-9, atol=0)
    moved = (generate(batch.images, old) - batch.images).abs().mean()
    torch.testing.assert_close(made["identity"], 5 * moved, rtol=1e-9, atol=0)
    assert set(game(replace(MOODS, further={})).generator_terms(first_batch(module))) == set(made) - {"identity"}


def test_each_update_is_made_on_both_data_sets_in_turn(monkeypatch):
    module = game(discriminator_steps=2)
    seen = []
    monkeypatch.setattr(module, "update", lambda player, terms, batch: seen.append((player, batch)))
    batch = first_batch(module)
    module.play([batch, batch])
    assert [player for player, _ in seen] == ["discriminator"] * 4 + ["generator"] * 2
    masks = [batch.inputs["domains"][:, -2:].unique(dim=0).tolist() for _, batch in seen]
    assert masks == [[[1, 0]], [[0, 1]]] * 3
    assert torch.equal(seen[1][1].images, batch.further["second"].images)
    for place in (0, 1):
        wanted = [seen[player][1].inputs["wanted domains"] for player in (2 + place, 4 + place)]
        assert torch.equal(*wanted), "both players ask for the same domains"


def test_samples_take_attributes_by_name():
    facts = replace(FACES, further={}, extras={"attributes": ("black", "blond", "male")})
    module = game(facts, exclusive=[["black", "blond"]]).eval()
    inputs = {"images": torch.zeros(1, 3, 9, 6), "attributes": torch.tensor([[1.0, 0, 0]])}
    latents = Latents(values=torch.zeros(1, 0), inputs=inputs)
    with torch.no_grad():
        blond = module.render(latents, attribute={"blond": 1})
        torch.testing.assert_close(blond, module.generator(inputs["images"], torch.tensor([[0.0, 1, 0]])))
        strip = module.render(latents, strip=True)
        panels = module.panels(blond, inputs, None, Randomness(0, count=1))
    assert strip.shape == (1, 3, 9, 4 * 6)
    torch.testing.assert_close(strip[..., 2 * 6 : 3 * 6], blond)
    torch.testing.assert_close(torch.cat(list(panels), dim=-1), strip)
    with pytest.raises(UserError, match="names 'beard'; the domains are black, blond, male"):
        module.render(latents, attribute={"beard": 1})
    with pytest.raises(UserError, match="ask for a label instead"):
        game(replace(MOODS, further={})).render(latents, attribute={"happy": 1})


def test_images_are_given_domains_that_only_the_other_set_knows():
    facts = replace(FACES, extras={"attributes": ("black", "blond", "male")})
    module = game(facts, exclusive=[["black", "blond"]]).eval()
    images = Randomness(1, count=2).uniform("images", 3, 9, 6)
    known = torch.tensor([[1.0, 0, 0], [0, 1, 1]])
    faces = Latents(values=torch.zeros(2, 0), inputs={"images": images, "attributes": known})

    def expected(*rows):
        return module.generator(images, torch.tensor(rows, dtype=torch.float32))

    with torch.no_grad():
        assert torch.equal(module.render(faces, domain="sad"), expected(*[[0, 0, 0, 0, 1, 0, 1]] * 2))
        blond = expected([0, 1, 0, 0, 0, 1, 0], [0, 1, 1, 0, 0, 1, 0])
        assert torch.equal(module.render(faces, domain="blond"), blond)
        others = Latents(values=torch.zeros(2, 0), inputs={"second": images})
        assert torch.equal(module.render(others, of="second", domain="male"), expected(*[[0, 0, 1, 0, 0, 1, 0]] * 2))
        strip = module.render(faces, strip=True)
        assert strip.shape == (2, 3, 9, (1 + 3 + 2) * 6)
        assert torch.equal(strip[..., 5 * 6 :], module.render(faces, domain="sad"))
        random = Randomness(3, count=2)
        drawn = module.render(replace(others, random=random), of="second")
        classes = random.integers("domain", 2).tolist()
        assert torch.equal(drawn, expected(*[[0, 0, 0, 1 - label, label, 0, 1] for label in classes]))
    assert (module.made_from({}), module.made_from({"of": "second"})) == (("images",), ("second",))
    assert module.facts_of_samples({"of": "second"}) == MOODS
    assert (module.set_of(facts), module.set_of(MOODS)) == (0, 1)
    with pytest.raises(UserError, match="no further data set 'third'"):
        module.made_from({"of": "third"})
    with pytest.raises(UserError, match="ask for a label instead"):
        module.render(others, of="second", attribute={"male": 1})


def test_names_that_are_numbers_and_more_domains_than_a_picture_shows():
    facts = replace(MOODS, class_names=tuple(map(str, range(20))))
    module = game(facts).eval()
    images = torch.zeros(1, 3, 9, 6)
    latents = Latents(values=torch.zeros(1, 0), labels=torch.tensor([3]), inputs={"images": images})
    with torch.no_grad():
        options = check_sampling(StarGAN, read_assignments(["domain=7"]))
        seven = module.render(latents, **options)
        assert torch.equal(seven, module.generator(images, torch.eye(20)[[7]]))
        assert module.render(latents, strip=True).shape[-1] == 21 * 6
        assert len(module.panels(seven, latents.inputs, None, Randomness(0, count=1))) == 1 + 16


def train_rank(rank: int, folder: str) -> None:
    from ganlab.run.launch import detect_launch
    from ganlab.spec.model import TrainerSection
    from ganlab.testing.training import train_steps

    arguments = detect_launch(TrainerSection(accelerator="cpu")).trainer_arguments()
    module = train_steps(game(), 2, precision="64-true", **arguments)
    torch.save(state_of(module), Path(folder, f"{rank}.pt"))


@pytest.mark.slow
def test_two_processes_on_two_data_sets_end_like_one(tmp_path):
    from ganlab.testing.training import train_steps

    run_on_two_ranks(train_rank, str(tmp_path))
    alone = state_of(train_steps(game(), 2, precision="64-true"))
    for rank in range(2):
        for name, value in torch.load(tmp_path / f"{rank}.pt", weights_only=True).items():
            torch.testing.assert_close(value, alone[name], rtol=1e-6, atol=1e-9)


def test_parts_of_a_batch_change_nothing_with_two_data_sets():
    whole, parts = game(), game()
    parts.settings = replace(parts.settings, micro_batch=3)
    ends = [state_of(plain_steps(module.double(), 2)) for module in (whole, parts)]
    for name, value in ends[0].items():
        torch.testing.assert_close(value, ends[1][name], rtol=1e-6, atol=1e-9)


def test_examples_of_a_second_set_have_their_own_labels():
    module = game()
    batch = first_batch(module)
    second = batch.further["second"]
    assert isinstance(second, Examples)
    _, moods = module._of_each_set(batch)
    assert torch.equal(moods.inputs["domains"][:, 3:5].argmax(1), second.labels)

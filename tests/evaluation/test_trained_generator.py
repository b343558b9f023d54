"""A trained generator in Python: its samples are those of the command line; latents are drawn and rendered apart."""

import pytest
import torch

from ganlab.errors import UserError
from ganlab.evaluation.sampling import make_samples, sample_seeds
from ganlab.evaluation.trained_generator import rows_of
from ganlab.facts import InputFacts
from ganlab.views import Latents
from tests.latents.toys import plain, styled


def test_samples_are_those_of_the_platform():
    generator = styled()
    made = torch.cat([one.images for one in make_samples(generator.module, 70, 3)])
    torch.testing.assert_close(generator.sample(70, seed=3), made, atol=1e-6, rtol=0)
    seeds = torch.cat([one.images for one in sample_seeds(generator.module, [4, 9])])
    torch.testing.assert_close(torch.cat([generator.sample(1, seed) for seed in (4, 9)]), seeds)
    torch.testing.assert_close(generator.render(generator.draw(3, 3, first=5)), made[5:8], atol=1e-6, rtol=0)


def test_labels_are_drawn_or_given():
    generator = plain(classes=3)
    drawn = generator.draw(50, 1)
    assert set(drawn.labels.tolist()) == {0, 1, 2}
    made = next(iter(make_samples(generator.module, 50, 1)))
    assert torch.equal(drawn.labels, made.labels)
    assert generator.draw(3, label="b").labels.tolist() == [1, 1, 1]
    assert generator.draw(2, label=2).labels.tolist() == [2, 2]
    assert generator.draw(2, label=torch.tensor([2, 0])).labels.tolist() == [2, 0]
    assert generator.draw(3, label=["b", 0, "2"]).labels.tolist() == [1, 0, 2]
    assert torch.equal(generator.sample(2, label="b"), generator.render(generator.draw(2, label=1)))
    for label, sentence in (("d", "there is no class 'd'"), (3, "there is no label 3")):
        with pytest.raises(UserError, match=sentence):
            generator.draw(1, label=label)
        with pytest.raises(UserError, match=sentence):
            generator.draw(2, label=[0, label])
    with pytest.raises(UserError, match="2 labels for 3 samples"):
        generator.draw(3, label=[0, 1])
    with pytest.raises(UserError, match="'count' is 0: ask for at least one"):
        generator.sample(0)
    with pytest.raises(UserError, match="'first' is -1"):
        generator.draw(1, first=-1)


def test_a_generator_says_what_it_is():
    said = repr(plain(classes=3))
    assert type(plain().module).__name__ in said
    assert said.endswith("samples of 1 x 8 x 8, 3 classes, on cpu>")
    assert "classes" not in repr(styled())


def test_options_are_checked_and_told():
    generator = styled()
    assert set(generator.options) == {"psi", "noise"}
    assert generator.options["psi"].default == 1.0
    with pytest.raises(UserError, match="no sampling option 'psy'.*'psi'"):
        generator.sample(1, psy=0.5)
    assert not torch.equal(generator.sample(1, psi=0.0), generator.sample(1))


def test_latents_can_be_changed_and_made():
    generator = styled()
    latents = generator.draw(2, 1)
    latents.values = latents.values.flip(0)
    images = generator.render(latents, noise="none")
    torch.testing.assert_close(images, generator.sample(2, 1, noise="none").flip(0))
    own = Latents(values=torch.zeros(3, 4))
    assert torch.equal(generator.render(own), generator.render(own))
    part = rows_of(generator.draw(5, 1), slice(1, 3))
    torch.testing.assert_close(generator.render(part), generator.sample(5, 1)[1:3])


def test_inputs_are_asked_for():
    generator = plain(inputs={"photo": InputFacts((1, 8, 8), "images")})
    with pytest.raises(UserError, match="makes images from inputs; give 'inputs' with: photo"):
        generator.sample(1)
    given = generator.draw(2, inputs={"photo": torch.zeros(2, 1, 8, 8)})
    assert rows_of(given, slice(0, 1)).inputs["photo"].shape == (1, 1, 8, 8)


def test_facts_and_device_are_told():
    generator = plain(classes=2).to("cpu")
    assert generator.facts.class_names == ("a", "b")
    assert generator.device == torch.device("cpu")

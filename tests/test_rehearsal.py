"""What does not fit is told before a training starts; `ganlab check` accepted each of these cases once."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from ganlab import build
from ganlab.cli.app import app
from ganlab.contracts import DataFacts, WeightedRegularizer
from ganlab.errors import DataMissing, SpecError, UserError
from ganlab.facts import InputFacts
from ganlab.games.growing import GrowingGAN
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.rehearsal import Rehearsal, rehearse_training
from ganlab.spec import read_spec
from ganlab.views import Scores
from tests.tiny import LabelledGenerator, Logistic, TinyData, TinyDiscriminator, TinyGenerator, tiny_settings

FACTS = DataFacts((1, 4, 4), 50, "tiny", class_names=("a", "b"))


def rehearse(
    generator: Callable[[], nn.Module] = TinyGenerator,
    discriminator: Callable[[], nn.Module] = TinyDiscriminator,
    *,
    game: type[TwoPlayerGAN] = TwoPlayerGAN,
    facts: DataFacts = FACTS,
    settings: dict[str, Any] | None = None,
    sampling: tuple[dict[str, Any], ...] = ({},),
    **options: Any,
) -> str | None:
    with torch.device("meta"):
        module = game(generator(), discriminator(), Logistic(), **options)
        module.prepare(tiny_settings(facts=facts, **(settings or {})))
    return rehearse_training(module, 1000, sampling=sampling)


def test_a_game_that_fits_costs_no_memory_and_says_nothing() -> None:
    assert rehearse(discriminator_steps=3, generator_steps=2) is None
    assert rehearse(settings={"micro_batch": 3}) is None
    shape = (3, 1024, 1024)
    enormous = partial(TinyGenerator, shape), partial(TinyDiscriminator, shape)
    assert rehearse(*enormous, facts=DataFacts(shape, 50, "large"), settings={"batch_size": 100_000}) is None


class Auxiliary(TwoPlayerGAN):
    def more_terms(self, player, batch, views):
        return {"classes": nn.functional.cross_entropy(views.fake_scores.heads["classes"], batch.labels)}


class Translating(TwoPlayerGAN):
    def fakes(self, batch):
        made = super().fakes(batch)
        return replace(made, images=made.images + batch.inputs["photo"])


class Unreached(TwoPlayerGAN):
    def generator_terms(self, batch):
        return {"loss": super().generator_terms(batch)["loss"].detach()}


class PerImage(TwoPlayerGAN):
    def more_terms(self, player, batch, views):
        return {"each": views.fake_logits}


class TakesPsi(TwoPlayerGAN):
    def render(self, latents, *, psi: float = 1.0, averaged: bool = True):
        if psi < 1:
            latents.values = latents.values[:, 1:]
        return super().render(latents, averaged=averaged)


class Curious:
    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_logits"})

    def penalty(self, views):
        return views.styles.mean()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"generator": partial(TinyGenerator, (1, 8, 8))},
            r"discriminator fails: 'discriminator.net.1' \(Linear\), which got input \(8 x 64\), .*\[16, 8\]; the data",
        ),
        (
            {"generator": LabelledGenerator, "facts": replace(FACTS, class_names=())},
            r"discriminator fails: 'generator.embed' \(Embedding\), which got input none.*, with no classes",
        ),
        ({"game": Auxiliary}, "update of the discriminator fails: .*no head 'classes'; there are: none"),
        ({"game": Translating}, "update of the discriminator fails: .*no input of the data 'photo'; there are: none"),
        (
            {"regularizers": [WeightedRegularizer("curious", Curious())]},
            r"the regularizer 'curious' \(Curious\).*offers no view 'styles'; it offers: .*latents",
        ),
        ({"game": Unreached}, "update of the generator fails: no term of the generator depends on its parameters"),
        ({"game": PerImage}, r"term 'each' of the discriminator is of shape \(8,\), not a scalar"),
        ({"game": TakesPsi, "sampling": ({}, {"psi": 0.5})}, r"sampling fails: 'averages.copies.generator.net.0'"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        rehearse(**options)


class Conv(nn.Module):
    """Takes images of any size: a generator's wrong size shows in samples only."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layer(images).mean((1, 2, 3))


def test_samples_of_another_shape_are_told() -> None:
    with pytest.raises(SpecError, match=r"sampling fails: 8 samples have the shape \(8, 1, 8, 8\).*\(8, 1, 4, 4\)"):
        rehearse(partial(TinyGenerator, (1, 8, 8)), Conv)


class Asking(TinyDiscriminator):
    """Right, but unable to be rehearsed."""

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return super().forward(images) * (1 if images.max() > 0 else 0.5)


class MixesDevices(TinyDiscriminator):
    def __init__(self) -> None:
        super().__init__()
        self.filter = torch.ones(1, 4, 4, device="cpu")

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return super().forward(images * self.filter)


@pytest.mark.parametrize("discriminator", [Asking, MixesDevices])
def test_code_that_needs_values_is_left_out_with_a_remark(discriminator: type[nn.Module]) -> None:
    remark = rehearse(discriminator=discriminator)
    assert remark is not None
    assert "the update of the discriminator could not be rehearsed: 'discriminator' (" in remark
    assert "asks for the values of tensors" in remark
    with pytest.raises(SpecError, match="sampling fails"):  # the rest is rehearsed all the same
        rehearse(partial(TinyGenerator, (1, 2, 8)), Asking)


class StagedGenerator(nn.Module):
    latent_size = 3

    def __init__(self, spoilt: int = 0) -> None:
        super().__init__()
        self.spoilt = spoilt
        self.layer = nn.Linear(3, 16)

    def forward(self, latents: Tensor, labels: Tensor | None, stage: Any) -> Tensor:
        side = stage.resolution + (stage.resolution == self.spoilt)
        return self.layer(latents).mean(1).view(-1, 1, 1, 1).expand(-1, 1, side, side)


class StagedDiscriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({str(side): nn.Linear(side * side, 1) for side in (4, 8, 16)})

    def forward(self, images: Tensor, labels: Tensor | None, stage: Any) -> Tensor:
        return self.layers[str(stage.resolution)](images.flatten(1)).flatten()


@pytest.mark.parametrize("spoilt", [0, 4, 8, 16])
def test_growing_games_are_tried_at_their_stages(spoilt: int) -> None:
    growth = {"fade_kimg": 0.1, "stabilise_kimg": 0.2, "batch_sizes": {16: 4}}
    with torch.device("meta"):
        game = GrowingGAN(StagedGenerator(spoilt), StagedDiscriminator(), shape=(1, 16, 16), loss=Logistic(), **growth)
        game.prepare(tiny_settings(facts=DataFacts((1, 16, 16), 50, "large")))
    assert game.moments(1000) == [0, 200, 500, 600]
    assert game.moments(400) == [0, 200, 300]
    if not spoilt:
        assert rehearse_training(game, 1000, sampling=[{}]) is None
        return
    with pytest.raises(SpecError, match=rf"'discriminator.layers.{spoilt}'"):
        rehearse_training(game, 1000)


def test_the_batch_has_all_that_examples_have() -> None:
    photos = DataFacts((3, 8, 8), 5, "photos", class_names=("a", "b"))
    inputs = {"map": InputFacts((1, 4, 4), "maps", classes=3), "pose": InputFacts((2,))}
    facts = DataFacts((1, 4, 4), 5, "x", inputs=inputs, further={"photos": photos})
    with torch.device("meta"):
        module = TwoPlayerGAN(TinyGenerator(), TinyDiscriminator(), Logistic(), discriminator_steps=2)
        module.prepare(tiny_settings(facts=facts, micro_batch=3))
    batches = Rehearsal(module).batches()
    assert [len(batch) for batch in batches] == [5, 5]  # a part of each size that 8 examples have
    batch = batches[0]
    assert {name: (value.dtype, tuple(value.shape[1:])) for name, value in batch.inputs.items()} == {
        "map": (torch.int64, (1, 4, 4)),
        "pose": (torch.float32, (2,)),
    }
    assert batch.further["photos"].images.shape[1:] == (3, 8, 8)
    assert batch.further["photos"].labels is not None


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda parts: pickle.loads(pickle.dumps(parts))])
def test_a_part_that_is_not_there_is_told(copied: Any) -> None:
    heads = copied(Scores(logits=torch.zeros(2), heads={"classes": torch.zeros(2, 3)}).heads)
    assert heads["classes"].shape == (2, 3)
    assert heads.get("poses") is None
    with pytest.raises(KeyError) as caught:
        heads["poses"]
    assert str(caught.value) == "there is no head 'poses'; there are: classes"
    assert isinstance(caught.value, UserError)


TOY_MISFIT = """
from ganlab_toy import ToyGenerator

class Larger(ToyGenerator):
    def __init__(self, shape: tuple[int, ...]):
        super().__init__((shape[0], 8, 8))
"""


def test_check_and_train_refuse_networks_that_do_not_fit(install, toy_spec, tmp_path) -> None:
    install("ganlab-larger", {"generators": {"larger": "ganlab_larger:Larger"}}, {"ganlab_larger": TOY_MISFIT})
    change = "architecture.generator={name: larger}"
    checked = CliRunner().invoke(app, ["check", str(toy_spec), change])
    assert checked.exit_code == 2
    assert "the update of the discriminator fails: 'discriminator.first" in checked.stderr
    runs = tmp_path / "runs"
    trained = CliRunner().invoke(app, ["train", str(toy_spec), change, "--runs", str(runs)])
    assert isinstance(trained.exception, SpecError)
    assert "the update of the discriminator fails" in str(trained.exception)
    assert not runs.exists()


@pytest.mark.parametrize("data_are_here", [True, False])
def test_missing_weights_are_a_remark_where_the_data_are_missing_too(
    monkeypatch: pytest.MonkeyPatch, data_are_here: bool
) -> None:
    """A spec for another machine is checked as far as can be; where it could be trained now, it is refused."""

    def without_weights(*_: object) -> None:
        raise DataMissing("the weights are not on this machine")

    facts = DataFacts((1, 16, 16), 10, "elsewhere")
    dataset, note = (TinyData(10), None) if data_are_here else (None, "the folder does not exist")
    monkeypatch.setattr("ganlab.build._data_of", lambda _: (dataset, facts, note))
    monkeypatch.setattr("ganlab.build.rehearse_for", without_weights)
    spec = read_spec(Path(__file__).parents[1] / "experiments/quickstart.yaml")
    if data_are_here:
        with pytest.raises(DataMissing, match="weights"):
            build.rehearse(spec)
    else:
        assert str(build.rehearse(spec)).endswith("not all of it was tried: the weights are not on this machine")

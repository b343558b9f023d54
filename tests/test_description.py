"""`ganlab describe` on parts of which everything is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from ganlab import build, description
from ganlab.cli.app import app
from ganlab.contracts import DataFacts, PlayerOptimizer
from ganlab.description import PlayerDescription, describe_players
from ganlab.errors import DataMissing, UserError
from ganlab.facts import InputFacts
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.training.module import GANModule
from ganlab.training.optimizers import adam
from tests.tiny import Logistic, TinyGenerator, tiny_settings

FACTS = DataFacts((3, 8, 8), 10, "made up")


class Block(nn.Sequential):
    described_as = "two at once"
    activation_name = "ReLU"


class Network(nn.Module):
    """Three rows, one of them a block, beside a layer that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 2, 3, padding=1))
        self.block = Block(nn.Conv2d(2, 4, 1), nn.ReLU())
        self.resting = nn.Linear(5, 5)
        self.last = nn.Conv2d(4, 1, 8)

    def forward(self, images: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        return self.last(self.block(self.first(images))).flatten()


class Wide(TinyGenerator):
    def __init__(self) -> None:
        super().__init__((3, 8, 8))


def described(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], GANModule], facts: DataFacts = FACTS
) -> dict[str, PlayerDescription]:
    """The description of a game, whatever spec it is of."""
    with torch.device("meta"):
        gan = make()
        optimizer = PlayerOptimizer(adam)
        gan.prepare(tiny_settings(facts=facts, optimizers=dict.fromkeys(gan.players(), optimizer)))
    monkeypatch.setattr(description, "build_module", lambda spec, facts: gan)
    return describe_players(SimpleNamespace(total_images=0), facts)


def test_rows_are_layers_and_what_calls_itself_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = described(monkeypatch, lambda: TwoPlayerGAN(Wide(), Network(), Logistic()))["discriminator"]
    rows = [(row.name, row.type, row.activation, row.output_shape, row.parameters) for row in found.layers]
    assert rows == [
        ("first", "Conv2d 3x3", "", (2, 8, 8), 2 * 3 * 9 + 2 + 2),
        ("block", "two at once", "ReLU", (4, 8, 8), 4 * 2 + 4),
        ("last", "Conv2d 8x8", "", (1, 1, 1), 4 * 64 + 1),
    ]
    assert found.resting == 5 * 5 + 5
    assert found.parameters == sum(row.parameters for row in found.layers) + found.resting
    assert found.input_shape == (3, 8, 8)
    # A multiplication and an addition for each weight and place.
    assert found.flops == 2 * (2 * 3 * 9 * 64 + 4 * 2 * 64 + 4 * 64)


class Constant(nn.Module):
    """Begins with a learned constant, as style-based generators do."""

    latent_size = 3

    def __init__(self) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.ones(1, 2, 8, 8))
        self.start = Start()
        self.last = nn.Conv2d(2, 3, 1)

    def forward(self, latents: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        return self.last(self.constant.expand(len(latents), -1, -1, -1) + self.start(latents))


class Start(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.ones(1, 2, 1, 1))

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return self.values.expand(len(latents), -1, -1, -1)


def test_a_learned_constant_that_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = described(monkeypatch, lambda: TwoPlayerGAN(Constant(), Network(), Logistic()))["generator"]
    rows = [(row.name, row.type, row.output_shape, row.parameters) for row in found.layers]
    assert rows == [
        ("constant", "Parameter", (1, 2, 8, 8), 128),
        ("start", "Start", (2, 1, 1), 2),
        ("last", "Conv2d 1x1", (3, 8, 8), 9),
    ]
    assert (found.parameters, found.resting) == (128 + 2 + 9, 0)


class Recogniser(nn.Module):
    """A player that no one calls: its methods and parts are."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(192, 6)
        self.head = nn.Linear(6, 2)

    def recognise(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(images.flatten(1)))


class ThreePlayers(GANModule):
    """Two generators in one player, inputs and a further domain, a third player entered through a method."""

    player_names = ("discriminator", "generator", "recogniser")
    averaged = ("there",)

    def __init__(self) -> None:
        super().__init__()
        self.there, self.back = (nn.Sequential(nn.Conv2d(3, 3, 1)) for _ in range(2))
        self.discriminator = Network()
        self.recogniser = Recogniser()

    def players(self) -> dict[str, nn.Module]:
        generators = nn.ModuleDict({"there": self.there, "back": self.back})
        return {"discriminator": self.discriminator, "generator": generators, "recogniser": self.recogniser}

    def discriminator_terms(self, batch):
        return {"loss": self.discriminator(self.there(batch.inputs["photo"]).detach()).mean()}

    def generator_terms(self, batch):
        painted = self.there(batch.inputs["photo"])
        return {"cycle": self.back(painted).square().mean() + self.there(batch.further["photos"].images).mean()}

    def recogniser_terms(self, batch):
        return {"codes": self.recogniser.recognise(batch.images).square().mean()}


def test_several_networks_inputs_domains_and_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = replace(
        FACTS, inputs={"photo": InputFacts((3, 8, 8), "images")}, further={"photos": DataFacts((3, 8, 8), 5, "photos")}
    )
    found = described(monkeypatch, ThreePlayers, facts)
    assert [row.name for row in found["generator"].layers] == ["there.0", "back.0"]
    assert found["generator"].flops == 2 * 2 * 9 * 64
    assert [(row.name, row.output_shape) for row in found["recogniser"].layers] == [("trunk", (6,)), ("head", (2,))]
    assert found["recogniser"].flops == 2 * (192 * 6 + 6 * 2)
    assert found["recogniser"].input_shape == (192,)
    assert [player.resting for player in found.values()] == [30, 0, 0]


class Idle(ThreePlayers):
    def recogniser_terms(self, batch):
        return {"codes": self.recogniser.trunk.weight.square().mean()}


class Asking(ThreePlayers):
    def recogniser_terms(self, batch):
        return {"codes": self.recogniser.recognise(batch.images) * batch.images.sum().item()}


def test_a_player_that_no_round_runs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = replace(
        FACTS, inputs={"photo": InputFacts((3, 8, 8), "images")}, further={"photos": DataFacts((3, 8, 8), 5, "photos")}
    )
    with pytest.raises(UserError, match="a round of the game never runs the recogniser"):
        described(monkeypatch, Idle, facts)
    asking = described(monkeypatch, Asking, facts)  # it has run before it asks for values
    assert [row.name for row in asking["recogniser"].layers] == ["trunk", "head"]


@pytest.mark.parametrize("known", [True, False])
def test_data_that_are_missing(toy_spec, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    facts = build.facts_of_data(build_spec(toy_spec))[0] if known else None

    def missing(node):
        raise DataMissing("the disk is elsewhere", facts)

    monkeypatch.setattr(build, "build_dataset", missing)
    shown, checked = (CliRunner().invoke(app, [command, str(toy_spec)]) for command in ("describe", "check"))
    assert checked.exit_code == 0
    if known:
        assert " trainable parameters, " in shown.stdout
        assert "FLOPs per image" in next(line for line in shown.stdout.splitlines() if "parameters, " in line)
        assert "the disk is elsewhere" in shown.stderr
        assert "ok (but its data were not looked at: the disk is elsewhere)" in checked.stdout
    else:
        assert isinstance(shown.exception, DataMissing)
        assert "networks were not held against the data: the disk is elsewhere" in checked.stdout


def build_spec(path):
    from ganlab.spec import read_spec

    return read_spec(path)

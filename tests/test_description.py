"""`ganlab describe` on parts of which everything is known."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from ganlab import build, description
from ganlab.cli.app import app
from ganlab.contracts import DataFacts
from ganlab.description import describe_players
from ganlab.errors import DataMissing
from tests.tiny import tiny_gan

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


def test_rows_are_layers_and_what_calls_itself_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gan = tiny_gan()
    gan.discriminator = Network()
    gan.generate = lambda latents, labels, random: gan.generator(latents, labels).new_zeros(len(latents), 3, 8, 8)
    monkeypatch.setattr(description, "build_module", lambda spec, facts: gan.to("meta"))
    described = describe_players(SimpleNamespace(total_images=0), FACTS)["discriminator"]
    rows = [(row.name, row.type, row.activation, row.output_shape, row.parameters) for row in described.layers]
    assert rows == [
        ("first", "Conv2d 3x3", "", (2, 8, 8), 2 * 3 * 9 + 2 + 2),
        ("block", "two at once", "ReLU", (4, 8, 8), 4 * 2 + 4),
        ("last", "Conv2d 8x8", "", (1, 1, 1), 4 * 64 + 1),
    ]
    assert described.resting == 5 * 5 + 5
    assert described.parameters == sum(row.parameters for row in described.layers) + described.resting
    assert described.input_shape == (3, 8, 8)
    # A multiplication and an addition for each weight and place.
    assert described.flops == 2 * (2 * 3 * 9 * 64 + 4 * 2 * 64 + 4 * 64)


@pytest.mark.parametrize("known", [True, False])
def test_data_that_are_missing(toy_spec, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    facts = build.facts_of_data(build_spec(toy_spec))[0] if known else None

    def missing(node):
        raise DataMissing("the disk is elsewhere", facts)

    monkeypatch.setattr(build, "build_dataset", missing)
    described, checked = (CliRunner().invoke(app, [command, str(toy_spec)]) for command in ("describe", "check"))
    assert checked.exit_code == 0
    if known:
        assert "trainable parameters" in described.stdout
        assert "the disk is elsewhere" in described.stderr
        assert "ok (but its data were not looked at: the disk is elsewhere)" in checked.stdout
    else:
        assert isinstance(described.exception, DataMissing)
        assert "networks were not held against the data: the disk is elsewhere" in checked.stdout


def build_spec(path):
    from ganlab.spec import read_spec

    return read_spec(path)


def test_the_batch_has_all_that_examples_have() -> None:
    from ganlab.description import _example_batch
    from ganlab.facts import DataFacts, InputFacts

    photos = DataFacts((3, 8, 8), 5, "photos", class_names=("a", "b"))
    inputs = {"map": InputFacts((1, 4, 4), "maps", classes=3), "pose": InputFacts((2,))}
    batch = _example_batch(DataFacts((1, 4, 4), 5, "x", inputs=inputs, further={"photos": photos}))
    assert {name: (value.dtype, tuple(value.shape[1:])) for name, value in batch.inputs.items()} == {
        "map": (torch.int64, (1, 4, 4)),
        "pose": (torch.float32, (2,)),
    }
    assert batch.further["photos"].images.shape[1:] == (3, 8, 8)
    assert batch.further["photos"].labels is not None

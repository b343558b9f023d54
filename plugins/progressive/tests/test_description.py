"""`ganlab describe` against the paper's table of layers (Karras et al., 2018, table 2), without the data."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganlab.build import facts_of_data
from ganlab.cli.app import app
from ganlab.description import describe_players
from ganlab.spec import read_spec

SPEC = Path(__file__).parents[3] / "experiments/papers/progan/celeba_hq-1024.yaml"
WIDTHS = {8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}


def convolution(inputs, outputs, kernel=3):
    return outputs * (inputs * kernel**2 + 1)


def generator_rows():
    yield "Conv 4x4", "LReLU", (512, 4, 4), convolution(512 * 16, 512, 1)
    yield "Conv 3x3", "LReLU", (512, 4, 4), convolution(512, 512)
    before = 512
    for side, width in WIDTHS.items():
        yield "Upsample, Conv 3x3", "LReLU", (width, side, side), convolution(before, width)
        yield "Conv 3x3", "LReLU", (width, side, side), convolution(width, width)
        before = width
    yield "Conv2d 1x1", "", (3, 1024, 1024), convolution(16, 3, 1)


def discriminator_rows():
    yield "Conv 1x1", "LReLU", (16, 1024, 1024), convolution(3, 16, 1)
    for side, width in reversed(WIDTHS.items()):
        after = WIDTHS.get(side // 2, 512)
        yield "Conv 3x3", "LReLU", (width, side, side), convolution(width, width)
        yield "Conv 3x3", "LReLU", (after, side, side), convolution(width, after)
        yield "AveragePool", "", (after, side // 2, side // 2), 0
    yield "MinibatchStandardDeviation", "", (513, 4, 4), 0
    yield "Conv 3x3", "LReLU", (512, 4, 4), convolution(513, 512)
    yield "Conv 4x4", "LReLU", (512, 1, 1), convolution(512, 512, 4)
    yield "Linear", "", (1,), 513


@pytest.fixture(scope="module")
def players():
    spec = read_spec(SPEC, ["data.path=nowhere"])
    facts, missing = facts_of_data(spec)
    assert "'nowhere' does not exist" in missing
    return describe_players(spec, facts)


@pytest.mark.parametrize(
    ("player", "rows", "total", "input_shape"),
    [
        ("generator", generator_rows, 23_079_115, (512,)),
        ("discriminator", discriminator_rows, 23_087_249, (3, 1024, 1024)),
    ],
)
def test_layers_are_those_of_the_paper(players, player, rows, total, input_shape):
    described = players[player]
    found = [
        (layer.type, layer.activation.removesuffix(", PixelNorm"), layer.output_shape, layer.parameters)
        for layer in described.layers
        if layer.type != "PixelNorm"
    ]
    assert found == list(rows())
    assert described.parameters == total
    assert described.input_shape == input_shape
    rgb = [convolution(3, w, 1) if player == "discriminator" else convolution(w, 3, 1) for w in WIDTHS.values()]
    four = convolution(3, 512, 1) if player == "discriminator" else convolution(512, 3, 1)
    assert described.resting == four + sum(rgb[:-1])


def test_the_command_prints_the_table_and_says_that_the_data_are_missing():
    result = CliRunner().invoke(app, ["describe", str(SPEC), "data.path=nowhere"])
    assert result.exit_code == 0, result.output
    assert "23,079,115 trainable parameters" in result.stdout
    assert "blocks.1024.0" in result.stdout
    assert "'nowhere' does not exist" in result.stderr

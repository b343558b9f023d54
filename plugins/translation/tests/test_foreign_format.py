"""Files of the structure of pytorch-CycleGAN-and-pix2pix, whose images an independent forward computes in float64."""

from __future__ import annotations

import os
from collections import OrderedDict

import pytest
import torch
from ganlab_translation.unet import UNetGenerator
from PIL import Image
from torch.nn.functional import batch_norm, conv2d, conv_transpose2d, leaky_relu, pad
from typer.testing import CliRunner

import ganlab
from ganlab.cli.app import app
from ganlab.errors import RunError, UserError
from ganlab.exchange.importing import import_generator

BEFORE, AFTER, WIDTH = 2, 3, 2
FORMAT = "cyclegan_pix2pix"


class Writer:
    """Tensors of a network with batch norm, or with instance norm and so with biases everywhere."""

    def __init__(self, batch):
        torch.manual_seed(0)
        self.batch, self.tensors = batch, OrderedDict()

    def convolution(self, name, *shape, bias=None, outputs=None):
        self.tensors[f"{name}.weight"] = torch.randn(shape) / 3
        if bias or not self.batch:
            self.tensors[f"{name}.bias"] = torch.randn(outputs or shape[0]) / 3

    def norm(self, name, channels):
        if self.batch:
            values = {"weight": torch.randn(channels), "bias": torch.randn(channels)}
            values |= {"running_mean": torch.randn(channels) / 3, "running_var": 0.5 + torch.rand(channels)}
            self.tensors |= {f"{name}.{part}": value for part, value in values.items()}
            self.tensors[f"{name}.num_batches_tracked"] = torch.tensor(7)

    def save(self, path):
        """As `torch.save(network.state_dict(), path)`, which has versions beside the tensors."""
        self.tensors._metadata = OrderedDict({"": {"version": 1}})
        torch.save(self.tensors, path)


def block(level):
    return "model" + "".join(f".model.{place}" for place in ([1] + [3] * (level - 1) if level else [])) + ".model"


def unet(depth, batch=True):
    writer = Writer(batch)
    widths = [WIDTH * min(2**level, 8) for level in range(depth)]
    for level, width in enumerate(widths):
        inside, outside = level == depth - 1, level == 0
        writer.convolution(
            f"{block(level)}.{0 if outside else 1}", width, BEFORE if outside else widths[level - 1], 4, 4
        )
        if not outside and not inside:
            writer.norm(f"{block(level)}.2", width)
        outputs = AFTER if outside else widths[level - 1]
        up = f"{block(level)}.{3 if inside or outside else 5}"
        writer.convolution(up, width if inside else 2 * width, outputs, 4, 4, bias=outside, outputs=outputs)
        if not outside:
            writer.norm(f"{block(level)}.{4 if inside else 6}", outputs)
    return writer


def resnet(blocks, batch, dropout=False):
    writer = Writer(batch)
    plan = [(1, WIDTH, BEFORE, 7), (4, 2 * WIDTH, WIDTH, 3), (7, 4 * WIDTH, 2 * WIDTH, 3)]
    for place, outputs, inputs, size in plan:
        writer.convolution(f"model.{place}", outputs, inputs, size, size)
        writer.norm(f"model.{place + 1}", outputs)
    for index in range(blocks):
        for place in (1, 6 if dropout else 5):
            writer.convolution(f"model.{10 + index}.conv_block.{place}", 4 * WIDTH, 4 * WIDTH, 3, 3)
            writer.norm(f"model.{10 + index}.conv_block.{place + 1}", 4 * WIDTH)
    for place, inputs in ((10 + blocks, 4 * WIDTH), (13 + blocks, 2 * WIDTH)):
        writer.convolution(f"model.{place}", inputs, inputs // 2, 3, 3, outputs=inputs // 2)
        writer.norm(f"model.{place + 1}", inputs // 2)
    writer.convolution(f"model.{17 + blocks}", AFTER, WIDTH, 7, 7, bias=True)
    return writer


class Forward:
    """The layers of a file in float64; `masks` are those of dropout by the block that drops."""

    def __init__(self, tensors, running=False, masks=None):
        self.t = {name: value.double() for name, value in tensors.items()}
        self.running, self.masks = running, masks or {}

    def conv(self, x, name, **options):
        return conv2d(x, self.t[f"{name}.weight"], self.t.get(f"{name}.bias"), **options)

    def up(self, x, name, **options):
        return conv_transpose2d(x, self.t[f"{name}.weight"], self.t.get(f"{name}.bias"), 2, 1, **options)

    def norm(self, x, name):
        gain, bias = self.t.get(f"{name}.weight"), self.t.get(f"{name}.bias")
        if self.running:
            return batch_norm(x, self.t[f"{name}.running_mean"], self.t[f"{name}.running_var"], gain, bias)
        return torch.cat([batch_norm(row, None, None, gain, bias, training=True) for row in x.split(1)])

    def unet(self, x, depth, level=0):
        """What a block makes of its input, joined with it inside of the outermost one."""
        if level == 0:
            inner = self.unet(self.conv(x, f"{block(0)}.0", stride=2, padding=1), depth, 1)
            return self.up(inner.relu(), f"{block(0)}.3").tanh()
        down = self.conv(leaky_relu(x, 0.2), f"{block(level)}.1", stride=2, padding=1)
        if level == depth - 1:
            made = self.norm(self.up(down.relu(), f"{block(level)}.3"), f"{block(level)}.4")
        else:
            inner = self.unet(self.norm(down, f"{block(level)}.2"), depth, level + 1)
            made = self.norm(self.up(inner.relu(), f"{block(level)}.5"), f"{block(level)}.6")
        return torch.cat([x, made * self.masks.get(level, 1)], 1)

    def resnet(self, x, blocks, second=5):
        x = self.norm(self.conv(pad(x, [3] * 4, "reflect"), "model.1"), "model.2").relu()
        for place in (4, 7):
            x = self.norm(self.conv(x, f"model.{place}", stride=2, padding=1), f"model.{place + 1}").relu()
        for index in range(blocks):
            name, y = f"model.{10 + index}.conv_block", x
            for place in (1, second):
                y = self.norm(self.conv(pad(y, [1] * 4, "reflect"), f"{name}.{place}"), f"{name}.{place + 1}")
                y = y.relu() if place == 1 else y
            x = x + y
        for place in (10 + blocks, 13 + blocks):
            x = self.norm(self.up(x, f"model.{place}", output_padding=1), f"model.{place + 1}").relu()
        return self.conv(pad(x, [3] * 4, "reflect"), f"model.{17 + blocks}").tanh()


def imported(writer, folder, **options):
    writer.save(folder / "latest_net_G.pth")
    result = import_generator(folder / "latest_net_G.pth", {"name": FORMAT, **options}, folder / "out")
    return ganlab.load(result.path, device="cpu"), result.remarks


def close(generator, source, expected):
    made = generator.sample(len(source), inputs={"source": source})
    assert expected.std() > 0.1
    torch.testing.assert_close(made.double(), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("batch", "statistics"), [(True, "image"), (True, "running"), (False, "image")])
def test_unets_make_the_same_images(batch, statistics, tmp_path):
    writer = unet(5, batch)
    generator, remarks = imported(writer, tmp_path, statistics=statistics)
    assert generator.facts.shape == (AFTER, 32, 32)
    assert len(remarks) == batch
    source = torch.rand(2, BEFORE, 64, 96) * 2 - 1
    close(generator, source, Forward(writer.tensors, statistics == "running").unet(source.double(), 5))


@pytest.mark.parametrize(("batch", "statistics"), [(True, "image"), (True, "running"), (False, "image")])
def test_residual_generators_make_the_same_images(batch, statistics, tmp_path):
    writer = resnet(2, batch)
    generator, _ = imported(writer, tmp_path, statistics=statistics, resolution=16)
    source = torch.rand(2, BEFORE, 16, 24) * 2 - 1
    close(generator, source, Forward(writer.tensors, statistics == "running").resnet(source.double(), 2))


def test_dropout_of_unets_sits_where_that_program_has_it(tmp_path):
    depth, masks = 7, {}
    writer = unet(depth)
    generator, remarks = imported(writer, tmp_path)
    assert "'--no_dropout'" in remarks[1]
    (network,) = (each for each in generator.module.averages.copies.modules() if isinstance(each, UNetGenerator))
    assert [drop.p for drop in network.drops] == [0, 0.5, 0.5, 0, 0, 0]

    def note(place):
        def hook(layer, inputs, output):
            masks[depth - 1 - place] = (output / inputs[0]).double().round()

        return hook

    for place in (1, 2):
        network.drops[place].register_forward_hook(note(place))
    source = torch.rand(1, BEFORE, 128, 128) * 2 - 1
    made = generator.sample(1, inputs={"source": source})
    assert all(set(mask.unique().tolist()) == {0.0, 2.0} for mask in masks.values())
    expected = Forward(writer.tensors, masks=masks).unet(source.double(), depth)
    torch.testing.assert_close(made.double(), expected, atol=1e-4, rtol=0)
    assert (Forward(writer.tensors).unet(source.double(), depth) - expected).abs().max() > 0.1
    (tmp_path / "still").mkdir()
    without, _ = imported(writer, tmp_path / "still", dropout=False)
    close(without, source, Forward(writer.tensors).unet(source.double(), depth))


def test_blocks_that_drop_are_refused_unless_they_shall_not(tmp_path):
    writer = resnet(1, batch=True, dropout=True)
    with pytest.raises(UserError, match=r"dropout: false.*'--eval'"):
        imported(writer, tmp_path)
    generator, _ = imported(writer, tmp_path, dropout=False, statistics="running", resolution=16)
    source = torch.rand(1, BEFORE, 16, 16)
    close(generator, source, Forward(writer.tensors, running=True).resnet(source.double(), 1, 6))


def test_files_from_before_torch_0_4_have_statistics_that_nobody_needs(tmp_path):
    writer = resnet(1, batch=False)
    for name in ("model.2", "model.5"):
        writer.tensors |= {f"{name}.running_mean": torch.randn(WIDTH), f"{name}.running_var": torch.rand(WIDTH)}
    generator, _ = imported(writer, tmp_path, resolution=16)
    source = torch.rand(1, BEFORE, 16, 16)
    close(generator, source, Forward(writer.tensors).resnet(source.double(), 1))


def test_files_that_do_not_fit_are_refused(tmp_path):
    def refused(writer, error, match):
        with pytest.raises(error, match=match):
            imported(writer, tmp_path)

    writer = unet(5)
    del writer.tensors[f"{block(2)}.6.bias"]
    refused(writer, RunError, "lacks the tensor 'model.model.1.model.3.model.6.bias'")
    writer = resnet(1, batch=True)
    writer.tensors["model.99.weight"] = torch.ones(1)
    refused(writer, RunError, "no place for 'model.99.weight'")
    writer = unet(5)
    for name in [name for name in writer.tensors if writer.tensors[name].dim() != 4]:
        del writer.tensors[name]
    refused(writer, UserError, "no norm")
    writer = Writer(batch=True)
    writer.convolution("model.0", 8, 3, 4, 4)
    writer.convolution("model.2", 8, 8, 4, 4)
    refused(writer, UserError, r"discriminators \('net_D'\)")
    writer = resnet(1, batch=True)
    writer.tensors["model.10.conv_block.3.weight"] = writer.tensors.pop("model.10.conv_block.5.weight")
    refused(writer, UserError, "reflect borders")


def test_a_file_with_code_is_refused_and_none_of_it_runs(tmp_path):
    class Payload:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    writer = unet(5)
    writer.tensors["model.model.1.more"] = Payload()
    with pytest.raises(RunError, match="nothing of the file was run"):
        imported(writer, tmp_path)
    assert not (tmp_path / "ran").exists()


def test_an_imported_generator_translates_and_is_measured(tmp_path):
    writer = resnet(1, batch=False)
    writer.tensors["model.1.weight"] = writer.tensors["model.1.weight"][:, :1].repeat(1, 3, 1, 1)
    imported(writer, tmp_path, resolution=16)
    path = tmp_path / "out/generator.safetensors"
    for folder in ("sources", "targets"):
        (tmp_path / folder).mkdir()
        for index in range(4):
            pixels = torch.randint(0, 256, (16, 16, 3), dtype=torch.uint8).numpy()
            Image.fromarray(pixels).save(tmp_path / folder / f"{index}.png")
    out = tmp_path / "translated"
    result = CliRunner().invoke(app, ["translate", str(path), str(tmp_path / "sources"), "--out", str(out)])
    assert result.exit_code == 0, result.exception
    assert Image.open(out / "0.png").size == (16, 16)
    pairs = f"{{name: paired_folders, path: [{tmp_path / 'sources'}, {tmp_path / 'targets'}]}}"
    arguments = ["evaluate", str(path), "--reference", pairs, "--metrics", "swd", "--samples", "4", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.exception
    assert "swd" in result.output


def test_layers_that_are_not_there_do_not_drop():
    with pytest.raises(UserError, match=r"layer 3 .* are 0 to 2"):
        UNetGenerator((3, 16, 16), width=1, dropped=[0, 3])
    network = UNetGenerator((3, 16, 16), width=1, dropped=[2])
    assert [drop.p for drop in network.drops] == [0, 0, 0.5]

"""Pickles of the structure of R3GAN's program make the images that an independent forward computes in float64."""

import sys
from collections import OrderedDict
from types import ModuleType

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, leaky_relu, one_hot, pad

import ganlab
from ganlab.errors import UserError
from ganlab.exchange.importing import import_generator
from ganlab.testing.network_pickles import network, write_network_pickle

WIDTHS, GROUPS, LATENT, EMBEDDED, CLASSES = [8, 8, 4], [4, 2, 1], 5, 3, 2


def weights(conditional):
    torch.manual_seed(0)
    inputs = LATENT + (EMBEDDED if conditional else 0)
    found = {
        "MainLayers.0.Layers.0.Basis": torch.randn(8, 4, 4),
        "MainLayers.0.Layers.0.LinearLayer.weight": torch.randn(8, inputs) / 2,
        "MainLayers.2.Layers.0.LinearLayer.Layer.weight": torch.randn(4, 8, 1, 1) / 2,
        "AggregationLayer.Layer.weight": torch.randn(3, 4, 1, 1) / 2,
    }
    if conditional:
        found["EmbeddingLayer.weight"] = torch.randn(EMBEDDED, CLASSES)
    for stage, (width, groups) in enumerate(zip(WIDTHS, GROUPS, strict=True)):
        for block in (1, 2):
            name, inner = f"MainLayers.{stage}.Layers.{block}", 2 * width
            found[f"{name}.LinearLayer1.Layer.weight"] = torch.randn(inner, width, 1, 1) / 3
            found[f"{name}.LinearLayer2.Layer.weight"] = torch.randn(inner, inner // groups, 3, 3) / 4
            found[f"{name}.LinearLayer3.Layer.weight"] = torch.randn(width, inner, 1, 1) / 4
            found |= {f"{name}.NonLinearity{number}.Bias": torch.randn(inner) for number in (1, 2)}
    return found


def enlarged(maps):
    spread = torch.zeros(*maps.shape[:2], 2 * maps.shape[2], 2 * maps.shape[3], dtype=maps.dtype)
    spread[:, :, ::2, ::2] = maps
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=maps.dtype) / 4
    spread = pad(spread, (2, 1, 2, 1)).flatten(0, 1)[:, None]
    return conv2d(spread, torch.outer(taps, taps)[None, None]).unflatten(0, maps.shape[:2])[:, :, 0]


def images(found, latents, labels):
    t = {name: value.double() for name, value in found.items()}
    x = latents.double()
    if labels is not None:
        x = torch.cat([x, one_hot(labels, CLASSES).double() @ t["EmbeddingLayer.weight"].t()], 1)
    first = "MainLayers.0.Layers.0"
    x = (x @ t[f"{first}.LinearLayer.weight"].t())[:, :, None, None] * t[f"{first}.Basis"]
    for stage, groups in enumerate(GROUPS):
        if stage:
            change = t.get(f"MainLayers.{stage}.Layers.0.LinearLayer.Layer.weight")
            x = enlarged(x if change is None else conv2d(x, change))
        for block in (1, 2):
            name = f"MainLayers.{stage}.Layers.{block}"
            biases = [t[f"{name}.NonLinearity{number}.Bias"][:, None, None] for number in (1, 2)]
            y = leaky_relu(conv2d(x, t[f"{name}.LinearLayer1.Layer.weight"]) + biases[0], 0.2)
            y = conv2d(y, t[f"{name}.LinearLayer2.Layer.weight"], padding=1, groups=groups)
            x = x + conv2d(leaky_relu(y + biases[1], 0.2), t[f"{name}.LinearLayer3.Layer.weight"])
    return conv2d(x, t["AggregationLayer.Layer.weight"])


def tree(found, made):
    """Modules of a class that pickles name as R3GAN.Networks.Part, with these tensors in them."""
    root = made()
    root.__dict__.update(_parameters=OrderedDict(), _buffers=OrderedDict(), _modules=OrderedDict())
    for name, value in found.items():
        *path, last = name.split(".")
        place = root
        for part in path:
            if part not in place._modules:
                place._modules[part] = tree({}, made)
            place = place._modules[part]
        place._parameters[last] = nn.Parameter(value)
    return root


@pytest.mark.parametrize("conditional", [False, True])
def test_the_images_are_the_same(conditional, tmp_path, monkeypatch):
    found = weights(conditional)
    module = ModuleType("R3GAN.Networks")
    module.Part = type("Part", (), {"__module__": "R3GAN.Networks", "__qualname__": "Part"})
    monkeypatch.setitem(sys.modules, "R3GAN", ModuleType("R3GAN"))
    monkeypatch.setitem(sys.modules, "R3GAN.Networks", module)
    model = tree(found, module.Part)
    model._modules["MainLayers"]._modules["1"]._modules["Layers"]._modules["0"] = tree({}, module.Part)
    content = {"G": network("Generator"), "G_ema": network("Generator", modules={"Model": model}, z_dim=LATENT)}
    source = write_network_pickle(tmp_path / "x.pkl", content)
    generator = ganlab.load(import_generator(source, "r3gan", tmp_path / "out").path, device="cpu")
    latents = generator.draw(3, 1)
    expected = images(found, latents.values, latents.labels)
    torch.testing.assert_close(generator.render(latents).double(), expected, atol=1e-4, rtol=1e-4)


def test_other_networks_are_refused(tmp_path):
    source = write_network_pickle(tmp_path / "x.pkl", {"G_ema": network("Generator")})
    with pytest.raises(UserError, match="no generator of R3GAN"):
        import_generator(source, "r3gan", tmp_path / "out")

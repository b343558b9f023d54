"""Checkpoints of pytorch_GAN_zoo's structure make the images that an independent forward computes in float64."""

import math
import sys
from types import ModuleType

import pytest
import torch
from torch.nn.functional import conv2d, interpolate, leaky_relu

import ganlab
from ganlab.errors import RunError, UserError
from ganlab.exchange.importing import import_generator


def weights():
    torch.manual_seed(0)
    shapes = {
        "formatLayer": (8 * 16, 5),
        "groupScale0.0": (8, 8, 3, 3),
        "scaleLayers.0.0": (8, 8, 3, 3),
        "scaleLayers.0.1": (8, 8, 3, 3),
        "scaleLayers.1.0": (4, 8, 3, 3),
        "scaleLayers.1.1": (4, 4, 3, 3),
        "toRGBLayers.0": (3, 8, 1, 1),
        "toRGBLayers.1": (3, 8, 1, 1),
        "toRGBLayers.2": (3, 4, 1, 1),
    }
    found = {f"{name}.module.weight": torch.randn(shape) for name, shape in shapes.items()}
    return found | {f"{name}.module.bias": torch.randn(shape[0]) for name, shape in shapes.items()}


def images(found, latents):
    def layer(x, name):
        weight, bias = (found[f"{name}.module.{part}"].double() for part in ("weight", "bias"))
        made = x @ weight.t() + bias if x.dim() == 2 else conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
        return made * math.sqrt(2 / weight[0].numel())

    def normalised(x):
        return x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()

    x = leaky_relu(layer(normalised(latents.double()), "formatLayer"), 0.2).view(len(latents), 8, 4, 4)
    x = normalised(leaky_relu(layer(normalised(x), "groupScale0.0"), 0.2))
    for scale in range(2):
        x = interpolate(x, scale_factor=2, mode="nearest")
        for index in range(2):
            x = normalised(leaky_relu(layer(x, f"scaleLayers.{scale}.{index}"), 0.2))
    return layer(x, "toRGBLayers.2")


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_images_are_the_same(wrapped, tmp_path, monkeypatch):
    found = weights()
    module = ModuleType("models.utils.config")
    module.BaseConfig = type("BaseConfig", (), {"__module__": "models.utils.config", "__qualname__": "BaseConfig"})
    for name in ("models", "models.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "models.utils.config", module)
    state = {f"module.{name}": value for name, value in found.items()} if wrapped else found
    torch.save({"config": module.BaseConfig(), "netG": state, "netD": {}}, tmp_path / "x.pth")
    generator = ganlab.load(import_generator(tmp_path / "x.pth", "gan_zoo", tmp_path / "out").path, device="cpu")
    latents = generator.draw(3, 1)
    assert latents.values.shape == (3, 5)
    made = generator.render(latents)
    torch.testing.assert_close(made.double(), images(found, latents.values), atol=1e-5, rtol=1e-5)


def test_files_that_do_not_fit_are_refused(tmp_path):
    path, found = tmp_path / "x.pth", weights()
    torch.save({"netG": {**found, "extra": torch.ones(1)}}, path)
    with pytest.raises(RunError, match="no place for 'extra'"):
        import_generator(path, "gan_zoo", tmp_path / "out")
    torch.save({"netG": {"weight": torch.ones(1)}}, path)
    with pytest.raises(UserError, match="no progressive one"):
        import_generator(path, "gan_zoo", tmp_path / "out")

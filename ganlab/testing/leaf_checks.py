"""What losses, normalizers, augmentations, data sets and optimizers must do."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any
from unittest import SkipTest

import torch
from torch import Tensor, nn

from ganlab.nn import spatial_activation
from ganlab.plugin_contracts import load
from ganlab.plugins import find
from ganlab.randomness import Randomness
from ganlab.testing.examples import EXAMPLE_FACTS, accepted_facts, build_example, is_preset


def check_loss(name: str) -> None:
    """Both sides are finite scalars with gradients, for logits of any shape, and smaller for the better player."""
    if is_preset("losses", name):
        raise SkipTest("a preset stands for other losses, which have checks of their own")
    loss = build_example("losses", name, EXAMPLE_FACTS["grey images"])
    for shape in ((6,), (6, 1, 2, 2)):
        real, fake = (torch.randn(shape, requires_grad=True) for _ in range(2))
        discriminator = loss.discriminator(real, fake)
        _check_scalar(discriminator, "discriminator(...)")
        discriminator.backward()
        assert real.grad is not None, "the discriminator's side does not depend on the reals"
        assert fake.grad is not None, "the discriminator's side does not depend on the fakes"
        fake.grad = None
        generator = _generator_side(loss, real, fake)
        _check_scalar(generator, "generator(...)")
        generator.backward()
        assert fake.grad is not None, "the generator's side does not depend on the fakes"
    high, low = torch.full((6,), 1.0), torch.full((6,), -1.0)
    assert loss.discriminator(high, low) < loss.discriminator(low, high), "reals should get the higher logits"
    assert _generator_side(loss, low, high) < _generator_side(loss, high, low), "fakes should want higher logits"


def _generator_side(loss: Any, real: Tensor, fake: Tensor) -> Tensor:
    needs_real = getattr(loss, "needs_real_logits", False)
    scalar: Tensor = loss.generator(real.detach() if needs_real else None, fake)
    return scalar


def check_normalizer_weight(name: str) -> None:
    """Layers keep their output's shape, stay finite, survive copying, and can be differentiated twice."""
    layers: list[tuple[Callable[[], nn.Module], tuple[int, ...]]] = [
        (lambda: nn.Linear(4, 6), (5, 4)),
        (lambda: nn.Conv2d(4, 6, 3, padding=1), (5, 4, 8, 8)),
        (lambda: nn.ConvTranspose2d(4, 6, 4, 2, 1), (5, 4, 8, 8)),
    ]
    for make, shape in layers:
        normalizer = build_example("normalizers", name, EXAMPLE_FACTS["grey images"])
        expected = make()(torch.randn(shape)).shape
        layer = normalizer.weight(make())
        inputs = torch.randn(shape, requires_grad=True)
        outputs = layer(inputs)
        assert outputs.shape == expected, f"{type(layer).__name__} makes {tuple(outputs.shape)}, not {tuple(expected)}"
        _check_second_derivative(outputs, inputs)
        again = copy.deepcopy(layer).eval()(inputs)
        assert torch.allclose(again, layer.eval()(inputs)), f"a copy of {type(layer).__name__} makes something else"
    rows = normalizer.weight(nn.Embedding(3, 4))(torch.tensor([2, 0]))
    assert rows.shape == (2, 4), f"an embedding of size 4 makes {tuple(rows.shape)} of two labels"


def check_normalizer_activation(name: str) -> None:
    """Activations keep the shape of vectors and images, with and without a condition, and survive saving."""
    normalizer = build_example("normalizers", name, EXAMPLE_FACTS["grey images"])
    for condition in (None, 3):
        for shape in ((5, 6), (5, 6, 4, 4)):
            module = normalizer.activation(6, condition)
            vector = [] if condition is None else [torch.randn(5, condition)]
            inputs = torch.randn(shape, requires_grad=True)
            outputs = module(inputs, *vector)
            assert outputs.shape == shape, f"activation makes {tuple(outputs.shape)} of {shape}"
            _check_second_derivative(outputs, inputs)
            other = normalizer.activation(6, condition)
            other.load_state_dict(module.state_dict())
            assert torch.allclose(other.eval()(inputs, *vector), module.eval()(inputs, *vector)), "state is not saved"


def check_normalizer_maps(name: str) -> None:
    """One that takes maps is modulated by them where they differ, at any size; one with `spatial` says `takes_maps`."""
    normalizer = build_example("normalizers", name, EXAMPLE_FACTS["grey images"])
    has_argument = "spatial" in inspect.signature(normalizer.activation).parameters
    takes_maps = getattr(normalizer, "takes_maps", False)
    assert has_argument or not takes_maps, "takes_maps is true, but activation has no argument 'spatial'"
    if not takes_maps:
        raise SkipTest("does not say takes_maps")
    module = spatial_activation(normalizer, 6, 2)
    inputs, maps = torch.randn(5, 6, 16, 16, requires_grad=True), torch.randn(5, 2, 32, 32)
    outputs = module(inputs, maps)
    assert outputs.shape == inputs.shape, f"activation makes {tuple(outputs.shape)} of {tuple(inputs.shape)}"
    _check_second_derivative(outputs, inputs)
    before, other = module.eval()(inputs, maps), maps.clone()
    other[:, :, :8, :8] += 1
    change = (module(inputs, other) - before).abs().amax((0, 1))
    assert change[:4, :4].max() > 0, "where the map changes, the output does not"
    assert change[:4, :4].mean() > change[8:, 8:].mean(), "where the map does not change, the output does"
    assert module(inputs, maps[..., ::4, ::4]).shape == inputs.shape, "a map of another size is not resized"


def check_augmentation(name: str) -> None:
    """Images keep their shape and can be differentiated twice; draws follow the random key and the image's place."""
    for _, facts in accepted_facts(lambda facts: build_example("augmentations", name, facts)):
        augmentation = build_example("augmentations", name, facts)
        images = torch.rand(4, *facts.shape) * 2 - 1
        images.requires_grad_()
        first, again = (augmentation(images, Randomness(0, count=4)) for _ in range(2))
        assert first.shape == images.shape, f"{tuple(images.shape)} becomes {tuple(first.shape)}"
        assert torch.isfinite(first).all(), "augmented images are not finite"
        assert torch.equal(first, again), "the same random key gives other images"
        part = augmentation(images[1:3], Randomness(0, count=4).slice(1, 2))
        assert torch.allclose(part, first[1:3], atol=1e-4), (
            "a part of a batch is augmented in another way than the whole"
        )
        _check_second_derivative(first, images)


def check_optimizer(name: str) -> None:
    """It minimises a square, and goes on from its saved state as if nothing had happened."""
    factory = load(find("optimizers", name))
    whole, interrupted = (nn.Parameter(torch.tensor([3.0, -2.0])) for _ in range(2))
    _descend(factory([whole]), whole, 20)
    first = factory([interrupted])
    _descend(first, interrupted, 10)
    second = factory([interrupted])
    second.load_state_dict(first.state_dict())
    _descend(second, interrupted, 10)
    assert whole.square().sum() < 13.0, "20 steps do not make a square smaller"
    assert torch.equal(whole, interrupted), "its state does not hold all that it needs to go on"


def _descend(optimizer: torch.optim.Optimizer, parameter: nn.Parameter, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        parameter.square().sum().backward()
        optimizer.step()


def _check_second_derivative(outputs: Tensor, inputs: Tensor) -> None:
    assert torch.isfinite(outputs).all(), "outputs are not finite"
    (gradient,) = torch.autograd.grad(outputs.square().sum(), inputs, create_graph=True)
    gradient.square().sum().backward()
    assert inputs.grad is not None, "cannot be differentiated twice"
    assert torch.isfinite(inputs.grad).all(), "the second derivative is not finite"


def _check_scalar(value: Tensor, what: str) -> None:
    assert value.shape == (), f"{what} returns the shape {tuple(value.shape)}, not a scalar"
    assert torch.isfinite(value), f"{what} is not finite"

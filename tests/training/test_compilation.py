"""Networks through `torch.compile`, with backends that need no compiler of C."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ganlab.contracts import WeightedRegularizer
from ganlab.errors import SpecError
from ganlab.evaluation.features import last_features
from ganlab.nn import AveragePool, Conv2d, ConvTranspose2d, LeakyReLU, ReLU
from ganlab.training.compilation import check_compilation, compile_networks
from tests.tiny import tiny_gan
from tests.training.fitting import fit


@pytest.fixture(autouse=True)
def _nothing_compiled() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


class OnGradient:
    side = "discriminator"
    requires = frozenset({"real_images"})
    differentiates_twice = frozenset({"discriminator"})

    def penalty(self, views):
        return views.real_images.sum() * 0


def layers() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        Conv2d(2, 4, 3, padding=1), LeakyReLU(0.2), AveragePool(2), ConvTranspose2d(4, 3, 4, 2, 1), ReLU()
    )


def test_layers_are_torchs_own_while_they_are_compiled() -> None:
    seen: list[str] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> object:
        seen.extend(str(node.target) for node in graph.graph.nodes if node.op.startswith("call"))
        return graph.forward

    network, images = layers(), torch.randn(2, 2, 8, 8)
    expected = network(images)
    assert "Convolution" in type(network[0](images).grad_fn).__name__
    found = torch.compile(network, backend=backend, fullgraph=True)(images)
    torch.testing.assert_close(found, expected)
    assert not [target for target in seen if "autograd_function" in target or "apply" in target]
    for name in ("conv2d", "leaky_relu", "avg_pool2d", "conv_transpose2d"):
        assert any(name in target for target in seen), seen


def test_a_compiled_training_is_that_of_the_plain_networks() -> None:
    plain, compiled = tiny_gan(batch_norm=True), tiny_gan(batch_norm=True)
    names = list(compiled.state_dict())
    compile_networks(compiled, "networks", backend="aot_eager")
    states = [fit(module, 40).state_dict() for module in (plain, compiled)]
    assert compiled.generator._compiled_call_impl is not None
    assert compiled.averages.copies["generator"]._compiled_call_impl is None
    assert list(states[1]) == names
    torch.testing.assert_close(*states)


def test_torch_has_no_second_derivative_of_what_is_compiled() -> None:
    """Should this fail, torch has learned it, and the refusal below can go."""
    network, images = torch.compile(layers(), backend="aot_eager"), torch.randn(1, 2, 8, 8, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(images).square().sum(), images, create_graph=True)
    with pytest.raises(RuntimeError, match="does not currently support double backward"):
        gradient.square().sum().backward()


def test_a_penalty_on_a_gradient_of_compiled_networks_is_refused() -> None:
    module = tiny_gan(regularizers=[WeightedRegularizer("slope", OnGradient())])
    for compiled in ("networks", ("discriminator",)):
        with pytest.raises(SpecError, match=r"'slope' differentiates a gradient of the discriminator.*\[generator\]"):
            check_compilation(module, compiled)
    assert check_compilation(module, ("generator",)) == ["generator"]
    assert check_compilation(module, "none") == []


def test_players_that_there_are_not_are_refused() -> None:
    with pytest.raises(SpecError, match="no player 'encoder'; choose from discriminator, generator"):
        check_compilation(tiny_gan(), ("encoder",))


def test_networks_that_change_are_refused() -> None:
    module = tiny_gan()
    module.compiles = False
    with pytest.raises(SpecError, match="TwoPlayerGAN changes its networks while it trains"):
        check_compilation(module, "networks")


def test_a_collection_of_networks_is_compiled_one_by_one() -> None:
    both = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ModuleList([nn.Linear(1, 1)])})
    game = SimpleNamespace(players=lambda: {"generator": both}, regularizers=())
    compile_networks(game, "networks", backend="eager")  # type: ignore[arg-type]
    assert both["a"]._compiled_call_impl is not None
    assert both["b"][0]._compiled_call_impl is not None
    assert both._compiled_call_impl is None


def test_last_features_are_found_in_a_compiled_network() -> None:
    network, vectors = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(2, 3)
    network.compile(backend="eager")
    network(vectors)
    features = last_features(network, lambda: network(vectors))
    torch.testing.assert_close(features, network[:2](vectors))
    assert network._compiled_call_impl is not None

import copy
import io

import pytest
import torch
from ganlab_layers.batch import BatchNormalizer, ConditionalBatchNormalizer
from ganlab_layers.equalized import EqualizedNormalizer
from ganlab_layers.groups import GroupNormalizer, InstanceNormalizer, LayerNormalizer
from ganlab_layers.none import NoNormalizer
from ganlab_layers.pixelnorm import PixelNormalizer
from ganlab_layers.spectral import SpectralNormalizer
from ganlab_layers.weight import WeightNormalizer
from torch import nn

from ganlab.errors import SpecError, UserError
from ganlab.nn import CombinedNormalizer, PixelNorm, SpectralNorm, Unchanged, spatial_activation
from ganlab.spec import node_from

ACTIVATIONS = [
    BatchNormalizer(),
    BatchNormalizer(synchronise=True),
    ConditionalBatchNormalizer(),
    ConditionalBatchNormalizer(linear=SpectralNormalizer()),
    InstanceNormalizer(),
    LayerNormalizer(),
    GroupNormalizer(group_size=2),
    PixelNormalizer(),
]
WEIGHTS = [SpectralNormalizer(), SpectralNormalizer(iterations=3), EqualizedNormalizer(), WeightNormalizer()]
COMBINATIONS = [
    CombinedNormalizer([EqualizedNormalizer(), PixelNormalizer()]),
    CombinedNormalizer([WeightNormalizer(), EqualizedNormalizer(lr_multiplier=0.1), SpectralNormalizer()]),
    CombinedNormalizer([PixelNormalizer(), BatchNormalizer()]),
]
EVERY = [NoNormalizer(), *ACTIVATIONS, *WEIGHTS, *COMBINATIONS]

LAYERS = {
    "linear": (lambda: nn.Linear(4, 6), (5, 4)),
    "convolution": (lambda: nn.Conv2d(4, 6, 3, padding=1, groups=2), (5, 4, 3, 3)),
    "transposed": (lambda: nn.ConvTranspose2d(4, 6, 4, 2, 1), (5, 4, 3, 3)),
}


def name_of(normalizer):
    parts = getattr(normalizer, "parts", [normalizer])
    return "+".join(type(part).__name__.removesuffix("Normalizer") for part in parts)


every = pytest.mark.parametrize("normalizer", EVERY, ids=name_of)

pytestmark = pytest.mark.usefixtures("seeded")


@every
@pytest.mark.parametrize("condition", [None, 6])
@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3, 3), (5, 4, 1, 1)])
def test_activations_keep_the_shape_with_and_without_a_condition(normalizer, condition, shape):
    module = normalizer.activation(4, condition)
    arguments = () if condition is None else (torch.randn(5, condition),)
    images = torch.randn(shape)
    outputs = module(images, *arguments)
    assert outputs.shape == shape
    assert outputs.std() > 0.1, "the images are lost"


@every
@pytest.mark.parametrize("layer", LAYERS)
def test_layers_and_activations_can_be_differentiated_twice(normalizer, layer):
    make, shape = LAYERS[layer]
    network = nn.Sequential(normalizer.weight(make()), normalizer.activation(6)).double().eval()
    network[1].train()  # the statistics of batches, but no power iteration between the passes of the check
    images = torch.randn(2, *shape[1:], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, (images,))
    assert torch.autograd.gradgradcheck(network, (images,))


@every
@pytest.mark.parametrize("layer", LAYERS)
def test_a_saved_network_goes_on_exactly(normalizer, layer):
    make, shape = LAYERS[layer]
    network, images = nn.Sequential(normalizer.weight(make()), normalizer.activation(6)), torch.randn(shape)
    network(images)
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    other = nn.Sequential(normalizer.weight(make()), normalizer.activation(6))
    other.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    assert torch.equal(network(images), other(images))
    assert torch.equal(copy.deepcopy(network).eval()(images), other.eval()(images))


@pytest.mark.parametrize("normalizer", [NoNormalizer(), *WEIGHTS], ids=name_of)
def test_embeddings_keep_their_shape(normalizer):
    embedding = normalizer.weight(nn.Embedding(5, 3))
    embedding(torch.tensor([1, 4])).sum().backward()
    assert embedding.weight.shape == (5, 3)


def test_what_acts_where():
    layer = nn.Linear(3, 3)
    assert isinstance(PixelNormalizer().activation(3), PixelNorm)
    assert all(normalizer.weight(layer) is layer for normalizer in ACTIVATIONS)
    assert isinstance(SpectralNormalizer(eps=1e-4).weight(layer).parametrizations.weight[0], SpectralNorm)
    assert layer.parametrizations.weight[0].eps == 1e-4
    assert all(isinstance(normalizer.activation(3), Unchanged) for normalizer in (NoNormalizer(), *WEIGHTS))
    centering = {type(normalizer) for normalizer in EVERY if normalizer.centers} - {CombinedNormalizer}
    assert centering == {BatchNormalizer, ConditionalBatchNormalizer, InstanceNormalizer}


@pytest.mark.parametrize(("shape", "reference"), [((8, 4), nn.BatchNorm1d), ((8, 4, 3, 5), nn.BatchNorm2d)])
def test_batch_equals_torch(shape, reference):
    ours, theirs = BatchNormalizer(momentum=0.3, eps=1e-3).activation(4), reference(4, eps=1e-3, momentum=0.3)
    gain = torch.randn(4)
    for module in (ours, theirs):
        module.weight.data.copy_(gain)
    for _ in range(3):
        x = torch.randn(shape) * 3 + 1
        assert torch.equal(ours(x), theirs(x))
    ours.eval(), theirs.eval()
    assert torch.equal(ours(x), theirs(x))
    assert ours.state_dict().keys() == theirs.state_dict().keys()


@pytest.mark.parametrize("normalizer", [BatchNormalizer(), ConditionalBatchNormalizer()])
def test_conditional_batch_modulates_by_one_plus_a_linear_gain(normalizer):
    module = normalizer.activation(4, condition=2)
    x, vector = torch.randn(6, 4, 3, 3), torch.randn(6, 2)
    plain = nn.BatchNorm2d(4, affine=False)(x)
    gain, bias = vector @ module.gain.weight.t(), vector @ module.bias.weight.t()
    expected = plain * (1 + gain)[:, :, None, None] + bias[:, :, None, None]
    torch.testing.assert_close(module(x, vector), expected)
    torch.testing.assert_close(module(x, torch.zeros(6, 2)), nn.BatchNorm2d(4, affine=False)(x))


def test_the_linear_maps_of_conditional_batch_can_be_normalized():
    module = ConditionalBatchNormalizer(linear=SpectralNormalizer(iterations=200)).activation(4, condition=3)
    for layer in (module.gain, module.bias):
        largest = torch.linalg.svdvals(layer.weight.detach())[0].item()
        assert largest == pytest.approx(1, abs=1e-4)


def test_instance_layer_and_group_against_their_definitions():
    x = torch.randn(3, 6, 4, 5, dtype=torch.float64)
    modules = {2: InstanceNormalizer(), 1: LayerNormalizer(), 3: GroupNormalizer(group_size=3)}
    views = {2: x.flatten(2), 1: x.flatten(1), 3: x.view(3, 2, -1)}
    for key, normalizer in modules.items():
        view = views[key]
        expected = (view - view.mean(-1, keepdim=True)) / (view.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
        module = normalizer.activation(6).double()
        gain, bias = torch.randn(2, 6, dtype=torch.float64)
        module.weight.data.copy_(gain), module.bias.data.copy_(bias)
        expected = expected.view_as(x) * gain[:, None, None] + bias[:, None, None]
        torch.testing.assert_close(module(x), expected)


def test_vectors_have_layer_and_group_norm_but_no_instance_norm():
    x = torch.randn(5, 8) * 3 + 2
    torch.testing.assert_close(LayerNormalizer().activation(8)(x), nn.LayerNorm(8)(x))
    torch.testing.assert_close(GroupNormalizer().activation(8)(x), nn.LayerNorm(8)(x))
    assert torch.equal(InstanceNormalizer().activation(8)(x), x)


@pytest.mark.parametrize(("channels", "groups"), [(64, 4), (16, 1), (6, 1), (40, 2), (37, 1), (35, 1), (512, 32)])
def test_groups_divide_the_channels(channels, groups):
    assert GroupNormalizer(group_size=16).activation(channels).num_groups == groups


def test_spectral_iterations():
    layer = SpectralNormalizer(iterations=4).weight(nn.Linear(5, 7).double())
    norm, raw = layer.parametrizations.weight[0], layer.parametrizations.weight.original.detach()
    u = norm.u.clone()
    layer(torch.randn(2, 5, dtype=torch.float64))
    for _ in range(4):
        v = nn.functional.normalize(raw.t() @ u, dim=0)
        u = nn.functional.normalize(raw @ v, dim=0)
    torch.testing.assert_close(norm.u, u)
    torch.testing.assert_close(norm.v, v)


@pytest.mark.parametrize("lr_multiplier", [1.0, 0.01])
@pytest.mark.parametrize(
    ("make", "fan_in"),
    [
        (lambda: nn.Linear(300, 200), 300),
        (lambda: nn.Conv2d(40, 60, 3), 360),
        (lambda: nn.Conv2d(40, 60, 3, groups=4), 90),
        (lambda: nn.ConvTranspose2d(40, 60, 4, 2, 1), 640),
        (lambda: nn.Embedding(100, 300), 1),
    ],
)
def test_equalized_follows_the_published_rule(make, fan_in, lr_multiplier):
    # w_stored ~ N(0, 1/m^2), w_used = w_stored * g / sqrt(fan_in) * m, b_used = b_stored * m.
    layer = make()
    bias = None if isinstance(layer, nn.Embedding) else layer.bias.detach().clone()
    nn.init.normal_(layer.weight, 5.0, 0.02)  # an initialisation that must not matter
    EqualizedNormalizer(gain=1.5, lr_multiplier=lr_multiplier).weight(layer)
    stored = layer.parametrizations.weight.original
    assert stored.std().item() == pytest.approx(1 / lr_multiplier, rel=0.03)
    assert abs(stored.mean().item()) < 0.03 / lr_multiplier
    torch.testing.assert_close(layer.weight, stored * 1.5 / fan_in**0.5 * lr_multiplier)
    if bias is not None:
        torch.testing.assert_close(layer.bias, bias)
        stored_bias = layer.parametrizations.bias.original if lr_multiplier != 1 else layer.bias
        torch.testing.assert_close(stored_bias, bias / lr_multiplier)


def test_equalized_keeps_the_variance_through_rectifiers():
    layers = [EqualizedNormalizer().weight(nn.Linear(500, 500, bias=False)) for _ in range(8)]
    x = torch.randn(64, 500)
    for layer in layers:
        x = layer(x).relu()
    assert x.square().mean().item() == pytest.approx(1, rel=0.5)


def test_weight_norm_equals_torch_and_changes_nothing_at_first():
    layer = nn.ConvTranspose2d(3, 5, 4)
    before = layer.weight.detach().clone()
    theirs = torch.nn.utils.parametrizations.weight_norm(copy.deepcopy(layer), dim=1)
    WeightNormalizer().weight(layer)
    torch.testing.assert_close(layer.weight, before)
    gain = torch.rand(1, 5, 1, 1)
    layer.parametrizations.weight[0].gain.data.copy_(gain)
    theirs.parametrizations.weight.original0.data.copy_(gain)
    torch.testing.assert_close(layer.weight, theirs.weight)
    x = torch.randn(2, 3, 4, 4)
    for module in (layer, theirs):
        module(x).square().sum().backward()
    ours = layer.parametrizations.weight
    torch.testing.assert_close(ours.original.grad, theirs.parametrizations.weight.original1.grad)
    torch.testing.assert_close(ours[0].gain.grad, theirs.parametrizations.weight.original0.grad)


def test_a_combination_applies_its_parts_in_order():
    x = torch.randn(6, 4, 3, 3)
    both = CombinedNormalizer([LayerNormalizer(), PixelNormalizer()]).activation(4)
    torch.testing.assert_close(both(x), PixelNorm()(LayerNormalizer().activation(4)(x)))
    layer = CombinedNormalizer([EqualizedNormalizer(gain=3.0), WeightNormalizer()]).weight(nn.Linear(4, 6))
    used = layer.weight.norm(dim=1)
    kinds = [type(part).__name__ for part in layer.parametrizations.weight]
    assert kinds == ["Scaled", "WeightNorm"]
    torch.testing.assert_close(used, layer.parametrizations.weight[1].gain.flatten())


def test_weights_stay_equalized_after_other_normalizations():
    layer = CombinedNormalizer([WeightNormalizer(), EqualizedNormalizer(gain=2.0)]).weight(nn.Linear(400, 300))
    assert layer.weight.std().item() == pytest.approx(2 / 20, rel=0.02)


def test_a_combination_of_one_acting_part_is_that_part():
    combined = CombinedNormalizer([EqualizedNormalizer(), BatchNormalizer()])
    assert type(combined.activation(4)) is type(BatchNormalizer().activation(4))
    assert combined.centers
    assert not CombinedNormalizer([PixelNormalizer(), BatchNormalizer()]).centers
    assert isinstance(CombinedNormalizer([]).activation(4), Unchanged)


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ({"name": "batch", "momentum": 2}, "momentum: needs a number from 0 to 1, not 2"),
        ({"name": "pixelnorm", "eps": 0}, "eps: needs a number above 0, not 0"),
        ({"name": "spectral", "iterations": 0}, "iterations: needs an integer from 1 to 100, not 0"),
        ({"name": "equalized", "gain": -1}, "gain: needs a number above 0, not -1"),
        ({"name": "combined", "parts": ["equalized", "pixlnorm"]}, "did you mean 'pixelnorm'"),
    ],
)
def test_values_that_would_break_the_training_are_refused(node, sentence):
    with pytest.raises(SpecError, match=sentence):
        node_from("normalizers", node)


MODULATED = [normalizer for normalizer in ACTIVATIONS if not isinstance(normalizer, PixelNormalizer)]


@pytest.mark.parametrize("normalizer", MODULATED, ids=name_of)
def test_a_map_makes_gain_and_bias_of_each_pixel(normalizer):
    module = spatial_activation(normalizer, 6, 2)
    plain = normalizer.activation(6)
    images, maps = torch.randn(4, 6, 8, 8), torch.randn(4, 2, 8, 8)
    for layer in (module.shared, module.gain, module.bias):
        nn.init.zeros_(layer.bias)
    torch.testing.assert_close(module(images, torch.zeros_like(maps)), plain(images))  # its gain is 1, its bias 0
    assert module.shared.out_channels == 128
    wrapped = any(isinstance(part, SpectralNorm) for part in module.gain.modules())
    assert wrapped is (getattr(normalizer, "linear", None) is not None)


def test_a_vector_and_a_map_at_once_are_refused():
    with pytest.raises(UserError, match="from a conditioning vector or from a map, not both"):
        BatchNormalizer().activation(6, 3, 2)


def test_instance_norm_without_gains_has_nothing_to_learn() -> None:
    with_gains, without = (InstanceNormalizer(affine=affine).activation(3) for affine in (True, False))
    images = torch.rand(2, 3, 4, 5)
    assert not list(without.parameters())
    torch.testing.assert_close(with_gains(images), without(images))

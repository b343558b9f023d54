import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from ganlab.nn import Conv2d, ConvTranspose2d, conv2d, conv_transpose2d, spectral_norm

from .double_gradients import in_torch_layers, nodes, r1, r1_gradient, small_discriminator

LAYERS = {
    "plain": lambda: Conv2d(4, 6, 3),
    "padded": lambda: Conv2d(4, 6, 3, padding=1, bias=False),
    "strided": lambda: Conv2d(4, 6, 4, 2, 1),
    "strided_with_rest": lambda: Conv2d(4, 6, 3, stride=(2, 3)),
    "dilated": lambda: Conv2d(4, 6, 3, padding=2, dilation=2),
    "grouped": lambda: Conv2d(4, 6, 3, padding=1, groups=2),
    "depthwise": lambda: Conv2d(4, 8, 4, 2, 1, groups=4),
    "uneven": lambda: Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2)),
    "same": lambda: Conv2d(4, 6, 4, padding="same"),
    "valid": lambda: Conv2d(4, 6, 3, padding="valid"),
    "reflected": lambda: Conv2d(4, 6, 3, padding=1, padding_mode="reflect"),
    "transposed": lambda: ConvTranspose2d(4, 6, 3),
    "transposed_strided": lambda: ConvTranspose2d(4, 6, 4, 2, 1, bias=False),
    "transposed_with_rest": lambda: ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1),
    "transposed_grouped": lambda: ConvTranspose2d(4, 6, 3, (2, 1), (1, 0), groups=2),
    "transposed_dilated": lambda: ConvTranspose2d(4, 4, 3, 2, 1, dilation=2, groups=4),
}
layers = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)

pytestmark = pytest.mark.usefixtures("seeded")


def images(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype).requires_grad_()


@layers
def test_first_and_second_gradients_pass_the_numerical_check(make):
    layer = make().double()
    parameters = dict(layer.named_parameters())

    def output(x, *values):
        return functional_call(layer, dict(zip(parameters, values, strict=True)), (x,))

    inputs = (images(2, 4, 5, 6), *parameters.values())
    assert gradcheck(output, inputs, fast_mode=True)
    assert gradgradcheck(output, inputs, fast_mode=True)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even")  # of torch's layer
@layers
def test_it_is_torchs_layer_in_value_gradients_and_penalty(make):
    ours = make().double()
    torchs = in_torch_layers(ours)
    assert type(torchs) is type(ours)
    torchs.__class__ = type(ours).__base__
    x = images(2, 4, 7, 6)
    results = []
    for layer in (ours, torchs):
        output = layer(x)
        (slope,) = torch.autograd.grad(output.sin().sum(), x, create_graph=True)
        results.append([output, slope, *torch.autograd.grad(slope.square().sum(), [x, *layer.parameters()])])
    torch.testing.assert_close(*results)


@layers
def test_initialisation_and_state_are_torchs(make):
    layer = make()
    arguments = (layer.in_channels, layer.out_channels, layer.kernel_size)
    torch.manual_seed(1)
    ours = type(layer)(*arguments)
    torch.manual_seed(1)
    torchs = type(layer).__base__(*arguments)
    ours.load_state_dict(torchs.state_dict())
    assert all(torch.equal(value, torchs.state_dict()[name]) for name, value in ours.state_dict().items())


def test_a_transposed_convolution_takes_an_output_size():
    layer = ConvTranspose2d(2, 3, 3, stride=2)
    assert layer(images(1, 2, 4, 4, dtype=torch.float32), [10, 9]).shape == (1, 3, 10, 9)


def test_a_penalty_never_enters_torchs_second_gradient_of_convolutions():
    penalty = r1(small_discriminator(), images(2, 3, 16, 16, dtype=torch.float32))
    assert "ConvolutionBackward0" not in nodes(penalty)
    assert "_ConvolutionBackward" in nodes(penalty)


def flops(work):
    with FlopCounterMode(display=False) as counter:
        result = work()
    return counter.get_total_flops(), result


def test_the_gradient_of_the_images_costs_one_more_pass_and_no_weight_gradients():
    layer, x = Conv2d(4, 6, 3, padding=1).double(), images(2, 4, 8, 8)
    forward, output = flops(lambda: layer(x))
    assert forward > 0
    inner, (slope,) = flops(lambda: torch.autograd.grad(output.sum(), x, create_graph=True))
    outer, _ = flops(slope.square().sum().backward)
    assert (inner, outer) == (forward, forward)  # the first: of the images, the second: of the weight
    assert layer.weight.grad is not None


def test_gradients_that_are_asked_for_are_there():
    layer, x = Conv2d(2, 3, 3), images(1, 2, 5, 5, dtype=torch.float32)
    everything = torch.autograd.grad(layer(x).square().sum(), [x, layer.weight, layer.bias])
    one_by_one = [torch.autograd.grad(layer(x).square().sum(), part)[0] for part in (x, layer.weight, layer.bias)]
    torch.testing.assert_close(list(everything), one_by_one)
    layer(x).square().sum().backward(inputs=[layer.bias])
    torch.testing.assert_close(layer.bias.grad, everything[2])
    assert layer.weight.grad is None


def test_weights_made_from_the_images_bring_their_part_of_the_gradient():
    x, weight = images(1, 2, 5, 5), images(3, 2, 3, 3)
    slopes = [
        torch.autograd.grad(f(x, weight * x.mean()).square().sum(), x, create_graph=True)[0]
        for f in (conv2d, nn.functional.conv2d)
    ]
    torch.testing.assert_close(*slopes)
    torch.testing.assert_close(*(torch.autograd.grad(slope.square().sum(), [x, weight]) for slope in slopes))


@pytest.mark.parametrize("make", [lambda: Conv2d(3, 4, 3), lambda: ConvTranspose2d(3, 4, 3)])
def test_spectral_norm_wraps_it(make):
    ours = make().double()
    torchs = in_torch_layers(nn.Sequential(ours))
    x = images(2, 3, 6, 6)
    gradients = []
    for layer in (nn.Sequential(ours), torchs):
        torch.manual_seed(2)
        spectral_norm(layer[0])
        gradients.append(r1_gradient(nn.Sequential(layer, nn.Softplus(), nn.Flatten()), x))
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("seed", range(3))
def test_r1_in_bfloat16_is_that_in_float32(memory_format, seed):
    network = small_discriminator().to(memory_format=memory_format)
    torch.manual_seed(seed)
    x = torch.randn(16, 3, 16, 16)
    truth = r1_gradient(network, x)
    found = r1_gradient(network, x, autocast=True)
    error = float((found - truth).norm() / truth.norm())
    assert 1e-3 < error < 0.05  # the lower bound: it was bfloat16
    assert nn.functional.cosine_similarity(found, truth, dim=0) > 0.999


def test_the_rounding_of_r1_in_bfloat16_is_that_of_bfloat16_where_no_slope_jumps():
    network = nn.Sequential(Conv2d(3, 16, 4, 2, 1), nn.Softplus(), Conv2d(16, 16, 3), nn.Softplus(), Conv2d(16, 1, 6))
    x = torch.randn(16, 3, 16, 16)
    truth = r1_gradient(network, x)
    assert (r1_gradient(network, x, autocast=True) - truth).norm() < 0.01 * truth.norm()


def test_autocast_casts_as_it_casts_torchs_layer():
    x = torch.randn(1, 2, 5, 5)
    for dtype, expected in ((torch.float32, torch.bfloat16), (torch.float64, torch.float64)):
        layer = Conv2d(2, 3, 3).to(dtype)
        with torch.autocast("cpu", torch.bfloat16):
            output = layer(x.to(dtype))
        assert output.dtype == expected
        output.float().sum().backward()
        assert layer.weight.grad.dtype == dtype
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert Conv2d(2, 3, 3)(x).dtype == torch.bfloat16


def test_a_float32_island_stays_exact_where_its_gradients_run_under_autocast():
    network, x = small_discriminator(), torch.randn(2, 3, 16, 16)
    truth = r1_gradient(network, x)
    with torch.autocast("cpu", torch.bfloat16):
        found = r1_gradient(network, x, autocast=False)
    torch.testing.assert_close(found, truth)


def test_memory_format_goes_through_both_gradients():
    layer = Conv2d(8, 8, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.randn(2, 8, 6, 6).to(memory_format=torch.channels_last).requires_grad_()
    output = layer(x)
    (slope,) = torch.autograd.grad(output.square().sum(), x, create_graph=True)
    assert output.is_contiguous(memory_format=torch.channels_last)
    assert slope.is_contiguous(memory_format=torch.channels_last)


def test_without_gradients_it_is_counted_on_the_meta_device():
    with torch.device("meta"):
        layer, x = Conv2d(3, 4, 3), torch.empty(2, 3, 8, 8)
    plain = in_torch_layers(nn.Sequential(layer))
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            assert flops(lambda: layer(x))[0] == flops(lambda: plain(x))[0] > 0


def test_functions_take_torchs_arguments_in_torchs_order():
    x, weight, bias = images(1, 4, 6, 6), torch.randn(4, 2, 3, 3).double(), torch.randn(4).double()
    torch.testing.assert_close(conv2d(x, weight, bias, 2, 1, 1, 2), nn.functional.conv2d(x, weight, bias, 2, 1, 1, 2))
    arguments = (x, weight, bias, 2, 1, 1, 2, 1)
    wide = torch.randn(4).double()
    torch.testing.assert_close(
        conv_transpose2d(*arguments[:2], wide, *arguments[3:]),
        nn.functional.conv_transpose2d(*arguments[:2], wide, *arguments[3:]),
    )

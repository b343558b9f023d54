import pytest
import torch
from ganlab_gan.activations import Maxout
from ganlab_gan.convolutional import ConvolutionalDiscriminator, ConvolutionalGenerator
from ganlab_gan.discriminator import MLPDiscriminator
from ganlab_gan.generator import MLPGenerator
from torch import nn

from ganlab import InputFacts, UserError
from ganlab.nn import PixelNorm, spectral_norm
from ganlab.testing import parameter_count

SHAPES = [(2,), (1, 8, 8), (3, 4, 6)]


class Everywhere:
    """A normalizer that acts in both places."""

    def weight(self, layer):
        return spectral_norm(layer)

    def activation(self, channels, condition=None):
        return PixelNorm()


pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("normalizer", [None, Everywhere()])
def test_shapes_and_gradients(shape, classes, normalizer):
    generator = MLPGenerator(shape, classes, 5, [6, 7], normalizer=normalizer)
    discriminator = MLPDiscriminator(shape, classes, [6, 7], normalizer=normalizer)
    labels = torch.tensor([0, 1, 2, 1]) if classes else None
    images = generator(torch.randn(4, 5), labels)
    assert images.shape == (4, *shape)
    scores = discriminator(images, labels)
    assert scores.logits.shape == (4,)
    assert scores.features[-1].shape == (4, 7)
    scores.logits.square().sum().backward()
    for network in (generator, discriminator):
        assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_images_are_bounded_and_vectors_are_not():
    large = torch.full((1, 5), 1e3)
    assert MLPGenerator((1, 4, 4), latent_size=5)(large).abs().max() <= 1
    assert MLPGenerator((2,), latent_size=5)(large).abs().max() > 1
    assert MLPGenerator((2,), latent_size=5, output="tanh")(large).abs().max() <= 1
    assert MLPGenerator((1, 4, 4), latent_size=5, output="linear")(large).abs().max() > 1


def test_the_papers_mnist_networks():
    # z 100 -> 1200 -> 1200 -> 784 and 784 -> 240 x 5 -> 240 x 5 -> 1, counted by hand.
    generator = MLPGenerator((1, 28, 28), latent_size=100, hidden=(1200, 1200), weight_range=0.05)
    assert parameter_count(generator) == 101 * 1200 + 1201 * 1200 + 1201 * 784
    discriminator = MLPDiscriminator(
        (1, 28, 28), hidden=(240, 240), maxout_pieces=5, input_dropout=0.2, dropout=0.5, weight_range=0.005
    )
    assert parameter_count(discriminator) == 785 * 1200 + 241 * 1200 + 241
    for network, bound in ((generator, 0.05), (discriminator, 0.005)):
        weights = torch.cat([m.weight.flatten() for m in network.modules() if isinstance(m, nn.Linear)])
        assert weights.abs().max() <= bound
        assert weights.std().item() == pytest.approx(bound / 3**0.5, rel=0.01)
    dropouts = [m.p for m in discriminator.modules() if isinstance(m, nn.Dropout)]
    assert dropouts == [0.2, 0.5, 0.5]
    assert discriminator(generator(torch.rand(2, 100))).logits.shape == (2,)


def test_the_conditional_networks_of_mnist():
    # z 100 -> 200 and y 10 -> 1000, together -> 1200 -> 784; x -> 240 x 5 and y -> 50 x 5, together -> 240 x 4 -> 1.
    generator = MLPGenerator((1, 28, 28), 10, latent_size=100, hidden=(1200,), branches=(200, 1000))
    assert parameter_count(generator) == 101 * 200 + 11 * 1000 + 1201 * 1200 + 1201 * 784
    discriminator = MLPDiscriminator(
        (1, 28, 28), 10, hidden=(240,), maxout_pieces=4, branches=(240, 50), branch_pieces=5
    )
    assert parameter_count(discriminator) == 785 * 1200 + 11 * 250 + 291 * 960 + 241


def test_branches_are_layers_of_their_own():
    network = MLPGenerator((2,), 3, 4, hidden=[], branches=(5, 6))
    latents, labels = torch.randn(5, 4), torch.tensor([2, 0, 1, 2, 0])
    of_latents, of_labels = (branch[0] for branch in network.beside.branches)
    one_hot = torch.eye(3)[labels]
    joined = torch.cat([of_latents(latents).relu(), of_labels(one_hot).relu()], dim=1)
    torch.testing.assert_close(network(latents, labels), network.layers[-1](joined))


@pytest.mark.parametrize("network", [MLPGenerator, MLPDiscriminator])
def test_branches_need_labels(network):
    with pytest.raises(UserError, match="'branches' are a layer for what a network sees and one for its label"):
        network((2,), branches=(3, 4))


def test_branch_pieces_need_branches():
    with pytest.raises(UserError, match="'branch_pieces' are those of 'branches', which are not given"):
        MLPDiscriminator((2,), 3, branch_pieces=5)


def test_maxout_takes_the_largest_of_neighbours():
    features = torch.tensor([[1.0, 3.0, 2.0, -1.0, -5.0, -2.0]])
    assert Maxout(3)(features).tolist() == [[3.0, -1.0]]
    assert Maxout(2)(features).tolist() == [[3.0, 2.0, -2.0]]


def test_dropout_is_off_in_eval_mode():
    network, x = MLPDiscriminator((2,), dropout=0.5), torch.randn(8, 2)
    assert not torch.equal(network(x).logits, network(x).logits)
    network.eval()
    assert torch.equal(network(x).logits, network(x).logits)


def test_no_hidden_layer_is_a_linear_network():
    network, x = MLPDiscriminator((2,), hidden=[]), torch.randn(3, 2)
    scores = network(x)
    torch.testing.assert_close(scores.logits, network.layers[-1](x).flatten())
    assert torch.equal(scores.features[-1], x)


def test_logits_are_linear_in_the_last_features():
    network, x = MLPDiscriminator((1, 4, 4), hidden=[6, 5]), torch.randn(3, 1, 4, 4)
    hidden = torch.nn.functional.leaky_relu(network.layers[1](x.flatten(1)), 0.2)
    hidden = torch.nn.functional.leaky_relu(network.layers[5](hidden), 0.2)
    scores = network(x)
    torch.testing.assert_close(scores.features[-1], hidden)
    torch.testing.assert_close(scores.logits, network.layers[-1](hidden).flatten())


def test_labels_enter_one_hot():
    generator = MLPGenerator((2,), 3, 4, hidden=[])
    latents, labels = torch.randn(5, 4), torch.tensor([2, 0, 1, 2, 0])
    weight, bias = generator.layers[-1].weight, generator.layers[-1].bias
    expected = latents @ weight[:, :4].t() + weight[:, 4:].t()[labels] + bias
    torch.testing.assert_close(generator(latents, labels), expected)


def test_conditional_can_be_switched_off():
    generator = MLPGenerator((2,), 3, 4, conditional=False)
    discriminator = MLPDiscriminator((2,), 3, conditional=False)
    labels, latents = torch.zeros(5, dtype=torch.long), torch.randn(5, 4)
    assert torch.equal(generator(latents, labels), generator(latents, labels + 1))
    assert torch.equal(discriminator(latents[:, :2], labels).logits, discriminator(latents[:, :2], labels + 1).logits)


def test_meta_device():
    with torch.device("meta"):
        images = MLPGenerator((3, 8, 8), 10)(torch.empty(2, 100), torch.empty(2, dtype=torch.long))
        assert images.shape == (2, 3, 8, 8)


def test_each_hidden_layer_may_have_an_activation_of_its_own():
    generator = MLPGenerator((2,), latent_size=5, hidden=[4, 3], activation=["relu", "sigmoid"])
    kinds = [type(layer).__name__ for layer in generator.layers]
    assert [kind for kind in kinds if kind in ("ReLU", "Sigmoid")] == ["ReLU", "Sigmoid"]
    with pytest.raises(UserError, match="'activation' lists 1 for 2 hidden layers"):
        MLPGenerator((2,), latent_size=5, hidden=[4, 3], activation=["relu"])


INPUTS = {"tags": InputFacts((2, 3)), "map": InputFacts((4, 4), "maps", classes=2)}


@pytest.mark.parametrize("branches", [None, (4, 5)])
@pytest.mark.parametrize("classes", [0, 3])
def test_a_vector_stands_beside_label_and_latents(branches, classes):
    options = {"classes": classes, "branches": branches, "condition": "tags", "inputs": INPUTS}
    generator = MLPGenerator((1, 4, 4), latent_size=5, hidden=[6], **options)
    judge = MLPDiscriminator((1, 4, 4), hidden=[6], **options)
    labels = torch.tensor([0, 2]) if classes else None
    tags, latents, images = torch.randn(2, 2, 3), torch.randn(2, 5), torch.randn(2, 1, 4, 4)
    shares = [nn.functional.one_hot(labels, 3).float()] if classes else []
    condition = torch.cat([*shares, tags.flatten(1)], dim=1)
    for network, seen, answer in (
        (generator, latents, generator(latents, labels, {"tags": tags})),
        (judge, images.flatten(1), judge(images, labels, {"tags": tags}).logits[:, None]),
    ):
        branches_of = network.beside.branches
        joined = [seen, condition] if branches is None else [branches_of[0](seen), branches_of[1](condition)]
        torch.testing.assert_close(answer.flatten(1), network.layers(torch.cat(joined, dim=1)))
    assert not torch.equal(generator(latents, labels, {"tags": -tags}), generator(latents, labels, {"tags": tags}))


@pytest.mark.parametrize(
    ("condition", "sentence"), [("tag", "the data's inputs are: tags, map"), ("map", "'map' holds maps")]
)
def test_a_condition_is_an_input_of_numbers(condition, sentence):
    with pytest.raises(UserError, match=sentence):
        MLPGenerator((2,), condition=condition, inputs=INPUTS)


def test_the_papers_convolutional_networks():
    with torch.device("meta"):
        generator, judge = ConvolutionalGenerator((3, 32, 32)), ConvolutionalDiscriminator((3, 32, 32))
        assert generator(torch.zeros(2, 100)).shape == (2, 3, 32, 32)
    shapes = []
    for layer in judge.layers:
        layer.register_forward_hook(lambda _, given, made: shapes.append(tuple(made.shape[1:])))
    with torch.device("meta"):
        judge.eval()(torch.zeros(2, 3, 32, 32))
    assert [shape for shape in shapes if len(shape) == 3][1::4] == [(64, 33, 33), (64, 15, 15), (384, 9, 9)]
    assert [shape for shape in shapes if len(shape) == 3][3::4] == [(32, 16, 16), (32, 7, 7), (192, 5, 5)]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ConvolutionalGenerator((3, 30, 30)), "a kernel of 5 and a stride of 3 make no images of 30x30"),
        (lambda: ConvolutionalGenerator((2,)), "makes images, not examples of 2 numbers"),
        (lambda: ConvolutionalGenerator((3, 32, 32), hidden=[10]), "it has to have 8000 units"),
        (lambda: ConvolutionalDiscriminator((2,)), "takes images, not examples of 2 numbers"),
        (lambda: ConvolutionalDiscriminator((3, 4, 4)), "leave nothing of 4x4 pixels"),
    ],
)
def test_what_the_convolutions_cannot_do_is_told(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()

import pytest
import torch
from ganlab_objectives.orthogonal import Orthogonal
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from ganlab.contracts import Views
from ganlab.errors import UserError

pytestmark = pytest.mark.usefixtures("seeded")


def penalty(network, **options):
    return Orthogonal(**options).penalty(Views(generator=network))


def products(rows, i, j):
    return sum(a * b for a, b in zip(rows[i], rows[j], strict=True))


@pytest.mark.parametrize("form", ["off_diagonal", "full"])
def test_value_and_gradient(form):
    layer = nn.Linear(4, 3, bias=False).double()
    rows = layer.weight.tolist()
    wanted = {
        (i, j): products(rows, i, j) - (1.0 if form == "full" else products(rows, i, j)) * (i == j)
        for i in range(3)
        for j in range(3)
    }
    value = penalty(layer, form=form)
    assert value.item() == pytest.approx(sum(difference**2 for difference in wanted.values()), rel=1e-12)
    value.backward()
    # The derivative of |W W' - A|^2 by W is 4 (W W' - A) W.
    expected = [[4 * sum(wanted[i, k] * rows[k][j] for k in range(3)) for j in range(4)] for i in range(3)]
    torch.testing.assert_close(layer.weight.grad, torch.tensor(expected, dtype=torch.float64))


def test_orthogonal_filters_cost_nothing():
    layer = nn.Conv2d(2, 5, 3)
    nn.init.orthogonal_(layer.weight)
    assert penalty(layer, form="full") < 1e-9
    layer.weight.data *= 7
    assert penalty(layer) < 1e-6 < penalty(layer, form="full")


def test_filters_of_transposed_convolutions_are_their_outputs():
    layer = nn.ConvTranspose2d(5, 2, 3)
    layer.weight.data = nn.init.orthogonal_(torch.empty(2, 5, 3, 3)).transpose(0, 1)
    assert penalty(layer) < 1e-9


def test_skips_embeddings_biases_gains_and_patterns():
    network = nn.ModuleDict(
        {"embed": nn.Embedding(4, 3), "norm": nn.BatchNorm2d(3), "first": nn.Linear(3, 3), "last": nn.Linear(3, 2)}
    )
    penalty(network, skip=["last.*"]).backward()
    assert {name for name, p in network.named_parameters() if p.grad is not None} == {"first.weight"}


def test_of_a_parametrized_layer_the_stored_weight_counts():
    layer, embedding = weight_norm(nn.Linear(3, 3)), weight_norm(nn.Embedding(4, 3))
    network = nn.ModuleDict({"layer": layer, "embedding": embedding})
    stored = layer.parametrizations.weight.original1
    torch.testing.assert_close(
        penalty(network, skip=["*.original0"]), (stored @ stored.t()).fill_diagonal_(0).square().sum()
    )


def test_a_pattern_that_fits_nothing_is_refused():
    network = nn.ModuleDict({"first": nn.Linear(3, 3), "last": nn.Linear(3, 2)})
    with pytest.raises(UserError, match=r"'lsat\.\*' in 'skip' fits no parameter of the generator; .* last\.weight"):
        penalty(network, skip=["first.*", "lsat.*"])


def test_skipping_everything_is_refused():
    with pytest.raises(UserError, match=r"the patterns weight skip all weights"):
        penalty(nn.Linear(2, 2), skip=["weight"])

import pytest
import torch
from ganlab_objectives.weight_clipping import WeightClipping
from torch import nn

from ganlab.errors import SpecError
from ganlab.spec import read_spec

SPEC = """\
name: clipped
kimg: 1
data: digits
architecture:
  name: gan
  generator: mlp
  discriminator: mlp
  loss: wasserstein
  regularizers: [{name: weight_clipping, bound: 0.05}]
optimizers: {generator: adam, discriminator: adam}
"""


def test_every_parameter_is_clipped():
    network = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
    before = network[0].weight.detach().clone()
    with torch.no_grad():
        WeightClipping(bound=0.1).after_update(network)
    torch.testing.assert_close(network[0].weight.detach(), before.clamp(-0.1, 0.1))
    assert max(parameter.abs().max() for parameter in network.parameters()) <= 0.1


def test_in_a_spec_it_has_no_weight(tmp_path):
    pytest.importorskip("ganlab_gan")
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    (node,) = read_spec(path).architecture.options["regularizers"]
    assert node.options == {"bound": 0.05}
    with pytest.raises(SpecError, match=r"regularizers\S* *.*'weight_clipping' has no penalty that a weight could"):
        read_spec(path, ["architecture.regularizers.0.weight=2"])

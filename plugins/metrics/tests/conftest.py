"""Weights that stand for those that nobody has to download: of the right networks, random and seeded."""

import pytest
import torch
from ganlab_metrics.inception import inception_graph


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory):
    """A file with seeded random weights of Inception; activations keep their size through all layers."""
    graph, random = inception_graph(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in graph.modules():
            if isinstance(module, torch.nn.Conv2d):
                weight = module.weight
                weight.copy_(torch.randn(weight.shape, generator=random) * (2 / weight[0].numel()) ** 0.5)
            if isinstance(module, torch.nn.BatchNorm2d):
                for tensor, spread, middle in (
                    (module.running_mean, 0.1, 0.0),
                    (module.running_var, 0.1, 1.0),
                    (module.weight, 0.1, 1.0),
                    (module.bias, 0.1, 0.0),
                ):
                    tensor.copy_(middle + spread * torch.randn(tensor.shape, generator=random).clamp(-3, 3))
        graph.fc.weight.copy_(torch.randn(graph.fc.weight.shape, generator=random) * 0.2)
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(graph.state_dict(), path)
    return path

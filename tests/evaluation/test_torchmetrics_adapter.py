"""Metrics of torchmetrics behind the adapter."""

import pytest
import torch
import torchmetrics

from ganlab.evaluation.torchmetrics_adapter import TorchmetricsAdapter


class Difference(torchmetrics.Metric):
    """The way torchmetrics' FID keeps its reals over a reset."""

    def __init__(self):
        super().__init__()
        self.reset_real_features = True
        self.add_state("real", torch.zeros(2))
        self.add_state("fake", torch.zeros(2))

    def update(self, imgs, real):
        assert imgs.shape[1] == 3
        state = self.real if real else self.fake
        state += torch.stack([imgs.float().sum(), torch.tensor(float(imgs.numel()))])

    def compute(self):
        return self.real[0] / self.real[1], self.fake[0] / self.fake[1]

    def reset(self):
        real = self.real
        super().reset()
        if not self.reset_real_features:
            self.real = real


class FakesOnly(torchmetrics.Metric):
    def __init__(self):
        super().__init__()
        self.add_state("seen", torch.tensor(0))

    def update(self, imgs):
        self.seen += len(imgs)

    def compute(self):
        return self.seen


def test_names_outputs_and_keeps_reals():
    metric = TorchmetricsAdapter(Difference(), ["reals", "fakes"])
    metric.update(torch.full((2, 1, 4, 4), 10, dtype=torch.uint8), real=True)
    for value in (20, 30):
        metric.reset()
        metric.update(torch.full((2, 3, 4, 4), value, dtype=torch.uint8), real=False)
        assert metric.compute() == {"reals": 10, "fakes": value}
    assert metric.metric.sync_on_compute is False


def test_leaves_out_an_output_without_a_name_and_refuses_a_wrong_number():
    torchmetric = Difference()
    torchmetric.update(torch.ones(1, 3, 2, 2), real=True)
    torchmetric.update(torch.ones(1, 3, 2, 2), real=False)
    assert TorchmetricsAdapter(torchmetric, ["", "fakes"]).compute() == {"fakes": 1}
    with pytest.raises(ValueError):
        TorchmetricsAdapter(torchmetric, ["only"]).compute()


def test_shows_no_reals_to_a_metric_of_fakes():
    metric = TorchmetricsAdapter(FakesOnly(), ["seen"])
    assert metric.needs == {"fakes"}
    assert TorchmetricsAdapter(Difference(), ["reals", "fakes"]).needs == {"reals", "fakes"}
    metric.update(torch.zeros(3, 3, 2, 2), real=False)
    assert metric.compute() == {"seen": 3}

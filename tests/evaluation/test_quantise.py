"""What metrics and files see."""

import torch

from ganlab.contracts import DataFacts
from ganlab.data.scaling import scale
from ganlab.evaluation.quantise import for_files, for_metrics, reals_for_metrics


def test_bytes_survive_scaling_and_quantising():
    stored = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    facts = DataFacts((1, 16, 16), 1, "x")
    scaled = scale(stored, facts.value_range)
    assert torch.equal(for_metrics(scaled, facts), stored)
    assert torch.equal(for_files(scaled, facts), stored)
    assert reals_for_metrics(stored, facts) is stored


def test_samples_are_rounded_and_clipped():
    samples = torch.tensor([-1.5, -1.0, 0.0, 0.999, 1.7]).view(1, 1, 1, 5)
    expected = [0, 0, 128, 255, 255]
    assert for_metrics(samples, DataFacts((1, 1, 5), 1, "x")).flatten().tolist() == expected


def test_sixteen_bits_are_kept_in_files_and_cut_for_metrics():
    facts = DataFacts((1, 256, 256), 1, "x", value_range=(0.0, 65535.0))
    stored = torch.arange(65536).view(1, 1, 256, 256).to(torch.uint16)
    scaled = scale(stored, facts.value_range)
    assert torch.equal(for_files(scaled, facts), stored)
    seen = reals_for_metrics(stored, facts)
    assert seen.dtype == torch.uint8
    assert (seen.long() - (stored.long() / 257)).abs().max() <= 0.5 + 1e-4


def test_vectors_get_back_their_units():
    facts = DataFacts((2,), 1, "x", value_range=(10.0, 30.0))
    stored = torch.tensor([[10.0, 25.0], [40.0, 20.0]])
    assert torch.equal(for_metrics(scale(stored, facts.value_range), facts), stored)
    assert torch.equal(reals_for_metrics(stored.double(), facts), stored)

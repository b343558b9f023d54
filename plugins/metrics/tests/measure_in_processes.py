"""Started from a test, alone or by torchrun: measures made-up fakes and writes what each rank was told."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.distributed as dist
from ganlab_metrics.diversity import PairSimilarity
from ganlab_metrics.swd import SlicedWassersteinDistance

from ganlab.contracts import DataFacts
from ganlab.evaluation.evaluator import Evaluator, merge_values
from ganlab.testing.examples import ExampleData

FACTS = DataFacts((3, 32, 32), 90, "made up")


class Noise(torch.nn.Module):
    """Stands for a trained module: coarse noise, from the random numbers that the platform gives each sample."""

    device = torch.device("cpu")
    facts = FACTS
    settings = SimpleNamespace(half_life_kimg=None)
    clock = SimpleNamespace(position=0)
    ready_for = None
    sampled_from = ()

    def before_sampling(self, random, **options):
        pass

    def sample(self, random, labels=None, *, inputs=None, averaged=True):
        coarse = random.uniform("noise", 3, 8, 8) * 2 - 1
        return torch.nn.functional.interpolate(coarse, size=32, mode="bilinear")


def main(folder):
    rank = int(os.environ.get("RANK", 0))
    if "RANK" in os.environ:
        dist.init_process_group("gloo")
    metrics = {"swd": SlicedWassersteinDistance(FACTS.shape, patches=8), "ms_ssim": PairSimilarity(FACTS.shape)}
    results = Evaluator(metrics, ExampleData(FACTS), samples=150).evaluate(Noise())
    torch.save(merge_values(results), Path(folder) / f"{rank}.pt")


main(sys.argv[1])

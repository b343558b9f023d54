"""SWD and MS-SSIM are the same numbers on any number of processes."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
from ganlab_metrics.diversity import PairSimilarity
from ganlab_metrics.swd import SlicedWassersteinDistance

from ganlab.contracts import DataFacts
from ganlab.evaluation.evaluator import Evaluator, merge_values
from ganlab.testing.examples import ExampleData
from ganlab.testing.two_ranks import run_on_two_ranks

FACTS = DataFacts((3, 32, 32), 70, "made up")


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


def measured():
    metrics = {"swd": SlicedWassersteinDistance(FACTS.shape, patches=8), "ms_ssim": PairSimilarity(FACTS.shape)}
    return merge_values(Evaluator(metrics, ExampleData(FACTS), samples=80).evaluate(Noise()))


def measure_on_rank(rank: int, folder: Path):
    dist.init_process_group("gloo")
    found = measured()
    dist.destroy_process_group()
    torch.save(found, folder / f"{rank}.pt")


@pytest.mark.slow  # that ranks share an evaluation at all is tested with the platform
def test_two_processes_measure_what_one_measures(tmp_path):
    run_on_two_ranks(measure_on_rank, tmp_path)
    alone = measured()
    assert alone.keys() == {"swd/32", "swd/16", "swd/average", "ms_ssim", "ms_ssim/reals"}
    assert torch.load(tmp_path / "0.pt") == torch.load(tmp_path / "1.pt") == alone

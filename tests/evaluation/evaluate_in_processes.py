"""Started from a test, alone or by torchrun: evaluates a tiny module and writes what each rank was told."""

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from ganlab.evaluation.evaluator import Evaluator, merge_values
from tests.evaluation.test_evaluator import Labels, Mean
from tests.tiny import TinyData, tiny_gan


class WeightedLabels(Labels):
    def compute(self):
        labels = torch.cat(self.seen[False])
        return {"order": float((labels * torch.arange(len(labels))).sum())}


def main(folder):
    rank = int(os.environ.get("RANK", 0))
    if "RANK" in os.environ:
        dist.init_process_group("gloo")
    metrics = {"mean": Mean(), "labels": WeightedLabels()}
    results = Evaluator(metrics, TinyData(50), samples=150).evaluate(tiny_gan())
    torch.save(merge_values(results), Path(folder) / f"{rank}.pt")
    if dist.is_initialized():
        dist.destroy_process_group()  # or gloo's threads may end the process with an abort


main(sys.argv[1])

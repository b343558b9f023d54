"""Started from a test, alone or by torchrun: evaluates features and writes what each rank was told and has seen."""

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from ganlab.evaluation.evaluator import Evaluator, merge_values
from tests.evaluation.test_feature_metrics import Colours, Copies, Means
from tests.tiny import TinyData, tiny_gan


def main(folder):
    rank = int(os.environ.get("RANK", 0))
    if "RANK" in os.environ:
        dist.init_process_group("gloo")
    extractor = Colours()
    metrics = {"means": Means(extractor), "copies": Copies(extractor)}
    results = Evaluator(metrics, TinyData(50), samples=45, batch_size=8).evaluate(tiny_gan())
    if dist.is_initialized():
        dist.destroy_process_group()  # or gloo's threads may end the process with an abort
    torch.save({"values": merge_values(results), "seen": extractor.seen}, Path(folder) / f"{rank}.pt")


main(sys.argv[1])

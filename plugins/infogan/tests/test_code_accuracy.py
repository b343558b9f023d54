from itertools import permutations

import numpy as np
import pytest
import torch
from ganlab_infogan.code_accuracy import CodeAccuracy, best_assignment
from ganlab_infogan.codes import Codes

from ganlab import DataFacts, Randomness, UserError


def test_the_best_assignment_is_the_best_of_all():
    counts = np.random.default_rng(0).integers(0, 20, (4, 4))
    best = max(sum(counts[row, column] for row, column in enumerate(order)) for order in permutations(range(4)))
    assert best_assignment(counts) == pytest.approx(best / counts.sum())


class Oracle:
    """Calls the classes 0, 1, 2 by the categories 2, 0, 0, which it reads off the first pixel."""

    device = "cpu"
    codes = Codes((3,), 0)

    def recognise(self, images):
        classes = ((images[:, 0, 0, 0] + 1) * 127.5).round().long()
        return torch.eye(3)[torch.tensor([2, 0, 0])[classes]]


def shown(code=0):
    labels = torch.tensor([0, 0, 1, 1, 1, 2, 2, 2, 2, 0])
    metric = CodeAccuracy(DataFacts((1, 2, 2), 10, "classes", class_names=("a", "b", "c")), code)
    metric.update(labels[:, None, None, None].expand(10, 1, 2, 2).to(torch.uint8), True, labels)
    return metric


def test_accuracy_and_purity_of_an_answer_that_takes_two_classes_for_one():
    metric = shown()
    for _ in range(2):
        metric.reset()
        metric.measure(Oracle(), Randomness(0, count=1))
        assert metric.compute() == {"code_accuracy": pytest.approx(0.7), "purity": pytest.approx(0.7)}


def test_games_without_codes_and_data_without_classes_are_refused():
    with pytest.raises(UserError, match="recognises no codes"):
        shown().measure(object(), Randomness(0, count=1))
    with pytest.raises(UserError, match="categorical code, of which there are 1; 1 is none"):
        shown(1).measure(Oracle(), Randomness(0, count=1))
    with pytest.raises(UserError, match="these data have none"):
        CodeAccuracy(DataFacts((1, 2, 2), 10, "plain"))

"""The real side of an evaluation: its order, sequences, held-out examples, and where it arrives."""

from __future__ import annotations

import pytest
import torch

from ganlab.data.opening import Wishes, arrange, held_out_of
from ganlab.errors import DataError
from ganlab.evaluation.evaluator import Evaluator
from ganlab.evaluation.quantise import for_files, for_metrics
from ganlab.evaluation.reals import read_reals, real_blocks, reals_of
from tests.data.toys import Numbered, Sequences
from tests.evaluation.test_evaluator import Mean
from tests.tiny import TinyData, tiny_gan


def test_reals_arrive_on_the_device():
    blocks = list(real_blocks(TinyData(20), 20, 0, 8, flip=True, device="meta"))
    assert {tensor.device.type for block in blocks for tensor in block} == {"meta"}


def test_an_evaluation_asks_for_reals_on_the_modules_device(monkeypatch):
    asked = []

    def noted(*arguments):
        asked.append(arguments[-1])
        return read_reals(*arguments)

    monkeypatch.setattr("ganlab.evaluation.evaluator.read_reals", noted)
    module = tiny_gan()
    Evaluator({"mean": Mean()}, TinyData(20), samples=10).evaluate(module)
    assert asked == [module.device]


def test_held_out_examples_may_be_compared_with():
    data = arrange(Numbered(20), Wishes(holdout=0.25))
    held = reals_of(data, "held_out")
    assert held is held_out_of(data)
    assert reals_of(data, "train") is data
    (block,) = real_blocks(held, 100, 0, 100)
    assert len(block[0]) == 5
    with pytest.raises(DataError, match=r"data\.holdout: 0\.1"):
        reals_of(Numbered(20), "held_out")


def test_an_evaluation_with_held_out_reals_says_so():
    data = arrange(TinyData(40), Wishes(holdout=0.25))
    evaluator = Evaluator({"mean": Mean()}, data, samples=30, flip=True, reals="held_out")
    (result,) = evaluator.evaluate(tiny_gan())
    said = {name: result.protocol[name] for name in ("reals", "data", "mirrored")}
    assert said == {"reals": 10, "data": held_out_of(data).facts.fingerprint, "mirrored": False}


def test_sequences_are_measured_frame_by_frame():
    data = Sequences()
    ((images, labels),) = real_blocks(data, 6, 0, 6)
    assert images.shape == (18, 1, 4, 4)
    assert labels is None
    assert (images[1::3, 0, 0, 1] - images[0::3, 0, 0, 1]).tolist() == [1] * 6
    sequences = torch.zeros(2, 3, 1, 4, 4)
    assert for_metrics(sequences, data.facts).shape == (6, 1, 4, 4)
    assert for_files(sequences, data.facts).shape == (2, 3, 1, 4, 4)


def test_mirrored_sequences_are_mirrored_as_a_whole():
    ((images, _),) = real_blocks(Sequences(), 12, 0, 12, flip=True)
    sides = images.unflatten(0, (12, 3))[:, :, 0, 0, 0] == 255
    assert sorted(sides.sum(1).tolist()) == [0] * 6 + [3] * 6

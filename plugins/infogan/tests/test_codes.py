"""Codes against closed forms in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ganlab_infogan.chosen_codes import ChosenCodes
from ganlab_infogan.codes import Codes
from scipy.stats import norm

from ganlab import Randomness, UserError

CODES = Codes((3, 2), 2)


def test_codes_are_uniform_and_a_slice_draws_its_part():
    random = Randomness(0, count=3000)
    drawn = CODES.draw(random)
    assert drawn.shape == (3000, 7)
    assert torch.equal(drawn[:, :3].sum(1), torch.ones(3000))
    assert torch.equal(drawn[:, 3:5].sum(1), torch.ones(3000))
    np.testing.assert_allclose(drawn[:, :3].mean(0), [1 / 3] * 3, atol=0.03)
    np.testing.assert_allclose(drawn[:, 5:].std(0), [3**-0.5] * 2, rtol=0.03)
    assert drawn[:, 5:].abs().max() <= 1
    assert torch.equal(CODES.draw(random.slice(8, 4)), drawn[8:12])


@pytest.mark.parametrize("learned", [False, True])
def test_log_likelihoods_are_those_of_a_softmax_and_of_normal_distributions(learned):
    codes = Codes((3, 2), 2, learned)
    drawn = codes.draw(Randomness(1, count=6)).double()
    answer = Randomness(2, count=6).normal("answer", codes.outputs).double()
    said, given = answer.numpy(), drawn.numpy()
    expected = np.empty((6, 4))
    for place, columns in enumerate((slice(0, 3), slice(3, 5))):
        shares = np.exp(said[:, columns]) / np.exp(said[:, columns]).sum(1, keepdims=True)
        expected[:, place] = np.log(shares[np.arange(6), given[:, columns].argmax(1)])
    deviations = np.exp(said[:, 7:]) if learned else np.ones((6, 2))
    expected[:, 2:] = norm.logpdf(given[:, 5:7], said[:, 5:7], deviations)
    np.testing.assert_allclose(codes.log_likelihoods(drawn, answer), expected, rtol=1e-12)


def test_the_bound_is_the_entropy_for_a_head_that_knows_and_zero_for_one_that_knows_nothing():
    codes = Codes((4,), 0)
    drawn = codes.draw(Randomness(0, count=8)).double()
    (entropy,) = codes.entropies()
    assert entropy == pytest.approx(math.log(4))
    assert codes.log_likelihoods(drawn, 100 * drawn).mean() + entropy == pytest.approx(entropy)
    assert codes.log_likelihoods(drawn, torch.zeros_like(drawn)).mean() + entropy == pytest.approx(0, abs=1e-12)


def test_no_categories_and_no_numbers():
    for codes in (Codes((), 2), Codes((3,), 0)):
        drawn = codes.draw(Randomness(0, count=2))
        assert codes.log_likelihoods(drawn, torch.zeros(2, codes.outputs)).shape == (2, len(codes))


def test_chosen_values_and_walks():
    codes = torch.zeros(12, 7)
    chosen = ChosenCodes(CODES, {0: 2, 1: "0:1:2", 3: "-2:2:3"})
    assert chosen.length == 6
    made = chosen(codes, torch.arange(12))
    assert made[:, :3].tolist() == [[0, 0, 1]] * 12
    assert made[:, 3:5].argmax(1).tolist() == [0, 0, 0, 1, 1, 1] * 2
    assert made[:, 6].tolist() == [-2, 0, 2] * 4
    assert not codes.any()
    assert torch.equal(chosen(codes[:3], torch.tensor([5, 6, 7])), made[5:8])


def test_a_traversal_varies_one_code_a_row():
    codes = CODES.draw(Randomness(0, count=1)).expand(20, 7)
    made = ChosenCodes(CODES, {}, traverse=5)(codes, torch.arange(20))
    assert made[:5, :3].argmax(1).tolist() == [0, 1, 2, 0, 1]
    assert made[5:10, 3:5].argmax(1).tolist() == [0, 1, 0, 1, 0]
    assert made[10:15, 5].tolist() == made[15:20, 6].tolist() == [-2, -1, 0, 1, 2]
    changed = (made != codes).view(4, 5, 7).any(1)
    assert not changed[0, 3:].any()
    assert not changed[1, :3].any()
    assert not changed[1, 5:].any()
    assert not changed[2, :5].any()
    assert not changed[2, 6]


@pytest.mark.parametrize(
    ("chosen", "traverse", "sentence"),
    [
        ({4: 0}, None, "there is no code 4: the codes are 0 to 3"),
        ({0: 3}, None, "code 0 is a category from 0 to 2, not 3"),
        ({0: 0.5}, None, "code 0 is a category from 0 to 2, not 0.5"),
        ({2: "1:2"}, None, "code 2 takes a number, or from:to:steps as in -2:2:9, not '1:2'"),
        ({2: "1:2:0"}, None, "code 2 takes a number, or from:to:steps"),
        ({2: "0:1:4"}, 3, "code 2 walks by itself already"),
    ],
)
def test_what_there_is_not_is_refused(chosen, traverse, sentence):
    with pytest.raises(UserError, match=sentence):
        ChosenCodes(CODES, chosen, traverse)

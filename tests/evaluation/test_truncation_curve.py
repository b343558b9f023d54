"""The curve of fidelity against distance from the data."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from ganlab.bounds import Positive
from ganlab.contracts import Latents
from ganlab.errors import UserError
from ganlab.evaluation.evaluator import Evaluator
from ganlab.evaluation.sampling import sample_blocks
from ganlab.evaluation.truncation_curve import Pair, measure_curve, read_thresholds, truncating_option
from ganlab.games.two_player import TwoPlayerGAN
from tests.tiny import Logistic, TinyData, TinyDiscriminator, TinyGenerator, tiny_gan, tiny_settings

PAIR = Pair(("spread",), "spread", "spread/closeness")


class Spread:
    """The standard deviation of the fakes."""

    def update(self, images: torch.Tensor, real: bool) -> None:
        if not real:
            self.seen.append(images.float())

    def compute(self) -> dict[str, float]:
        deviation = torch.cat(self.seen).std().item()
        return {"spread": deviation, "closeness": 1 / deviation}

    def reset(self) -> None:
        self.seen: list[torch.Tensor] = []


def test_thresholds_have_equal_ratios():
    assert read_thresholds("0.04:1.0:3") == pytest.approx([0.04, 0.2, 1.0])
    assert len(read_thresholds("0.04:1")) == 8


@pytest.mark.parametrize("text", ["", "1", "1:0.5", "0:1", "a:b", "0.1:1:1", "0.1:1:2:3"])
def test_other_texts_are_refused(text):
    with pytest.raises(UserError, match="the lowest and the highest threshold"):
        read_thresholds(text)


class Scaled(TwoPlayerGAN):
    """Latents times a factor."""

    def render(self, latents: Latents, *, averaged: bool = True, psi: Positive = 1.0) -> torch.Tensor:
        """Images of latents.

        Args:
            psi: the factor.
        """
        return self.network("generator", averaged)(psi * latents.values)


def scaled_gan():
    torch.manual_seed(0)
    module = Scaled(TinyGenerator(), TinyDiscriminator(), Logistic())
    module.prepare(tiny_settings())
    return module


def test_each_point_is_measured_at_its_threshold(tmp_path):
    module = scaled_gan()
    evaluator = Evaluator({"spread": Spread()}, TinyData(), samples=200)
    curve = measure_curve(module, evaluator, PAIR, [0.1, 1.0, 3.0])
    for threshold, (spread, closeness) in zip(curve.thresholds, curve.points, strict=True):
        images = torch.cat([i for i, _ in sample_blocks(module, 200, 0, options={"psi": threshold})])
        assert spread == pytest.approx((127.5 * images).std().item(), rel=0.02)
        assert closeness == pytest.approx(1 / spread)
    assert curve.points[0] < curve.points[1] < curve.points[2]
    values = curve.as_values()
    assert [point["psi"] for point in values["points"]] == [0.1, 1.0, 3.0]
    curve.save(tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.size == (840, 600)


def test_a_metric_that_fails_and_games_that_do_not_truncate_are_told():
    class Broken(Spread):
        def compute(self):
            raise ValueError("no weights")

    evaluator = Evaluator({"spread": Broken()}, TinyData(), samples=8)
    with pytest.raises(UserError, match="spread: ValueError: no weights"):
        measure_curve(scaled_gan(), evaluator, PAIR, [0.1, 1.0])
    with pytest.raises(UserError, match="TwoPlayerGAN has no sampling option that truncates"):
        truncating_option(tiny_gan())

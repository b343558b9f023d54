"""Metrics over samples: what they are shown, what is recorded, and what a broken one costs."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from ganlab.contracts import InputFacts
from ganlab.data.scaling import to_bytes
from ganlab.errors import UserError
from ganlab.evaluation.evaluator import Evaluator, merge_values
from tests.tiny import TinyData, tiny_gan, tiny_settings

ROOT = Path(__file__).parents[2]


class Mean:
    """Means of what was shown; counts resets; `fail` names the call that raises."""

    protocol = {"detail": 7}

    def __init__(self, fail=""):
        self.fail = fail
        self.reals, self.fakes, self.resets = [], [], 0

    def update(self, images, real):
        self._break("real" if real else "fake")
        assert images.dtype == torch.uint8
        (self.reals if real else self.fakes).append(images.clone())

    def compute(self):
        self._break("compute")
        fakes = torch.cat(self.fakes).double()
        if self.fail == "value":
            return {"nothing": None}
        return {"reals": torch.cat(self.reals).double().mean(), "fakes": fakes.mean(), "count": len(fakes)}

    def reset(self):
        self.resets += 1
        self.fakes = []

    def _break(self, where):
        if where == self.fail:
            raise RuntimeError(f"broken in {where}")


class Labels:
    def __init__(self):
        self.seen = {True: [], False: []}

    def update(self, images, real, labels=None):
        self.seen[real].append(labels)

    def compute(self):
        return {"labels": float(len(torch.cat(self.seen[False])))}

    def reset(self):
        self.seen[False] = []


def test_shows_reals_once_and_the_same_fakes_every_time():
    metric, data, module = Mean(), TinyData(50), tiny_gan()
    evaluator = Evaluator({"mean": metric}, data, samples=100, seed=3)
    first, second = (merge_values(evaluator.evaluate(module)) for _ in range(2))
    assert first == second
    assert first["mean/count"] == 100
    assert first["mean/reals"] == pytest.approx(data.images.double().mean().item())
    assert metric.resets == 2
    assert sum(map(len, metric.reals)) == 50


def test_the_first_reals_of_a_seeded_order():
    shown = []
    for seed in (0, 0, 1):
        metric = Mean()
        Evaluator({"mean": metric}, TinyData(50), samples=20, seed=seed).evaluate(tiny_gan())
        shown.append(torch.cat(metric.reals))
    assert len(shown[0]) == 20
    assert torch.equal(shown[0], shown[1])
    assert not torch.equal(shown[0], shown[2])


def test_mirrored_reals_are_reals_where_training_mirrors():
    metric, data = Mean(), TinyData(50)
    evaluator = Evaluator({"mean": metric}, data, samples=200, flip=True, batch_size=7)
    (result,) = evaluator.evaluate(tiny_gan())
    shown = {image.numpy().tobytes() for image in torch.cat(metric.reals)}
    assert shown == {image.contiguous().numpy().tobytes() for image in [*data.images, *data.images.flip(-1)]}
    assert result.protocol["reals"] == sum(map(len, metric.reals)) == 100
    assert result.protocol["mirrored"]


def test_gives_labels_to_metrics_that_take_them():
    metric = Labels()
    (result,) = Evaluator({"labels": metric}, TinyData(50), samples=70).evaluate(tiny_gan())
    assert result.values == {"labels": 70.0}  # named like the metric: not said twice
    assert set(torch.cat(metric.seen[True]).tolist()) == {0, 1}


def test_every_number_has_its_protocol():
    (result,) = Evaluator({"mean": Mean()}, TinyData(50), samples=80, seed=5).evaluate(tiny_gan())
    expected = {
        "metric": "mean",
        "samples": 80,
        "reals": 50,
        "ema": True,
        "seed": 5,
        "labels": "uniform",
        "sampling": {},
    }
    expected |= {"quantised": True, "shape": [1, 4, 4], "data": "tiny", "mirrored": False, "detail": 7}
    expected |= {"sampling": {}, "precision": "float32", "split": "train"}
    expected |= {"versions": {"ganlab": version("ganlab"), "torch": version("torch")}}
    assert dict(result.protocol) == expected
    directed = Mean()
    directed.higher_is_better = {"reals": True}
    (result,) = Evaluator({"mean": directed}, TinyData(50), samples=80, seed=5).evaluate(tiny_gan())
    assert dict(result.protocol) == expected | {"higher_is_better": {"mean/reals": True}}
    plain = tiny_gan(tiny_settings(half_life_kimg=None))
    (result,) = Evaluator({"mean": Mean()}, TinyData(50), samples=80).evaluate(plain)
    assert result.protocol["ema"] is False


@pytest.mark.parametrize("fail", ["real", "fake", "compute", "value"])
def test_a_broken_metric_is_reported_and_the_others_go_on(fail):
    evaluator = Evaluator({"broken": Mean(fail), "mean": Mean()}, TinyData(20), samples=10)
    for _ in range(2):
        broken, sound = evaluator.evaluate(tiny_gan())
        assert "broken in " + fail in broken.error or "TypeError" in broken.error
        assert broken.values == {}
        assert sound.error is None
        assert sound.values["mean/count"] == 10


def test_parts_of_the_number_that_is_called_as_its_metric_are_parts_of_the_metric():
    class WithInterval(Mean):
        def compute(self):
            return {"mean": 1.0, "mean/low": 0.5, "count": 2.0}

    (result,) = Evaluator({"mean": WithInterval()}, TinyData(), samples=4).evaluate(tiny_gan())
    assert set(result.values) == {"mean", "mean/low", "mean/count"}


# ---------------------------------------------------------------- needs


class OfFakes:
    """Refuses reals."""

    needs = frozenset({"fakes"})

    def __init__(self):
        self.count = 0

    def update(self, images, real):
        assert not real, "a real was shown to a metric that needs none"
        self.count += len(images)

    def compute(self):
        return {"count": float(self.count)}

    def reset(self):
        self.count = 0


class Smoothness:
    """How far images move when their latents do; the way of perceptual path length."""

    needs = frozenset({"generator"})

    def measure(self, module, random):
        assert not module.training
        assert not torch.is_grad_enabled()
        latents = module.draw_latents(random)
        generator = module.averaged_model("generator")
        self.moves = (generator(latents + 1e-2) - generator(latents)).square().sum((1, 2, 3)) / 1e-4

    def compute(self):
        return {"length": float(self.moves.mean()), "count": float(len(self.moves))}

    def reset(self):
        self.moves = None


class Distance:
    """Mean absolute distance between fakes and what they should have been."""

    needs = frozenset({"fakes", "targets", "inputs"})

    def __init__(self):
        self.targets, self.inputs, self.fakes = [], [], []

    def update(self, images, real, targets, inputs):
        assert not real
        for kept, new in zip((self.fakes, self.targets, self.inputs), (images, targets, inputs["hint"]), strict=True):
            kept.append(new)

    def compute(self):
        difference = torch.cat(self.fakes).double() - torch.cat(self.targets).double()
        return {"l1": difference.abs().mean()}

    def reset(self):
        self.__init__()


def test_a_metric_that_needs_no_reals_is_shown_none_and_the_data_are_not_read():
    class Unread(TinyData):
        def __getitem__(self, index):
            raise AssertionError("an example was read")

    (result,) = Evaluator({"fakes": OfFakes()}, Unread(50), samples=70).evaluate(tiny_gan())
    assert result.values == {"fakes/count": 70.0}
    beside, _ = Evaluator({"fakes": OfFakes(), "mean": Mean()}, TinyData(50), samples=70).evaluate(tiny_gan())
    assert beside.error is None


def test_a_metric_of_the_generator_gets_the_module_and_the_same_random_numbers_each_time(monkeypatch):
    module = tiny_gan().train()
    evaluator = Evaluator({"smooth": Smoothness()}, TinyData(50), samples=30)
    monkeypatch.setattr(module, "sample", lambda *_, **__: pytest.fail("fakes that nothing needs were made"))
    first, second = (merge_values(evaluator.evaluate(module)) for _ in range(2))
    assert first == second
    assert first["smooth/count"] == 30
    assert first["smooth/length"] > 0
    assert module.training
    other = merge_values(Evaluator({"smooth": Smoothness()}, TinyData(50), samples=30, seed=1).evaluate(module))
    assert other["smooth/length"] != first["smooth/length"]


def test_reals_arrive_where_the_module_is():
    seen = []

    class Where(Mean):
        def update(self, images, real):
            seen.append((real, images.device.type))

        def compute(self):
            return {}

    class Elsewhere:
        """The device that needs no hardware."""

        device, facts = torch.device("meta"), TinyData(50).facts

    Evaluator({"where": Where()}, TinyData(50), samples=20)._show_reals(Elsewhere.device)
    assert seen == [(True, "meta")]


@pytest.mark.parametrize("batch_size", [7, 64, 200])
def test_the_batch_size_changes_how_many_are_made_at_a_time_and_no_fake(batch_size, monkeypatch):
    module, metric, sizes = tiny_gan(), Mean(), []
    Evaluator({"mean": metric}, TinyData(50), samples=150, batch_size=batch_size).evaluate(module)
    other = Mean()
    Evaluator({"mean": other}, TinyData(50), samples=150).evaluate(module)
    sizes = [len(block) for block in metric.fakes]
    assert sizes == [batch_size] * (150 // batch_size) + [150 % batch_size] * (150 % batch_size > 0) or sizes == [150]
    made, expected = torch.cat(metric.fakes).int(), torch.cat(other.fakes).int()
    assert (made - expected).abs().max() <= 1  # a byte may be rounded to the other side


class Contradiction:
    def update(self, images, real):
        pass

    def compute(self):
        return {}

    def reset(self):
        pass


class Measuring(Contradiction):
    def measure(self, module, random):
        pass


class Lonely:
    needs = frozenset({"fakes"})
    compute = reset = Contradiction.compute


@pytest.mark.parametrize(
    ("metric", "needs", "sentence"),
    [
        (Contradiction, {"fakse"}, "'fakse', which is none of: reals, fakes, targets, inputs, generator; did you mean"),
        (Contradiction, set(), "needs nothing"),
        (Contradiction, {"generator"}, r"has no method measure\(module, random\)"),
        (Measuring, {"fakes"}, "its 'needs' lacks 'generator'"),
        (Lonely, {"fakes"}, r"needs fakes, but has no method update\(images, real\)"),
        (Contradiction, {"fakes", "targets"}, "'update' lacks an argument 'targets'"),
        (Distance, {"fakes", "targets"}, "'update' has an argument 'inputs'"),
        (Distance, {"targets", "inputs"}, "which belong to fakes: its 'needs' lacks 'fakes'"),
        (Distance, Distance.needs, "these data have no inputs to make fakes from: leave it out"),
    ],
)
def test_contradictions_and_what_data_cannot_give_are_said_in_a_sentence(metric, needs, sentence):
    built = metric()
    built.needs = frozenset(needs)
    with pytest.raises(UserError, match=f"the metric 'odd' .*{sentence}"):
        Evaluator({"odd": built}, TinyData(50), samples=10)


class PairedData(TinyData):
    """Each example has a hint: its own image, as it is stored."""

    def __init__(self, size, held_out=None):
        super().__init__(size)
        self.images = self.images if held_out else 255 - self.images
        self.held_out = held_out
        inputs = {"hint": InputFacts((1, 4, 4), "images")}
        named = None if held_out is None else held_out.facts.fingerprint
        self.facts = replace(self.facts, fingerprint=f"paired-{size}", inputs=inputs, held_out=named)

    def __getitem__(self, index):
        return {**super().__getitem__(index), "hint": self.images[index]}


def copying(change=lambda hints: hints):
    """A game that gives back the hints that it is given, or makes something of them."""
    module = tiny_gan()
    module.render = lambda latents, *, averaged=True: change(latents.inputs["hint"])
    return module


def test_fake_i_belongs_to_held_out_example_i():
    distance, labels, held_out = Distance(), Labels(), PairedData(7)
    data = PairedData(50, held_out=held_out)
    evaluator = Evaluator({"distance": distance, "labels": labels}, data, samples=40, batch_size=16)
    first, _ = evaluator.evaluate(copying())
    assert first.error is None
    assert first.values == {"distance/l1": 0.0}
    assert first.protocol["made_for"] == "paired-7"
    order = [index % 7 for index in range(40)]
    assert torch.equal(torch.cat(distance.targets), held_out.images[order])
    assert torch.cat(labels.seen[False]).tolist() == [index % 2 for index in order]


def test_reals_are_shown_with_their_inputs_mirrored_together():
    class Kept(Distance):
        needs = frozenset({"reals", "fakes", "inputs"})

        def __init__(self):
            self.fakes, self.inputs = [], []

        def reset(self):
            """Reals are kept."""

        def update(self, images, real, inputs):
            if real:
                self.fakes.append(images)
                self.inputs.append(inputs["hint"])

        def compute(self):
            return {"reals": 1.0}

    metric, data = Kept(), PairedData(9, PairedData(7))
    Evaluator({"kept": metric}, data, samples=40, batch_size=8, flip=True).evaluate(copying())
    reals, hints = torch.cat(metric.fakes), torch.cat(metric.inputs)
    assert len(reals) == 18
    assert torch.equal(to_bytes(hints), reals)


def test_fakes_that_are_not_what_they_should_be_have_a_distance():
    held_out = PairedData(7)
    (result,) = Evaluator({"distance": Distance()}, PairedData(50, held_out), samples=14, batch_size=7).evaluate(
        copying(lambda hints: hints.roll(-1, 0))
    )
    following = held_out.images.roll(-1, 0)
    expected = (following.double() - held_out.images.double()).abs().mean().item()
    assert result.values["distance/l1"] == pytest.approx(expected)


def test_data_that_hold_nothing_out_have_no_targets():
    data = PairedData(50)
    with pytest.raises(UserError, match=r"'distance' needs inputs and targets: .* set 'data.holdout: 0.1'"):
        Evaluator({"distance": Distance()}, data, samples=10)

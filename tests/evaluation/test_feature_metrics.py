"""Metrics of features: one pass for all, features of reals kept, and what is said of numbers that mislead."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganlab.evaluation.budget import Budget
from ganlab.evaluation.evaluator import Evaluator, merge_values
from ganlab.evaluation.feature_neighbours import nearest, nearest_others
from ganlab.evaluation.feature_set import Features
from tests.tiny import TinyData, tiny_gan

ROOT = Path(__file__).parents[2]


class Colours:
    """Counts the images that it sees."""

    def __init__(self, name="colours"):
        self.protocol = {"network": name}
        self.seen = 0

    def __call__(self, images):
        self.seen += len(images)
        return torch.nn.functional.adaptive_avg_pool2d(images.float() / 255, 2).flatten(1)


class Means:
    def __init__(self, extractor):
        self.extractor = extractor

    def compare(self, reals, fakes):
        return {"reals": float(reals.mean.mean()), "fakes": float(fakes.mean.mean()), "count": len(fakes)}


class Moments(Means):
    moments_only = True

    def compare(self, reals, fakes):
        return {"difference": float((reals.mean - fakes.mean).norm())}


class Copies(Means):
    needs = frozenset({"fakes"})
    examples = 30

    def compare(self, reals, fakes, training, held_out):
        assert reals is None
        return {"training": len(training), "held_out": 0 if held_out is None else len(held_out)}


class Learner(Colours):
    """Subtracts the mean of what it has learned from."""

    examples = 10
    learned = 0

    def learn(self, reals):
        type(self).learned += 1
        self.mean = torch.cat([images.float().mean((2, 3)) for images, _ in reals]).mean(0)

    def state(self):
        return {"mean": self.mean}

    def restore(self, state):
        self.mean = state["mean"]
        self.protocol["weights"] = f"{float(self.mean[0]):.3f}"

    def __call__(self, images):
        return images.float().mean((2, 3)) - self.mean


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLAB_CACHE", str(tmp_path / "cache"))


def measured(metrics, data=None, **settings):
    evaluator = Evaluator(metrics, data or TinyData(50), **{"samples": 40, "batch_size": 16, **settings})
    return evaluator, evaluator.evaluate(tiny_gan())


def test_one_pass_serves_all_metrics_of_an_extractor():
    first, second = Colours(), Colours()
    _, results = measured({"means": Means(first), "moments": Moments(second)})
    assert (first.seen, second.seen) == (96, 0)  # 40 reals and 40 fakes, in blocks of 16
    assert merge_values(results)["means/count"] == 40


def test_the_second_run_extracts_no_reals_and_whatever_changes_makes_it_do_so():
    values = []
    others = TinyData(50)
    others.facts = replace(others.facts, fingerprint="others")
    for seen, settings in (
        (96, {}),
        (48, {}),
        (96, {"seed": 1}),
        (128, {"samples": 50}),
        (64, {"samples": 50, "seed": 2}),  # all there are, in whatever order
        (128, {"samples": 50, "flip": True}),
        (96, {"data": others}),
    ):
        extractor = Colours()
        _, results = measured({"means": Means(extractor)}, **settings)
        assert extractor.seen == seen, settings
        values.append(merge_values(results))
    assert values[0] == values[1]
    other = Colours("others")
    measured({"means": Means(other)})
    assert other.seen == 96


def test_means_alone_are_kept_where_no_metric_needs_more(tmp_path):
    measured({"moments": Moments(Colours())})
    (file,) = (tmp_path / "cache" / "features").glob("*.safetensors")
    assert file.stat().st_size < 2000
    extractor = Colours()
    measured({"means": Means(extractor)})
    assert extractor.seen == 96  # rows were not kept


def test_a_damaged_file_is_made_anew(tmp_path):
    _, before = measured({"means": Means(Colours())})
    (file,) = (tmp_path / "cache" / "features").glob("*.safetensors")
    file.write_bytes(b"nothing")
    extractor = Colours()
    _, after = measured({"means": Means(extractor)})
    assert extractor.seen == 96
    assert merge_values(before) == merge_values(after)


def test_metrics_ask_for_the_training_and_for_what_it_never_saw():
    data = TinyData(50)
    _, (result,) = measured({"copies": Copies(Colours())}, data)
    assert result.values == {"copies/training": 30.0, "copies/held_out": 0.0}
    data.held_out = TinyData(8)
    _, (result,) = measured({"copies": Copies(Colours())}, data)
    assert result.values["copies/held_out"] == 8.0


def test_what_an_extractor_learned_is_kept():
    Learner.learned = 0
    results = [measured({"means": Means(Learner())})[1][0] for _ in range(2)]
    assert Learner.learned == 1
    assert results[0].values == results[1].values
    assert results[0].protocol == results[1].protocol
    assert results[0].protocol["extractor"]["weights"]


def test_an_extractor_that_fails_is_reported_and_the_others_go_on():
    class Broken(Colours):
        def __call__(self, images):
            raise RuntimeError("no memory")

    _, (broken, sound) = measured({"broken": Means(Broken("broken")), "sound": Means(Colours())})
    assert "its extractor failed: RuntimeError: no memory" in broken.error
    assert sound.error is None


def test_the_protocol_names_the_extractor_and_the_split():
    _, (result,) = measured({"means": Means(Colours())})
    assert result.protocol["extractor"] == {"network": "colours"}
    assert result.protocol["split"] == "train"
    assert set(result.protocol["versions"]) == {"ganlab", "torch"}


def test_files_that_are_the_reals_themselves_are_noticed():
    data = TinyData(50)
    evaluator = Evaluator({"means": Means(Colours())}, data, samples=50)
    (result,) = evaluator.evaluate_files(data, torch.device("cpu"))
    assert "the same images" in result.notes[0]
    assert result.values["means/reals"] == pytest.approx(result.values["means/fakes"])
    (other,) = Evaluator({"means": Means(Colours())}, data, samples=50).evaluate(tiny_gan())
    assert other.notes == ()


def test_a_training_with_the_metrics_own_network_is_told_of():
    _, (result,) = measured({"means": Means(Colours())}, trained_with={"colours"})
    assert "the training itself used 'colours'" in result.notes[0]


def test_published_statistics_serve_metrics_of_means_alone():
    from ganlab.evaluation.reference_files import PublishedStatistics

    features = Features.of_statistics(torch.zeros(4), torch.eye(4), 1000)
    published = PublishedStatistics(features, "abc", "file.npz")
    metrics = {"moments": Moments(Colours()), "copies": Needy(Colours())}
    _, (moments, needy) = measured(metrics, reference=published)
    assert moments.error is None
    assert (moments.protocol["data"], moments.protocol["reals"], moments.protocol["split"]) == (
        "abc",
        1000,
        "reference",
    )
    assert "mean and covariance alone" in needy.error


class Needy(Means):
    def compare(self, reals, fakes):
        return {"rows": float(reals.rows.mean())}


def test_a_budget_leaves_out_what_would_take_too_long(monkeypatch):
    told = []

    def too_long(self, seconds, others, done, total):
        told.append((sorted(seconds), done, total))
        return {key: self.reason(60.0) for key in seconds if "slow" in key}

    monkeypatch.setattr(Budget, "too_long", too_long)
    metrics = {"slow": Means(Colours("slow")), "fast": Means(Colours())}
    _, (slow, fast) = measured(metrics, budget_minutes=5)
    assert [(len(keys), done, total) for keys, done, total in told] == [(2, 16, 40), (1, 32, 40), (1, 40, 40)]
    assert slow.error.startswith("left out: it needs about 1.0 more minutes, and of the 5 minutes")
    assert slow.values == {}
    assert fast.error is None


def test_the_longest_work_is_given_up_first():
    budget = Budget(1.0)
    given_up = budget.too_long({"long": 30.0, "short": 5.0}, others=5.0, done=1, total=6)
    assert list(given_up) == ["long"]
    assert Budget(None).too_long({"long": 1e9}, 0.0, 1, 2) == {}


# ---------------------------------------------------------------- features


def test_moments_are_those_of_numpy():
    rows = torch.randn(100, 7) + 3
    features = Features(rows)
    np.testing.assert_allclose(features.mean.numpy(), rows.double().mean(0).numpy())
    np.testing.assert_allclose(features.covariance.numpy(), np.cov(rows.double().numpy(), rowvar=False), atol=1e-12)
    root = features.covariance_root
    torch.testing.assert_close(root @ root, features.covariance)


def test_neighbours_are_those_of_all_distances(monkeypatch):
    from ganlab.evaluation import feature_neighbours

    rows, queries = torch.randn(60, 5), torch.randn(40, 5)
    monkeypatch.setattr(feature_neighbours, "BLOCK_BYTES", 60 * 4 * 7)  # blocks of 7
    distances = torch.cdist(rows, rows) + torch.diag(torch.full((60,), torch.inf))
    torch.testing.assert_close(nearest_others(rows, 4), distances.sort(1).values[:, :4], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(Features(rows).radii(3), distances.sort(1).values[:, 2], rtol=1e-4, atol=1e-4)
    found, places = nearest(queries, rows, 2)
    expected = torch.cdist(queries, rows).sort(1)
    torch.testing.assert_close(found, expected.values[:, :2], rtol=1e-4, atol=1e-4)
    assert torch.equal(places, expected.indices[:, :2])

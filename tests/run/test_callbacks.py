"""When evaluations and snapshots happen, and what they leave behind."""

import pytest
import torch
from PIL import Image

from ganlab.contracts import DataFacts
from ganlab.data.opening import Wishes, arrange
from ganlab.evaluation.evaluator import Evaluator
from ganlab.evaluation.pictures import class_grid
from ganlab.run.evaluation_callback import EvaluationCallback
from ganlab.run.snapshot_callback import SnapshotCallback
from ganlab.spec.model import EvaluationSection, SnapshotSection
from ganlab.tracking.tracker import Tracker, Trackers
from tests.data.toys import Paired
from tests.evaluation.test_evaluator import Mean
from tests.tiny import TinyData, tiny_gan
from tests.training.fitting import fit


class Notes(Tracker):
    def __init__(self):
        self.measured, self.pictures = [], []

    def metrics(self, images_seen, values, protocol, error=None, notes=()):
        self.measured.append((images_seen, protocol["metric"], error))

    def image(self, images_seen, name, path):
        self.pictures.append((images_seen, name, path.name))


@pytest.fixture
def notes():
    return Notes()


def test_evaluates_by_the_clock_and_at_the_end(notes, tmp_path):
    evaluator = Evaluator({"mean": Mean(), "broken": Mean("fake")}, TinyData(), samples=10)
    callback = EvaluationCallback(EvaluationSection(every_kimg=0.02), evaluator)
    callback.attach(tmp_path, Trackers([notes]))
    module = fit(tiny_gan(), 48, callbacks=[callback])  # steps of 8
    assert [moment for moment, name, _ in notes.measured if name == "mean"] == [24, 40, 48]
    assert notes.measured[1] == (24, "broken", "RuntimeError: broken in fake")
    assert callback.values["mean/count"] == 10
    assert module.training


def test_does_not_evaluate_when_a_signal_ended_training(notes, tmp_path):
    callback = EvaluationCallback(EvaluationSection(), Evaluator({"mean": Mean()}, TinyData(), samples=10))
    callback.attach(tmp_path, Trackers([notes]))
    module = tiny_gan()
    module.interrupted = True
    callback.on_train_end(None, module)
    assert notes.measured == []


def test_snapshots_have_names_of_their_own(notes, tmp_path):
    callback = SnapshotCallback(SnapshotSection(every_kimg=0.02, grid=(3, 2)), TinyData())
    callback.attach(tmp_path, Trackers([notes]))
    fit(tiny_gan(), 48, callbacks=[callback])
    expected = [(0, "reals.png"), (0, "kimg-000000.png"), (24, "kimg-000000.020.png"), (40, "kimg-000000.040.png")]
    expected += [(48, "kimg-000000.048.png")]
    assert [(moment, name) for moment, _, name in notes.pictures] == expected
    files = {path.name: path.read_bytes() for path in (tmp_path / "samples").iterdir()}
    assert sorted(files) == sorted([*(name for _, name in expected), "latest.png"])
    assert files["latest.png"] == files["kimg-000000.048.png"] != files["kimg-000000.040.png"]
    width, height = Image.open(tmp_path / "samples" / "kimg-000000.png").size
    assert height == 3 * 4 * 83 + 2 * 2  # enlarged 83 times, two pixels apart
    assert width > 2 * 4 * 83 + 2  # the names of the classes


def test_snapshots_of_vectors_are_scatter_plots(notes, tmp_path):
    data = TinyData()
    data.images = torch.rand(50, 2)
    data.facts = DataFacts((2,), 50, "points", value_range=(-1.0, 1.0))
    module = tiny_gan()
    module.facts = data.facts
    module.sample = lambda random, labels, **options: random.normal("latents", 2)
    callback = SnapshotCallback(SnapshotSection(), data)
    callback.attach(tmp_path, Trackers([notes]))
    callback.on_train_start(type("Trainer", (), {"is_global_zero": True}), module)
    assert [name for _, _, name in notes.pictures] == ["reals.png", "kimg-000000.png"]


def test_snapshots_of_data_with_inputs_are_made_for_fixed_held_out_examples(notes, tmp_path):
    data = arrange(Paired(20), Wishes(holdout=0.25))
    module = tiny_gan()
    module.facts = data.facts
    given = []

    def sample(random, labels, *, inputs, averaged):
        given.append(inputs["photo"])
        return torch.zeros(len(random), 3, 8, 8)

    module.sample = sample
    callback = SnapshotCallback(SnapshotSection(grid=(2, 3)), data)
    callback.attach(tmp_path, Trackers([notes]))
    callback.on_train_start(type("Trainer", (), {"is_global_zero": True}), module)
    module.clock.advance(8)
    callback.on_train_end(type("Trainer", (), {"is_global_zero": True}), module)
    expected = torch.stack([data.held_out[index % 5]["photo"] for index in range(6)])
    assert len(given) == 2
    assert all(torch.equal(images, (expected - 127.5) / 127.5) for images in given)
    width, height = Image.open(tmp_path / "samples" / "latest.png").size
    factor = round(1000 / (3 * 5 * 8))
    assert (width, height) == (3 * 5 * 8 * factor + 4, 2 * 8 * factor + 2)  # photo, map, mask, fake, target
    width, _ = Image.open(tmp_path / "samples" / "reals.png").size
    assert width == 3 * 4 * 8 * round(1000 / (3 * 4 * 8)) + 4


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        (3, 2, [0, 0, 1, 1, 2, 2]),
        (2, 3, [0, 1, 2, 0, 1, 2]),
        (2, 2, [0, 1, 2, 0]),
        (4, 1, [0, 1, 2, 0]),
    ],
)
def test_classes_have_rows_or_columns_where_they_fit(rows, columns, expected):
    assert class_grid(rows, columns, 3).tolist() == expected
    assert class_grid(rows, columns, 0) is None

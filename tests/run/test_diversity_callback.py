"""When the diversity is looked at, what is said of it, and how often."""

import logging
from dataclasses import fields

import pytest
import torch

from ganlab.run.diversity_callback import DiversityCallback
from ganlab.spec.model import DiversitySection, Spec
from ganlab.tracking.tracker import Tracker, Trackers
from tests.tiny import TinyData, tiny_gan
from tests.training.fitting import fit

EVERY_16 = DiversitySection(every_kimg=0.016)


class Notes(Tracker):
    def __init__(self):
        self.lines = []

    def scalars(self, images_seen, values):
        self.lines.append((images_seen, dict(values)))


@pytest.fixture
def notes():
    return Notes()


def watch(notes, folder, total=64, data=None):
    callback = DiversityCallback(EVERY_16, data or TinyData(), total)
    callback.attach(folder, Trackers([notes]))
    return callback


def warnings(caplog):
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


def like_the_reals(random, labels, **options):
    return random.uniform("pixels", 16).view(-1, 1, 4, 4) * 2 - 1


def one_picture_a_class(random, labels, **options):
    return (labels.view(-1, 1, 1, 1).expand(-1, 1, 4, 4) - 0.5).float()


def module_of(sample):
    module = tiny_gan()
    module.sample = sample
    return module


def test_looks_by_the_clock_and_at_the_end(notes, tmp_path, caplog):
    callback = watch(notes, tmp_path)
    fit(module_of(like_the_reals), 40, callbacks=[callback])  # steps of 8
    assert [moment for moment, _ in notes.lines] == [16, 32, 40]
    assert callback.values == notes.lines[-1][1]
    assert callback.values["diversity/within"] == pytest.approx(callback.values["diversity/within_reals"], rel=0.1)
    assert warnings(caplog) == []


def test_a_collapsed_generator_is_told_of_once_and_not_while_it_is_young(notes, tmp_path, caplog):
    callback = watch(notes, tmp_path, total=64)  # young until 32 images
    fit(module_of(one_picture_a_class), 16, callbacks=[callback])
    assert warnings(caplog) == []
    fit(module_of(one_picture_a_class), 64, callbacks=[callback])
    (said,) = warnings(caplog)
    assert "warning: samples of one class look alike: spread 0.00 against" in said
    assert "of the reals; try 'data.labels: false', a penalty" in said
    assert all(line["diversity/within"] == 0 for _, line in notes.lines)


def test_the_warning_of_a_long_run_does_not_wait_for_its_half():
    assert DiversityCallback(EVERY_16, TinyData(), 25_000_000).settled_at == 100_000


def test_other_ranks_do_nothing(notes, tmp_path):
    callback = watch(notes, tmp_path)
    other = type("Trainer", (), {"is_global_zero": False})()
    module = tiny_gan()
    module.clock.advance(16)
    callback.on_train_start(other, module)
    callback.on_train_batch_end(other, module, None, None, 0)
    callback.on_train_end(other, module)
    assert notes.lines == []
    assert callback.values == {}


def test_what_came_after_a_rollback_is_looked_at_again(notes, tmp_path):
    callback = watch(notes, tmp_path)
    trainer = type("Trainer", (), {"is_global_zero": True})()
    module = tiny_gan()
    module.clock.advance(16)
    for _ in range(2):
        callback.on_train_batch_end(trainer, module, None, None, 0)
    callback.rewind(0)
    callback.on_train_batch_end(trainer, module, None, None, 0)
    assert [moment for moment, _ in notes.lines] == [16, 16]


def test_reals_without_any_difference_are_left_alone(notes, tmp_path, caplog):
    data = TinyData()
    data.images = torch.full_like(data.images, 9)
    fit(module_of(one_picture_a_class), 64, callbacks=[watch(notes, tmp_path, data=data)])
    assert notes.lines == []
    assert warnings(caplog) == []


def test_a_run_looks_by_default_and_can_be_told_not_to(tiny_runs):
    tiny_runs.diversity = next(field.default_factory() for field in fields(Spec) if field.name == "diversity")
    log = tiny_runs.train().run.path / "log.jsonl"
    assert "diversity/within" in log.read_text()
    outcome = tiny_runs.train(diversity=None)
    assert "diversity" not in (outcome.run.path / "log.jsonl").read_text()
    assert outcome.diversity == {}

"""When scalars are taken, and what is shown of them."""

import io

import pytest
from rich.console import Console

from ganlab.run import tracking_callback
from ganlab.run.part import RunPart
from ganlab.run.tracking_callback import TrackingCallback
from ganlab.spec.model import TrackingSection
from ganlab.tracking import progress as progress_module
from ganlab.tracking import tracker as tracker_module
from ganlab.tracking.progress import Progress
from ganlab.tracking.tracker import Tracker, Trackers
from tests.tiny import tiny_gan
from tests.training.fitting import fit


class Notes(Tracker):
    def __init__(self):
        self.lines, self.signs = [], []

    def scalars(self, images_seen, values):
        self.lines.append((images_seen, dict(values)))

    def advance(self, images_seen):
        self.signs.append(images_seen)


def test_takes_means_by_the_clock_and_what_is_left_at_the_end(tmp_path):
    notes = Notes()
    callback = TrackingCallback(TrackingSection(every_kimg=0.02, progress=False), 48)
    callback.attach(tmp_path, Trackers([notes]))
    fit(tiny_gan(), 48, callbacks=[callback])  # steps of 8
    assert [moment for moment, _ in notes.lines] == [24, 40, 48]
    assert {"discriminator/loss", "generator/loss"} <= set(notes.lines[0][1])
    assert notes.signs[-1] == 48
    assert all(values["images_per_second"] > 0 and values["memory_mib"] > 1 for _, values in notes.lines)


def test_the_logged_speed_leaves_pauses_out(tmp_path, monkeypatch):
    """Every step takes a second and shows 8 images; the evaluation in between takes a hundred."""

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(tracking_callback, "time", clock)
    monkeypatch.setattr(tracker_module, "time", clock)
    notes = Notes()
    trackers = Trackers([notes])

    class Pausing(RunPart):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            clock.now += 1
            if pl_module.clock.images_seen == 16:
                with trackers.pausing("evaluating"), trackers.pausing("drawing samples"):
                    clock.now += 100

    callback = TrackingCallback(TrackingSection(every_kimg=0.024, progress=False), 48)
    callback.attach(tmp_path, trackers)
    fit(tiny_gan(), 48, callbacks=[Pausing(), callback])
    assert [values["images_per_second"] for _, values in notes.lines] == [8.0, 8.0]


def test_games_add_scalars_of_the_moment(tmp_path):
    notes, gan = Notes(), tiny_gan()
    gan.scalars_now = lambda: {"growth/resolution": gan.clock.images_seen}
    callback = TrackingCallback(TrackingSection(every_kimg=0.024, progress=False), 48)
    callback.attach(tmp_path, Trackers([notes]))
    fit(gan, 48, callbacks=[callback])
    assert [values["growth/resolution"] for _, values in notes.lines] == [24, 48]


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def test_speed_and_time_left(clock):
    progress = Progress(100_000, 20_000, Console(file=io.StringIO()))
    assert progress.describe(20_000) == "20.0 of 100 kimg  0 images/s  ? left"
    images = 20_000
    for second in range(1, 101):
        clock.now = second
        images += 100 if second <= 50 else 200  # what was slow half a minute ago no longer counts
        progress.advance(images)
    assert progress.images_per_second == pytest.approx(200)
    assert progress.describe(images) == "35.0 of 100 kimg  200 images/s  0:05:25 left"


def test_a_line_now_and_then_where_nobody_watches(clock):
    output = io.StringIO()
    progress = Progress(10_000, console=Console(file=output))
    progress.scalars(1000, {"discriminator/loss": 1.25})
    for second in range(0, 100, 10):
        clock.now = second
        progress.advance(second * 10)
    assert output.getvalue().count("\n") == 3
    progress.finish("finished")
    assert output.getvalue().splitlines()[-1] == "0.9 of 10 kimg  10 images/s  0:15:10 left  discriminator/loss 1.25"


def test_a_bar_on_a_terminal(clock):
    output = io.StringIO()
    progress = Progress(10_000, console=Console(file=output, force_terminal=True, width=120))
    clock.now = 10
    progress.scalars(5000, {"discriminator/loss": 1.25})
    progress.advance(5000)
    progress.finish("finished")
    text = output.getvalue()
    assert "5.0 of 10 kimg  500 images/s  0:00:10 left" in text
    assert "discriminator/loss 1.25" in text


def test_the_bar_leaves_room_for_the_words_on_a_narrow_terminal(clock):
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=80)
    progress = Progress(12_000_000, 11_000_000, console, stage=lambda images: images >= 11_999_999)
    for clock.now, images in ((1, 11_000_001), (2, 11_000_003)):
        progress.advance(images)
    progress.finish("finished")
    assert "11000.0 of 12000 kimg  2 images/s  more than 7 days, 17:" in output.getvalue()
    assert "left" in output.getvalue()


def test_pauses_are_shown_and_are_no_part_of_the_speed(clock):
    output = io.StringIO()
    progress = Progress(100_000, console=Console(file=output, force_terminal=True, width=120))
    for clock.now, images in ((1, 100), (2, 200)):
        progress.advance(images)
    progress.pause("evaluating")
    assert "0.2 of 100 kimg  evaluating" in output.getvalue()
    assert progress.describe(200) == "0.2 of 100 kimg  evaluating"
    clock.now += 1000
    progress.go_on()
    assert progress.describe(200) == "0.2 of 100 kimg  100 images/s  0:16:38 left"
    clock.now += 1
    progress.advance(300)
    assert progress.images_per_second == pytest.approx(100)
    progress.finish("finished")


def test_the_time_left_is_a_lower_bound_while_stages_are_to_come(clock):
    """1000 images at 100 a second, then at 10 a second."""
    progress = Progress(2000, console=Console(file=io.StringIO()), stage=lambda images: images >= 1000)
    for clock.now in range(1, 10):
        progress.advance(int(clock.now) * 100)
    assert progress.describe(900) == "0.9 of 2 kimg  100 images/s  more than 0:00:11 left"
    for step in range(10):
        clock.now += 1
        progress.advance(1000 + 10 * step)
    assert progress.describe(1090) == "1.1 of 2 kimg  10 images/s  0:01:31 left"


def test_a_rollback_does_not_make_the_speed_negative(clock):
    progress = Progress(10_000, console=Console(file=io.StringIO()))
    for clock.now, images in ((1, 1000), (2, 2000), (3, 500), (4, 1500)):
        progress.advance(images)
    assert progress.images_per_second == pytest.approx(1000)

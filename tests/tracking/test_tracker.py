"""Several trackers as one, and a broken one among them."""

import logging

import pytest

from ganlab.tracking.tracker import Tracker, Trackers


class Notes(Tracker):
    def __init__(self, name="notes", fail=""):
        self.name, self.fail, self.calls = name, fail, []

    def scalars(self, images_seen, values):
        self._note("scalars")

    def metrics(self, images_seen, values, protocol, error=None, notes=()):
        self._note("metrics")

    def image(self, images_seen, name, path):
        self._note("image")

    def advance(self, images_seen):
        self._note("advance")

    def finish(self, status):
        self._note(f"finish {status}")

    def gap(self, what):
        self._note(f"gap {what}")

    def _note(self, what):
        self.calls.append(what)
        if self.fail and what.startswith(self.fail):
            raise OSError("no space left on device\nsecond line")


def tell_everything(trackers, path):
    for moment in (1, 2):
        trackers.scalars(moment, {})
        trackers.metrics(moment, {}, {})
        trackers.image(moment, "samples", path)
        trackers.advance(moment)
    trackers.finish("finished")


@pytest.mark.parametrize("fail", ["scalars", "metrics", "image", "advance", "finish"])
def test_a_tracker_that_raises_is_tried_again_and_costs_one_warning(caplog, tmp_path, fail):
    broken, sound = Notes("broken", fail), Notes()
    with caplog.at_level(logging.WARNING):
        tell_everything(Trackers([broken, sound]), tmp_path)
    told = [call for call in sound.calls if not call.startswith("gap")]
    assert told == [*["scalars", "metrics", "image", "advance"] * 2, "finish finished"]
    assert sum(call.startswith(fail) for call in broken.calls) == (1 if fail == "finish" else 2)
    assert [record.getMessage() for record in caplog.records] == [
        "ganlab: warning: broken cannot be written to: OSError: no space left on device; the run goes on, and it is "
        "tried again"
    ]
    missing = {"scalars": "scalars", "metrics": "metrics", "image": "samples"}.get(fail)
    gaps = [f"gap broken: {missing} of {moment} images: OSError: no space left on device" for moment in (1, 2)]
    assert [call for call in sound.calls if call.startswith("gap")] == (gaps if missing else [])


def test_nobody_follows_after_the_end():
    notes = Notes()
    trackers = Trackers([notes])
    trackers.finish("finished")
    trackers.finish("finished")
    assert notes.calls == ["finish finished"]

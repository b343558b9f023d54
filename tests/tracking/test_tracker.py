"""Several trackers as one, and a broken one among them."""

import logging

from ganlab.tracking.tracker import Tracker, Trackers


class Notes(Tracker):
    def __init__(self, name="notes", fail=""):
        self.name, self.fail, self.calls = name, fail, []

    def scalars(self, images_seen, values):
        self._note("scalars")

    def metrics(self, images_seen, values, protocol, error=None):
        self._note("metrics")

    def image(self, images_seen, name, path):
        self._note("image")

    def advance(self, images_seen):
        self._note("advance")

    def finish(self, status):
        self._note(f"finish {status}")

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


def test_a_tracker_that_raises_is_switched_off_with_one_warning(caplog, tmp_path):
    for fail in ("scalars", "metrics", "image", "advance", "finish"):
        caplog.clear()
        broken, sound = Notes("broken", fail), Notes()
        with caplog.at_level(logging.WARNING):
            tell_everything(Trackers([broken, sound]), tmp_path)
        assert sound.calls == [*["scalars", "metrics", "image", "advance"] * 2, "finish finished"]
        assert sum(call.startswith(fail) for call in broken.calls) == 1
        assert [record.getMessage() for record in caplog.records] == [
            "ganlab: warning: broken is switched off for this run, which goes on without it: "
            "OSError: no space left on device"
        ]


def test_nobody_follows_after_the_end():
    notes = Notes()
    trackers = Trackers([notes])
    trackers.finish("finished")
    trackers.finish("finished")
    assert notes.calls == ["finish finished"]

"""Moments run forwards, whatever training does."""

from ganlab.tracking.axis import ForwardAxis
from ganlab.tracking.jsonl import JsonlTracker


def told(axis, moments):
    return [moment for moment in moments if axis.admits(moment)]


def test_everything_is_news_in_a_run_without_accidents():
    assert told(ForwardAxis(), (0, 0, 10, 20, 20)) == [0, 0, 10, 20, 20]


def test_what_comes_again_after_a_rollback_is_left_out():
    axis = ForwardAxis()
    told(axis, (0, 10, 20, 30))
    axis.rewind()
    assert told(axis, (15, 20, 30, 40)) == [30, 40], "of the last moment, something may be missing"
    axis.rewind()
    assert told(axis, (20, 40, 50)) == [40, 50]


def test_a_resumed_run_goes_on_where_its_files_end(tmp_path):
    lines = JsonlTracker(tmp_path)
    lines.begin()
    for moment in (0, 10, 20):
        lines.scalars(moment, {"loss": 1.0})
    lines.metrics(30, {"swd": 1.0}, {"metric": "swd"})
    assert told(ForwardAxis.of_run(tmp_path), (10, 20, 30, 40)) == [30, 40]
    assert told(ForwardAxis.of_run(tmp_path / "new"), (0, 10)) == [0, 10]


def test_what_a_service_has_already_is_left_out():
    axis = ForwardAxis()
    axis.skip_to(11)
    assert told(axis, (0, 10, 20)) == [20]

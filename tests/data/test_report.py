from __future__ import annotations

import json

import pytest
import torch
from PIL import Image

from ganlab.data import FileRecord, preflight
from ganlab.data.report import report_on
from ganlab.errors import DataError
from tests.data.toys import Numbered, Points, Sequences


def test_a_sound_data_set_passes(tmp_path):
    preflight(Numbered(20))
    report = report_on(Numbered(20), tmp_path)
    assert report.problems == report.duplicates == report.unreadable == []
    assert (report.count, report.shape, report.types) == (20, (1, 2, 2), ["uint8"])
    assert report.values_found == (0, 100)
    assert report.classes == {"a": 7, "b": 7, "c": 6}
    assert Image.open(report.samples).size == (8 * 2 * 62 + 14, 8 * 2 * 62 + 14)  # to be looked at: 62 times
    assert json.loads(json.dumps(report.as_json()))["count"] == 20


def test_all_unreadable_examples_are_named_in_the_report_and_ten_before_training():
    broken = Numbered(600, broken=range(100, 600, 25))
    report = report_on(broken)
    assert len(report.unreadable) == 20
    assert all(f"picture{index}.png" in report.problems[0] for index in range(100, 600, 25))
    with pytest.raises(DataError, match="20 of 600") as caught:
        preflight(broken)
    assert str(caught.value).count(".png") == 10
    assert "10 more" in str(caught.value)


def test_problems_of_headers_count_without_reading():
    dataset = Numbered(3)
    dataset.inspect = lambda: [FileRecord("a", "L", (2, 2)), FileRecord("b", problem="b is bad"), FileRecord("c", "L")]
    assert report_on(dataset).unreadable == ["b is bad"]
    assert report_on(dataset).sizes == {"2 x 2": 1}
    with pytest.raises(DataError, match="b is bad"):
        preflight(dataset)


def test_duplicates_and_empty_classes_are_remarks():
    points = torch.tensor([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0]])
    report = report_on(Points(points))
    assert report.duplicates == [["example 0", "example 2"]]
    assert "1 exact duplicates" in report.remarks[0]
    assert not report.problems
    assert "no examples: c" in report_on(Numbered(2)).remarks[-1]


def test_numbers_that_are_not_finite_are_a_problem():
    points = torch.zeros(10, 2)
    points[4, 1] = float("nan")
    with pytest.raises(DataError, match="example 4"):
        preflight(Points(points))


def test_vectors_get_a_scatter_plot(tmp_path):
    report = report_on(Points(torch.randn(50, 2)), tmp_path)
    assert Image.open(report.samples).size == (600, 600)


def test_images_outside_the_declared_range_are_remarked():
    dataset = Numbered(20, torch.float32)
    dataset.facts = type(dataset.facts)((1, 2, 2), 20, "x", value_range=(0.0, 1.0), class_names=("a", "b", "c"))
    assert "0 to 100" in report_on(dataset).remarks[0]


def test_an_empty_data_set_is_refused():
    with pytest.raises(DataError, match="empty"):
        preflight(Numbered(0))


def test_sequences_are_rows_of_their_frames_in_the_picture_of_a_report(tmp_path):
    report = report_on(Sequences(6), tmp_path)
    picture = Image.open(report.samples)
    step = (picture.width + 2) // 3  # frames of a row, with gaps of 2
    assert picture.height + 2 == step * 8  # rows, of which two stay black
    rows = [[picture.getpixel((frame * step + step - 4, row * step + 2)) for frame in range(3)] for row in range(6)]
    assert rows == [[10 * index + frame for frame in range(3)] for index in range(6)]

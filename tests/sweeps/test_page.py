"""The page of a sweep, in a real browser."""

from __future__ import annotations

import json

import pytest

from ganlab.sweeps.results import read_sweep
from ganlab.sweeps.results_page import page_data, write_sweep_page
from tests.sweeps.made import make_sweep

LARGE = {"width": 1200, "height": 900}
SHAPES = (LARGE, LARGE | {"dark": True}, {"width": 400, "height": 800, "phone": True})


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    path = root / "sweep.html"
    write_sweep_page(read_sweep(make_sweep(root)), path)
    return path


def test_nothing_goes_wrong_and_nothing_is_fetched(browser, page):
    for shape in SHAPES:
        browser.problems.clear()
        browser.requests.clear()
        browser.shape(**shape)
        browser.open(page)
        browser.run("document.querySelector('#curves').scrollIntoView()")
        browser.wait("document.querySelector('#curves path.line')")
        assert browser.problems == []
        assert {address for address in browser.requests if not address.startswith("data:")} == {page.as_uri()}
        assert browser.run("document.documentElement.scrollWidth <= innerWidth"), shape


def test_all_parts_are_drawn(browser, page):
    browser.shape(**SHAPES[0])
    browser.open(page)
    assert browser.run("document.querySelectorAll('#ranks tbody tr').length") == 12
    browser.wait("document.querySelectorAll('#parallel path.line').length === 23")
    assert browser.run("document.querySelectorAll('#parallel path.stopped').length") == 7
    assert browser.run("document.querySelectorAll('#bars .bar-row').length") == 4
    browser.run("document.querySelector('#curves').scrollIntoView()")
    browser.wait("document.querySelectorAll('#curves path.cross').length === 7")
    assert browser.run("document.querySelectorAll('#samples img.grid-of-samples').length") == 4
    assert browser.run("document.querySelectorAll('#every tbody tr').length") == 24
    assert browser.run("document.body.innerText.includes('<b>wasserstein</b>')"), "texts of the file are texts"


def test_a_line_tells_its_trial(browser, page):
    browser.shape(**SHAPES[0])
    browser.open(page)
    browser.wait("document.querySelector('#parallel path.line')")
    browser.run("document.querySelector('#parallel path.line').dispatchEvent(new PointerEvent('pointerenter'))")
    text = browser.run("document.querySelector('.parallel .readout').textContent")
    assert text.startswith("trial ")
    assert "metrics/score" in text


def test_the_winner_can_be_copied(browser, page):
    browser.shape(**SHAPES[0])
    browser.open(page)
    text = browser.run("document.querySelector('#winner pre').textContent")
    assert text.startswith("ganlab train spec.yaml ")
    assert "architecture.loss=hinge" in text
    browser.run("document.querySelector('#winner details').open = true")
    assert "name: quickstart" in browser.run("document.querySelector('#winner details pre').textContent")


def test_a_sweep_that_has_hardly_begun_has_a_page_as_well(browser, tmp_path):
    folder = make_sweep(tmp_path, 1, pictures=False)
    data = page_data(read_sweep(folder))
    json.dumps(data, allow_nan=False)
    write_sweep_page(read_sweep(folder), tmp_path / "page.html")
    browser.problems.clear()
    browser.open(tmp_path / "page.html")
    assert browser.problems == []
    assert "too few to tell" in browser.run("document.body.innerText")

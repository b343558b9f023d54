"""The page of runs, in a real browser."""

from __future__ import annotations

import json
import re
import time

import pytest

from ganlab.errors import RunError
from ganlab.run.lock import RunLock
from ganlab.studies import report
from ganlab.studies.page import page
from ganlab.studies.record import RunRecord
from ganlab.studies.report import follow, usual_place, write_report
from tests.studies.browser import Page
from tests.studies.made import PROTOCOL, make_run, write_lines
from tests.studies.test_runs import ganlab

EVENTS = (("rollback", "the gradient is not finite"), ("best", "</script><b>lowest</b>"), ("end", "finished"))
LINES = "document.querySelectorAll('[data-name=\"generator/loss\"] path.line')"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The page of one run, and that of two that differ."""
    root = tmp_path_factory.mktemp("runs")
    first = make_run(root, "20260101-000000", pictures=True, events=EVENTS)
    second = make_run(
        root, "20260102-000000", pictures=True, seed=1, protocol=PROTOCOL | {"samples": 7}, swd=(9.0, 3.0, 2.0)
    )
    write_report([RunRecord(first)], root / "one.html")
    write_report([RunRecord(first), RunRecord(second)], root / "two.html")
    return root


def show(browser: Page, path, **shape) -> None:
    browser.shape(**({"width": 1200, "height": 900} | shape))
    browser.open(path)
    browser.run("sessionStorage.clear()")
    browser.open(path)


def near(browser: Page, name: str) -> None:
    """Charts are drawn when they come near."""
    browser.run(f"document.querySelector('[data-name=\"{name}\"]').scrollIntoView()")
    browser.wait(f"document.querySelector('[data-name=\"{name}\"] path.line')")


def test_nothing_goes_wrong_and_nothing_is_fetched(browser, pages) -> None:
    for name in ("one", "two"):
        for shape in ({"width": 1200}, {"width": 390, "phone": True, "dark": True}):
            browser.problems.clear()
            browser.requests.clear()
            show(browser, pages / f"{name}.html", **shape)
            browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")
            near(browser, "generator/loss")
            assert browser.problems == []
            fetched = {address for address in browser.requests if not address.startswith("data:")}
            assert fetched == {(pages / f"{name}.html").as_uri()}
            assert browser.run("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than {shape}"
    assert browser.run("document.body.innerText.includes('<b>tiny</b>.yaml')"), "texts of runs are texts"


def test_the_slider_moves_the_samples(browser, pages) -> None:
    show(browser, pages / "two.html")
    state = "JSON.stringify([document.querySelector('.player output').textContent, "
    state += "...[...document.querySelectorAll('img.grid-of-samples')].map((each) => each.src)])"
    last, *images = json.loads(browser.run(state))
    assert last == "3 kimg"
    assert len(images) == 2
    browser.run("document.getElementById('moment').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="ArrowLeft", code="ArrowLeft", windowsVirtualKeyCode=37)
    before, *others = json.loads(browser.run(state))
    assert before == "2 kimg"
    assert all(now != then for now, then in zip(others, images, strict=True))
    browser.wait("[...document.images].every((each) => each.complete && each.naturalWidth > 0)")
    browser.run("document.getElementById('play').click()")
    browser.wait("document.querySelector('.player output').textContent === '3 kimg'")


def test_charts_of_one_number_by_two_protocols_are_hidden_one_by_one(browser, pages) -> None:
    show(browser, pages / "two.html")
    charts = "[...document.querySelectorAll('[data-name=\"swd/average\"]')].map((each) => each.style.display)"
    buttons = "[...document.querySelectorAll('.chips button')]"
    chips = f"{buttons}.filter((each) => each.textContent.startsWith('swd/average'))"
    assert json.loads(browser.run(f"JSON.stringify({chips}.map((each) => each.textContent))")) == [
        "swd/average [1]",
        "swd/average [2]",
    ]
    browser.run(f"{chips}[1].click()")
    browser.open(pages / "two.html")
    assert json.loads(browser.run(f"JSON.stringify({charts})")) == ["", "none"]


def test_samples_are_decoded_before_a_page_is_printed(browser, pages) -> None:
    show(browser, pages / "two.html")
    ways = "[...document.querySelectorAll('img.grid-of-samples')].map((each) => each.decoding)"
    assert json.loads(browser.run(f"JSON.stringify({ways})")) == ["sync", "sync"]  # else a printed page may lack them


def test_curves_toggle_zoom_and_are_smoothed(browser, pages) -> None:
    show(browser, pages / "two.html")
    near(browser, "generator/loss")
    assert browser.run(f"{LINES}.length") == 2
    browser.run("document.querySelector('#runs button').click()")
    browser.wait(f"{LINES}.length === 1")
    assert browser.run("document.querySelector('#runs button').getAttribute('aria-pressed')") == "false"
    whole = browser.run(f"{LINES}[0].getAttribute('d')")
    browser.run("{const s = document.getElementById('smoothing'); s.value = 1; s.dispatchEvent(new Event('input'))}")
    browser.wait("document.querySelector('[data-name=\"generator/loss\"] path.raw')")
    assert browser.run(f"{LINES}[0].getAttribute('d')") != whole
    browser.run("{const s = document.getElementById('smoothing'); s.value = 0; s.dispatchEvent(new Event('input'))}")
    browser.drag('[data-name="generator/loss"] svg', 0.4, 0.7)
    browser.wait(f"{LINES}[0].getAttribute('d') !== {json.dumps(whole)}")
    assert browser.run("view.range[0] > 0.5 && view.range[1] < 2.5")
    browser.run("document.getElementById('whole').click()")
    browser.wait(f"{LINES}[0].getAttribute('d') === {json.dumps(whole)}")


def test_a_value_that_is_not_finite_is_a_gap(browser, pages) -> None:
    show(browser, pages / "one.html")
    near(browser, "discriminator/loss")
    drawn = browser.run("document.querySelector('[data-name=\"discriminator/loss\"] path.line').getAttribute('d')")
    assert drawn.count("M") == 2
    assert browser.run("document.querySelectorAll('[data-name=\"discriminator/loss\"] .event').length") == 1


def test_all_charts_are_there_where_the_page_is_printed(browser, pages) -> None:
    show(browser, pages / "one.html")
    shown = "[...document.querySelectorAll('.chart')].filter((each) => !each.closest('details:not([open])'))"
    assert browser.run(f"{shown}.length") > 3
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.wait(f"{shown}.every((each) => each.querySelector('path.line'))")


def test_tables_sort(browser, pages, tmp_path) -> None:
    run = make_run(tmp_path, events=EVENTS)
    more = {"swd/average": 9.0, "swd/16": 11.0, "swd/part": 1.0, "swd/part/a": 3.0, "protocol": PROTOCOL}
    write_lines(run / "metrics.jsonl", [(3000, more)])
    write_report([RunRecord(run)], tmp_path / "one.html")
    show(browser, tmp_path / "one.html")
    column = "[...document.querySelectorAll('#numbers tbody tr td:first-child')].map((each) => each.textContent).join()"
    kimg = "[...document.querySelectorAll('#diary tbody tr td:nth-child(2)')].map((each) => each.textContent).join()"
    assert browser.run(column) == "swd/16,swd/average,swd/part", "parts of parts have charts, folded"
    browser.run("document.querySelectorAll('#numbers th button')[1].click()")
    assert browser.run(column) == "swd/part,swd/average,swd/16"
    browser.run("document.querySelectorAll('#numbers th button')[1].click()")
    assert browser.run(column) == "swd/16,swd/average,swd/part"
    browser.run("document.querySelectorAll('#diary th button')[1].click()")
    assert browser.run(kimg) == "best,end,rollback"


def test_colours_follow_the_system_and_the_reader(browser, pages) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    show(browser, pages / "one.html")
    light = browser.run(colour)
    show(browser, pages / "one.html", dark=True)
    dark = browser.run(colour)
    assert light != dark
    button = "[...document.querySelectorAll('button')].find((each) => each.textContent.startsWith('colours'))"
    browser.run(f"{button}.click()")
    assert browser.run(colour) == light
    browser.run(f"{button}.click()")
    assert browser.run(colour) == dark


def test_a_live_page_keeps_what_was_set(browser, pages) -> None:
    write_report([RunRecord(next((pages / "tiny").iterdir()))], pages / "live.html", live=1.5)
    show(browser, pages / "live.html")
    browser.run("{const s = document.getElementById('moment'); s.value = 1; s.dispatchEvent(new Event('input'))}")
    browser.run("window.before = true")
    browser.wait("window.before === undefined && document.querySelector('.player output')")
    assert browser.run("document.querySelector('.player output').textContent") == "1 kimg"
    browser.call("Page.navigate", url="about:blank")


def test_what_the_page_says(pages) -> None:
    text = (pages / "two.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert [run["label"] for run in data["runs"]] == ["tiny, seed 0", "tiny, seed 1"]
    assert {row["key"] for row in data["differences"]} == {"seed"}
    assert [row["name"] for row in data["protocol_rows"] if row["differs"]] == ["samples"]
    charts = [chart for group in data["metrics"] for chart in group["charts"] if chart["name"] == "swd/average"]
    assert [[curve["run"] for curve in chart["curves"]] for chart in charts] == [[0], [1]], "protocols are not mixed"
    links = [cell["link"] for run in data["runs"] for cell, *_ in run["checkpoints"]]
    assert all((pages / link).is_file() for link in links)
    assert not re.search(r"(src|href)\s*=\s*[\"']?https?:", text)
    assert len(text) < 3_000_000


def test_data_cannot_end_their_element() -> None:
    text = page("<t>", {"x": "</script><script>alert(1)</script> {{style}}"}, "report")
    assert "alert(1)</script>" not in text
    assert "<title>&lt;t&gt;</title>" in text
    with pytest.raises(ValueError, match="JSON compliant"):
        page("t", {"x": float("nan")}, "report")


def test_commands_write_where_they_say(tmp_path, monkeypatch) -> None:
    run = make_run(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    assert ganlab("report", "tiny").stdout.strip() == str(run / "report.html")
    make_run(tmp_path / "runs", name="other")
    assert ganlab("report", "tiny", "other").stdout.strip() == "report.html"
    assert usual_place([RunRecord(run)]) == run / "report.html"
    with pytest.raises(RunError, match="cannot be written"):
        write_report([RunRecord(run)], tmp_path / "runs")


def test_a_live_page_loads_itself_anew_until_the_end(tmp_path, monkeypatch) -> None:
    run = make_run(tmp_path)
    lock, path, lives = RunLock(run), tmp_path / "live.html", []

    def sleep(seconds: float) -> None:
        lives.append(re.search(r'"live":([^,]+)', path.read_text())[1])
        lock.release()

    monkeypatch.setattr(report, "time", type("Clock", (), {"sleep": staticmethod(sleep), "time": time.time}))
    follow([run], path, 5.0)
    assert lives == ["5.0"]
    assert '"live":null' in path.read_text()

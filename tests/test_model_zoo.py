"""`benchmarks/model_zoo.py`: what it trains, when it trains again, and what it writes of it."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from ganlab.spec import read_spec
from tests.studies.made import make_run

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/model-zoo.md"


@pytest.fixture
def zoo(monkeypatch) -> SimpleNamespace:
    """The modules of the benchmark, which are no package."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    names = {"script": "model_zoo", "entries": "model_zoo_entries", "page": "model_zoo_page"}
    return SimpleNamespace(**{short: importlib.import_module(name) for short, name in names.items()})


def a_training(zoo, root: Path, **made):
    run = make_run(root, **made)
    Image.effect_noise((160, 160), 90).save(run / "samples/latest.png")
    panels = (("discriminator/loss",), ("generator/loss", "images_per_second"), ("swd/average",))
    entry = zoo.entries.Entry("A tiny GAN", "tiny.yaml", panels, ("swd/average",), ("kimg=3",))
    return zoo.page.Trained(entry, run, 90.0)


def test_every_spec_with_its_overrides_measures_what_the_table_shows(zoo) -> None:
    for name, entry in zoo.entries.ENTRIES.items():
        spec = read_spec(ROOT / "experiments" / entry.spec, list(entry.overrides))
        measured = {str(metric.name) for metric in spec.evaluation.metrics} if spec.evaluation else set()
        of_metrics = {figure for figure in entry.figures if not figure.startswith(("generator/", "reconstruction/"))}
        assert {figure.partition("/")[0] for figure in of_metrics} <= measured, name
        assert set(entry.figures) <= set(zoo.entries.LABELS), name


def test_only_a_whole_training_of_the_same_words_is_not_run_again(zoo, tmp_path) -> None:
    made = a_training(zoo, tmp_path)
    assert zoo.script.whole("tiny", made.entry, tmp_path) is None
    zoo.script.keep("tiny", made.entry, tmp_path, made.run, 90.0)
    assert zoo.script.whole("tiny", made.entry, tmp_path) == made
    longer = zoo.entries.Entry(made.entry.title, made.entry.spec, made.entry.panels, made.entry.figures, ("kimg=6",))
    assert zoo.script.whole("tiny", longer, tmp_path) is None


def test_a_training_that_was_stopped_is_not_whole(zoo, tmp_path) -> None:
    made = a_training(zoo, tmp_path, events=(("end", "stopped by a signal"),))
    zoo.script.keep("tiny", made.entry, tmp_path, made.run, 90.0)
    assert zoo.script.whole("tiny", made.entry, tmp_path) is None


def test_figures_are_the_last_of_the_run(zoo, tmp_path) -> None:
    made = a_training(zoo, tmp_path, swd=(90.0, 40.0, 17.25))
    assert zoo.page.figures_of(made) == "SWD 17.2"
    told = zoo.page.section("tiny", made)
    assert told.startswith("`ganlab train experiments/tiny.yaml kimg=3`: 3 kimg in 1.5 minutes of one core; SWD 17.2.")
    assert "| 3 | 1.5 | SWD 17.2 |" in zoo.page.table([made], "a machine")


def test_a_picture_is_small_and_has_a_palette(zoo, tmp_path) -> None:
    made = a_training(zoo, tmp_path)
    path = tmp_path / "zoo-tiny.png"
    zoo.page.draw(made, path)
    assert path.stat().st_size <= 60_000
    assert Image.open(path).mode == "P"


def test_a_panel_of_something_that_was_not_logged_is_refused(zoo, tmp_path) -> None:
    made = a_training(zoo, tmp_path)
    (made.run / "metrics.jsonl").unlink()
    with pytest.raises(ValueError, match="no 'swd/average'; there are discriminator/loss"):
        zoo.page.draw(made, tmp_path / "zoo-tiny.png")


def test_parts_of_the_page_are_written_into_their_places_only(zoo) -> None:
    page = "# Page\n<!-- zoo a -->\nold\n<!-- end of zoo a -->\nprose\n<!-- zoo b -->\n<!-- end of zoo b -->\n"
    new = zoo.page.filled(page, {"a": r"new \1"})
    assert new == page.replace("old", r"new \1")
    assert zoo.page.filled(zoo.page.filled(new, {"b": "more"}), {"a": "old", "b": "more"}) == page.replace(
        "<!-- zoo b -->\n", "<!-- zoo b -->\nmore\n"
    )


@pytest.mark.parametrize("copies", [0, 2])
def test_a_part_without_one_place_is_refused(zoo, copies: int) -> None:
    with pytest.raises(ValueError, match=f"{copies} places for 'a': below the heading"):
        zoo.page.filled("<!-- zoo a -->\n<!-- end of zoo a -->\n" * copies, {"a": "text"})


def test_every_picture_of_the_zoo_is_on_the_page_and_of_an_entry(zoo) -> None:
    pictures = {path.name.removeprefix("zoo-").removesuffix(".png") for path in PAGE.parent.glob("images/zoo-*.png")}
    assert pictures <= set(zoo.entries.ENTRIES)
    assert all(f"](images/zoo-{name}.png)" in PAGE.read_text() for name in pictures)

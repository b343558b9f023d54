"""The campaign at every fourth point at which a tiny run changes its folder, in every class of faults.

`python -m tests.faults.campaign` tries every point, which takes a quarter of an hour and more.
"""

from __future__ import annotations

import pytest

from tests.faults.campaign import ROOT, WAYS, Result, compile_shim, run_campaign, table, write_table

CLASSES = [name + where for name in WAYS for where in ("", " in a resumed run")]
EVERY = 4


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, Result]:
    try:
        compile_shim(tmp_path_factory.mktemp("compiler"))
    except FileNotFoundError as missing:
        pytest.skip(f"there is no {missing}")
    return {result.name: result for result in run_campaign(tmp_path_factory.mktemp("campaign"), EVERY)}


def test_the_table_takes_the_place_of_the_old_one(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n\n" + table([Result("kill", 3, 3)]) + "\n\nAfter.\n")
    write_table([Result("kill", 5, 5), Result("error", 2, 8, ["somewhere"])], page)
    head = "| class | points tried | held |\n|---|---|---|\n"
    assert page.read_text() == f"Before.\n\n{head}| kill | 5 | 5 |\n| error | 2 of 8 | 1 |\n\nAfter.\n"
    page = ROOT / "docs" / "reliability.md"
    assert page.read_text().count(head) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSES)
def test_nothing_is_lost(results, name) -> None:
    assert results[name].points >= 3
    assert results[name].broken == []

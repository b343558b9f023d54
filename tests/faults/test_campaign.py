"""The campaign at every fourth point at which a tiny run changes its folder, in every class of faults.

`python -m tests.faults.campaign` tries every point, which takes a quarter of an hour and more.
"""

from __future__ import annotations

import pytest

from tests.faults.campaign import WAYS, Result, compile_shim, run_campaign

CLASSES = [name + where for name in WAYS for where in ("", " in a resumed run")]
EVERY = 4


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, Result]:
    try:
        compile_shim(tmp_path_factory.mktemp("compiler"))
    except FileNotFoundError as missing:
        pytest.skip(f"there is no {missing}")
    return {result.name: result for result in run_campaign(tmp_path_factory.mktemp("campaign"), EVERY)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSES)
def test_nothing_is_lost(results, name) -> None:
    assert results[name].points >= 3
    assert results[name].broken == []

"""The conformance kit over every installed entry point: a new plugin is tested without a new test."""

from __future__ import annotations

import pytest

from ganlab.plugins import installed
from ganlab.testing import CHECKS

CASES = [
    pytest.param(
        check,
        plugin.reference,
        id=f"{plugin.kind}-{plugin.name}-{check.__name__.removeprefix('check_')}",
        marks=[pytest.mark.slow] if check.__name__ == "check_bounds" else [],  # data sets of millions, deepest networks
    )
    for plugin in installed()
    for check in CHECKS[plugin.kind]
]


@pytest.mark.parametrize(("check", "name"), CASES)
def test_conforms(check, name: str) -> None:
    check(name)

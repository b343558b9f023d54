"""What docstrings say of options, as readers of the reference and of `ganlab plugins KIND NAME` see it."""

from __future__ import annotations

import re

import pytest

from ganlab.plugins import installed
from ganlab.spec.constructor import constructor_of, option_text
from ganlab.spec.model import Spec
from ganlab.spec.reference import markdown
from ganlab.spec.sections import keys_of

PROSE = """Labels come as classes, or as boxes.

In files of type `.npz` the array `labels` holds classes; `none` ignores them, as the `size` of
a file, 1.5 by default, tells. `size` comes again.

Args:
    width: channels of
        the first layer
    depth (int): Number of layers?
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "labels",
            "In files of type `.npz` the array `labels` holds classes; `none` ignores them, as the `size` of a file, "
            "1.5 by default, tells.",
        ),
        ("width", "Channels of the first layer."),
        ("depth", "Number of layers?"),
        ("height", ""),
    ],
)
def test_an_option_is_told_of_in_whole_sentences(name, text):
    assert option_text(PROSE, name) == text


CUT = re.compile(r"^(?![A-Z`0-9(])|^(Of|To|But|And|Or|Which|Is|Are) |[,;:]\\.$|[^.!?:]$")
"""A beginning in the middle of a sentence, or an end there."""


@pytest.mark.parametrize("plugin", installed(), ids=str)
def test_no_installed_plugin_tells_half_a_sentence(plugin):
    texts = {name: option.text for name, option in constructor_of(plugin).options.items() if option.text}
    assert {name: text for name, text in texts.items() if CUT.search(text)} == {}


def test_the_reference_of_sections_has_no_half_sentence():
    assert set(keys_of(Spec)) > {"name", "kimg"}
    cells = [row.split(" | ")[-1].removesuffix(" |") for row in markdown([].append).splitlines() if row[:3] == "| `"]
    assert [cell for cell in cells if cell.strip("| ") and CUT.search(cell)] == []

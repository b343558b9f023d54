"""Pages that stand alone: one file with its style, scripts and data, which opens without a network."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ganlab.files import write_text_atomically

COMMON = ("elements", "theme", "smoothing", "scale", "chart", "controls", "table", "specs", "samples")
"""Scripts of `ganlab/studies/page` that any page can use: they define, and do nothing by themselves."""


def write_page(path: Path, title: str, data: Mapping[str, Any], script: str, common: Sequence[str] = COMMON) -> None:
    """Write a page whose content `script`, one of `ganlab/studies/page`, draws from `data`, plain values."""
    write_text_atomically(path, page(title, data, script, common))


def page(title: str, data: Mapping[str, Any], script: str, common: Sequence[str] = COMMON) -> str:
    """The text of a page. What is in the data cannot end the element that holds them, nor be taken for markup."""
    parts = {
        "title": html.escape(title),
        "style": _part("style.css"),
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "scripts": "\n".join(_part(f"{name}.js") for name in (*common, script)),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _part("page.html"))


@cache
def _part(name: str) -> str:
    return files("ganlab.studies").joinpath("page_parts", name).read_text(encoding="utf-8")

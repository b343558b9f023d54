"""Picture files: what their headers say, and how all are brought to one shape. Needs no torch."""

from __future__ import annotations

from ganlab.pictures.alikeness import (
    FILTERS,
    Colour,
    Half,
    Preparation,
    enlargement,
    make_alike,
    nearest,
    on_background,
    planes,
    rgb,
)
from ganlab.pictures.files import SUFFIXES, Header, has_transparency, is_transparent, opened, problem_of, read_header

__all__ = [
    "FILTERS",
    "SUFFIXES",
    "Colour",
    "Half",
    "Header",
    "Preparation",
    "enlargement",
    "has_transparency",
    "is_transparent",
    "make_alike",
    "nearest",
    "on_background",
    "opened",
    "planes",
    "problem_of",
    "read_header",
    "rgb",
]

"""What every format of other programs' checkpoints must do."""

from __future__ import annotations

from typing import Any

from ganlab.builder import Builder, load_factory
from ganlab.errors import UserError
from ganlab.testing.examples import example_node

_OTHERS: tuple[Any, ...] = (None, [], {}, {"weight": 1}, "text")


def check_format(name: str) -> None:
    """It says whose objects may stand in its files, and refuses contents of another kind with a sentence."""
    node = example_node("formats", name)
    records = getattr(load_factory(node), "records", None)
    assert isinstance(records, tuple), "'records' is no tuple of the modules whose objects may stand in a file"
    assert all(isinstance(each, str) and each for each in records), "'records' holds something else than names"
    made = Builder(None).construct(node, "formats")
    for content in _OTHERS:
        try:
            made.read(content)
        except UserError:
            continue
        raise AssertionError(f"a file that holds {content!r} is taken for a checkpoint of this format")

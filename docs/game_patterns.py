"""Write docs/game-patterns.md from the examples in tests/families; with --check, say whether it is up to date."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "game-patterns.md"
FAMILIES = ROOT / "tests" / "families"

SECTIONS = {
    "encoder": "An encoder that plays as well",
    "trunk": "A head on the discriminator's trunk",
    "codes": "Latents with a meaning",
    "labels": "Fakes with labels of their own",
    "styles": "Styles, and noise in layers",
    "optimised": "A wrapper of latents for any game",
    "paired": "Images from images, in pairs",
    "unpaired": "Images from images, unpaired",
    "sequence": "Sequences",
    "pyramid": "Pairs of networks, one after the other",
    "attributes": "Attributes as inputs",
}

INTRODUCTION = """\
# Patterns of games

One small game for each pattern that [write-a-plugin.md](write-a-plugin.md) tells of, complete and ready to be copied.
Every one of them uses public names only, and is tested as it stands here: a training that was interrupted ends like a
whole one tensor by tensor, one on two processes or in micro-batches like one of whole batches on one (to rounding, in
float64), it stays finite under `bf16-mixed`, and a sample depends on its own row alone.

The games are plugins of one distribution, `ganlab-families`, in the folder [tests/families](../tests/families);
`installed.py` there lists the entry points. This page is written by `python docs/game_patterns.py`.
"""

SHARED = """\
## What they share

Networks and a loss in [parts.py](../tests/families/parts.py), and data sets of rectangles, with labels, inputs, further
domains and frames, in [data.py](../tests/families/data.py).
"""


def section(name: str, title: str) -> str:
    """What a module says of itself, its spec and its code."""
    source = (FAMILIES / f"{name}.py").read_text()
    told = ast.get_docstring(ast.parse(source)) or ""
    code = source.split('"""', 2)[2].strip()
    spec = (FAMILIES / f"{name}.yaml").read_text()
    return (
        f"## {title}\n\n{told}\n\n"
        f"[{name}.py](../tests/families/{name}.py), and a spec:\n\n```yaml\n{spec}```\n\n```python\n{code}\n```\n"
    )


def page() -> str:
    """The whole page."""
    parts = [section(name, title) for name, title in SECTIONS.items()]
    return "\n".join([INTRODUCTION, SHARED, *parts])


def main() -> int:
    """Write the page, or say whether it is what would be written."""
    if "--check" not in sys.argv:
        PAGE.write_text(page())
        return 0
    if PAGE.read_text() != page():
        print("docs/game-patterns.md is not up to date: run python docs/game_patterns.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

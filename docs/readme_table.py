"""Writes the table of plugins in README.md from the entry points of this repository; `make docs` runs it.

Usage: `python docs/readme_table.py [--check]`, where `--check` writes nothing and fails if the table is out of date.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PLACE = re.compile(r"(?<=<!-- plugins -->\n).*?(?=\n<!-- end of plugins -->)", re.DOTALL)


def table() -> str:
    """One line for each kind and distribution, with the names that it offers."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]:
        project = tomllib.loads(path.read_text())["project"]
        for group, entries in project.get("entry-points", {}).items():
            found[group.removeprefix("ganlab.")][project["name"]] += entries
    found.pop("moved", None)  # former names, which are no plugins
    rows = [
        f"| {kind} | {distribution} | {', '.join(f'`{name}`' for name in names)} |"
        for kind, distributions in sorted(found.items())
        for distribution, names in sorted(distributions.items())
    ]
    return "\n".join(["| kind | distribution | names |", "|---|---|---|", *rows])


def main() -> None:
    """Write or check the table."""
    text = README.read_text()
    wanted = PLACE.sub(lambda _: table(), text)
    if "--check" not in sys.argv:
        README.write_text(wanted)
    elif wanted != text:
        sys.exit("the table of plugins in README.md is out of date: run 'make docs'")


if __name__ == "__main__":
    main()

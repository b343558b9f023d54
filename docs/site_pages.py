"""Pages of the site that are made from other files: those that the documentation links to outside of its folder.

A hook of MkDocs (see `mkdocs.yml`). `[text](../plugins/augment/README.md)` and `[text](../experiments/quickstart.yaml)`
lead to pages of the site then, as they lead to files on a git host; a folder becomes a list of what is in it.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
OUTSIDE = re.compile(r"\]\(\.\./(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
LINK = re.compile(r"\]\((?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")
FENCE = re.compile(r"^```(\w+) [\w ]+$", re.MULTILINE)
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".c": "c"}
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}


def on_files(files: Any, config: Any) -> Any:
    """Add a page for each notebook, and for each file that a page links to."""
    for path in sorted(DOCS.glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        files.append(File.generated(config, f"{path.stem}.md", content="\n\n".join(map(_cell, cells))))
    waiting = [DOCS / name for name in sorted(path.name for path in DOCS.glob("*.md"))]
    waiting += [ROOT / name for name in PAGES if name != "README.md"]
    known = {"README.md"}
    while waiting:
        path = waiting.pop()
        name = path.relative_to(ROOT).as_posix()
        if path.parent != DOCS:
            files.append(File.generated(config, place(name), content=content(path)))
        for target in linked(path):
            if target not in known and not target.startswith("docs/"):
                known.add(target)
                waiting.append(ROOT / target)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Let links out of the folder lead to the pages made of what they name; further words after a language go."""
    markdown = FENCE.sub(r"```\1", markdown)
    if page.file.generated_by:
        return markdown
    return OUTSIDE.sub(lambda found: f"]({place(found['path'])}{found['anchor'] or ''})", markdown)


def place(name: str) -> str:
    """The page of a file or folder of the repository, as a path within the site's folder."""
    name = name.rstrip("/")
    if name in PAGES:
        return PAGES[name]
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    readme = name if name.endswith("README.md") else f"{name}/README.md"
    if (ROOT / readme).is_file():
        return f"repository/{readme.removesuffix('/README.md')}.md"
    return f"repository/{name}.md"


def linked(path: Path) -> list[str]:
    """Files and folders of the repository that a Markdown file links to, as paths from its root."""
    if path.suffix != ".md" or not path.is_file():
        return []
    here = path.parent.relative_to(ROOT).as_posix()
    names = [posixpath.normpath(posixpath.join(here, found["path"])) for found in LINK.finditer(path.read_text())]
    return [name for name in names if (ROOT / name).exists() and not name.endswith((".png", ".gif"))]


def content(path: Path) -> str:
    """Markdown of a file or folder of the repository."""
    name = path.relative_to(ROOT).as_posix()
    if path.is_dir() and (path / "README.md").is_file():
        path = path / "README.md"
    if path.is_dir():
        inside = sorted(child.name for child in path.iterdir() if not child.name.startswith(("_", ".")))
        return "\n".join([f"# {name}", "", *(f"- `{child}`" for child in inside)])
    if path.suffix == ".md":
        return _relinked(path)
    return f"# {name}\n\n```{LANGUAGES.get(path.suffix, 'text')}\n{path.read_text()}\n```\n"


def _cell(cell: dict[str, Any]) -> str:
    """A notebook's cell, with the pictures that it showed."""
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return text
    data = [output["data"] for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    pictures = ["![](data:image/png;base64," + "".join(one["image/png"]).replace("\n", "") + ")" for one in data]
    return "\n\n".join([f"```python\n{text}\n```", *pictures])


def _relinked(path: Path) -> str:
    """A Markdown file whose links lead to the site's pages, seen from its own page."""
    here = path.parent.relative_to(ROOT).as_posix()
    own = posixpath.dirname(place(path.relative_to(ROOT).as_posix()))

    def link(found: re.Match[str]) -> str:
        name = posixpath.normpath(posixpath.join(here, found["path"]))
        if not (ROOT / name).exists():
            return found[0]
        return f"]({posixpath.relpath(place(name), own or '.')}{found['anchor'] or ''})"

    return LINK.sub(link, path.read_text())

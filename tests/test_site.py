"""The documentation site is built without warnings, and its pages load nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
LOADED = re.compile(r"""<(?:script|img|link|iframe)\b[^>]*?\b(?:src|href)=["']?(?P<address>(?:https?:)?//[^"'\s>]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_every_page_of_the_documentation_is_there(site: Path) -> None:
    wanted = {path.with_suffix(".html").name for path in ROOT.glob("docs/*.md")} | {
        "contributing.html",
        "changelog.html",
    }
    assert wanted <= {path.name for path in site.glob("*.html")}


def test_pages_load_nothing_from_the_network(site: Path) -> None:
    loaded = {
        (path.name, found["address"]) for path in site.rglob("*.html") for found in LOADED.finditer(path.read_text())
    }
    assert loaded == set()


def test_links_out_of_the_folder_lead_to_pages(site: Path) -> None:
    assert "quickstart" in (site / "repository/experiments/quickstart.yaml.html").read_text()
    assert 'href="repository/plugins/datasets.html"' in (site / "data.html").read_text()
    assert "ganlab-examples" in (site / "write-a-plugin.html").read_text()

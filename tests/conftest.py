"""Fixtures for tests that need plugins where none is installed; see `toy.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganlab import plugin_contracts
from ganlab.spec import constructor
from tests.studies.browser import Page, chromium
from tests.toy import TOY_PLUGINS, TOY_SPEC, toy_modules, write_distribution

Install = Callable[..., Path]


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Results that are kept between runs stay in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLAB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser for pages that ganlab writes; tests that want it are skipped where there is none."""
    program = chromium()
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    opened = Page(program, tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def install(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(name, plugins, modules, version="1.0")` makes a distribution usable until the test ends."""
    modules: set[str] = set()

    def forget() -> None:
        for module in modules:
            sys.modules.pop(module, None)
        plugin_contracts.load.cache_clear()
        constructor.constructor_of.cache_clear()

    def make(name: str, entries: dict, sources: dict, version: str = "1.0") -> Path:
        folder = write_distribution(tmp_path_factory.mktemp("site"), name, entries, sources, version)
        modules.update(sources)
        forget()
        monkeypatch.syspath_prepend(folder)
        return folder

    yield make
    forget()


@pytest.fixture
def toy(install: Install) -> Path:
    """The toy family, installed."""
    return install("ganlab-toy", TOY_PLUGINS, toy_modules())


@pytest.fixture
def toy_spec(toy: Path, tmp_path: Path) -> Path:
    """A spec of the toy family that can be checked and trained."""
    path = tmp_path / "toy.yaml"
    path.write_text(TOY_SPEC)
    return path

"""What the documentation shows is run: the code of docs/write-a-plugin.md as a distribution, specs, commands, links."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from ganlab.build import build_dataset, build_module
from ganlab.cli.app import app
from ganlab.plugins import KINDS, find
from ganlab.randomness import Randomness
from ganlab.spec import read_spec
from ganlab.spec.constructor import constructor_of
from ganlab.testing import check_plugin, checks_for
from tests.acceptance.commands import ganlab

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "write-a-plugin.md"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("plugins/*/README.md"))]
SLOW = ("check_two_processes", "check_twenty_steps", "check_autocast")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks whose info string is exactly `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def example_plugins() -> dict[str, dict[str, str]]:
    groups = tomllib.loads(blocks(GUIDE, "toml")[0])["project"]["entry-points"]
    return {group.removeprefix("ganlab."): entries for group, entries in groups.items()}


EXAMPLES = [(kind, name) for kind, entries in example_plugins().items() for name in entries]


@pytest.fixture
def examples(install) -> Path:
    return install("ganlab-examples", example_plugins(), {"ganlab_examples": "\n\n".join(blocks(GUIDE, "python"))})


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_the_guides_plugins_conform(examples, kind: str, name: str) -> None:
    constructor = constructor_of(find(kind, name))
    assert all(option.text for option in constructor.options.values()), "an option is not documented"
    if constructor.preset:
        return
    for check in checks_for(kind):
        if check.__name__ not in SLOW:
            check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", example_plugins()["architectures"])
def test_the_guides_architectures_pass_all_checks(examples, name: str) -> None:
    check_plugin("architectures", name)


def test_the_guide_has_an_example_of_every_kind(examples) -> None:
    assert set(example_plugins()) == set(KINDS)


def test_the_guides_test_passes(examples, monkeypatch) -> None:
    checked = []

    def noted(kind: str, name: str) -> None:
        check_plugin(kind, name)
        checked.append((kind, name))

    monkeypatch.setattr("ganlab.testing.check_plugin", noted)
    (code,) = blocks(GUIDE, "python test")
    names: dict = {}
    exec(code, names)
    names["test_it_keeps_the_contract"]()
    assert len(checked) == 1
    assert set(checked) <= set(EXAMPLES)


def test_the_guides_test_of_an_experiment_passes(examples, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("examples.yaml").write_text(blocks(GUIDE, "yaml")[0])
    (code,) = blocks(GUIDE, "python experiment")
    names: dict = {}
    exec(code, names)
    names["test_the_experiment_is_the_papers"]()


@pytest.mark.parametrize("index", range(len(blocks(GUIDE, "yaml"))))
def test_the_guides_specs_build(examples, tmp_path: Path, index: int) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(blocks(GUIDE, "yaml")[index])
    spec = read_spec(path)
    facts = build_dataset(spec.data).facts
    module = build_module(spec, facts)
    assert (type(module).__module__, facts.resolution) == ("ganlab_examples", spec.data.options["resolution"])
    assert module.trainable.keys() == spec.optimizers.keys()
    assert module.sample(Randomness(0, count=2)).shape == (2, *facts.shape)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(blocks(GUIDE, "yaml"))))
def test_the_guides_specs_train(examples: Path, tmp_path: Path, index: int) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(blocks(GUIDE, "yaml")[index])
    done = ganlab("train", path, "--runs", tmp_path / "runs", PYTHONPATH=str(examples))
    assert done.returncode == 0, done.stderr


def test_specs_in_the_readme_are_the_quickstart() -> None:
    """The README explains the spec that `make quickstart` trains, not an older one."""
    shown = blocks(README, "yaml")[0]
    assert _without_comments(shown) == _without_comments((ROOT / "experiments/quickstart.yaml").read_text())


def _without_comments(text: str) -> list[str]:
    lines = (re.sub(r"(^|\s+)#.*", "", line).rstrip() for line in text.splitlines())
    return [line for line in lines if line]


def test_the_readme_lists_the_plugins_of_this_repository() -> None:
    command = [sys.executable, str(ROOT / "docs/readme_table.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_every_page_is_in_the_sites_menu() -> None:
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    shown = {next(iter(page.values())) for entry in menu for pages in entry.values() for page in _pages(pages)}
    assert {path.name for path in ROOT.glob("docs/*.md")} <= shown, "a page is missing in 'nav' of mkdocs.yml"


def _pages(entry: str | list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"": entry}] if isinstance(entry, str) else entry


def test_the_patterns_of_games_are_those_that_are_tested() -> None:
    command = [sys.executable, str(ROOT / "docs/game_patterns.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_views_in_the_guide_are_offered() -> None:
    from ganlab import TwoPlayerGAN

    (paragraph,) = re.findall(r"^The plain game offers both.+?\n\n(?!-)", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    shown = set(re.findall(r"`([a-z_]+)`", paragraph))
    assert shown - {"real_logits"} <= TwoPlayerGAN.provides["generator"]
    assert shown <= TwoPlayerGAN.provides["discriminator"]


@pages
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in _anchors(linked), f"{page.name} links to {target}; anchors: {sorted(_anchors(linked))}"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pages
def test_commands_exist_and_take_the_options_shown(page: Path) -> None:
    for line in re.findall(r"(?:^|\$ |`|&& )ganlab ([a-z](?:(?! && )[^`\n|])*)", page.read_text(), re.MULTILINE):
        words = line.split()
        assert words[0] in help_of(), f"{page.name} shows 'ganlab {line}'"
        offered = help_of(*words[: 2 if words[1:2] and words[1] in help_of(words[0]) and words[0] in GROUPS else 1])
        for option in re.findall(r"(--[a-z-]+)", line.partition("#")[0]):
            assert option in offered or option == "--help", f"{page.name}: 'ganlab {line}' has no {option}"


GROUPS = ("data", "plugin", "sweep")


@cache
def help_of(*words: str) -> frozenset[str]:
    """The words of a command's help."""
    shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"}).stdout
    return frozenset(re.split(r"[\s,|/\[\]]+", shown))

"""The rules of the house that no tool checks: who may know whom, and how large a piece of code may be."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLATFORM = ROOT / "ganlab"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))

FILE_LINES = 400
GAN_MODULE_LINES = 250
FUNCTION_LINES = 50
NESTING = 3

Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)

ROOMS = (
    ("cli",),
    ("testing",),
    ("sweeps",),
    ("exchange",),
    ("studies", "latents"),
    ("recipes",),
    ("run",),
    ("description", "scaffold", "starter"),
    ("build",),
    ("builder",),
    ("rehearsal",),
    ("misfits", "network_size"),
    ("games",),
    ("evaluation",),
    ("training",),
    ("tracking", "preparation"),
    ("data",),
    ("spec",),
    ("plugin_contracts",),
    ("plugins",),
    ("nn",),
    ("contracts",),
    ("metric_contracts",),
    ("foreign",),
    ("views",),
    ("distributed",),
    ("bounds",),
    ("schedules",),
    ("randomness",),
    ("files", "pictures"),
    ("errors", "processes"),
    ("facts", "kinds", "suggestions"),
    ("printable",),
)
"""The rooms of the platform from the roof to the floor; those of one storey know nothing of each other."""

sources = pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=str(path.relative_to(ROOT)))
        for folder in (PLATFORM, ROOT / "benchmarks", *(plugin / f"ganlab_{plugin.name}" for plugin in PLUGINS))
        for path in sorted(folder.rglob("*.py"))
    ],
)


@cache
def project(plugin: Path) -> dict:
    return tomllib.loads((plugin / "pyproject.toml").read_text())["project"]


def distribution(plugin: Path) -> str:
    return project(plugin)["name"]


def package(plugin: Path) -> str:
    return distribution(plugin).replace("-", "_")


def is_family(plugin: Path) -> bool:
    return "ganlab.architectures" in project(plugin).get("entry-points", {})


def family_names() -> set[str]:
    """Names that the platform must not know: the packages of plugins and the architectures of families.

    Names of up to three letters are words of the trade ("gan") and mean no family by themselves; so is "style", a word
    of YAML and of terminals.
    """
    names = {package(plugin) for plugin in PLUGINS}
    for plugin in filter(is_family, PLUGINS):
        names |= set(project(plugin)["entry-points"]["ganlab.architectures"])
    return {name for name in names if len(name) > 3 and name != "style"}


def words_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Identifiers and strings with their lines, docstrings left out: they may cite a paper."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield line, node.value
        if isinstance(node, ast.alias):
            yield line, f"{node.name} {node.asname or ''}"
        for field in ("id", "attr", "arg", "name", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield line, value


def spelled(text: str) -> tuple[str, str]:
    """A text as it is and with underscores between the words of identifiers, both in small letters."""
    return text.lower(), re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()


def mentions(text: str, name: str) -> bool:
    """Whether a name stands in a text as a word or as a part of an identifier, in either spelling."""
    return _stands_in(spelled(text), name)


def _stands_in(spellings: tuple[str, str], name: str) -> bool:
    return any(name in form and re.search(rf"(?<![a-z0-9]){name}(?![a-z0-9])", form) for form in spellings)


@cache
def words_of_the_platform() -> list[tuple[str, tuple[str, str]]]:
    """Every word with its place; the files are read once for all names."""
    return [
        (f"{path.relative_to(ROOT)}:{line}: {text[:60]!r}", spelled(text))
        for path in sorted(PLATFORM.rglob("*.py"))
        for line, text in words_of(parsed(path))
    ]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported_packages(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@cache
def imports_of(folder: Path) -> dict[str, list[str]]:
    """Packages that the files of a folder import, with the files."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        for name in imported_packages(parsed(path)):
            found.setdefault(name, []).append(path.name)
    return found


@pytest.mark.parametrize("name", sorted(family_names()))
def test_the_platform_names_no_family_and_no_plugin_package(name: str) -> None:
    found = [place for place, spellings in words_of_the_platform() if _stands_in(spellings, name)]
    assert not found, f"ganlab/ names '{name}': {found}"


def test_templates_of_the_platform_name_no_family() -> None:
    for path in sorted((PLATFORM / "templates").iterdir()):
        assert not [name for name in family_names() if mentions(path.read_text(), name)], path.name


def test_the_platform_imports_no_plugin() -> None:
    assert {package(plugin) for plugin in PLUGINS}.isdisjoint(imports_of(PLATFORM))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def module_imports() -> dict[str, set[str]]:
    """The platform's modules and what each imports of the platform, lazily and for types alone as well."""
    modules = {module_name(path): path for path in PLATFORM.rglob("*.py")}
    return {name: set(_imported(path, modules)) - {name} for name, path in modules.items()}


def _imported(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ganlab":
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                yield name if name in modules else str(node.module)


def room_of(module: str) -> str:
    """The file or folder of `ganlab/` in which a module stands; the front door itself is no room."""
    return module.partition(".")[2].partition(".")[0]


def test_imports_between_rooms_run_downwards() -> None:
    storeys = {room: storey for storey, rooms in enumerate(ROOMS) for room in rooms}
    wrong = []
    for module, imported in module_imports().items():
        above = room_of(module)
        for below in map(room_of, imported):
            if above in ("", "__main__") or above == below:
                continue
            assert {above, below} <= set(storeys), f"{module}: give '{above}' and '{below}' a place in ROOMS"
            if storeys[above] >= storeys[below]:
                wrong.append(f"{module} imports {below}")
    assert not wrong, wrong


def test_imports_run_in_no_circle() -> None:
    """The front door is left out: it names what is public for those who type-check, and loads it when asked."""
    open_to = {name: imported - {"ganlab"} for name, imported in module_imports().items() if name != "ganlab"}
    while free := [name for name, imported in open_to.items() if not imported & set(open_to)]:
        for name in free:
            del open_to[name]
    assert not open_to, f"these import each other in a circle, or what does: {sorted(open_to)}"


def test_platform_files_import_the_platforms_modules_and_not_its_front_door() -> None:
    assert [name for name, imported in module_imports().items() if "ganlab" in imported and name != "ganlab"] == []


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_imports_only_the_packs_that_it_declares(plugin: Path) -> None:
    declared = {re.split(r"[<>=!~;\[ ]", need)[0] for need in project(plugin)["dependencies"]}
    others = {package(other): other for other in PLUGINS if other != plugin}
    imported = [others[name] for name in imports_of(plugin / package(plugin)) if name in others]
    for other in imported:
        assert is_family(plugin), f"{plugin.name} is a pack and imports {other.name}: packs do not import each other"
        assert not is_family(other), f"{plugin.name} imports the family {other.name}: move what they share down"
        assert distribution(other) in declared, f"{plugin.name} imports {other.name} without declaring it"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_depends_on_no_family(plugin: Path) -> None:
    declared = {re.split(r"[<>=!~;\[ ]", need)[0] for need in project(plugin)["dependencies"]}
    refused = [other for other in PLUGINS if is_family(other) or not is_family(plugin)]
    assert not declared & {distribution(other) for other in refused}, plugin.name


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_declares_what_it_imports(plugin: Path) -> None:
    names = {"sklearn": "scikit-learn", "PIL": "pillow", "yaml": "pyyaml", "pytorch_lightning": "pytorch-lightning"}
    declared = {re.split(r"[<>=!~;\[ ]", need)[0] for need in project(plugin)["dependencies"]}
    for name, files in imports_of(plugin / package(plugin)).items():
        if name == package(plugin) or name in _standard_library():
            continue
        wanted = names.get(name, name.replace("_", "-"))
        assert wanted in declared, f"{plugin.name} imports {name} in {files} but does not declare {wanted}"


def _standard_library() -> frozenset[str]:
    return frozenset(sys.stdlib_module_names) | {"__future__"}


@sources
def test_size_and_nesting(path: Path) -> None:
    lines, tree = path.read_text().count("\n"), parsed(path)
    limit = GAN_MODULE_LINES if any(_is_gan_module(node) for node in tree.body) else FILE_LINES
    assert lines <= limit, f"{lines} lines, at most {limit}"
    for function in (node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= FUNCTION_LINES, f"{function.name} has {length} lines, at most {FUNCTION_LINES}"
        assert depth(function) <= NESTING, f"{function.name} nests {depth(function)} deep, at most {NESTING}"


def _is_gan_module(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and node.name == "GANModule"


def depth(node: ast.AST) -> int:
    """How deep loops, conditions, `with` and `try` stand in each other; `elif` is as deep as its `if`.

    A function inside a function counts for itself.
    """
    return max((_depth_of(child) for child in ast.iter_child_nodes(node)), default=0)


def _depth_of(node: ast.AST) -> int:
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
        return 0
    inside = depth(node)
    if isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        inside = max(depth(ast.Module(node.body, [])), _depth_of(node.orelse[0]) - 1)
    return inside + isinstance(node, _BLOCKS)


def test_depth_counts_as_a_reader_does() -> None:
    code = """
def f():
    for a in b:
        if a:
            pass
        elif b:
            with c:
                pass
        else:
            pass
"""
    assert depth(ast.parse(code).body[0]) == 3
    assert depth(ast.parse("def f():\n    return 1").body[0]) == 0


def test_mentions_finds_names_in_identifiers_and_text() -> None:
    assert mentions("DCGANGenerator dcgan_generator", "dcgan")
    assert mentions("a StyleGAN-like family: dcgan", "dcgan")
    assert mentions("StyleMapping", "style")
    assert not mentions("stylesheet", "style")


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_distribution_offers_its_types(plugin: Path) -> None:
    assert (plugin / package(plugin) / "py.typed").is_file(), "type checkers of its users look for this file"

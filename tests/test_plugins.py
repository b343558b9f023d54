from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ganlab.errors import PluginError
from ganlab.plugin_contracts import load
from ganlab.plugins import KINDS, find, installed
from tests.toy import TOY_PLUGINS, write_distribution

LOSS = """
class Good:
    def discriminator(self, real_logits, fake_logits): ...
    def generator(self, real_logits, fake_logits): ...
"""


def python(code, *folders):
    """Run code in a fresh interpreter that sees the distributions in `folders`."""
    path = os.pathsep.join([*map(str, folders), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


def bad(*methods, facts=""):
    """The source of a class `Bad` with class attributes and methods that do nothing."""
    return "class Bad:\n" + "".join(f" {line}\n" for line in [facts, *(f"def {method}: ..." for method in methods)])


def test_all_kinds_of_the_design_exist():
    assert set(KINDS) == {
        "architectures", "generators", "discriminators", "losses", "regularizers",
        "normalizers", "augmentations", "latents", "datasets", "metrics", "extractors", "optimizers",
        "recipes", "formats",
    }  # fmt: skip


def test_finds_every_entry_point_with_its_distribution(toy):
    found = {(plugin.kind, plugin.name) for plugin in installed() if plugin.distribution == "ganlab-toy"}
    assert found == {(kind, name) for kind, entries in TOY_PLUGINS.items() for name in entries}
    assert find("losses", "toy").version == "1.0"


def test_torchs_optimizers_come_with_ganlab():
    assert {"adam", "adamw", "rmsprop", "sgd"} <= {plugin.name for plugin in installed("optimizers")}


def test_discovery_imports_no_plugin_and_no_torch(install):
    folder = install("bad", {"losses": {"bomb": "bomb:Bomb"}}, {"bomb": "raise SystemExit('imported')"})
    code = (
        "import sys; from ganlab.plugins import find, installed; installed(); find('losses', 'bomb');"
        "print([name for name in ('bomb', 'torch', 'pydantic', 'numpy', 'omegaconf') if name in sys.modules])"
    )
    assert python(code, folder).stdout.strip() == "[]"


def test_loads_lazily_and_once(toy):
    plugin = find("losses", "toy")
    assert "ganlab_toy" not in sys.modules
    assert load(plugin).__name__ == "ToyLoss"
    assert load(plugin) is load(find("losses", "ganlab-toy/toy"))


def test_an_unknown_name_gets_the_nearest_spelling(toy):
    with pytest.raises(PluginError, match=r"no plugin 'toyy' among the losses.*did you mean 'toy'"):
        find("losses", "toyy")


def test_an_unknown_name_of_another_kind_is_pointed_out(toy):
    with pytest.raises(PluginError, match="'toy_preset' exists among the losses"):
        find("metrics", "toy_preset")


def test_an_unknown_kind_lists_the_kinds():
    with pytest.raises(PluginError, match=r"there is no kind 'losess'.*did you mean 'losses'"):
        installed("losess")


def test_two_distributions_of_one_name_are_named_and_can_be_picked(install):
    for name in ("first-pack", "second-pack"):
        module = name.replace("-", "_")
        install(name, {"losses": {"twice": f"{module}:Good"}}, {module: LOSS})
    with pytest.raises(PluginError) as caught:
        find("losses", "twice")
    for part in ("first-pack 1.0", "second-pack 1.0", "'first-pack/twice'", "'second-pack/twice'"):
        assert part in str(caught.value)
    assert load(find("losses", "second_pack/twice")).__module__ == "second_pack"


def test_a_wrong_distribution_names_the_right_one(toy):
    with pytest.raises(PluginError, match="'toy' comes from: ganlab-toy/toy"):
        find("losses", "other/toy")


def test_a_plugin_that_moved_is_found_under_its_former_distribution_too(install):
    install("new-home", {"losses": {"wanderer": "new_home:Good"}}, {"new_home": LOSS})
    install("old-home", {"moved": {"losses.wanderer": "new_home:Good"}}, {})
    install("old-rival", {"moved": {"losses.wanderer": "gone:Good"}}, {})
    assert find("losses", "old_home/wanderer") == find("losses", "wanderer") == find("losses", "new-home/wanderer")
    for reference in ("old-rival/wanderer", "other/wanderer"):
        with pytest.raises(PluginError, match="'wanderer' comes from: new-home/wanderer"):
            find("losses", reference)


def test_metadata_seen_twice_are_no_collision(install, tmp_path, monkeypatch):
    install("one-pack", {"losses": {"once": "one_pack:Good"}}, {"one_pack": LOSS})
    monkeypatch.syspath_prepend(write_distribution(tmp_path, "one-pack", {"losses": {"once": "one_pack:Good"}}, {}))
    assert [plugin.name for plugin in installed("losses")].count("once") == 1
    assert find("losses", "once").distribution == "one-pack"


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import missing_module_of_ours", "No module named 'missing_module_of_ours'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        ("", "has no attribute 'Good'"),
    ],
)
def test_a_broken_plugin_is_named_with_its_cause_and_the_others_stay_usable(install, toy, source, cause):
    install("bad-pack", {"losses": {"broken": "bad_pack:Good"}}, {"bad_pack": source}, version="0.7")
    with pytest.raises(PluginError) as caught:
        load(find("losses", "broken"))
    assert "bad-pack 0.7" in str(caught.value)
    assert cause in str(caught.value)
    assert load(find("losses", "toy")).__name__ == "ToyLoss"


RENAMED = LOSS.replace("Good", "Bad").replace("real_logits", "real")
MORE = LOSS.replace("Good", "Bad").replace("fake_logits):", "fake_logits, more):")
SIDE, REQUIRES = "side = 'generator'", "requires = frozenset({'styles'})"
CONTRACTS = [
    ("losses", bad("discriminator(self, real_logits, fake_logits)"), "generator(real_logits"),
    ("losses", RENAMED, "discriminator(real_logits: Tensor, fake_logits: Tensor)"),
    ("losses", MORE, "does not fit"),
    ("losses", "Bad = 3", "neither a class nor a function"),
    ("regularizers", bad("penalty(self, views)", facts=REQUIRES), "class attribute side"),
    ("regularizers", bad("penalty(self, views)", facts=SIDE), "class attribute requires"),
    ("regularizers", bad("penalty(self)", facts=f"{SIDE}; {REQUIRES}"), "penalty(views"),
    ("normalizers", bad("weight(self, layer)", "activation(self, channels, condition)"), "activation(channels"),
    ("metrics", bad("update(self, images)", "compute(self)", "reset(self)"), "update(images"),
    ("metrics", bad("update(self, images, real)", "compute(self)"), "no method reset"),
    ("augmentations", "import torch\nclass Bad(torch.nn.Module):\n def forward(self, images): ...", "random"),
    ("datasets", bad("__len__(self)"), "__getitem__"),
    ("generators", "class Bad: ...", "subclass of torch.nn.Module"),
    ("discriminators", "class Bad: ...", "subclass of torch.nn.Module"),
    ("architectures", "import torch\nclass Bad(torch.nn.Module): ...", "subclass of ganlab.GANModule"),
    ("architectures", "import ganlab\nclass Bad(ganlab.GANModule): ...", "or sample(random"),
    ("optimizers", "def Bad(parameters, lr=1.0): ...", "Bad(params, **options)"),
]


@pytest.mark.parametrize(("kind", "source", "expected"), CONTRACTS)
def test_a_plugin_outside_its_contract_is_shown_the_expected_signature(install, kind, source, expected):
    install("bad-pack", {kind: {"bad": "bad_pack:Bad"}}, {"bad_pack": source})
    with pytest.raises(PluginError, match=f"contract of the {kind}") as caught:
        load(find(kind, "bad"))
    assert "bad-pack 1.0" in str(caught.value)
    assert expected in str(caught.value)


DUCK = bad("update(self, images, real, labels)", "compute(self)", "reset(self)")
GOOD = [
    ("losses", LOSS),
    ("losses", bad("discriminator(self, *logits)", "generator(self, *logits, **more)")),
    ("losses", "def Good(margin=1.0): ..."),
    ("losses", LOSS.replace("Good", "Inner") + "def Good() -> Inner: ..."),
    ("metrics", DUCK),
    ("regularizers", bad("penalty(self, views, scale=1)", facts=f"{SIDE}; {REQUIRES}")),
    ("datasets", bad("__len__(self)", "__getitem__(self, i)")),
    ("generators", "import torch\ndef Good(latent_size: int = 3) -> torch.nn.Sequential: ..."),
    ("generators", "from ganlab.contracts import Generator\ndef Good() -> Generator: ..."),
]


@pytest.mark.parametrize(("kind", "source"), GOOD)
def test_ducks_and_factories_are_welcome(install, kind, source):
    install("good-pack", {kind: {"good": "good_pack:Good"}}, {"good_pack": source.replace("Bad", "Good")})
    assert load(find(kind, "good")) is sys.modules["good_pack"].Good


def test_a_factory_is_judged_by_what_it_says_it_returns(install):
    source = "class Inner: ...\ndef Bad() -> Inner: ..."
    install("bad-pack", {"losses": {"bad": "bad_pack:Bad"}}, {"bad_pack": source})
    with pytest.raises(PluginError, match="Inner has no method discriminator"):
        load(find("losses", "bad"))

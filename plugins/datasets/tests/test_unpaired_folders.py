"""Pictures of several domains that do not belong together."""

from __future__ import annotations

from pathlib import Path

import pytest
from ganlab_datasets.unpaired_folders import UnpairedFolders
from PIL import Image

from ganlab.build import build_dataset
from ganlab.errors import DataError, DataMissing
from ganlab.spec import node_from
from ganlab.testing.dataset_checks import check_examples


@pytest.fixture
def domains(tmp_path: Path) -> dict[str, str]:
    for name, count, mode in (("photos", 6, "RGB"), ("maps", 4, "L"), ("held/photos", 2, "RGB"), ("held/maps", 1, "L")):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        for number in range(count):
            image = Image.linear_gradient("L").resize((12, 10)).point(lambda value, n=number: min(255, value + n))
            image.convert(mode).save(folder / f"{number}.png")
    return {"photos": str(tmp_path / "photos"), "maps": str(tmp_path / "maps")}


def test_the_first_domain_is_the_data_and_others_are_further(domains: dict[str, str]) -> None:
    data = build_dataset(node_from("datasets", {"name": "unpaired_folders", "domains": domains}))
    assert (data.facts.shape, data.facts.size, data.facts.extras["domain"]) == ((3, 10, 12), 6, "photos")
    assert (data.facts.further["maps"].shape, len(data.further["maps"])) == ((1, 10, 12), 4)
    check_examples(data)


def test_held_out_pictures_are_in_every_domain(domains: dict[str, str], tmp_path: Path) -> None:
    held = {name: str(tmp_path / "held" / name) for name in domains}
    data = build_dataset(node_from("datasets", {"name": "unpaired_folders", "domains": domains, "held_out": held}))
    assert len(data.held_out) == 2
    assert len(data.held_out.further["maps"]) == 1


def test_a_share_is_held_out_of_each_domain(domains: dict[str, str]) -> None:
    from ganlab.spec.model import DataNode

    node = node_from("datasets", {"name": "unpaired_folders", "domains": domains})
    data = build_dataset(DataNode("datasets", node.name, node.options, node.distribution, holdout=0.5))
    assert (len(data), len(data.held_out)) == (3, 3)
    assert len(data.held_out.further["maps"]) == 2


def test_channels_may_differ(domains: dict[str, str]) -> None:
    data = UnpairedFolders(domains, channels={"photos": 1, "maps": 3}, resolution=4)
    assert data.facts.shape == (1, 4, 4)
    assert data.further["maps"].facts.shape == (3, 4, 4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"domains": {"photos": "x"}}, "names 1 folders"),
        ({"domains": {"images": "x", "maps": "y"}}, "can be called 'images'"),
        ({"held_out": {"photos": "x", "map": "y"}}, "'held_out' names photos, map, and the domains are photos, maps"),
        ({"channels": {"photos": 5, "maps": 1}}, "are 1, 2, 3 or 4, not 5"),
    ],
)
def test_names_that_do_not_fit_are_told(domains: dict[str, str], changes: dict, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        UnpairedFolders(**{"domains": domains, **changes})


def test_missing_folders_imply_their_facts() -> None:
    with pytest.raises(DataMissing) as missing:
        UnpairedFolders({"a": "nowhere", "b": "nowhere else"}, resolution=[8, 16], channels=3)
    facts = missing.value.facts
    assert facts is not None
    assert (facts.shape, facts.extras["domain"], facts.further["b"].shape) == ((3, 8, 16), "a", (3, 8, 16))

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from ganlab_datasets.label_maps import LabelMaps
from PIL import Image

from ganlab.build import build_dataset
from ganlab.data.opening import Wishes, arrange
from ganlab.data.report import report_on
from ganlab.errors import DataError, DataMissing
from ganlab.facts import DataFacts, MapTable
from ganlab.pictures import Preparation, nearest
from ganlab.spec import node_from
from ganlab.testing.dataset_checks import check_examples

IDS = np.array([[7, 7, 8, 8, 11, 11], [7, 7, 8, 8, 11, 11], [7, 7, 7, 7, 11, 11], [7, 7, 7, 7, 11, 11]], dtype=np.uint8)


def write(folder, count=3, ending="", **maps):
    """Pictures and maps of several kinds, which belong together by their names."""
    random = np.random.default_rng(0)
    for name in ("images", *maps):
        (folder / name / "city").mkdir(parents=True, exist_ok=True)
    for index in range(count):
        pixels = random.integers(0, 256, (4, 6, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"images/city/{index}{ending or '.jpg'}")
        for name, values in maps.items():
            Image.fromarray(values).save(folder / f"{name}/city/{index}_map.png")
    return str(folder / "images"), str(folder / "maps")


def test_numbers_become_classes_in_their_order(tmp_path):
    images, maps = write(tmp_path, maps=IDS)
    data = LabelMaps(images, maps, ["road", "car", "tree"], ids=[8, 7, 11], map_ending="_map.png")
    assert data.facts.shape == (3, 4, 6)
    assert (data.facts.inputs["label_map"].classes, data.facts.extras["map_classes"][0]) == (3, "road")
    expected = np.select([IDS == 8, IDS == 7], [0, 1], 2)
    assert torch.equal(data[0]["label_map"], torch.tensor(expected, dtype=torch.uint8))
    check_examples(data)
    assert not report_on(data).problems


def test_what_is_no_class_may_be_one_more(tmp_path):
    images, maps = write(tmp_path, maps=IDS)
    data = LabelMaps(images, maps, 2, first_id=7, unknown=True, map_ending="_map.png")
    assert data.facts.inputs["label_map"].classes == 3
    assert torch.equal(data[1]["label_map"], torch.tensor(np.where(IDS == 11, 2, IDS - 7), dtype=torch.uint8))


def test_colours_of_a_palette_become_classes(tmp_path):
    palette = [(128, 64, 128), (0, 0, 142), (70, 70, 70)]
    coloured = np.array(palette, dtype=np.uint8)[np.where(IDS == 7, 2, IDS % 2)]
    images, maps = write(tmp_path, maps=coloured)
    data = LabelMaps(images, maps, 3, palette=palette, map_ending="_map.png")
    assert torch.equal(data[0]["label_map"].long(), torch.tensor(np.where(IDS == 7, 2, IDS % 2)).long())
    with pytest.raises(DataError, match=r"colours that mean no class \(\[70, 70, 70\]; the first in row 0, column 0\)"):
        LabelMaps(images, maps, 2, palette=palette[:2], map_ending="_map.png")[0]


def test_edges_are_those_of_instances_of_many_bits(tmp_path):
    instances = np.where(IDS == 11, 26_001, 26_000).astype(np.uint16)
    images, maps = write(tmp_path, maps=IDS, instances=instances)
    data = LabelMaps(
        images,
        maps,
        12,
        str(tmp_path / "instances"),
        map_ending="_map.png",
        instance_ending="_map.png",
    )
    expected = np.zeros((4, 6), dtype=np.uint8)
    expected[:, 3:5] = 1
    assert torch.equal(data[0]["edges"], torch.from_numpy(expected))
    assert data.facts.inputs["edges"].classes == 2
    check_examples(data)


def test_facts_tell_how_files_hold_maps_and_records_keep_it(tmp_path):
    images, maps = write(tmp_path, maps=IDS, instances=IDS)
    paths = (images, maps, 3, str(tmp_path / "instances"))
    endings = {"map_ending": "_map.png", "instance_ending": "_map.png"}
    data = LabelMaps(*paths, palette=[(8, 8, 8), (7, 7, 7), (11, 11, 11)], **endings)
    table = MapTable(3, (0, 1, 2), ((8, 8, 8), (7, 7, 7), (11, 11, 11)))
    assert {name: facts.files for name, facts in data.facts.inputs.items()} == {
        "label_map": table,
        "edges": "instances",
    }
    record = json.loads(json.dumps(data.facts.to_record()))
    again = DataFacts.from_record(record)
    assert {name: facts.files for name, facts in again.inputs.items()} == {"label_map": table, "edges": "instances"}
    del record["files"]  # one from before files were told of
    assert DataFacts.from_record(record) == data.facts


@pytest.mark.parametrize("resolution", [2, [3, 5], 8])
def test_maps_lie_on_their_images_at_any_size(tmp_path, resolution):
    """Images that show their maps in grey, of which the nearest pixel is the class."""
    images, maps = write(tmp_path, count=1, ending=".png", maps=IDS)
    Image.fromarray(IDS * 20).save(f"{images}/city/0.png")
    data = LabelMaps(images, maps, 12, map_ending="_map.png", resolution=resolution)
    side = (resolution, resolution) if isinstance(resolution, int) else tuple(resolution)
    preparation = Preparation(1, 8, side)
    assert data[0]["label_map"].shape == side == data.facts.shape[1:]
    scale = min(6 / side[1], 4 / side[0])
    left, top = (6 - side[1] * scale) / 2, (4 - side[0] * scale) / 2
    rows = [int(top + (row + 0.5) * scale) for row in range(side[0])]
    columns = [int(left + (column + 0.5) * scale) for column in range(side[1])]
    assert np.array_equal(nearest(IDS, preparation), IDS[np.ix_(rows, columns)])
    assert np.array_equal(data[0]["label_map"].numpy(), IDS[np.ix_(rows, columns)])


def test_a_split_of_its_own_and_the_platforms(tmp_path):
    images, maps = write(tmp_path / "train", maps=IDS)
    held_images, held_maps = write(tmp_path / "val", count=2, maps=IDS)
    data = LabelMaps(images, maps, 12, map_ending="_map.png", held_out_images=held_images, held_out_maps=held_maps)
    assert (len(data), len(data.held_out)) == (3, 2)
    assert arrange(data, Wishes()).facts.held_out == data.held_out.facts.fingerprint
    assert len(arrange(LabelMaps(images, maps, 12, map_ending="_map.png"), Wishes(holdout=0.4)).held_out) == 1
    others = LabelMaps(images, maps, 12, map_ending="_map.png", resolution=2).facts.fingerprint
    assert data.facts.fingerprint not in (others, data.held_out.facts.fingerprint)


def test_a_spec_names_it(tmp_path):
    images, maps = write(tmp_path, maps=IDS)
    node = {"name": "label_maps", "images": images, "maps": maps, "classes": 12, "map_ending": "_map.png"}
    assert len(build_dataset(node_from("datasets", node))) == 3


def test_data_that_are_not_there_are_known_by_their_options():
    with pytest.raises(DataMissing) as missing:
        LabelMaps("nowhere", "nowhere", 182, "nowhere", unknown=True, resolution=256, channels=3)
    facts = missing.value.facts
    assert facts.inputs["label_map"].classes == 183
    assert facts.inputs["edges"].shape == (256, 256)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"classes": 11}, r"8 of its pixels have numbers that mean no class \(11; the first in row 0, column 4\)"),
        ({"classes": 11}, "those of the 11 classes are 0 to 10"),
        ({"classes": 300}, "at most 256 classes"),
        ({"classes": 2, "ids": [1, 1]}, "a different one for each of 2 classes"),
        ({"classes": 1, "ids": [1], "palette": [(0, 0, 0)]}, "give one of them"),
        ({"classes": 12, "map_ending": ".tif"}, "has a name that ends in '.tif'"),
        ({"classes": 12, "map_ending": ""}, "have no file of their name"),
        ({"classes": 12, "held_out_images": "x"}, "belong together: give both or neither"),
    ],
)
def test_mistakes_end_in_a_sentence(tmp_path, options, sentence):
    images, maps = write(tmp_path, maps=IDS)
    with pytest.raises(DataError, match=sentence):
        LabelMaps(images, maps, **{"map_ending": "_map.png", **options})[0]


def test_maps_of_another_size_or_of_colours_are_refused(tmp_path):
    images, maps = write(tmp_path, maps=IDS)
    Image.fromarray(IDS[:, :4]).save(f"{maps}/city/1_map.png")
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(f"{maps}/city/2_map.png")
    data = LabelMaps(images, maps, 12, map_ending="_map.png")
    with pytest.raises(DataError, match=r"has 4x4 pixels, and its image .*1.jpg 6x4"):
        data[1]
    with pytest.raises(DataError, match="mode 'RGB', which holds colours"):
        data[2]
    assert len(report_on(data).unreadable) == 2

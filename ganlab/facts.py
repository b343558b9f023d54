"""What the platform knows of data, and passes to whoever asks for it; imports nothing heavy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ganlab.printable import printable

MISSING = "missing"
"""The fingerprint of data that are not there, of which a spec implies the rest."""

_TUPLE, _PAIRS = "tuple", "pairs"


@dataclass(frozen=True)
class MapTable:
    """Which stored number or colour of a picture file means which class of a map.

    Args:
        classes: how many there are, without the unknown one.
        ids: the stored number of each class.
        palette: the colour (red, green, blue) of each class, where files are coloured; None for numbers.
        unknown: whether all else means one further class, the last; otherwise it is an error.
    """

    classes: int
    ids: tuple[int, ...]
    palette: tuple[tuple[int, int, int], ...] | None = None
    unknown: bool = False

    @property
    def count(self) -> int:
        """Classes of the maps, with the unknown one."""
        return self.classes + self.unknown


@dataclass(frozen=True)
class InputFacts:
    """What a further field of an example is; its name is the key of `DataFacts.inputs`.

    `images` are (C, H, W) in a stored type, of which `value_range` becomes -1 and 1. `maps` are whole numbers below
    `classes`, (H, W) or (C, H, W), such as a class for each pixel; they arrive as int64. `numbers` have any shape and
    arrive as floats, unscaled: attributes, poses, measurements. `flows` (3, H, W) tell of each pixel of a frame where
    it was in the frame before: so many pixels to the right, so many below, and 1 where that is known, else 0. Images,
    maps and flows belong to the picture: they are mirrored and reduced with it. Beside a sequence of T images those of
    each frame have a dimension T in front: maps are (T, C, H, W) then.

    `files` says how picture files tell a map, for who has files and no data set: a `MapTable`; or `instances`, where
    they hold a number for each object, and the map is 1 where one ends, else 0. Without it they hold the map's own
    numbers. It does not decide what is learned, and counts in no comparison.
    """

    shape: tuple[int, ...]
    kind: Literal["images", "maps", "numbers", "flows"] = "numbers"
    value_range: tuple[float, float] = (0.0, 255.0)
    classes: int = 0
    files: MapTable | Literal["instances"] | None = field(default=None, compare=False)

    @property
    def channels(self) -> int | None:
        """Channels of an image or a map, 1 for a map (H, W); None for numbers."""
        if self.kind == "numbers":
            return None
        return self.shape[-3] if len(self.shape) > 2 else 1

    @property
    def dimensions(self) -> int:
        """Numbers in one example."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class DataFacts:
    """What a data set says of itself; constructors receive these facts instead of having them retyped.

    `shape` is (C, H, W) for images, (T, C, H, W) for sequences of T images, and (D,) for vectors. `value_range` are the
    stored values that become -1 and 1, `class_names` has one entry a class and is empty for data without labels;
    control characters in them are written as in Python, as names go to terminals and into pictures. `fingerprint`
    identifies content and preparation. `extras` holds what only some plugins understand (such as the centres of a
    mixture), in plain values; under the name of an input of numbers, their names. `inputs` tells of the further fields
    of an example, `frames` is T for sequences and 0 for all else. The platform adds the facts of `further` domains, the
    fingerprint of the examples that are `held_out`, and how many examples each class has, `class_counts`, where the
    data set tells all labels (`every_label`); these belong to the content that the fingerprint stands for, and are in
    no record.
    """

    shape: tuple[int, ...]
    size: int
    fingerprint: str
    value_range: tuple[float, float] = (0.0, 255.0)
    class_names: tuple[str, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, InputFacts] = field(default_factory=dict)
    frames: int = 0
    further: Mapping[str, DataFacts] = field(default_factory=dict)
    held_out: str | None = None
    class_counts: tuple[int, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_names", tuple(map(printable, self.class_names)))

    @property
    def is_images(self) -> bool:
        """Whether examples are pictures, images or sequences of them, and not vectors (D,)."""
        return self.frames > 0 or len(self.shape) == 3

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(C, H, W) of an image, or of each frame of a sequence; of vectors their own shape."""
        return self.shape[-3:] if self.is_images else self.shape

    @property
    def of_frames(self) -> DataFacts:
        """The facts of single frames, as metrics see sequences; of other data their own."""
        if not self.frames:
            return self
        inputs = {
            name: dataclasses.replace(facts, shape=facts.shape[1:]) if name in self.inputs_of_frames else facts
            for name, facts in self.inputs.items()
        }
        return dataclasses.replace(self, shape=self.image_shape, frames=0, inputs=inputs)

    @property
    def inputs_of_frames(self) -> tuple[str, ...]:
        """Names of the inputs that have something for each frame of a sequence: images, maps and flows (T, ...)."""
        return tuple(
            name
            for name, facts in self.inputs.items()
            if self.frames and facts.kind != "numbers" and len(facts.shape) == 4 and facts.shape[0] == self.frames
        )

    def with_frames(self, frames: int) -> DataFacts:
        """The facts of sequences of another length."""
        single = self.of_frames
        inputs = {
            name: dataclasses.replace(facts, shape=(frames, *facts.shape)) if name in self.inputs_of_frames else facts
            for name, facts in single.inputs.items()
        }
        return dataclasses.replace(single, shape=(frames, *single.shape), frames=frames, inputs=inputs)

    @property
    def channels(self) -> int | None:
        """Channels of an image or a frame; None for vectors."""
        return self.image_shape[0] if self.is_images else None

    @property
    def resolution(self) -> int | None:
        """Side of a square image or frame in pixels; None for other data."""
        return self.shape[-1] if self.is_images and self.shape[-1] == self.shape[-2] else None

    @property
    def side(self) -> int | None:
        """The larger side of an image or frame in pixels, which names its size; None for vectors."""
        return max(self.shape[-2:]) if self.is_images else None

    @property
    def dimensions(self) -> int:
        """Numbers in one example."""
        return math.prod(self.shape)

    @property
    def classes(self) -> int:
        """Number of classes; 0 for data without labels."""
        return len(self.class_names)

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON, of which `from_record` makes equal facts: tuples and keys that are no text survive."""
        record = {part.name: getattr(self, part.name) for part in dataclasses.fields(self) if part.compare}
        record["extras"] = _encoded(self.extras)
        plain = {name: dataclasses.asdict(facts) for name, facts in self.inputs.items()}
        # Apart from the rest, which is compared when a run is resumed.
        if files := {name: values.pop("files") for name, values in plain.items() if self.inputs[name].files}:
            record["files"] = files
        record["inputs"] = {name: {k: v for k, v in values.items() if k != "files"} for name, values in plain.items()}
        record["further"] = {name: facts.to_record() for name, facts in self.further.items()}
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> DataFacts:
        """The facts of a record, also of one from before there were inputs."""
        values = dict(record)
        for name in ("shape", "value_range", "class_names"):
            values[name] = tuple(values[name])
        values["extras"] = _decoded(values.get("extras", {}))
        files = values.pop("files", {})
        inputs = values.get("inputs", {}).items()
        values["inputs"] = {name: _input_from(facts, files.get(name)) for name, facts in inputs}
        values["further"] = {name: cls.from_record(facts) for name, facts in values.get("further", {}).items()}
        return cls(**values)


def _input_from(record: Mapping[str, Any], files: Mapping[str, Any] | Literal["instances"] | None) -> InputFacts:
    tuples = {name: tuple(record[name]) for name in ("shape", "value_range")}
    return InputFacts(**{**record, **tuples}, files=_table_from(files) if isinstance(files, Mapping) else files)


def _table_from(record: Mapping[str, Any]) -> MapTable:
    colours = record["palette"]
    palette = None if colours is None else tuple((red, green, blue) for red, green, blue in colours)
    return MapTable(record["classes"], tuple(record["ids"]), palette, record["unknown"])


def _encoded(value: Any) -> Any:
    """JSON's values; tuples and mappings that JSON cannot hold become mappings with one telling key."""
    if isinstance(value, tuple):
        return {_TUPLE: [_encoded(part) for part in value]}
    if isinstance(value, list):
        return [_encoded(part) for part in value]
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value) and set(value) not in ({_TUPLE}, {_PAIRS}):
            return {key: _encoded(part) for key, part in value.items()}
        return {_PAIRS: [[_encoded(key), _encoded(part)] for key, part in value.items()]}
    return _encoded(value.tolist()) if hasattr(value, "tolist") else value


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {_TUPLE}:
        return tuple(_decoded(part) for part in value[_TUPLE])
    if set(value) == {_PAIRS}:
        return {_decoded(key): _decoded(part) for key, part in value[_PAIRS]}
    return {key: _decoded(part) for key, part in value.items()}


INJECTED_FACTS = ("facts", "shape", "channels", "resolution", "dimensions", "classes", "inputs", "frames")
"""Constructor arguments with these names receive the data's facts (`facts` is the whole `DataFacts`).

Besides, an argument annotated `InputFacts` receives the facts of the input of its name.
"""

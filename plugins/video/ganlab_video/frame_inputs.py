"""What a frame is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor

from ganlab import DataFacts, InputFacts, UserError
from ganlab.nn.conditions import stacked


def frame_inputs(facts: DataFacts) -> dict[str, InputFacts]:
    """The facts, for a single frame, of the images and maps that sequences have for each frame.

    Raises `UserError` for data that are no sequences, or have nothing to make them from.
    """
    if not facts.frames:
        raise UserError(
            "films are made here, and the examples of these data are none: take a data set of films, such as "
            "'frame_folders' or 'moving_digits'"
        )
    single = facts.of_frames.inputs
    found = {name: single[name] for name in facts.inputs_of_frames if single[name].kind in ("images", "maps")}
    if not found:
        raise UserError(
            "films are made from maps or images for each frame (T, C, H, W), and these data have none: take a data "
            "set with some, such as 'frame_folders'"
        )
    return found


def stack_of_frames(
    inputs: Mapping[str, Tensor], facts: Mapping[str, InputFacts], frames: Iterable[int] | None = None
) -> Tensor:
    """What frames are made from, as one stack of channels (N, T, S, H, W): all, or these, before the first the first.

    A stack is many times as large as its maps: it is made for as few frames as are needed.
    """
    count, length = next(iter(inputs[name] for name in facts)).shape[:2]
    places = list(range(length)) if frames is None else [max(0, frame) for frame in frames]
    flat = {name: inputs[name][:, places].flatten(0, 1) for name in facts}
    return stacked(flat, facts).unflatten(0, (count, len(places)))


def frames_of_films(inputs: Mapping[str, Tensor], facts: Mapping[str, InputFacts]) -> int:
    """How many frames the inputs of films are for."""
    return next(iter(inputs[name].shape[1] for name in facts))


def planes_of_classes(inputs: Mapping[str, InputFacts], classes: Sequence[int], option: str) -> list[int]:
    """The channels, in the stack of the inputs, of classes of the first map of three classes or more.

    Raises `UserError`, naming `option`, for classes that it does not have, and where there is no such map.
    """
    if not classes:
        return []
    before = 0
    for facts in inputs.values():
        assert facts.channels is not None
        if facts.kind == "maps" and facts.classes > 2:
            if max(classes) >= facts.classes or facts.channels != 1:
                raise UserError(f"'{option}' has classes of the first map, which are 0 to {facts.classes - 1}")
            return [before + number for number in classes]
        before += facts.channels * (facts.classes if facts.classes > 2 else 1)
    raise UserError(f"'{option}' has classes of a map, and the data have no map of three classes or more")

"""First frames by a generator of single images that was trained on its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganlab import DataFacts, InputFacts, Randomness, TrainedGenerator, UserError
from ganlab.evaluation.sampling import at_rest, get_ready


class FirstFrames:
    """A trained generator of images that makes frames of a film from what the film is made from.

    Args:
        source: a run, or a file of a generator, as `ganlab.load` takes them.
        shape: (C, H, W) of a frame.
        inputs: facts, for a single frame, of what frames are made from.
        device: where it works.

    Raises `UserError` for one that makes other images, or makes them from something else.
    """

    def __init__(
        self, source: str, shape: tuple[int, ...], inputs: Mapping[str, InputFacts], device: torch.device
    ) -> None:
        import ganlab

        self.source, self.device = source, device
        self.generator: TrainedGenerator = ganlab.load(source, device=device)
        _check(self.generator, source, shape, inputs)

    def make(self, inputs: Mapping[str, Tensor], random: Randomness, count: int) -> list[Tensor]:
        """The first `count` frames (N, C, H, W) of films whose inputs (N, T, C, H, W) these are."""
        module, wanted = self.generator.module, self.generator.facts.inputs
        get_ready(module, True, {})
        made = []
        for frame in range(count):
            given = {name: inputs[name][:, frame].reshape(-1, *facts.shape) for name, facts in wanted.items()}
            drawn = random.scoped("first frame", frame)
            with at_rest(module, drawn.seed("network")):
                made.append(module.sample(drawn, inputs=given))
        return made


def _check(generator: TrainedGenerator, source: str, shape: tuple[int, ...], inputs: Mapping[str, InputFacts]) -> None:
    problem = _problem(generator.facts, shape, inputs) or _needs(generator)
    if problem:
        raise UserError(
            f"'first_from: {source}' cannot make first frames: {problem}. Take a generator that was trained on images "
            f"of {_size(shape)} from {_listing(inputs)}"
        )


def _problem(facts: DataFacts, shape: tuple[int, ...], inputs: Mapping[str, InputFacts]) -> str | None:
    if facts.frames:
        return "it makes films, and not images"
    if not facts.is_images or facts.shape != shape:
        made = _size(facts.shape) if facts.is_images else "vectors"
        return f"it makes {made}, and frames are {_size(shape)}"
    if not facts.inputs:
        return "it makes images from nothing, which do not fit to the maps of a film"
    for name, wanted in facts.inputs.items():
        there = inputs.get(name)
        if there is None:
            return f"it makes images from '{name}', which the frames of this run have not"
        if _kind(there) != _kind(wanted):
            return f"its input '{name}' is {_told(wanted)}, and that of the frames {_told(there)}"
    return None


def _needs(generator: TrainedGenerator) -> str | None:
    also = generator.module.made_from({})
    if also:
        return f"it makes images from {', '.join(also)} besides"
    return "it makes images of classes, which frames have not" if generator.facts.classes else None


def _kind(facts: InputFacts) -> tuple[object, ...]:
    return facts.kind, facts.channels, facts.classes, facts.shape[-2:]


def _told(facts: InputFacts) -> str:
    of_classes = f" of {facts.classes} classes" if facts.kind == "maps" else ""
    return f"{facts.kind}{of_classes} with {facts.channels} channels, {facts.shape[-2]} x {facts.shape[-1]} pixels"


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[2]} pixels in {shape[0]} channels"


def _listing(inputs: Mapping[str, InputFacts]) -> str:
    return ", ".join(f"'{name}' ({_told(facts)})" for name, facts in inputs.items())

"""The examples that samples are made for: sample i for example i, over and over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import DataFacts, Dataset, InputFacts
from ganlab.data.examples import IMAGES, LABEL, read_examples
from ganlab.data.opening import held_out_of
from ganlab.data.scaling import scale, scale_input
from ganlab.data.stream import domains_of
from ganlab.errors import DataError
from ganlab.evaluation.quantise import reals_for_metrics


class Source:
    """What belongs to each sample, by its number, from an example of a data set; the first sample has example `first`.

    `images_as` names the input that the examples' own images are, in data that have none. `also` names what samples are
    made from besides the data's inputs: `images`, the examples' own, or a further domain, for that domain's images.
    """

    def __init__(
        self,
        dataset: Dataset,
        device: torch.device | str,
        first: int = 0,
        images_as: str | None = None,
        also: Sequence[str] = (),
    ) -> None:
        self.dataset = dataset
        self.device = torch.device(device)
        self.first = first
        self.images_as = images_as
        self.also = also

    def starting_at(self, first: int) -> Source:
        """The same examples, with another one for the first sample."""
        return Source(self.dataset, self.device, first, self.images_as, self.also)

    def inputs(self, samples: Sequence[int]) -> dict[str, Tensor]:
        """What the samples are made from, by name, as in training: images in [-1, 1], maps int64, numbers floats."""
        also = {name: self._images_of(name, samples) for name in self.also}
        if self.images_as is not None:
            return {self.images_as: self._scaled(samples), **also}
        facts = self.dataset.facts.inputs
        given = {name: value for name, value in self._read(samples).items() if name not in (IMAGES, LABEL)}
        return {name: scale_input(value.to(self.device), facts.get(name)) for name, value in given.items()} | also

    def labels(self, samples: Sequence[int]) -> Tensor | None:
        """The classes of the examples (N,)."""
        return self._read(samples)[LABEL].to(self.device) if self.dataset.facts.classes else None

    def targets(self, samples: Sequence[int]) -> Tensor:
        """The examples' own images, as metrics see them."""
        return reals_for_metrics(self._read(samples)[IMAGES].to(self.device), self.dataset.facts)

    def images(self, samples: Sequence[int]) -> Tensor | None:
        """The examples' own images in [-1, 1], which the samples should look like; None where they are the inputs."""
        return None if self.images_as is not None else self._scaled(samples)

    def _images_of(self, name: str, samples: Sequence[int]) -> Tensor:
        """The examples' own images, or those of a further domain, by the numbers of the samples."""
        if name == IMAGES:
            return self._scaled(samples)
        return Source(domains_of(self.dataset)[name], self.device, self.first)._scaled(samples)

    def _scaled(self, samples: Sequence[int]) -> Tensor:
        return scale(self._read(samples)[IMAGES].to(self.device), self.dataset.facts.value_range)

    def _read(self, samples: Sequence[int]) -> Mapping[str, Any]:
        return read_examples(self.dataset, [(self.first + sample) % len(self.dataset) for sample in samples])


def examples_to_sample_for(dataset: Dataset, also: Sequence[str] = ()) -> Dataset | None:
    """The held-out examples, or else those of the training; None where samples are made of random numbers alone."""
    if not (dataset.facts.inputs or also):
        return None
    held_out = held_out_of(dataset)
    if held_out is not None and set(also) - {IMAGES} <= set(domains_of(held_out)):
        return held_out
    return dataset


def source_of(dataset: Dataset, device: torch.device | str, also: Sequence[str] = ()) -> Source | None:
    """What the samples of a training on these data are made for; `also` is the game's `sampled_from`."""
    chosen = examples_to_sample_for(dataset, also)
    return None if chosen is None else Source(chosen, device, also=also)


def source_for(facts: DataFacts, given: Dataset, device: torch.device | str, also: Sequence[str] = ()) -> Source:
    """Samples of a training on data of such `facts`, made for other examples.

    Images without inputs of their own take the place of the only input, if that is an image. Raises `DataError` for
    examples that do not fit.
    """
    if not (facts.inputs or also):
        raise DataError(
            "the run's data have no inputs: its samples are made of random numbers alone; leave --inputs out"
        )
    if given.facts.classes and facts.classes and given.facts.class_names != facts.class_names:
        raise DataError(
            f"the classes of the inputs are {_listed(given.facts.class_names)}, those of the run are "
            f"{_listed(facts.class_names)}; give 'labels: false' with the inputs, or the same classes"
        )
    images_as = None if given.facts.inputs else _only_image(facts)
    offered = dict(given.facts.inputs)
    if images_as is not None:
        offered = {images_as: InputFacts(given.facts.shape, "images", given.facts.value_range)}
    lasting = given.facts.inputs_of_frames
    for name, wanted in facts.inputs.items():
        if name not in offered:
            raise DataError(
                f"the run was trained with the input '{name}' ({_described(wanted)}); the examples of --inputs have "
                f"{_listed(tuple(offered)) if offered else 'images alone'}"
            )
        if _alike(offered[name], name in lasting) != _alike(wanted, name in facts.inputs_of_frames):
            raise DataError(
                f"the run was trained with '{name}' as {_described(wanted)}; the examples of --inputs have "
                f"{_described(offered[name])}"
            )
    if lacking := sorted(set(also) - {IMAGES} - set(domains_of(given))):
        raise DataError(f"samples of this run are made from the domain '{lacking[0]}', which the examples lack")
    return Source(given, device, images_as=images_as, also=also)


def _only_image(facts: DataFacts) -> str | None:
    """The name of the one input that there is, if it is an image."""
    names = list(facts.inputs)
    return names[0] if len(names) == 1 and facts.inputs[names[0]].kind == "images" else None


def _alike(facts: InputFacts, of_frames: bool) -> InputFacts:
    """What has to agree: stored values may have any range, which is scaled, and sequences any length."""
    return replace(facts, value_range=(0.0, 1.0), shape=facts.shape[1:] if of_frames else facts.shape)


def _described(facts: InputFacts) -> str:
    classes = f" with {facts.classes} classes" if facts.classes else ""
    return f"{facts.kind} of {' x '.join(map(str, facts.shape))}{classes}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")

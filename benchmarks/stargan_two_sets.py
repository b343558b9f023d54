"""StarGAN on two sets of coloured digits that know different things, several seeds, against stated bounds.

Usage: `python benchmarks/stargan_two_sets.py --runs DIR [--seeds 0,1,2]`. A run that is there already is read and not
trained again. Of held-out digits, by classifiers that learned the reals of a set:

- asked: the share that shows the domain asked for. The first set's digits in their own domains, colours and bars; the
  second set's in theirs, grounds; and across, the first set's digits on the second's grounds and the second set's in
  the first's colours or between its bars, which needs what is learned from both.
- kept: how often the first set's attributes that were not to change are seen as they were.
- reconstruction: the mean absolute difference, in [0, 2], of a digit to itself changed and changed back.
- digit read: the share of all of these images whose digit a support vector machine of real digits reads, beside that of
  the images before they were changed.

A run is within the bounds where all four shares of what was asked for are above 0.9. They were set after three seeds
had been measured: they say what is expected now, and predicted nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from ganlab_datasets.coloured_digits import ColouredDigits
from ganlab_metrics.classifier import PixelClassifier, pixel_features
from ganlab_translation.domain_accuracy import DomainAccuracy, DomainJudges
from ganlab_translation.domains import DomainSet
from ganlab_translation.stargan import StarGAN
from seeds import parser_of_seeds, tell_seeds, trained
from torch import Tensor

from ganlab import Randomness
from ganlab.build import open_dataset
from ganlab.contracts import Dataset
from ganlab.data import read_examples
from ganlab.data.opening import held_out_of
from ganlab.data.scaling import scale, to_bytes
from ganlab.data.stream import domains_of
from ganlab.run.folder import Run
from ganlab.spec.model import Node

SPEC = Path(__file__).parents[1] / "experiments/stargan/joint.yaml"
Numbers = Mapping[str, float]
Examples = Mapping[str, Tensor]


def everything(dataset: Dataset) -> tuple[Examples, Examples]:
    """The examples of the training and those held out, stacked."""
    held_out = held_out_of(dataset)
    assert held_out is not None
    return tuple(read_examples(each, range(len(each))) for each in (dataset, held_out))  # type: ignore[return-value]


def known_of(domains: DomainSet, examples: Examples) -> Tensor:
    """What a set knows of its examples."""
    inputs = {name: value.float() for name, value in examples.items() if name == "attributes"}
    return domains.known(examples.get("label"), inputs)


def own_domains(module: StarGAN, which: int, held_out: Examples) -> Numbers:
    """The metric `domain_accuracy` on a set's own held-out examples."""
    facts = (module.facts, *module.facts.further.values())[which]
    metric = DomainAccuracy(facts)
    inputs = {name: value.float() for name, value in held_out.items() if name == "attributes"}
    metric.update(held_out["images"], True, held_out.get("label"), inputs)
    metric.measure(module, Randomness(0, count=1))
    return metric.compute()


def across(module: StarGAN, which: int, learned: Examples, held_out: Examples) -> tuple[float, list[Tensor]]:
    """How often held-out images of the other set show each domain of this one, and the changed images."""
    domains, changes = module.domains.sets[which], module.changes[which]
    judges = DomainJudges(
        domains, torch.from_numpy(pixel_features(learned["images"])), known_of(domains, learned), seed=0
    )
    images = scale(held_out["images"], module.facts.value_range)
    shares, made = [], []
    for index in range(len(domains)):
        known = changes.with_domain(torch.zeros(len(images), len(domains)), index)
        made.append(to_bytes(module.changed(images, known, which)))
        shares.append(float((judges.seen(made[-1])[:, index] == 1).double().mean()))
    return sum(shares) / len(shares), made


def digits_of(parts: Mapping[bytes, int], images: Tensor) -> Tensor:
    """The digits that images show, known from where they were drawn."""
    return torch.tensor([parts[image.numpy().tobytes()] for image in images])


def all_digits(node: Node) -> dict[bytes, int]:
    """The digit of each image of a set."""
    drawn = ColouredDigits(**{**node.options, "labels": "digit", "attributes": False})
    assert drawn.labels is not None
    return {image.numpy().tobytes(): int(label) for image, label in zip(drawn.images, drawn.labels, strict=True)}


def measure(folder: Path) -> Numbers:
    """All numbers of a run."""
    spec = Run(folder).spec
    module = Run(folder).load_module().eval()
    assert isinstance(module, StarGAN)
    data = open_dataset(spec.data)
    first, second = everything(data), everything(domains_of(data)["second"])
    digits = all_digits(spec.data.options["first"]) | all_digits(spec.data.options["second"])
    reals = torch.cat([first[0]["images"], second[0]["images"]])
    reader = PixelClassifier(pixel_features(reals), digits_of(digits, reals).numpy(), 10, seed=0)

    def read(images: Tensor, shown: Tensor) -> float:
        said = torch.from_numpy(reader.probabilities(pixel_features(images)).argmax(1))
        return float((said == shown).double().mean())

    with torch.no_grad():
        own = [own_domains(module, which, each[1]) for which, each in enumerate((first, second))]
        grounds, on_grounds = across(module, 1, second[0], first[1])
        colours, in_colours = across(module, 0, first[0], second[1])
    shown = [digits_of(digits, each[1]["images"]) for each in (first, second)]
    truth = torch.cat([*[shown[0]] * len(on_grounds), *[shown[1]] * len(in_colours)])
    return {
        "asked, first": own[0]["domain_accuracy"],
        "asked, second": own[1]["domain_accuracy"],
        "asked across, grounds": grounds,
        "asked across, colours and bars": colours,
        "kept": own[0]["kept"],
        "reals, first": own[0]["real_accuracy"],
        "reals, second": own[1]["real_accuracy"],
        "reconstruction, first": own[0]["reconstruction"],
        "reconstruction, second": own[1]["reconstruction"],
        "digit read": read(torch.cat([*on_grounds, *in_colours]), truth),
        "digit read before": read(torch.cat([first[1]["images"], second[1]["images"]]), torch.cat(shown)),
    }


def run(seed: int, runs: Path) -> tuple[Numbers, float]:
    """The numbers of one run, which is trained if it is not there yet, and the seconds of CPU time that took."""
    _, run, spent = trained(SPEC, "stargan-joint", seed, runs)
    return measure(run), spent


def is_good(numbers: Numbers) -> bool:
    """Whether a run keeps the bounds."""
    return all(value > 0.9 for name, value in numbers.items() if name.startswith("asked"))


def main() -> None:
    """Train what is missing, and print."""
    arguments = parser_of_seeds(__doc__).parse_args()
    tell_seeds("stargan on two sets", arguments.seeds, partial(run, runs=arguments.runs), is_good)


if __name__ == "__main__":
    main()

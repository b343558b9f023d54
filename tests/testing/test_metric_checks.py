"""Mistakes of metrics, each with the sentence that the kit says of it; and metrics of each kind that it takes."""

import pytest
import torch

from ganlab.testing.metric_checks import check_metric

GOOD = '''
import torch
from ganlab import InputFacts

class Gap:
    """Distance of the mean images of reals and fakes, one of each class of labels more."""

    def __init__(self):
        self.reals = []
        self.reset()

    def reset(self):
        self.fakes = []

    def update(self, images, real, labels=None):
        (self.reals if real else self.fakes).append(images.double())

    def compute(self):
        return {"gap": float((torch.cat(self.reals).mean(0) - torch.cat(self.fakes).mean(0)).abs().mean())}

class Overlap:
    """Of maps and bright pixels, for data with a map; it compares reals and fakes."""
    needs = frozenset({"reals", "fakes", "inputs"})

    def __init__(self, facts):
        if "map" not in facts.inputs:
            raise ValueError("it needs the input 'map'")
        self.reals = []
        self.reset()

    example_inputs = {"map": InputFacts((16, 16), "maps", classes=2)}

    def reset(self):
        self.fakes = []

    def update(self, images, real, inputs):
        bright = images.flatten(1).double().mean(1) * inputs["map"].flatten(1).double().mean(1)
        (self.reals if real else self.fakes).append(bright)

    def compute(self):
        return {"overlap": float(torch.cat(self.reals).mean() - torch.cat(self.fakes).mean())}

class Distance:
    """Between fakes and targets."""
    needs = frozenset({"fakes", "targets", "inputs"})

    def __init__(self):
        self.reset()

    def reset(self):
        self.distances = []

    def update(self, images, real, targets, inputs):
        assert inputs["images"].shape == targets.shape
        self.distances += (images.double() - targets.double()).abs().flatten(1).mean(1).tolist()

    def compute(self):
        return {"distance": sum(self.distances) / len(self.distances)}

class Smoothness:
    """How far images move when latents do."""
    needs = frozenset({"generator"})

    def reset(self):
        self.move = None

    def measure(self, module, random):
        latents = module.draw_latents(random)
        generator = module.averaged_model("generator")
        self.move = float((generator(latents + 1e-2) - generator(latents)).square().mean())

    def compute(self):
        return {"smoothness": self.move}

class KeepsFakes(Gap):
    def reset(self):
        self.fakes = getattr(self, "fakes", [])

class ForgetsReals(Gap):
    def reset(self):
        self.fakes, self.reals = [], []

class ReadsReals(Gap):
    needs = frozenset({"fakes"})

class CountsBlocks(Gap):
    def compute(self):
        return super().compute() | {"blocks": float(len(self.fakes))}

class MeansOfMeans(Gap):
    def compute(self):
        return {"gap": float(sum(float(block.std()) for block in self.fakes) / len(self.fakes))}

class WantsLabels(Gap):
    def update(self, images, real, labels=None):
        super().update(images, real)
        self.classes = labels.max()

class NotANumber(Gap):
    def compute(self):
        return {"gap": float("nan")}

class Nameless(Gap):
    def compute(self):
        return {}

class Changes(Gap):
    def update(self, images, real, labels=None):
        super().update(images.mul_(0), real)

class Undeclared(Gap):
    def measure(self, module, random):
        pass

class Misspelt(Gap):
    needs = frozenset({"fake"})

class Directed(Gap):
    higher_is_better = {"gap": False}

class Misdirected(Gap):
    higher_is_better = {"gaps": False}

class Undecided(Gap):
    higher_is_better = {"gap": "lower"}

class Unasked(Distance):
    needs = frozenset({"fakes", "targets"})
'''

NAMES = [line.split()[1].split("(")[0].rstrip(":") for line in GOOD.splitlines() if line.startswith("class ")]


@pytest.fixture
def metrics(install):
    return install(
        "ganlab-odd", {"metrics": {name.lower(): f"ganlab_odd:{name}" for name in NAMES}}, {"ganlab_odd": GOOD}
    )


@pytest.mark.parametrize("name", ["gap", "directed", "overlap", "distance", "smoothness"])
def test_metrics_of_each_kind_pass(metrics, name):
    check_metric(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("keepsfakes", r"reset\(\) does not forget the fakes"),
        ("forgetsreals", r"compute\(\) fails .* It was shown what it asks for: fakes, reals"),
        (
            "readsreals",
            "asks for: fakes, with labels .* whatever else it reads belongs into 'needs'",
        ),
        ("countsblocks", r"depend on how many examples update\(\) gets at a time"),
        ("meansofmeans", r"depend on how many examples update\(\) gets at a time"),
        ("wantslabels", "labels are None for data without classes"),
        ("notanumber", "'gap' is nan"),
        ("nameless", "names no number"),
        ("changes", r"update\(\) changes the images"),
        ("undeclared", "its 'needs' lacks 'generator'"),
        ("misspelt", "needs 'fake', which is none of"),
        ("misdirected", "higher_is_better tells of 'gaps', and the numbers are gap"),
        ("undecided", "higher_is_better says 'lower' of 'gap'"),
        ("unasked", "'update' has an argument 'inputs'"),
    ],
)
def test_a_mistake_is_named(metrics, name, sentence):
    torch.manual_seed(0)
    with pytest.raises(AssertionError, match=sentence):
        check_metric(name)

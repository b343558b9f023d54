"""The toys and the objectives that `objectives.py` compares on them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Toy:
    """A base spec with what the scale of its data asks of penalties.

    `r1` and `gradient_penalty` are the weights that every variant with that penalty uses on it. Where a discriminator
    cannot tell, least squares are four times as curved in the logit as the logistic loss (2 beside 1/2, the terms of
    reals and fakes together), so that R1 needs four times the weight to smooth over the same distance.
    """

    title: str
    r1: float
    gradient_penalty: float


TOYS = {
    "ring8": Toy("Ring of 8 Gaussians", r1=0.05, gradient_penalty=0.05),
    "gaussians25": Toy("Grid of 25 Gaussians", r1=0.05, gradient_penalty=0.05),
    "swiss-roll": Toy("Swiss roll", r1=0.05, gradient_penalty=0.05),
    "stacked-digits": Toy("Stacked digits", r1=1.0, gradient_penalty=10.0),
}


def base_spec(toy: str) -> Path:
    """The file that every variant changes."""
    return ROOT / f"experiments/toys/base/{toy}.yaml"


@dataclass(frozen=True)
class Variant:
    """A loss with its penalties, as overrides of a spec; `<r1>` and the like are the toy's weights."""

    loss: str
    regularizers: str = ""
    others: tuple[str, ...] = ()

    def overrides(self, toy: Toy) -> list[str]:
        """Arguments of `ganlab train` after the spec."""
        numbers = {name: str(value) for name, value in asdict(toy).items()} | {"4 r1": str(4 * toy.r1)}
        numbers["r1 / 2 deviation^2"] = f"{toy.r1 / (2 * _DEVIATION**2):g}"
        loss, regularizers = (_filled(text, numbers) for text in (self.loss, self.regularizers))
        penalties = [f"architecture.regularizers=[{regularizers}]"] if regularizers else []
        return [f"architecture.loss={loss}", *penalties, *self.others]


def _filled(text: str, numbers: dict[str, str]) -> str:
    for name, number in numbers.items():
        text = text.replace(f"<{name}>", number)
    return text


_DEVIATION = 0.01
_R1 = "{name: r1, weight: <r1>}"
# The approximation's expectation is 2 deviation^2 times the exact penalty.
_R1_APPROXIMATE, _R2_APPROXIMATE = (
    f"{{name: {name}, weight: <r1 / 2 deviation^2>, deviation: {_DEVIATION}}}"
    for name in ("r1_approximate", "r2_approximate")
)
_LEAST_SQUARES_R1 = "{name: r1, weight: <4 r1>}"
# A discriminator whose weights are bounded follows slowly; images count its steps, so the generator has half as many.
_BOUNDED = ("architecture.discriminator_steps=2",)
_SPECTRAL = ("architecture.discriminator.normalizer=spectral", *_BOUNDED)

VARIANTS = {
    "minimax": Variant("minimax"),
    "minimax + r1": Variant("minimax", _R1),
    "non_saturating": Variant("non_saturating"),
    "non_saturating + r1": Variant("non_saturating", _R1),
    "non_saturating + r1_approximate": Variant("non_saturating", _R1_APPROXIMATE),
    "lsgan": Variant("lsgan"),
    "lsgan + r1": Variant("lsgan", _LEAST_SQUARES_R1),
    "wasserstein": Variant("wasserstein"),
    "wasserstein + weight_clipping": Variant("wasserstein", "{name: weight_clipping, bound: 0.1}", _BOUNDED),
    "wgan_gp": Variant("{name: wgan_gp, gradient_penalty: <gradient_penalty>}"),
    "hinge": Variant("hinge"),
    "hinge + spectral": Variant("hinge", others=_SPECTRAL),
    "relativistic": Variant("relativistic"),
    "relativistic + r1": Variant("relativistic", _R1),
    "r3gan": Variant("{name: r3gan, gamma: <r1>}"),
    "r3gan, approximate": Variant("relativistic", f"{_R1_APPROXIMATE}, {_R2_APPROXIMATE}"),
    "relativistic_average": Variant("relativistic_average"),
    "relativistic_average + r1": Variant("relativistic_average", _R1),
}


@dataclass(frozen=True)
class Job:
    """One run."""

    toy: str
    variant: str
    seed: int

    @property
    def samples(self) -> str:
        """Name of the file that its samples are kept in."""
        return f"{self.toy}-{self.variant.replace(' ', '')}-{self.seed}.npy"

"""The trainings of `model_zoo.py`: a small spec of each family, and what its picture and its table show."""

from __future__ import annotations

from dataclasses import dataclass

Panel = tuple[str, ...]
"""Names of scalars in `log.jsonl` or `metrics.jsonl` that stand in one panel."""

LOGITS = ("logits/real", "logits/fake")
LOSSES = ("discriminator/loss", "generator/loss")
ACCURACY = ("classifier/accuracy", "classifier/real_accuracy")
SWD = ("swd/average",)
DIGITS = (LOGITS, ACCURACY, SWD)


@dataclass(frozen=True)
class Entry:
    """One training; the spec is a file under `experiments`."""

    title: str
    spec: str
    panels: tuple[Panel, Panel, Panel]
    figures: Panel
    overrides: tuple[str, ...] = ()


def _every(kimg: float) -> str:
    return f"evaluation.every_kimg={kimg:g}"


ENTRIES = {
    "digits-small": Entry(
        "StyleGAN2, small and without labels",
        "style/digits-small.yaml",
        (LOGITS, ("generator/path_length",), LOSSES),
        SWD,
        ("kimg=60",),
    ),
    "dcgan": Entry("DCGAN", "quickstart.yaml", DIGITS, (*ACCURACY, *SWD), (_every(20),)),
    "acgan": Entry("AC-GAN", "acgan/digits.yaml", DIGITS, (*ACCURACY, *SWD), (_every(5),)),
    "infogan": Entry(
        "InfoGAN",
        "infogan/digits.yaml",
        (LOGITS, ("code_accuracy", "code_accuracy/purity"), SWD),
        ("code_accuracy", *SWD),
        (_every(10),),
    ),
    "bigan": Entry(
        "BiGAN",
        "bigan/digits.yaml",
        (LOGITS, ("representation/nearest_neighbour", "representation/linear"), SWD),
        ("representation/nearest_neighbour", *SWD),
        (_every(20),),
    ),
    "pix2pix": Entry(
        "pix2pix",
        "pix2pix/digits.yaml",
        (LOGITS, ("logits/trained", "logits/held_out"), ("generator/distance",)),
        ("generator/distance",),
    ),
    "cyclegan": Entry(
        "CycleGAN",
        "cyclegan/digits.yaml",
        (
            ("logits/real_coloured", "logits/fake_coloured"),
            ("generator/coloured", "generator/grey"),
            ("generator/cycle_coloured", "generator/cycle_grey"),
        ),
        ("generator/cycle_coloured", "generator/cycle_grey"),
    ),
    "stargan": Entry(
        "StarGAN",
        "stargan/digits.yaml",
        (LOGITS, ("domain_accuracy", "domain_accuracy/real_accuracy"), ("domain_accuracy/reconstruction",)),
        ("domain_accuracy", "domain_accuracy/reconstruction"),
        (_every(4),),
    ),
    "spade": Entry(
        "SPADE",
        "spade/digits.yaml",
        (LOGITS, ("segmentation/miou", "segmentation/real_miou"), ("generator/layer_matching",)),
        ("segmentation/miou", "segmentation/real_miou"),
        (_every(1),),
    ),
    "hologan": Entry(
        "HoloGAN",
        "hologan/shapes.yaml",
        (LOGITS, ("discriminator/identity", "generator/identity"), LOSSES),
        ("generator/identity",),
    ),
    "singan": Entry(
        "SinGAN",
        "singan/china.yaml",
        (LOGITS, ("reconstruction/error",), ("scale/height", "scale/width")),
        ("reconstruction/error",),
        ("tracking.every_kimg=0.02",),
    ),
    "r3gan": Entry("R3GAN", "r3gan/digits.yaml", DIGITS, (*ACCURACY, *SWD), (_every(2),)),
    "sngan": Entry("SNGAN", "biggan/digits-sngan.yaml", DIGITS, (*ACCURACY, *SWD), (_every(10),)),
    "biggan": Entry("BigGAN", "biggan/digits-biggan.yaml", DIGITS, (*ACCURACY, *SWD), (_every(10),)),
    "stylegan": Entry("StyleGAN with growth", "style/stylegan-digits.yaml", DIGITS, (*ACCURACY, *SWD), (_every(4),)),
    "progan": Entry(
        "ProGAN",
        "progressive/digits-ablation/g.yaml",
        (LOGITS, ("growth/resolution",), SWD),
        SWD,
        (_every(8),),
    ),
    "sagan": Entry("SAGAN", "biggan/digits-sagan.yaml", DIGITS, (*ACCURACY, *SWD), (_every(10),)),
    "msg": Entry("MSG-GAN", "style/msg-digits.yaml", DIGITS, (*ACCURACY, *SWD), (_every(4),)),
    "logan": Entry("LOGAN", "logan/digits.yaml", DIGITS, (*ACCURACY, *SWD), (_every(20),)),
}
"""In the order in which they are trained."""

LABELS = {
    "swd/average": ("SWD", ".1f"),
    "classifier/accuracy": ("accuracy", ".1%"),
    "classifier/real_accuracy": ("of reals", ".1%"),
    "code_accuracy": ("accuracy of codes", ".1%"),
    "representation/nearest_neighbour": ("nearest neighbour of latents", ".1%"),
    "generator/distance": ("100 times the distance in training", ".1f"),
    "generator/cycle_coloured": ("cycle in training, coloured", ".2f"),
    "generator/cycle_grey": ("cycle in training, grey", ".2f"),
    "domain_accuracy": ("colour asked for", ".1%"),
    "domain_accuracy/reconstruction": ("reconstruction", ".3f"),
    "segmentation/miou": ("mIoU", ".3f"),
    "segmentation/real_miou": ("of reals", ".3f"),
    "generator/identity": ("identity in training", ".3f"),
    "reconstruction/error": ("error of the reconstruction in training", ".3f"),
}
"""What the table calls a scalar, and how it writes it."""

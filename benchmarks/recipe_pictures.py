"""The pictures that `recipes.py` trains on: two of its three sets come with scikit-learn, the third is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

PATCHES = 1000  # of each photograph
_SEEN = 128  # pixels of a photograph's side that a patch shows


def make_set(name: str, size: int, given: Path, target: Path) -> Path:
    """The folder of a set at a size, with a folder for each class; made if it is not there."""
    folder = target / f"{name}-{size}"
    if folder.is_dir():
        return folder
    unfinished = folder.with_suffix(".part")
    makers = {"emoji": lambda: _given(given, size, unfinished), "digits": lambda: _digits(size, unfinished)}
    makers.get(name, lambda: _patches(size, unfinished))()
    unfinished.rename(folder)
    return folder


def _given(source: Path, size: int, folder: Path) -> None:
    for path in sorted(source.glob("*/*.png")):
        picture = Image.open(path).convert("RGB")
        _save(picture.reduce(picture.width // size), folder / path.parent.name, path.stem)


def _digits(size: int, folder: Path) -> None:
    """The 1,797 digits, enlarged, each in one of many colours on another."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    random = np.random.default_rng(0)
    for number, (values, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        grey = Image.fromarray((values * 255 / 16).astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
        ink = np.asarray(grey, dtype=np.float64)[..., None] / 255
        bright, dark = random.uniform(128, 255, 3), random.uniform(0, 96, 3)
        _save(Image.fromarray((ink * bright + (1 - ink) * dark).astype(np.uint8)), folder / str(label), f"{number:04d}")


def _patches(size: int, folder: Path) -> None:
    """Squares of 128 pixels, anywhere in the two photographs, half of them mirrored."""
    from sklearn.datasets import load_sample_images

    random = np.random.default_rng(0)
    for name, photograph in zip(("temple", "flower"), load_sample_images().images, strict=True):
        height, width, _ = photograph.shape
        for number in range(PATCHES):
            top, left = random.integers(height - _SEEN + 1), random.integers(width - _SEEN + 1)
            patch = photograph[top : top + _SEEN, left : left + _SEEN]
            patch = patch[:, ::-1] if random.random() < 0.5 else patch
            _save(Image.fromarray(np.ascontiguousarray(patch)).reduce(_SEEN // size), folder / name, f"{number:04d}")


def _save(picture: Image.Image, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / f"{name}.png")

"""Directions in w along which images change: by factorisation of the layers, and by principal components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab.errors import UserError
from ganlab.evaluation.trained_generator import TrainedGenerator, split
from ganlab.latents.files import as_tensor, read_arrays, write_arrays
from ganlab.latents.references import Given
from ganlab.latents.space import Points, Space, with_styles
from ganlab.latents.strip import Strip

_DRAWN = 4096  # samples whose styles are drawn at once


@dataclass(frozen=True)
class Directions:
    """Unit vectors (K, size) of w with the standard deviation (K,) of styles along each, and their names.

    `layers` are the layers that are moved.
    """

    vectors: Tensor
    deviations: Tensor
    names: Sequence[str]
    layers: Sequence[int]

    def __len__(self) -> int:
        return len(self.names)

    def moved(self, styles: Tensor, number: int, deviations: float) -> Tensor:
        """Styles (N, layers, size) moved along a direction, by so many standard deviations."""
        step = deviations * self.deviations[number] * self.vectors[number]
        moved = styles.clone()
        moved[:, list(self.layers)] += step.to(styles)
        return moved

    def strip(
        self,
        generator: TrainedGenerator,
        number: int,
        given: Given,
        strengths: Sequence[float],
        *,
        label: str | None = None,
        noise_seed: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> Strip:
        """A row of images for each reference to latents, moved along a direction by so many standard deviations."""
        space = Space(generator, "w", options, noise_seed)
        points = space.at(given, label)
        columns = [space.images(Points(self.moved(points.values, number, strength))) for strength in strengths]
        return Strip(torch.stack(columns, dim=1), points.names, [f"{strength:+g}" for strength in strengths])

    def save(self, path: Path) -> None:
        """Write a `.npz` that `load_directions` reads."""
        arrays = {"vectors": self.vectors, "deviations": self.deviations}
        numbers = {name: value.cpu().numpy() for name, value in arrays.items()}
        write_arrays(path, {**numbers, "names": np.array(self.names), "layers": np.array(self.layers)})


def load_directions(path: str | Path, device: torch.device | str = "cpu") -> Directions:
    """Directions that were saved. Raises `UserError` for another file."""
    arrays = read_arrays(path)
    if lacking := {"vectors", "deviations", "names", "layers"} - set(arrays):
        raise UserError(f"{path} holds no directions: it lacks {', '.join(sorted(lacking))}")
    vectors, deviations = (as_tensor(arrays[name], device) for name in ("vectors", "deviations"))
    return Directions(vectors, deviations, [str(name) for name in arrays["names"]], arrays["layers"].tolist())


def sefa(
    generator: TrainedGenerator, count: int, layers: Sequence[int] | None = None, *, samples: int = 10000, seed: int = 0
) -> Directions:
    """The directions in w that layers answer to most: closed-form factorisation (Shen and Zhou, 2021).

    They are eigenvectors of A^T A, the largest eigenvalue first, where A has all that the layers make of their styles
    by linear maps. Samples only give the deviations. Raises `UserError` where styles enter otherwise.
    """
    styled = with_styles(generator, "the factorisation")
    weights = styled.style_weights()
    if not weights:
        raise UserError(f"the layers of {generator.name} have no linear maps of styles to factorise; take pca")
    chosen = _chosen(layers, len(weights))
    matrix = torch.cat([weights[layer].detach().flatten(1) for layer in chosen]).double()
    vectors = torch.linalg.eigh(matrix.T @ matrix).eigenvectors.flip(1).T[: _bounded(count, matrix.shape[1])]
    styles = drawn_styles(generator, samples, seed).double()
    return _named("sefa", _with_sign(vectors), styles, chosen)


def pca(
    generator: TrainedGenerator, count: int, layers: Sequence[int] | None = None, *, samples: int = 10000, seed: int = 0
) -> Directions:
    """The principal components of the styles of samples, the largest variance first (Haerkoenen et al., 2020)."""
    styled = with_styles(generator, "the analysis of w")
    styles = drawn_styles(generator, samples, seed).double()
    centred = styles - styles.mean(0)
    covariance = centred.T @ centred / (len(styles) - 1)
    vectors = torch.linalg.eigh(covariance).eigenvectors.flip(1).T[: _bounded(count, styles.shape[1])]
    return _named("pca", _with_sign(vectors), styles, _chosen(layers, styled.style_layers()))


def drawn_styles(generator: TrainedGenerator, samples: int, seed: int) -> Tensor:
    """The vectors (samples, size) of a seed's samples, of all classes in turn."""
    return torch.cat([vectors for vectors, _ in style_blocks(generator, samples, seed)])


def style_blocks(
    generator: TrainedGenerator, samples: int, seed: int, label: str | int | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Vectors (N, size) and styles (N, layers, size) of a seed's samples, in parts; of all classes in turn, or one."""
    classes = generator.facts.classes
    labels = torch.arange(samples) % classes if classes and label is None else label
    space = Space(generator, "w")
    for part in split(generator.draw(samples, seed, label=labels), _DRAWN):
        styles = space.of(part).values
        yield styles[:, 0], styles


def _named(method: str, vectors: Tensor, styles: Tensor, layers: Sequence[int]) -> Directions:
    deviations = (styles @ vectors.T).std(0)
    kind = torch.get_default_dtype()
    return Directions(vectors.to(kind), deviations.to(kind), [f"{method}-{k}" for k in range(len(vectors))], layers)


def _with_sign(vectors: Tensor) -> Tensor:
    """Eigenvectors with their largest entry positive: their sign means nothing, and libraries choose it anyhow."""
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return vectors * largest.sign()


def _bounded(count: int, size: int) -> int:
    if count > size:
        raise UserError(f"there are {size} directions in w, which has {size} numbers, and not {count}")
    return count


def _chosen(layers: Sequence[int] | None, available: int) -> list[int]:
    return list(range(available)) if layers is None else list(layers)

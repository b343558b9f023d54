"""Fidelity and variety as a small classifier sees them that was trained on the reals; needs no downloaded weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Examples, Seed, Width
from ganlab_metrics.classifier import pixel_features


class ClassifierScore:
    """The Inception score and the Frechet distance, with a perceptron that learned the reals' classes for Inception.

    Its own value is exp of the mean divergence of a fake's class probabilities from those of all fakes (Salimans et
    al., 2016): from 1 to the number of classes, higher where fakes are of one class clearly and of all classes equally
    often. `distance` is the Frechet distance between normal distributions around the hidden features of reals and of
    fakes (Heusel et al., 2017): lower where both have the same variety. Neither compares with numbers of Inception.
    """

    def __init__(self, facts: DataFacts, hidden: Width = 64, examples: Examples = 5000, seed: Seed = 0) -> None:
        if facts.classes < 2:
            raise UserError(
                "the metric 'classifier_score' needs data with labels of at least 2 classes, and these have "
                f"{facts.classes}; name another data set or leave the metric out"
            )
        self.hidden, self.examples, self.seed = hidden, examples, seed
        self.protocol = {"hidden": hidden, "examples": examples, "metric_seed": seed}
        self._pixels: list[np.ndarray] = []
        self._labels: list[np.ndarray] = []
        self._trained: _Perceptron | None = None
        self.reset()

    def update(self, images: Tensor, real: bool, labels: Tensor | None = None) -> None:
        """Show uint8 images (N, C, H, W) or vectors (N, D); reals with their labels."""
        pixels = pixel_features(images)
        if not real:
            self._fakes.append(pixels)
            return
        assert labels is not None, "data with classes have labels"
        room = self.examples - sum(map(len, self._labels))
        if room > 0:
            self._pixels.append(pixels[:room])
            self._labels.append(labels[:room].cpu().numpy())

    def compute(self) -> dict[str, float]:
        """Both numbers for the fakes since the last reset."""
        if not self._fakes:
            raise ValueError("the metric 'classifier_score' needs at least one fake")
        if self._trained is None:
            reals, labels = np.concatenate(self._pixels), np.concatenate(self._labels)
            self._trained = _Perceptron(reals, labels, self.hidden, self.seed)
            self._pixels, self._labels = [], []
        fakes = np.concatenate(self._fakes)
        return {
            "classifier_score": score(self._trained.probabilities(fakes)),
            "distance": frechet_distance(self._trained.features_of_reals, self._trained.features(fakes)),
        }

    def reset(self) -> None:
        """Forget the fakes."""
        self._fakes: list[np.ndarray] = []


class _Perceptron:
    """One hidden layer of rectifiers, learned by scikit-learn."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, hidden: int, seed: int) -> None:
        from sklearn.neural_network import MLPClassifier

        self._model: Any = MLPClassifier((hidden,), learning_rate_init=1e-2, max_iter=60, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it could learn longer
            self._model.fit(pixels, labels)
        self.features_of_reals = self.features(pixels)

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """(N, hidden)."""
        rectified: np.ndarray = np.maximum(pixels @ self._model.coefs_[0] + self._model.intercepts_[0], 0)
        return rectified

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """(N, classes that the reals show)."""
        probabilities: np.ndarray = self._model.predict_proba(pixels)
        return probabilities


def score(probabilities: np.ndarray) -> float:
    """The exponential of the mean divergence of rows (N, classes) from their mean."""
    safe = np.clip(probabilities.astype(np.float64), 1e-12, None)
    divergences = (safe * (np.log(safe) - np.log(safe.mean(axis=0)))).sum(axis=1)
    return float(np.exp(divergences.mean()))


def frechet_distance(reals: np.ndarray, fakes: np.ndarray) -> float:
    """Between normal distributions with the means and covariances of the rows (N, D)."""
    reals, fakes = reals.astype(np.float64), fakes.astype(np.float64)
    first, second = np.cov(reals, rowvar=False), np.cov(fakes, rowvar=False)
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    crossed = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(min=0)).sum()
    apart = np.square(reals.mean(axis=0) - fakes.mean(axis=0)).sum()
    return float(apart + np.trace(first) + np.trace(second) - 2 * crossed)

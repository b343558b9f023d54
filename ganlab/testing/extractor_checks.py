"""What every feature extractor must do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from unittest import SkipTest

import torch

from ganlab.errors import DataError
from ganlab.facts import DataFacts
from ganlab.testing.examples import EXAMPLE_FACTS, build_example


def check_extractor(name: str) -> None:
    """It makes float vectors, each of its image alone and the same in every instance, and has a plain protocol."""
    for label in ("images with classes", "grey images"):
        try:
            _check_features(name, label, EXAMPLE_FACTS[label])
        except DataError as error:
            raise SkipTest(f"needs files: {error}") from error


def _check_features(name: str, label: str, facts: DataFacts) -> None:
    extractor, again = (build_example("extractors", name, facts) for _ in range(2))
    noise = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (4, *facts.shape), generator=noise, dtype=torch.uint8)
    features = extractor(images)
    shape = tuple(features.shape)
    assert len(shape) == 2, f"{label}: features have the shape {shape}, not (N, D)"
    assert shape[0] == 4, f"{label}: 4 images give {shape[0]} rows of features"
    assert features.is_floating_point(), f"{label}: features are {features.dtype}, not numbers with a fraction"
    assert torch.isfinite(features).all(), f"{label}: features are not finite"
    assert not torch.equal(features[0], features[1]), f"{label}: two images have the same features"
    alone = torch.cat([extractor(image[None]) for image in images])
    assert torch.allclose(alone, features, rtol=1e-4, atol=1e-5), f"{label}: a row depends on the other images"
    assert torch.equal(again(images), features), f"{label}: another instance gives other features"
    _check_protocol(extractor.protocol, again.protocol)


def _check_protocol(protocol: object, again: object) -> None:
    assert isinstance(protocol, Mapping), f"'protocol' is {type(protocol).__name__}, not a mapping of what counts"
    assert protocol, "'protocol' is empty: say what the features depend on"
    assert json.loads(json.dumps(protocol)) == protocol, f"'protocol' holds more than plain values: {protocol}"
    assert protocol == again, "'protocol' changes from one instance to the next"

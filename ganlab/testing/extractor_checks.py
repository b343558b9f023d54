"""What every feature extractor must do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import SkipTest

import torch
from torch import Tensor

from ganlab.errors import DataError, UserError
from ganlab.facts import DataFacts
from ganlab.testing.examples import EXAMPLE_FACTS, build_example


def check_extractor(name: str) -> None:
    """It makes float vectors, each of its image alone and the same in every instance, and has a plain protocol."""
    accepted, refusal = False, None
    for label in ("images with classes", "grey images"):
        try:
            _check_features(name, label, EXAMPLE_FACTS[label])
            accepted = True
        except DataError as error:
            raise SkipTest(f"needs files: {error}") from error
        except UserError as error:
            refusal = error
    if not accepted:
        assert refusal is not None
        raise refusal


def _check_features(name: str, label: str, facts: DataFacts) -> None:
    extractor, again = (build_example("extractors", name, facts) for _ in range(2))
    noise = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (4, *facts.shape), generator=noise, dtype=torch.uint8)
    labels = torch.arange(4) % facts.classes if facts.classes else None
    for each in (extractor, again):
        learn_from(each, [(images, labels)] * 4)
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
    unrounded = extractor(images.float())
    assert torch.allclose(unrounded, features, rtol=1e-4, atol=1e-5), f"{label}: floats from 0 to 255 are not bytes"
    if hasattr(extractor, "logits"):
        logits = extractor.logits(features)
        assert logits.dim() == 2, f"{label}: class scores are not (N, K)"
        assert len(logits) == 4, f"{label}: class scores are not (N, K)"
    _check_protocol(extractor.protocol, again.protocol)


def learn_from(extractor: Any, reals: Sequence[tuple[Tensor, Tensor | None]]) -> None:
    """Let an extractor that learns do so, as the platform does."""
    if hasattr(extractor, "learn"):
        extractor.learn(iter(reals))
        extractor.restore(extractor.state())


def _check_protocol(protocol: object, again: object) -> None:
    assert isinstance(protocol, Mapping), f"'protocol' is {type(protocol).__name__}, not a mapping of what counts"
    assert protocol, "'protocol' is empty: say what the features depend on"
    assert json.loads(json.dumps(protocol)) == protocol, f"'protocol' holds more than plain values: {protocol}"
    assert protocol == again, "'protocol' changes from one instance to the next"

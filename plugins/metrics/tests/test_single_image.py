"""SIFID against its formula, in Inception's layers with seeded random weights and in a small random network."""

import numpy as np
import pytest
import torch
from ganlab_metrics.inception import InceptionPlaces, inception_graph
from ganlab_metrics.plain_features import Pixels, RandomPlaces
from ganlab_metrics.single_image import SingleImageFID
from scipy.linalg import sqrtm

from ganlab import DataFacts, UserError

FACTS = DataFacts((3, 40, 56), 1, "picture")


def images(count, seed):
    return torch.randint(0, 256, (count, 3, 40, 56), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def distance(first, second):
    """Heusel et al.'s formula, by scipy."""
    means, covariances = zip(*((rows.mean(0), np.cov(rows.T)) for rows in (first, second)), strict=True)
    root = sqrtm(covariances[0] @ covariances[1]).real
    return ((means[0] - means[1]) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)


def test_it_is_the_mean_over_fakes_of_distances_within_images():
    extractor = RandomPlaces(width=3, layers=2)
    metric = SingleImageFID(FACTS, extractor)
    real, fakes = images(1, 0), images(3, 1) // 2
    metric.update(real, real=True)
    metric.update(fakes[:1], real=False)
    metric.update(fakes[1:], real=False)
    places = [extractor.places(one[None])[0].flatten(1).T.double().numpy() for one in (*real, *fakes)]
    expected = np.mean([distance(places[0], each) for each in places[1:]])
    assert metric.compute()["sifid"] == pytest.approx(expected, rel=1e-4)
    metric.reset()
    metric.update(real, real=False)
    assert metric.compute()["sifid"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("layer", ["64", "192"])
def test_places_of_inception_are_those_before_a_pooling(inception_weights, layer):
    extractor = InceptionPlaces(layer=layer, weights=str(inception_weights))
    shown = images(1, 0)
    graph = inception_graph().eval()
    graph.load_state_dict(torch.load(inception_weights, weights_only=True), strict=False)
    with torch.no_grad():
        maps = (shown.float() - 128) / 128
        for name, stage in graph.named_children():
            if name == {"64": "MaxPool_1", "192": "MaxPool_2"}[layer]:
                break
            maps = stage(maps)
    assert maps.shape[1] == int(layer)
    places = extractor.places(shown)
    torch.testing.assert_close(places, maps, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(extractor(shown), places.mean((2, 3)))
    assert extractor.protocol["layer"] == f"{layer} before pooling"


def test_extractors_without_places_are_refused():
    with pytest.raises(UserError, match="Pixels makes one vector of it"):
        SingleImageFID(FACTS, Pixels())
    with pytest.raises(UserError, match="these data are vectors"):
        SingleImageFID(DataFacts((2,), 1, "point"), RandomPlaces())

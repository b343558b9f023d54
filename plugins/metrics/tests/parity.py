"""What torch-fidelity and this pack say of the same images with the same weights; run as a script for other counts."""

import sys

import torch
from ganlab_metrics.frechet import frechet_distance
from ganlab_metrics.inception import Inception
from ganlab_metrics.inception_score import InceptionScore
from ganlab_metrics.kernel_distance import KID
from ganlab_metrics.neighbourhoods import PrecisionRecall
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from ganlab.evaluation.feature_set import Features


def two_sets(count, size=32):
    """Two sets of smooth colour pictures, which differ."""
    random = torch.Generator().manual_seed(0)
    sets = []
    for contrast in (1.0, 0.8):
        coarse = torch.rand(count, 3, 4, 4, generator=random) * contrast
        images = torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")
        images += torch.rand(count, 3, size, size, generator=random) * 0.2 * contrast
        sets.append((images.clamp(0, 1) * 255).to(torch.uint8))
    return sets


def of_torch_fidelity(sets, weights):
    reals, fakes = ([], [])
    layers = ["2048", "logits_unbiased"]
    extractor = FeatureExtractorInceptionV3("inception-v3-compat", layers, str(weights), verbose=False)
    for images, features in zip(sets, (reals, fakes), strict=True):
        features += [extractor(block) for block in images.split(16)]
    real, fake, logits = (torch.cat([each[i] for each in of]) for of, i in ((reals, 0), (fakes, 0), (fakes, 1)))
    return reference_numbers(real, fake, logits), real, fake


def reference_numbers(real, fake, logits):
    size = min(len(real), len(fake), 1000)
    fid = fid_statistics_to_metric(fid_features_to_statistics(fake), fid_features_to_statistics(real), False)
    kid = kid_features_to_metric(fake, real, kid_subset_size=size, verbose=False)
    score = isc_features_to_metric(logits)
    balls = prc_features_to_metric(fake, real, verbose=False)
    return {
        "fid": fid["frechet_inception_distance"],
        "kid": kid["kernel_inception_distance_mean"],
        "kid std": kid["kernel_inception_distance_std"],
        "inception_score": score["inception_score_mean"],
        "inception_score std": score["inception_score_std"],
        "precision": balls["precision"],
        "recall": balls["recall"],
    }


def of_this_pack(real, fake, extractor):
    reals, fakes = Features(real), Features(fake)
    kid = KID(extractor).compare(reals, fakes)
    score = InceptionScore(extractor).compare(None, fakes)
    balls = PrecisionRecall(extractor).compare(reals, fakes)
    return {
        "fid": frechet_distance(reals, fakes),
        "kid": kid["kid"],
        "kid std": kid["std"],
        "inception_score": score["inception_score"],
        "inception_score std": score["std"],
        "precision": balls["precision"],
        "recall": balls["recall"],
    }


def compare_on_images(count, weights):
    """The numbers of both for two sets of so many images, each with its own extraction."""
    sets = two_sets(count)
    expected, *_ = of_torch_fidelity(sets, weights)
    extractor = Inception(weights=str(weights))
    with torch.no_grad():
        real, fake = (torch.cat([extractor(block) for block in images.split(16)]) for images in sets)
    return expected, of_this_pack(real, fake, extractor)


if __name__ == "__main__":
    expected, found = compare_on_images(int(sys.argv[1]), sys.argv[2])
    for name, value in expected.items():
        print(f"{name:20s} {value:.9g} {found[name]:.9g} relative {abs(found[name] / value - 1) if value else 0:.1e}")

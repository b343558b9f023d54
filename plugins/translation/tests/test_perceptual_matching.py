from __future__ import annotations

import pytest
import torch
from ganlab_translation.perceptual_matching import SHARES, PerceptualMatching, _layers

from ganlab import UserError, Views


def test_without_weights_a_sentence_says_what_to_fetch(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLAB_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UserError, match=r"Fetch https://.*vgg19-dcbb9e9d.pth and put it into"):
        PerceptualMatching()


@pytest.mark.slow
def test_the_term_is_the_authors_with_seeded_weights(tmp_path):
    torch.manual_seed(0)
    layers = _layers()
    torch.save({f"features.{name}": value for name, value in layers.state_dict().items()}, tmp_path / "vgg.pth")
    term = PerceptualMatching(str(tmp_path / "vgg.pth"))
    assert not list(term.parameters())
    assert not term.state_dict()
    reals, fakes = torch.rand(2, 3, 32, 48), torch.rand(2, 3, 32, 48, requires_grad=True)
    found = term.penalty(Views(real_images=reals, fake_images=fakes))
    expected, real, fake = torch.zeros(()), reals, fakes
    for index, layer in enumerate(layers):
        real, fake = layer(real), layer(fake)
        if index in SHARES:
            assert isinstance(layer, torch.nn.ReLU)
            expected = expected + SHARES[index] * (real - fake).abs().mean()
    torch.testing.assert_close(found, expected)
    found.backward()
    assert fakes.grad is not None
    grey = term.penalty(Views(real_images=reals[:, :1], fake_images=fakes[:, :1]))
    assert torch.isfinite(grey)
    with pytest.raises(UserError, match="grey or RGB"):
        term.penalty(Views(real_images=reals[:, :2], fake_images=fakes[:, :2]))


@pytest.mark.slow
def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / "vgg.pth")
    with pytest.raises(UserError, match="does not hold the weights of VGG19"):
        PerceptualMatching(str(tmp_path / "vgg.pth"))

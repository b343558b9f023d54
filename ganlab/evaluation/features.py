"""Features of images by a network that was trained to tell things apart, from weights that are on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.parametrize import is_parametrized

from ganlab.errors import UserError
from ganlab.suggestions import did_you_mean


class FeatureExtractor:
    """What the last layer of one of torchvision's classifiers sees, as vectors.

    Images are scaled to the size that the classifier was trained at and normalised as there; grey ones become RGB, and
    transparency is left out. The weights are those of torchvision, looked for where torch keeps downloads: nothing is
    downloaded. Raises `UserError` for an unknown name or missing weights.
    """

    def __init__(self, name: str, device: torch.device | None = None) -> None:
        models = _torchvision_models()
        if name not in (known := models.list_models(module=models)):
            raise UserError(
                f"torchvision has no classifier '{name}'{did_you_mean(name, known)}; resnet50 and vgg16 are usual"
            )
        weights, path = _found(name, models.get_model_weights(name))
        transforms = weights.transforms()
        self.size: int = transforms.crop_size[0]
        self._mean = torch.tensor(transforms.mean, device=device)
        self._deviation = torch.tensor(transforms.std, device=device)
        self.network: nn.Module = _with_weights(models.get_model(name, weights=None), name, path)
        self.network.to(device).eval().requires_grad_(False)
        self.device = device

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """uint8 images (N, C, H, W) to float vectors (N, D) on the CPU; means over places, if there are many."""
        images = _as_rgb(images.to(self.device).float() / 255)
        images = interpolate(images, size=self.size, mode="bilinear", antialias=True)
        images = (images - self._mean[:, None, None]) / self._deviation[:, None, None]
        features = last_features(self.network, lambda: self.network(images))
        return features.flatten(2).mean(2).cpu() if features.dim() > 2 else features.cpu()


def _torchvision_models() -> Any:
    try:
        import torchvision.models
    except ImportError as error:
        raise UserError("features are those of torchvision's classifiers: 'pip install torchvision'") from error
    return torchvision.models


def weights_file(name: str) -> Path:
    """The file of the weights of one of torchvision's classifiers. Raises `UserError` if it is not on this machine."""
    return _found(name, _torchvision_models().get_model_weights(name))[1]


def _found(name: str, published: Any) -> tuple[Any, Path]:
    """The best of the published weights that are there, and their file."""
    folder = Path(torch.hub.get_dir(), "checkpoints")
    for weights in (published.DEFAULT, *published):
        path = folder / Path(urlsplit(weights.url).path).name
        if path.exists():
            return weights, path
    raise UserError(f"the weights of {name} are not on this machine: put {published.DEFAULT.url} into {folder}")


def _with_weights(network: nn.Module, name: str, path: Path) -> nn.Module:
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # damaged files raise errors of many kinds
        raise UserError(f"{path} does not hold the weights of {name}: {str(error).splitlines()[0]}") from error
    return network


def _as_rgb(images: Tensor) -> Tensor:
    """Images with 1 (grey), 2 (grey and alpha), 3 or 4 (RGB and alpha) channels with 3."""
    return images[:, :3] if images.shape[1] > 2 else images[:, :1].expand(-1, 3, -1, -1)


def last_features(network: nn.Module, run: Callable[[], Any]) -> Tensor:
    """The input (N, ...) of the last layer with a weight that runs in `network` during `run()`.

    Layers of vectors and images count; an embedding, whose inputs are no features, does not.
    """
    inputs: list[Tensor] = []

    def remember(layer: nn.Module, arguments: tuple[Any, ...]) -> None:
        if arguments and isinstance(arguments[0], Tensor) and arguments[0].is_floating_point():
            inputs[:] = [arguments[0]]

    handles = [layer.register_forward_pre_hook(remember) for layer in network.modules() if _has_weight(layer)]
    # A compiled network does not call the hooks.
    compiled, network._compiled_call_impl = network._compiled_call_impl, None
    try:
        run()
    finally:
        network._compiled_call_impl = compiled
        for handle in handles:
            handle.remove()
    assert inputs, f"no layer with a weight runs in {type(network).__name__}"
    return inputs[0]


def _has_weight(layer: nn.Module) -> bool:
    # Looked up and not read: reading a parametrized weight would compute it.
    weight = layer._parameters.get("weight")
    return is_parametrized(layer, "weight") or (weight is not None and weight.dim() > 1)

"""CLIP's image encoder: features that follow what pictures show."""

from __future__ import annotations

import warnings
from typing import Literal

import torch
from torch import Tensor, nn

from ganlab import UserError
from ganlab.errors import reason
from ganlab_metrics.network_extractor import DType, NetworkExtractor
from ganlab_metrics.resizing import Resize
from ganlab_metrics.weights import KnownWeights, hash_of, read_weights

_NORMALISE = (
    (255 * 0.48145466, 255 * 0.4578275, 255 * 0.40821073),
    (255 * 0.26862954, 255 * 0.26130258, 255 * 0.27577711),
)

Model = Literal["vit-b-32", "vit-b-16", "vit-l-14", "vit-l-14-336px", "rn50", "rn101"]
_SIZES = {"vit-l-14-336px": 336}


class CLIP(NetworkExtractor):
    """CLIP's image embeddings, with OpenAI's weights as torch-fidelity keeps them.

    OpenAI's files are TorchScript archives, of which only the tensors are taken; a plain `.pth` or `.safetensors` of
    the same names does as well.

    Args:
        model: Name of the encoder.
        resize: how images become as large as the encoder wants them.
        dtype: what it computes in.
        weights: a file, where it is not where torch keeps its downloads.
    """

    def __init__(
        self,
        model: Model = "vit-b-32",
        resize: Resize = "tf1_bilinear",
        dtype: DType = "float32",
        weights: str | None = None,
    ) -> None:
        self.known = known_weights(model)
        self._path = self.known.find(weights)
        name, size = f"clip-{model}", _SIZES.get(model, 224)
        super().__init__(self._make_network, name, hash_of(self._path), size, resize, _NORMALISE, dtype)

    def _make_network(self) -> nn.Module:
        from torch_fidelity.feature_extractor_clip import build_model

        try:
            network: nn.Module = build_model(self._tensors(), torch.float32).visual
        except (KeyError, RuntimeError, AssertionError) as error:
            raise UserError(
                f"{self._path} does not hold the weights of {self.known.network}: {reason(error)}"
            ) from error
        return network

    def _tensors(self) -> dict[str, Tensor]:
        if self._path.suffix != ".pt":
            return read_weights(self._path, self.known.network)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                return dict(torch.jit.load(self._path, map_location="cpu").state_dict())
            except (RuntimeError, ValueError) as error:
                raise UserError(f"{self._path} is no TorchScript archive: {reason(error)}") from error


def known_weights(model: str) -> KnownWeights:
    """The file of one of OpenAI's models, under the name that torch-fidelity gives it."""
    from torch_fidelity.feature_extractor_clip import MODEL_METADATA, MODEL_URLS

    name = f"clip-{model}"
    return KnownWeights(name, f"{name}-{MODEL_METADATA[name]['hash']}.pt", MODEL_URLS[name])

"""DINOv2, a vision transformer that learned without labels; FD-DINOv2 is measured in its features."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, scaled_dot_product_attention, silu

from ganlab_metrics.network_extractor import DType, NetworkExtractor
from ganlab_metrics.resizing import Resize
from ganlab_metrics.weights import KnownWeights, fit, hash_of, read_weights

_PATCH = 14
_TRAINED_GRID = 37  # patches a side, at 518 pixels
_GRID = 16  # at 224
_EPS = 1e-6
_SIZES = {"s": (384, 12, 6), "b": (768, 12, 12), "l": (1024, 24, 16), "g": (1536, 40, 24)}


class DINOv2(NetworkExtractor):
    """The class token of DINOv2 (Oquab et al., 2023) without registers, at 224 pixels.

    With `model: l` and the bicubic resize it is what FD-DINOv2 (Stein et al., 2023) is measured in. The network is
    written here, so that its weights alone are needed and no code of a repository is fetched.

    Args:
        model: size of the transformer: s, b, l or g, with 384, 768, 1024 or 1536 features.
        resize: how images become 224 pixels a side; torch-fidelity has `tf1_bilinear`, unlike what was published.
        dtype: what it computes in.
        weights: a file, where it is not where torch keeps its downloads.
    """

    def __init__(
        self,
        model: Literal["s", "b", "l", "g"] = "l",
        resize: Resize = "bicubic",
        dtype: DType = "float32",
        weights: str | None = None,
    ) -> None:
        name = f"dinov2_vit{model}14"
        file = f"{name}_pretrain.pth"
        self.known = KnownWeights(name, file, f"https://dl.fbaipublicfiles.com/dinov2/{name}/{file}")
        self._path = self.known.find(weights)
        self._sizes = _SIZES[model]
        super().__init__(self._make_network, name, hash_of(self._path), _GRID * _PATCH, resize, dtype=dtype)

    def _make_network(self) -> nn.Module:
        width, depth, heads = self._sizes
        with torch.device("meta"):
            network = VisionTransformer(width, depth, heads, gated=width == _SIZES["g"][0])
        network.to_empty(device="cpu")
        fit(network, read_weights(self._path, self.known.network), self._path, self.known.network)
        return network


class VisionTransformer(nn.Module):
    """Images of 224 pixels to class tokens (N, width); the names of its tensors are those of DINOv2's files.

    Args:
        width: of tokens.
        depth: blocks.
        heads: of the attention.
        gated: whether the blocks' perceptrons are gated (SwiGLU), as those of the largest model are.
    """

    def __init__(self, width: int, depth: int, heads: int, gated: bool = False) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, _TRAINED_GRID**2 + 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))  # of the training alone
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, _PATCH, stride=_PATCH)})
        self.blocks = nn.ModuleList(_Block(width, heads, gated) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=_EPS)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, 224, 224) to (N, width)."""
        patches = self.patch_embed["proj"](images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1) + self._positions()
        for block in self.blocks:
            tokens = block(tokens)
        classes: Tensor = self.norm(tokens[:, 0])
        return classes

    def _positions(self) -> Tensor:
        """The learned places of 37 x 37 patches, interpolated to 16 x 16 as DINOv2 does: by a scale with 0.1 added."""
        width = self.pos_embed.shape[2]
        grid = self.pos_embed[:, 1:].float().view(1, _TRAINED_GRID, _TRAINED_GRID, width).permute(0, 3, 1, 2)
        scale = (_GRID + 0.1) / _TRAINED_GRID
        placed = interpolate(grid, scale_factor=(scale, scale), mode="bicubic").to(self.pos_embed.dtype)
        assert placed.shape[2:] == (_GRID, _GRID)
        return torch.cat([self.pos_embed[:, :1], placed.flatten(2).transpose(1, 2)], dim=1)


class _Block(nn.Module):
    """Attention and a perceptron, each behind a normalization and scaled by channel before it is added."""

    def __init__(self, width: int, heads: int, gated: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=_EPS)
        self.attn = _Attention(width, heads)
        self.ls1 = _Scale(width)
        self.norm2 = nn.LayerNorm(width, eps=_EPS)
        self.mlp: nn.Module = _GatedPerceptron(width) if gated else _Perceptron(width)
        self.ls2 = _Scale(width)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        result: Tensor = tokens + self.ls2(self.mlp(self.norm2(tokens)))
        return result


class _Scale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.gamma


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        count, length, width = tokens.shape
        parts = self.qkv(tokens).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(query, key, value)
        result: Tensor = self.proj(attended.transpose(1, 2).reshape(count, length, width))
        return result


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        result: Tensor = self.fc2(nn.functional.gelu(self.fc1(tokens)))
        return result


class _GatedPerceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = (int(4 * width * 2 / 3) + 7) // 8 * 8
        self.w12 = nn.Linear(width, 2 * hidden)
        self.w3 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        gate, value = self.w12(tokens).chunk(2, dim=-1)
        result: Tensor = self.w3(silu(gate) * value)
        return result

"""The generator of vid2vid: a frame from maps and from the frames before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from ganlab_layers.groups import InstanceNormalizer
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ganlab import DataFacts, InputFacts, UserError
from ganlab.bounds import Count, Natural
from ganlab.contracts import Normalizer
from ganlab.nn import Conv2d, ConvTranspose2d, ReLU
from ganlab.nn.conditions import condition_channels
from ganlab.nn.initialisation import activation, convolution, has_bias
from ganlab_video.frame_inputs import frame_inputs, planes_of_classes
from ganlab_video.warping import warp

FLOW_SCALE = 20.0
"""Pixels that a flow's unit means inside of networks."""

_REFLECTED = 3  # pixels around a frame

EXAMPLE_FACTS = DataFacts(
    (4, 3, 16, 12),
    16,
    "films",
    frames=4,
    inputs={
        "label_map": InputFacts((4, 1, 16, 12), "maps", classes=3),
        "flow": InputFacts((4, 3, 16, 12), "flows"),
    },
)


@dataclass
class Frame:
    """A frame (N, C, H, W) in [-1, 1] with what it was made of.

    `raw` was drawn anew; `flow` (N, 2, H, W) points to where each pixel was in the frame before, and `mask`
    (N, 1, H, W) is the share of what was drawn, from 0 to 1; both are None for a generator without flow.
    """

    image: Tensor
    raw: Tensor
    flow: Tensor | None = None
    mask: Tensor | None = None


class FilmGenerator(nn.Module):
    """The next frame of a film, from the maps of some frames up to this one and the frames before (Wang et al., 2018).

    Features of the maps and of the frames before are added; two branches make of them an image, and a flow with a mask
    that says where the frame before, moved by the flow, is to be kept. With `foreground`, a network of its own draws
    what belongs to these classes, from the maps alone. With several `scales` the features of a network for smaller
    frames are added to those of the next, which draws finer; each scale can draw frames of its own size, so that a
    game can train the coarser ones first. The defaults are the authors' for frames 512 wide; for 1024 and 2048 they
    have 2 and 3 scales. Other than with them, smaller networks see smaller versions of the finished frames before.

    Args:
        width: channels of the first layer at the smallest scale; each finer one has half as many.
        halvings: how often frames are halved at the smallest scale.
        blocks: residual blocks of the smallest scale, one half behind each input, the other in each branch.
        past: how many frames before are looked at; 0 for a generator that knows nothing of them and moves nothing.
        flow: whether the frame before is moved and kept; without, every frame is drawn anew.
        foreground: classes, by their numbers in the first map, that have a network of their own.
        scales: how many networks there are, from coarse to fine.
        local_blocks: residual blocks of each finer scale.
        normalizer: behind all layers but the last ones; null for instance norm, which is batch norm for a batch of one.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "width": 4,
        "halvings": 1,
        "blocks": 2,
        "foreground": [1],
        "scales": 2,
        "local_blocks": 1,
    }
    example_facts: ClassVar[DataFacts] = EXAMPLE_FACTS

    def __init__(
        self,
        facts: DataFacts,
        width: Count = 128,
        halvings: Annotated[int, Ge(1), Le(20)] = 3,
        blocks: Annotated[int, Ge(0), Le(50)] = 9,
        past: Annotated[int, Ge(0), Le(100)] = 2,
        flow: bool = True,
        foreground: Sequence[Natural] = (),
        scales: Annotated[int, Ge(1), Le(20)] = 1,
        local_blocks: Annotated[int, Ge(0), Le(50)] = 3,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__()
        self.inputs = frame_inputs(facts)
        shape = facts.image_shape
        _check_sides(shape, halvings, scales)
        self.past, self.moves, self.colours = past, flow and past > 0, shape[0]
        self.foreground = planes_of_classes(self.inputs, foreground, "foreground")
        channels = condition_channels(self.inputs, shape)
        layers = _Layers(normalizer or InstanceNormalizer())
        maps, frames = (past + 1) * channels, past * self.colours
        sizes = _Sizes(width, halvings, (blocks - blocks // 2, blocks // 2), local_blocks, scales)
        self.scales = scales
        self.stages = _stages(layers, (maps, frames), sizes, self.moves)
        self.front: nn.ModuleList | None = None
        if self.foreground:
            thin = max(1, width // 2) if halvings > 2 else width
            self.front = _stages(layers, (maps, 0), replace(sizes, width=thin, blocks=(0, blocks)), False)
        self.heads = nn.ModuleList(
            _Heads(layers, self.colours, self.stages[scale].width, self.moves, self.front and self.front[scale].width)
            for scale in range(scales)
        )

    def forward(
        self,
        maps: Tensor,
        frames: Tensor | None = None,
        raw_only: bool = False,
        scales: int | None = None,
        fixed: bool = False,
    ) -> Frame:
        """The frame of the last of the maps.

        Args:
            maps: stacks of the frames from `past` before to this one, (N, past + 1, S, H, W), the oldest first.
            frames: frames before, (N, past, C, H, W), the oldest first.
            raw_only: take nothing of the frame before, which is none.
            scales: how many of the networks draw, the coarsest first, frames as much smaller; None for all.
            fixed: let no gradient go to any network but the finest of these.
        """
        seen = None if frames is None or not self.past else frames.flatten(1, 2)
        active = scales or self.scales
        drawn, motion = _from_coarse_to_fine(self.stages[:active], maps.flatten(1, 2), seen, fixed)
        heads = self.heads[active - 1]
        raw = heads.image(drawn).tanh()
        image, flow, mask = raw, None, None
        if self.moves:
            assert frames is not None
            flow = heads.flow(motion) * (FLOW_SCALE * 2 ** (active - 1))
            mask = heads.mask(motion).sigmoid()
            image = raw if raw_only else mask * raw + (1 - mask) * warp(frames[:, -1], flow)
        if self.front is not None:
            front = heads.front(_from_coarse_to_fine(self.front[:active], maps.flatten(1, 2), None, fixed)[0]).tanh()
            here = maps[:, -1, self.foreground].sum(1, keepdim=True)
            image, raw = (here * front + (1 - here) * behind for behind in (image, raw))
        return Frame(image, raw, flow, mask)


class _Layers:
    """How all layers are made."""

    def __init__(self, normalizer: Normalizer) -> None:
        self.normalizer = normalizer
        self.bias = has_bias(normalizer, False)

    def convolution(self, before: int, after: int, size: int, stride: int = 1) -> nn.Sequential:
        """A convolution with a norm; borders are reflected."""
        mode = "reflect" if stride == 1 else "zeros"
        made = Conv2d(before, after, size, stride, size // 2, bias=self.bias, padding_mode=mode)
        return nn.Sequential(convolution(made, self.normalizer), activation(after, self.normalizer))

    def doubling(self, before: int, after: int) -> nn.Sequential:
        """A transposed convolution that doubles the sides, with a norm and a rectifier."""
        made = ConvTranspose2d(before, after, 3, 2, 1, 1, bias=self.bias)
        return nn.Sequential(convolution(made, self.normalizer), activation(after, self.normalizer), ReLU())

    def last(self, before: int, after: int) -> nn.Module:
        """The convolution that ends a branch."""
        return convolution(Conv2d(before, after, 7, padding=3, padding_mode="reflect"), self.normalizer)

    def down(self, channels: int, width: int, halvings: int, blocks: int) -> nn.Sequential:
        """From an input to features of its halvings."""
        made: list[nn.Module] = [self.convolution(channels, width, 7), ReLU()]
        for level in range(halvings):
            made += [self.convolution(width << level, width << level + 1, 3, 2), ReLU()]
        return nn.Sequential(*made, *(_Block(self, width << halvings) for _ in range(blocks)))

    def up(self, width: int, halvings: int, blocks: int) -> nn.Sequential:
        """From these features to as many as the input has pixels."""
        doublings = [self.doubling(width << level + 1, width << level) for level in reversed(range(halvings))]
        return nn.Sequential(*(_Block(self, width << halvings) for _ in range(blocks)), *doublings)


class _Block(nn.Module):
    def __init__(self, layers: _Layers, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(layers.convolution(width, width, 3), ReLU(), layers.convolution(width, width, 3))

    def forward(self, features: Tensor) -> Tensor:
        """Features, changed a little."""
        changed: Tensor = features + self.change(features)
        return changed


class _Stage(nn.Module):
    """One scale: maps, and frames if there are any, to features of an image and of motion (N, width, H, W)."""

    def __init__(
        self,
        layers: _Layers,
        channels: tuple[int, int],
        width: int,
        halvings: int,
        blocks: tuple[int, int],
        moves: bool,
    ) -> None:
        super().__init__()
        self.width = width
        self.of_maps = layers.down(channels[0], width, halvings, blocks[0])
        self.of_frames = layers.down(channels[1], width, halvings, blocks[0]) if channels[1] else None
        self.image = layers.up(width, halvings, blocks[1])
        self.motion = layers.up(width, halvings, blocks[1]) if moves else None

    def forward(
        self, maps: Tensor, frames: Tensor | None, coarse: tuple[Tensor, Tensor | None] | None
    ) -> tuple[Tensor, Tensor | None]:
        """The features; those of the next coarser scale, whose frames are half as large, are added on the way."""
        features = self.of_maps(maps)
        if self.of_frames is not None:
            features = features + self.of_frames(frames)
        if coarse is None:
            return self.image(features), None if self.motion is None else self.motion(features)
        moving = None if self.motion is None else self.motion(features + coarse[1])
        return self.image(features + coarse[0]), moving


class _Heads(nn.Module):
    """From the features of one scale to an image, to a flow and its mask, and to what is in front."""

    def __init__(self, layers: _Layers, colours: int, width: int, moves: bool, front: int | None) -> None:
        super().__init__()
        self.image = layers.last(width, colours)
        self.flow = layers.last(width, 2) if moves else None
        self.mask = layers.last(width, 1) if moves else None
        self.front = layers.last(front, colours) if front else None


@dataclass(frozen=True)
class _Sizes:
    """Channels of the coarsest scale, its halvings, its blocks behind inputs and in branches; blocks of finer ones."""

    width: int
    halvings: int
    blocks: tuple[int, int]
    local_blocks: int
    scales: int


def _stages(layers: _Layers, channels: tuple[int, int], sizes: _Sizes, moves: bool) -> nn.ModuleList:
    """The networks of all scales, the coarsest first."""
    coarsest = _Stage(layers, channels, sizes.width, sizes.halvings, sizes.blocks, moves)
    finer = [
        _Stage(layers, channels, max(1, sizes.width >> scale), 1, (0, sizes.local_blocks), moves)
        for scale in range(1, sizes.scales)
    ]
    return nn.ModuleList([coarsest, *finer])


def _from_coarse_to_fine(
    stages: nn.ModuleList, maps: Tensor, frames: Tensor | None, fixed: bool
) -> tuple[Tensor, Tensor | None]:
    """The features of the finest stage; with `fixed` there is no graph of the others."""
    sizes = [(maps, frames)]
    for _ in range(len(stages) - 1):
        sizes.append((_halved(sizes[-1][0]), None if sizes[-1][1] is None else _halved(sizes[-1][1])))
    features: tuple[Tensor, Tensor | None] | None = None
    for place, (stage, (seen, before)) in enumerate(zip(stages, reversed(sizes), strict=True), start=1):
        trained = torch.is_grad_enabled() and not (fixed and place < len(stages))
        with torch.set_grad_enabled(trained):
            features = stage(seen, before, features)
    assert features is not None
    return features


def _halved(images: Tensor) -> Tensor:
    return avg_pool2d(images, 3, 2, 1, count_include_pad=False)


def _check_sides(shape: tuple[int, ...], halvings: int, scales: int) -> None:
    least = 2 ** (halvings + scales - 1)
    for side in shape[1:]:
        if side % least or side < 2 * least or side >> scales - 1 <= _REFLECTED:
            raise UserError(
                f"frames of {shape[1]} x {shape[2]} pixels are too small for what 'halvings' and "
                f"'scales' ask for: sides are multiples of {least} and larger than that, on the smallest scale at "
                f"least {_REFLECTED + 1} pixels"
            )

"""Layers and operations that several families share."""

from __future__ import annotations

from ganlab.distributed import gather_batch, stack_over_ranks, sum_over_ranks
from ganlab.nn.average_pool import AveragePool, average_pool
from ganlab.nn.bias_activation import BiasActivation, bias_activation
from ganlab.nn.combined_normalizer import CombinedNormalizer
from ganlab.nn.committed import Committed
from ganlab.nn.conditional import Conditional
from ganlab.nn.conditioning import (
    Conditioning,
    ConditioningName,
    LabelInputName,
    Projection,
    chosen_name,
    conditioning_of,
    scaled_product,
)
from ganlab.nn.convolution import Conv2d, ConvTranspose2d, conv2d, conv_transpose2d
from ganlab.nn.dropout import Dropout
from ganlab.nn.equalized import Scaled, equalized
from ganlab.nn.frozen import Frozen
from ganlab.nn.image_pool import ImagePool
from ganlab.nn.labels import class_shares, embedded, with_label
from ganlab.nn.leaky_relu import LeakyReLU, ReLU, leaky_relu
from ganlab.nn.maxout import Maxout
from ganlab.nn.modulated_convolution import modulated_conv2d
from ganlab.nn.normalizer import Normalizer, Unchanged, conditional_activation
from ganlab.nn.pixel_norm import PixelNorm
from ganlab.nn.running_mean import RunningMean
from ganlab.nn.spatial import Spatial, spatial_activation
from ganlab.nn.spectral_norm import SpectralNorm, spectral_norm
from ganlab.nn.upfirdn import Resampler, upfirdn
from ganlab.nn.weight_norm import WeightNorm, weight_norm
from ganlab.nn.whole_batch import WholeBatch

__all__ = [
    "CombinedNormalizer",
    "Committed",
    "Conditional",
    "Conditioning",
    "ConditioningName",
    "AveragePool",
    "BiasActivation",
    "Conv2d",
    "ConvTranspose2d",
    "Frozen",
    "Dropout",
    "ImagePool",
    "LabelInputName",
    "LeakyReLU",
    "Maxout",
    "Normalizer",
    "PixelNorm",
    "Projection",
    "ReLU",
    "Resampler",
    "RunningMean",
    "Scaled",
    "Spatial",
    "SpectralNorm",
    "Unchanged",
    "WeightNorm",
    "WholeBatch",
    "average_pool",
    "bias_activation",
    "chosen_name",
    "class_shares",
    "conditional_activation",
    "conditioning_of",
    "conv2d",
    "conv_transpose2d",
    "embedded",
    "equalized",
    "gather_batch",
    "leaky_relu",
    "modulated_conv2d",
    "scaled_product",
    "spatial_activation",
    "spectral_norm",
    "stack_over_ranks",
    "sum_over_ranks",
    "upfirdn",
    "weight_norm",
    "with_label",
]

"""What people do with a trained generator: walk, mix, truncate, project, find directions, calculate.

Each tool is a function of a `ganlab.TrainedGenerator` and stands behind a command of the same name.
"""

from __future__ import annotations

from ganlab.latents.arithmetic import arithmetic
from ganlab.latents.attributes import attribute_directions
from ganlab.latents.directions import Directions, load_directions, pca, sefa
from ganlab.latents.files import load_points, save_points
from ganlab.latents.interpolation import great_circle, interpolate
from ganlab.latents.mixing import mix
from ganlab.latents.noise import compare_noise
from ganlab.latents.projection import Projection, project
from ganlab.latents.space import Points, Space
from ganlab.latents.strip import Strip
from ganlab.latents.truncation import compare_values

__all__ = [
    "Directions",
    "Points",
    "Projection",
    "Space",
    "Strip",
    "arithmetic",
    "attribute_directions",
    "compare_noise",
    "compare_values",
    "great_circle",
    "interpolate",
    "load_directions",
    "load_points",
    "mix",
    "pca",
    "project",
    "save_points",
    "sefa",
]

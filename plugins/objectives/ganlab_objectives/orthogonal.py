"""Orthogonal regularization."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ganlab.contracts import Views
from ganlab.errors import UserError
from ganlab.nn.layer_weight import output_dimension


class Orthogonal:
    """Keeps the filters of the generator's layers orthogonal to each other.

    The sum over layers of |W W' - I|^2, or, as in BigGAN (Brock et al., 2019), of its part off the diagonal, which
    leaves the filters' norms alone. W has one row for each output of a layer. Embeddings are skipped, and everything
    with fewer than two dimensions: biases and gains. Where a normalizer of weights is at work, W is the stored weight
    and not the normalized one. This is the gradient of the formula; the code that BigGAN's authors released halves it.

    Args:
        form: `off_diagonal`, or `full` with the norms.
        skip: patterns of the names of further parameters to skip, such as `last.*`.
    """

    side: ClassVar[str] = "generator"
    requires: ClassVar[frozenset[str]] = frozenset({"generator"})

    def __init__(self, form: Literal["off_diagonal", "full"] = "off_diagonal", skip: Sequence[str] = ()) -> None:
        self.form = form
        self.skip = tuple(skip)

    def penalty(self, views: Views) -> Tensor:
        """The sum over layers."""
        self._check_patterns(views.generator)
        distances = [self._distance(matrix) for matrix in self._matrices(views.generator)]
        if not distances:
            raise UserError(f"orthogonal: the patterns {', '.join(self.skip)} skip all weights of the generator")
        return torch.stack(distances).sum()

    def _check_patterns(self, network: nn.Module) -> None:
        names = [name for name, _ in network.named_parameters()] if self.skip else []
        for pattern in self.skip:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise UserError(
                    f"orthogonal: the pattern '{pattern}' in 'skip' fits no parameter of the generator; these are: "
                    f"{', '.join(names)}"
                )

    def _distance(self, matrix: Tensor) -> Tensor:
        products = matrix @ matrix.t()
        norms = products.diagonal()
        wanted = torch.ones_like(norms) if self.form == "full" else norms
        return (products - wanted.diag()).square().sum()

    def _matrices(self, network: nn.Module) -> Iterator[Tensor]:
        for name, parameter in network.named_parameters():
            # A parametrized weight is stored as `layer.parametrizations.weight.original`.
            path = name.partition(".parametrizations.")[0] if ".parametrizations." in name else name.rpartition(".")[0]
            layer = network.get_submodule(path)
            skipped = isinstance(layer, nn.Embedding) or any(fnmatchcase(name, pattern) for pattern in self.skip)
            if parameter.dim() > 1 and not skipped:
                yield parameter.movedim(output_dimension(layer), 0).flatten(1)

"""Sums and differences of latents: a - b + c."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganlab.errors import UserError
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.latents.space import Points, Space, SpaceName
from ganlab.latents.strip import EMPTY, Strip

_SIGN = re.compile(r"(?:^|\s+)([+-])\s+")


@dataclass(frozen=True)
class Sum:
    """A strip of all terms and the result, and the result's points."""

    strip: Strip
    points: Points
    space: Space


def arithmetic(
    generator: TrainedGenerator,
    formula: str,
    *,
    space: SpaceName | None = None,
    label: str | None = None,
    noise_seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Sum:
    """The sum of a formula such as `1 - 5 + 9` or `1,2,3 - 4,5,6 + 7,8,9`, whose terms are means of references.

    The strip has a column for each term, with the images of its references and below them that of their mean, and the
    result as the last one (Radford et al., 2016). In z, means and result are made as long as latents are. The result
    gets the sum of the terms' classes, where these are not all alike: shares below 0 count as 0. Raises `UserError`
    for what is no such formula.
    """
    room = Space(generator, space, options, noise_seed)
    terms = [(sign, room.at(text, label)) for sign, text in terms_of(formula)]
    means = [_mean(room, points) for _, points in terms]
    signs = [sign for sign, _ in terms]
    total = _total(signs, [mean.values for mean in means])
    result = Points(_of_usual_length(room, total, terms[0][1].values), _classes(room, signs, means))
    columns = [_column(room, points, mean) for (_, points), mean in zip(terms, means, strict=True)]
    columns.append(room.images(result))
    height = max(map(len, columns))
    stacked = torch.stack([_from_below(column, height) for column in columns], dim=1)
    titles = [f"{'+' if sign > 0 else '-'} {','.join(points.names)}" for sign, points in terms]
    titles[0] = titles[0].removeprefix("+ ")
    return Sum(Strip(stacked, [], [*titles, "="]), result, room)


def terms_of(formula: str) -> list[tuple[int, str]]:
    """Signs and texts of the terms; signs stand between spaces, as a range has a dash of its own."""
    pieces = _SIGN.split(formula.strip())
    pieces = ["+", *pieces] if pieces[0] else pieces[1:]
    signs, texts = pieces[::2], pieces[1::2]
    if len(texts) < 2 or not all(texts):
        raise UserError(f"'{formula}' is no sum: write terms with a sign between spaces, as in '1 - 5 + 9'")
    return [(1 if sign == "+" else -1, text) for sign, text in zip(signs, texts, strict=True)]


def _mean(space: Space, points: Points) -> Points:
    labels = points.labels
    if labels is not None and not _alike(labels):
        labels = space.shares(labels).mean(0, keepdim=True)
    mean = _of_usual_length(space, points.values.mean(0, keepdim=True), points.values)
    return Points(mean, None if labels is None else labels[:1])


def _of_usual_length(space: Space, value: Tensor, others: Tensor) -> Tensor:
    """In z the value (1, ...) at the mean distance of others from the origin: means are too near, sums too far."""
    if space.name == "w":
        return value
    wanted = torch.linalg.vector_norm(others.flatten(1), dim=1).mean()
    scaled: Tensor = value * (wanted / torch.linalg.vector_norm(value).clamp_min(torch.finfo(value.dtype).tiny))
    return scaled


def _classes(space: Space, signs: list[int], means: list[Points]) -> Tensor | None:
    labels = [mean.labels for mean in means if mean.labels is not None]
    if not labels or (all(one.dim() == 1 for one in labels) and _alike(torch.cat(labels))):
        return labels[0] if labels else None
    shares = _total(signs, [space.shares(one) for one in labels]).clamp_min(0)
    return shares / shares.sum(1, keepdim=True).clamp_min(torch.finfo(shares.dtype).tiny)


def _alike(labels: Tensor) -> bool:
    return labels.dim() == 1 and bool((labels == labels[0]).all())


def _total(signs: list[int], values: list[Tensor]) -> Tensor:
    return torch.stack([sign * value for sign, value in zip(signs, values, strict=True)]).sum(0)


def _column(space: Space, points: Points, mean: Points) -> Tensor:
    """The images of a term: its references' and their mean's; one reference is its own mean."""
    own = space.images(points)
    return own if len(points) == 1 else torch.cat([own, space.images(mean)])


def _from_below(column: Tensor, height: int) -> Tensor:
    missing = column.new_full((height - len(column), *column.shape[1:]), EMPTY)
    return torch.cat([missing, column])

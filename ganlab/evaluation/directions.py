"""Whether higher or lower numbers of a metric are better, as it says in `higher_is_better`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ganlab.errors import UserError
from ganlab.spec.model import BestSection

Direction = Literal["lower", "higher"]


def direction_of(section: BestSection, metrics: Mapping[str, Any]) -> Direction:
    """Which values of the number that decides are better: as the spec says, or the metric.

    Raises `UserError` where neither says it.
    """
    if section.direction is not None:
        return section.direction
    name, _, part = section.metric.partition("/")
    said = getattr(metrics[name], "higher_is_better", None)
    if isinstance(said, Mapping):
        said = said.get(part or name)
    if said is None:
        raise UserError(
            f"evaluation.best: the metric '{name}' does not say whether lower or higher values of '{section.metric}' "
            "are better; add 'direction: lower' or 'direction: higher'"
        )
    return "higher" if said else "lower"

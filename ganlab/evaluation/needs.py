"""What metrics say that they need, and whether a game and its data can give it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.suggestions import did_you_mean

NEEDS = ("reals", "fakes", "targets", "inputs", "generator")
"""The words of a metric's `needs`; see `ganlab.contracts.Metric`."""

USUAL = frozenset({"reals", "fakes"})
"""What a metric needs that does not say it."""

OF_FEATURES = ("training", "held_out")
"""What further reals an argument of `compare` may ask for."""

OF_FAKES = ("targets", "inputs")
"""What belongs to each fake and is an argument of `update`."""


def needs_of(metric: Any) -> frozenset[str]:
    """What a metric, or its class, says that it needs."""
    return frozenset(getattr(metric, "needs", USUAL))


def check_needs(name: str, metric: Any, facts: DataFacts) -> None:
    """Raise `UserError` if a metric contradicts itself, or if these data cannot give what it needs."""
    for sentence in (*contradictions(metric), *_not_given(metric, facts)):
        raise UserError(f"the metric '{name}' {sentence}")


def contradictions(metric: Any) -> Iterator[str]:
    """Where a metric's `needs` and its methods do not agree, as ends of sentences."""
    needs = needs_of(metric)
    for word in sorted(needs - set(NEEDS)):
        yield f"needs '{word}', which is none of: {', '.join(NEEDS)}{did_you_mean(word, NEEDS)}"
    if not needs:
        yield f"needs nothing, so that it cannot measure anything; 'needs' takes {', '.join(NEEDS)}"
    for word in sorted(needs.intersection(OF_FAKES)):
        if "fakes" not in needs:
            yield f"needs {word}, which belong to fakes: its 'needs' lacks 'fakes'"
    yield from _methods(metric, needs)


def _methods(metric: Any, needs: frozenset[str]) -> Iterator[str]:
    """Where the methods of a metric are not those of its needs."""
    if "generator" in needs and not hasattr(metric, "measure"):
        yield "needs the generator, but has no method measure(module, random) that gets it"
    if hasattr(metric, "measure") and "generator" not in needs:
        yield "has a method 'measure', but its 'needs' lacks 'generator', so that it would never be called"
    if hasattr(metric, "compare"):
        yield from _of_features(metric, needs)
    elif not hasattr(metric, "update") and (shown := sorted(needs - {"generator"})):
        yield f"needs {', '.join(shown)}, but has no method update(images, real) that gets them"
    for word in OF_FAKES if hasattr(metric, "update") else ():
        if word == "inputs" and not needs.intersection(("fakes", "inputs")):
            continue  # those of the reals, which all have what their data have
        if (word in needs) != takes(metric, word):
            has = "lacks an" if word in needs else "has an"
            yield f"and its 'needs' do not agree: 'update' {has} argument '{word}'"


def _of_features(metric: Any, needs: frozenset[str]) -> Iterator[str]:
    if not hasattr(metric, "extractor"):
        yield "has a method 'compare', but no attribute 'extractor' that says in which features"
    if "fakes" not in needs:
        yield "has a method 'compare', but its 'needs' lacks 'fakes'"


def _not_given(metric: Any, facts: DataFacts) -> Iterator[str]:
    wanted = sorted(needs_of(metric).intersection(OF_FAKES))
    if not wanted:
        return
    needed = f"needs {' and '.join(wanted)}: held-out examples that fakes are made for"
    if not facts.inputs:
        yield f"{needed}; these data have no inputs to make fakes from: leave it out"
    elif facts.held_out is None:
        yield f"{needed}; these data hold none out: set 'data.holdout: 0.1', or leave it out"


def takes(metric: Any, argument: str, method: str = "update") -> bool:
    """Whether a metric's method has an argument of this name."""
    return hasattr(metric, method) and argument in inspect.signature(getattr(metric, method)).parameters


def sees_images(metric: Any, what: str) -> bool:
    """Whether the images of `reals` or `fakes` are shown to a metric itself, and not to its extractor."""
    return hasattr(metric, "update") and what in needs_of(metric)

"""What the samples of a game are made from, and what they are like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganlab.facts import DataFacts


class Sampled:
    """What a game says of its samples besides the data's inputs and images.

    `sampled_from` names what they are made from: `images`, the examples' own, or further domains of the data.
    """

    facts: DataFacts
    sampled_from: tuple[str, ...] = ()

    def made_from(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """What samples with these options are made from besides the data's inputs: `images`, or further domains."""
        return self.sampled_from

    def domain_of(self, options: Mapping[str, Any]) -> str | None:
        """The further domain to which samples with these options belong; None for that of the data themselves."""
        return None

    def facts_of_samples(self, options: Mapping[str, Any]) -> DataFacts:
        """What is known of the images that samples with these options are like."""
        domain = self.domain_of(options)
        return self.facts if domain is None else self.facts.further[domain]

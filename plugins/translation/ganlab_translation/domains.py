"""Domains that images can be changed between: the classes of data, or attributes of which an image has several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax, one_hot

from ganlab import DataFacts, UserError

ATTRIBUTES = "attributes"
"""The input of the data that holds attributes, zeros and ones (K,)."""


@dataclass(frozen=True)
class DomainSet:
    """What one data set says of its images: one class of several, or any of some attributes (`several`)."""

    names: tuple[str, ...]
    several: bool

    def __len__(self) -> int:
        return len(self.names)

    def known(self, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor:
        """What examples are, as zeros and ones (N, domains)."""
        if self.several:
            return inputs[ATTRIBUTES]
        assert labels is not None, "data whose domains are classes have labels"
        return one_hot(labels, len(self)).to(torch.get_default_dtype())

    def loss(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """The classification loss of each example (N,): a sum over attributes, or the cross-entropy of the classes."""
        if self.several:
            return binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(1)
        return -(wanted * log_softmax(logits, dim=1)).sum(1)

    def accuracy(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """The share (N,) of what is told rightly: of the attributes, or of classes all or nothing."""
        if self.several:
            return ((logits > 0) == (wanted > 0.5)).float().mean(1)
        return (logits.argmax(1) == wanted.argmax(1)).float()


class Domains:
    """The domains of all data sets as one vector (N, size), as StarGAN's networks get it (Choi et al., 2018).

    Behind the numbers of each set stands, if there are several sets, the mask: one-hot, which set's numbers are known;
    those of the others are 0 (section 3.2).

    Args:
        facts: facts of the data; a further domain of these is a second data set with domains of its own.
    """

    def __init__(self, facts: DataFacts) -> None:
        self.sets = tuple(domain_set(part) for part in (facts, *facts.further.values()))
        self.further = tuple(facts.further)

    def place(self, name: str) -> int:
        """The number of the further data set of this name. Raises `UserError`."""
        if name in self.further:
            return 1 + self.further.index(name)
        there = ", ".join(self.further) or "none"
        raise UserError(f"there is no further data set '{name}', whose domains could be asked for; there are: {there}")

    def find(self, name: str) -> tuple[int, int]:
        """Of a domain of any data set, by its name: the numbers of the set and of the domain in it.

        A name that several sets have is written with that of a further set, as in `second.happy`, or with `first`.
        Raises `UserError` for one that there is not.
        """
        spelled = [(s, i, each) for s, of_set in enumerate(self.sets) for i, each in enumerate(of_set.names)]
        titles = ("first", *self.further)
        found = [(s, i) for s, i, each in spelled if name in (each, f"{titles[s]}.{each}")]
        if len(found) == 1:
            return found[0]
        if found:
            ways = " or ".join(f"{titles[s]}.{self.sets[s].names[i]}" for s, i in found)
            raise UserError(f"several data sets have the domain '{name}': write {ways}")
        raise UserError(f"there is no domain '{name}'; the domains are {', '.join(each for _, _, each in spelled)}")

    @property
    def lengths(self) -> list[int]:
        """Numbers of each set."""
        return [len(each) for each in self.sets]

    @property
    def size(self) -> int:
        """Numbers in a vector, mask included."""
        return sum(self.lengths) + (len(self.sets) if len(self.sets) > 1 else 0)

    def vector(self, known: Tensor, which: int = 0) -> Tensor:
        """The vectors of examples of one set, of which these numbers (N, domains) are known."""
        parts = [known if index == which else known.new_zeros(len(known), len(s)) for index, s in enumerate(self.sets)]
        if len(self.sets) > 1:
            mask = known.new_zeros(len(known), len(self.sets))
            mask[:, which] = 1
            parts.append(mask)
        return torch.cat(parts, dim=1)

    def loss(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """The classification loss of logits (N, all sets' domains), the mean over examples of what is known of each."""
        losses = [each.loss(*pair) for each, pair in zip(self.sets, self._pairs(logits, wanted), strict=True)]
        return (torch.stack(losses, dim=1) * self._mask(wanted)).sum(1).mean()

    def accuracy(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """The share of what is told rightly of what is known."""
        shares = [each.accuracy(*pair) for each, pair in zip(self.sets, self._pairs(logits, wanted), strict=True)]
        return (torch.stack(shares, dim=1) * self._mask(wanted)).sum(1).mean()

    def _pairs(self, logits: Tensor, wanted: Tensor) -> zip[tuple[Tensor, Tensor]]:
        known = wanted[:, : sum(self.lengths)]
        return zip(logits.split(self.lengths, dim=1), known.split(self.lengths, dim=1), strict=True)

    def _mask(self, wanted: Tensor) -> Tensor:
        """(N, sets)."""
        return wanted[:, sum(self.lengths) :] if len(self.sets) > 1 else wanted.new_ones(len(wanted), 1)


class Changes:
    """What becomes of the domains of an image when one of them is asked for.

    Args:
        domains: of a set.
        exclusive: groups of attributes, by name, of which an image has one.
    """

    def __init__(self, domains: DomainSet, exclusive: Sequence[Sequence[str]]) -> None:
        self.domains = domains
        self.groups = [[self.number(name, "'exclusive'") for name in group] for group in exclusive]
        if exclusive and not domains.several:
            raise UserError("'exclusive' is about attributes; classes exclude each other anyway: leave it out")

    def number(self, name: str, where: str = "the domain") -> int:
        """The number of a domain by its name or number. Raises `UserError`."""
        if name in self.domains.names:
            return self.domains.names.index(name)
        if name.isdecimal() and int(name) < len(self.domains):
            return int(name)
        raise UserError(f"{where} names '{name}'; the domains are {', '.join(self.domains.names)}")

    def with_domain(self, known: Tensor, index: int, value: float = 1.0) -> Tensor:
        """Domains (N, domains) with one of them set; where it excludes others, these are 0."""
        if not self.domains.several:
            return one_hot(torch.full_like(known[:, 0], index).long(), len(self.domains)).to(known)
        changed = known.clone()
        for group in self.groups if value > 0.5 else ():
            if index in group:
                changed[:, group] = 0
        changed[:, index] = value
        return changed

    def turned(self, known: Tensor, index: int) -> Tensor:
        """Domains of a strip's picture: the class, the one of a group, or the attribute turned into its opposite."""
        if not self.domains.several or any(index in group for group in self.groups):
            return self.with_domain(known, index)
        changed = known.clone()
        changed[:, index] = 1 - known[:, index]
        return changed


def domain_set(facts: DataFacts) -> DomainSet:
    """The domains of a data set: its attributes, or else its classes. Raises `UserError` for one that has neither."""
    if ATTRIBUTES in facts.inputs:
        count = facts.inputs[ATTRIBUTES].dimensions
        names = facts.extras.get(ATTRIBUTES, range(count))
        return DomainSet(tuple(str(name) for name in names), several=True)
    if facts.classes > 1:
        return DomainSet(facts.class_names, several=False)
    raise UserError(
        "stargan changes images between domains: it needs data with at least two classes, or with an input "
        f"'{ATTRIBUTES}' of zeros and ones, as the data set 'attributes' has; these have neither"
    )

"""Whether changed images are of the domain that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from ganlab_metrics.classifier import PixelClassifier, pixel_features
from torch import Tensor
from torch.nn.functional import one_hot

from ganlab import DataFacts, UserError
from ganlab.bounds import Examples, Seed
from ganlab.data.scaling import scale, to_bytes
from ganlab.randomness import Randomness
from ganlab_translation.domains import ATTRIBUTES, DomainSet, domain_set

_BLOCK = 64
_NAMED_CLASSES = 40  # numbers of single domains of more are left out
_FEWEST = 20  # images with an attribute, and without, from which it can be learned


class DomainAccuracy:
    """How often images are of the domain into which they were changed, as classifiers see it.

    Reals, the held-out ones with `evaluation.reals: held_out`, are changed into every class but their own. Of
    attributes each one is turned into its opposite, or set where it is one of the game's exclusive groups. The
    classifiers are support vector machines, as the metric `classifier` has them, that learn the reals: one for all
    classes, or one for each attribute. `domain_accuracy` is the share of images that are taken for what was asked for,
    of attributes the mean of the shares; `asked/<domain>` is the share for each. `real_accuracy` is what the
    classifiers reach on reals that they did not learn, `real/<attribute>` that of each attribute: the bound of what can
    be told. `kept` is, for attributes, how often those that were not to change are seen as they were. `reconstruction`
    is the mean absolute difference, from 0 to 2, between a real and what it becomes when it is changed and changed
    back. Attributes that fewer than 20 of the reals have, or lack, are left out.

    Of two data sets it is about the first; `ganlab evaluate RUN of=second` measures another one.

    Args:
        facts: Facts of the data.
        images: how many reals are changed, at most.
        examples: how many reals the classifiers learn, at most.
        seed: seed of the classifiers.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"domain_accuracy": True, "reconstruction": False}
    needs: ClassVar[frozenset[str]] = frozenset({"reals", "generator"})
    example_architecture: ClassVar[str] = "stargan"

    def __init__(self, facts: DataFacts, images: Examples = 500, examples: Examples = 5000, seed: Seed = 0) -> None:
        if not facts.is_images or (facts.classes < 2 and ATTRIBUTES not in facts.inputs):
            raise UserError(
                "domain_accuracy asks classifiers for the classes or the attributes of images, and these data have "
                "none: leave it out"
            )
        self.facts = facts
        self.domains = domain_set(facts)
        self.images = images
        self.examples = examples
        self.seed = seed
        self.protocol = {"images": images, "examples": examples, "metric_seed": seed}
        self._features: list[Tensor] = []
        self._known: list[Tensor] = []
        self._reals: list[Tensor] = []
        self._judges: DomainJudges | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the changed images."""
        self._right, self._asked = (torch.zeros(len(self.domains)) for _ in range(2))
        self._kept = self._unasked = 0
        self._lost = 0.0

    def update(
        self, images: Tensor, real: bool, labels: Tensor | None = None, inputs: Mapping[str, Tensor] | None = None
    ) -> None:
        """Keep reals with what is known of them."""
        room = self.examples - sum(map(len, self._features))
        if room > 0:
            self._features.append(torch.from_numpy(pixel_features(images[:room])))
            self._known.append(self.domains.known(labels, inputs or {})[:room].cpu())
        room = min(room, self.images - sum(map(len, self._reals)))
        if room > 0:
            self._reals.append(images[:room].cpu())

    def measure(self, module: Any, random: Randomness) -> None:
        """Change the reals that were kept. Raises `UserError` for a generator that does not change images."""
        if not hasattr(module, "changed"):
            raise UserError("domain_accuracy is about generators that change images between domains, such as stargan's")
        which = module.set_of(self.facts)
        judges = self._learned()
        reals, known = torch.cat(self._reals), torch.cat(self._known)
        for shown, own in zip(reals.split(_BLOCK), known[: len(reals)].split(_BLOCK), strict=True):
            images, own = scale(shown.to(module.device), self.facts.value_range), own.to(module.device)
            for index in judges.told:
                wanted = module.changes[which].turned(own, index)
                self._measure(module, which, index, images, own, wanted)

    def compute(self) -> dict[str, float]:
        """The numbers of the last generator."""
        judges = self._learned()
        shares = (self._right / self._asked)[judges.told]
        pooled = self._right.sum() / self._asked.sum()
        numbers = {
            "domain_accuracy": float(shares.mean() if self.domains.several else pooled),
            "reconstruction": self._lost / float(self._asked.sum()),
            "real_accuracy": sum(judges.accuracies) / len(judges.accuracies),
        }
        names = [self.domains.names[index] for index in judges.told]
        if self.domains.several:
            numbers["kept"] = self._kept / max(1, self._unasked)
            numbers |= {f"real/{name}": value for name, value in zip(names, judges.accuracies, strict=True)}
        if len(names) <= _NAMED_CLASSES:
            numbers |= {f"asked/{name}": float(share) for name, share in zip(names, shares, strict=True)}
        return numbers

    def _measure(self, module: Any, which: int, index: int, images: Tensor, own: Tensor, wanted: Tensor) -> None:
        others = (own != wanted).any(1)
        if not others.any():
            return
        images, own, wanted = images[others], own[others], wanted[others]
        changed = module.changed(images, wanted, which)
        agrees = self._learned().seen(to_bytes(changed)) == wanted.cpu()
        self._right[index] += int(agrees[:, index].sum())
        self._asked[index] += len(images)
        unasked = (own == wanted).cpu()
        unasked[:, self._learned().untold] = False
        self._kept += int(agrees[unasked].sum())
        self._unasked += int(unasked.sum())
        back = module.changed(changed, own, which)
        self._lost += float((back - images).abs().flatten(1).mean(1).sum())

    def _learned(self) -> DomainJudges:
        if self._judges is None:
            self._judges = DomainJudges(self.domains, torch.cat(self._features), torch.cat(self._known), self.seed)
        return self._judges


class DomainJudges:
    """Classifiers of all domains, which see `told` and cannot tell `untold`; `accuracies` are those on other reals."""

    def __init__(self, domains: DomainSet, features: Tensor, known: Tensor, seed: int) -> None:
        self.count = len(domains)
        self.told: Sequence[int] = range(self.count)
        if domains.several:
            having = (known > 0.5).sum(0)
            self.told = [k for k in self.told if _FEWEST <= int(having[k]) <= len(known) - _FEWEST]
            columns = [(known[:, index] > 0.5).long() for index in self.told]
        else:
            columns = [known.argmax(1)]
        if not columns:
            raise UserError(
                f"no attribute can be told: each needs {_FEWEST} reals that have it and {_FEWEST} that lack it, and "
                f"there are {len(known)}; set 'evaluation.samples' higher, or leave domain_accuracy out"
            )
        self.untold = [index for index in range(self.count) if index not in self.told]
        classes = 2 if domains.several else self.count
        self.machines = [PixelClassifier(features.numpy(), column.numpy(), classes, seed) for column in columns]
        self.accuracies = [machine.accuracy for machine in self.machines]
        self.several = domains.several

    def seen(self, images: Tensor) -> Tensor:
        """The domains (N, domains) of uint8 images as zeros and ones; 0 for those that are not told."""
        features = pixel_features(images)
        said = [torch.from_numpy(machine.probabilities(features).argmax(1)) for machine in self.machines]
        if not self.several:
            return one_hot(said[0], self.count).to(torch.get_default_dtype())
        seen = torch.zeros(len(images), self.count)
        seen[:, list(self.told)] = torch.stack(said, dim=1).to(seen.dtype)
        return seen

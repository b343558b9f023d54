"""What the option `conditioning` of generators and discriminators promises, for those that have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args
from unittest import SkipTest

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganlab.builder import Builder
from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.nn import ConditioningName, LabelInputName
from ganlab.plugin_contracts import load
from ganlab.plugins import find
from ganlab.spec import node_from
from ganlab.spec.constructor import constructor_of
from ganlab.testing.examples import EXAMPLE_FACTS
from ganlab.views import as_scores

_FACTS = EXAMPLE_FACTS["images with classes"]
_WITHOUT = EXAMPLE_FACTS["grey images"]


def check_label_input(name: str) -> None:
    """Each choice makes images of the label, `none` does not, and all but `none` refuse data without labels."""
    for choice in _choices("generators", name, LabelInputName):
        network: Any = _shaken(_built("generators", name, _FACTS, conditioning=choice))
        latents = torch.randn(1, network.latent_size).expand(_FACTS.classes, -1)
        with torch.no_grad():
            images = network(latents, torch.arange(_FACTS.classes))
        _check_reaction(choice, images.flatten(1), reacts=choice != "none")


def check_conditioning(name: str) -> None:
    """Logits depend on the label where the choice says so, and a classifier has gradients for both players.

    All choices but `none` refuse data without labels. Left out for a discriminator that is called in another way.
    """
    _check_call(name)
    for choice in _choices("discriminators", name, ConditioningName):
        network = _built("discriminators", name, _FACTS, conditioning=choice)
        images = torch.randn(8, *_FACTS.shape)
        logits = torch.stack([_logits(network, images, label) for label in range(_FACTS.classes)])
        _check_reaction(choice, logits, reacts=choice not in ("none", "classifier"))
        if choice == "classifier":
            _check_classifier(network, images)


def _check_classifier(network: nn.Module, images: Tensor) -> None:
    images = images.requires_grad_()
    labels = torch.arange(len(images)) % _FACTS.classes
    scores = as_scores(network(images, labels)).class_scores
    assert scores is not None, "'conditioning: classifier' makes no class_scores"
    assert scores.shape == (len(images), _FACTS.classes), f"class_scores are {tuple(scores.shape)}, not (N, classes)"
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    of_images, *of_parameters = torch.autograd.grad(
        cross_entropy(scores, labels), [images, *parameters], allow_unused=True
    )
    assert of_images is not None and of_images.any(), "the generator learns nothing from the classifier"  # noqa: PT018
    assert any(each is not None and each.any() for each in of_parameters), "the classifier has nothing to learn"


def _check_reaction(choice: str, by_label: Tensor, *, reacts: bool) -> None:
    changes = bool((by_label - by_label[:1]).abs().max() > 0)
    assert changes == reacts, f"'conditioning: {choice}' {'ignores' if reacts else 'depends on'} the label"


def _choices(kind: str, name: str, known: Any) -> Iterator[str]:
    """The choices, each of which has refused data without labels; skips a network without the option."""
    option = constructor_of(find(kind, name)).options.get("conditioning")
    choices = [] if option is None else [choice for choice in get_args(known) if choice in _words(option.annotation)]
    if not choices:
        raise SkipTest("has no option 'conditioning' that the platform knows")
    for choice in choices:
        if choice != "none":
            _check_refusal(kind, name, choice)
        yield choice


def _words(annotation: Any) -> set[object]:
    """The words that an annotation such as `Literal[...] | None` allows."""
    parts = get_args(annotation)
    return {word for part in parts for word in (_words(part) or {part})}


def _check_refusal(kind: str, name: str, choice: str) -> None:
    said = f"nothing: it takes 'conditioning: {choice}'"
    try:
        _built(kind, name, _WITHOUT, conditioning=choice)
    except UserError as error:
        said = str(error)
    assert "needs data with labels" in said, f"of data without labels it does not say what it needs, but {said}"


def _built(kind: str, name: str, facts: DataFacts, **options: str) -> nn.Module:
    torch.manual_seed(0)
    plugin = find(kind, name)
    node = node_from(kind, {"name": plugin.reference, **getattr(load(plugin), "example", {}), **options})
    network: nn.Module = Builder(facts).construct(node, kind)
    return network.eval()


@torch.no_grad()
def _shaken(network: nn.Module) -> nn.Module:
    """With all parameters moved a little: what starts at 0, as gains of classes do, would hide the label."""
    for parameter in network.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.1)
    return network


def _check_call(name: str) -> None:
    try:
        _logits(_built("discriminators", name, _FACTS), torch.randn(8, *_FACTS.shape), 0)
    except (TypeError, AttributeError, RuntimeError, IndexError) as error:
        raise SkipTest(f"its architecture knows how it is called ({error})") from error


@torch.no_grad()
def _logits(network: nn.Module, images: Tensor, label: int) -> Tensor:
    return as_scores(network(images, torch.full((len(images),), label))).logits

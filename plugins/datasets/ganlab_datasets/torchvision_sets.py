"""CIFAR-10 and MNIST by way of torchvision, which can download them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from ganlab.contracts import DataFacts
from ganlab.errors import DataMissing
from ganlab.facts import MISSING
from ganlab_datasets.in_memory import InMemory, content_fingerprint

Split = Literal["train", "test"]
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_DIGITS = tuple("0123456789")


def cifar10(root: str = "data", split: Split = "train", download: bool = False) -> InMemory:
    """CIFAR-10: 32x32 RGB, ten classes, 50,000 images to train on (`split: test` has 10,000).

    Looked for in `root`; `download: true` fetches it (170 MB) if it is not there.
    """
    from torchvision.datasets import CIFAR10

    expected = DataFacts((3, 32, 32), 1, MISSING, class_names=_CIFAR10)
    stored = _open("CIFAR-10", CIFAR10, root, split, download, expected)
    images = torch.from_numpy(stored.data).permute(0, 3, 1, 2).contiguous()
    return _in_memory("cifar10", images, torch.tensor(stored.targets), _CIFAR10)


def mnist(
    root: str = "data", split: Split = "train", resolution: Literal[28, 32] = 28, download: bool = False
) -> InMemory:
    """MNIST: 28x28 grey digits, ten classes, 60,000 images to train on (`split: test` has 10,000).

    `resolution: 32` adds a black border of 2 pixels. Looked for in `root`; `download: true` fetches it (12 MB).
    """
    from torchvision.datasets import MNIST

    expected = DataFacts((1, resolution, resolution), 1, MISSING, class_names=_DIGITS)
    stored = _open("MNIST", MNIST, root, split, download, expected)
    border = (resolution - stored.data.shape[-1]) // 2
    images = torch.nn.functional.pad(stored.data, (border,) * 4)[:, None]
    return _in_memory("mnist", images, stored.targets, _DIGITS)


def _open(title: str, factory: Callable[..., Any], root: str, split: str, download: bool, expected: DataFacts) -> Any:
    try:
        return factory(root, train=split == "train", download=download)
    except (RuntimeError, OSError) as error:  # torchvision's for missing or damaged files, and for no network
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        action = (
            "Check the network, or copy the files there from another machine"
            if download
            else "Set 'download: true' to fetch it, or 'root' to the folder that holds it"
        )
        sentence = f"{title} cannot be loaded from '{root}': {reason.rstrip('.')}. {action}"
        raise DataMissing(sentence, expected) from error


def _in_memory(name: str, images: Tensor, labels: Tensor, class_names: tuple[str, ...]) -> InMemory:
    labels = labels.to(torch.int64)
    facts = DataFacts(
        shape=tuple(images.shape[1:]),
        size=len(images),
        fingerprint=content_fingerprint(name, images, labels),
        class_names=class_names,
    )
    return InMemory(images, labels, facts)

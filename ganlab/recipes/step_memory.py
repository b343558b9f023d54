"""How much memory a step of a training takes, by the shapes of its tensors: nothing is allocated or computed."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ganlab.build import build_module
from ganlab.builder import load_factory
from ganlab.facts import DataFacts
from ganlab.rehearsal import Rehearsal
from ganlab.spec.model import Spec
from ganlab.training.module import GANModule
from ganlab.training.scheduled_option import value_at

MIB = 2**20
MOST = 2**16  # images that are looked for
_STRIDE = 8  # networks may take batches of some sizes only, such as multiples of a group


@dataclass(frozen=True)
class StepMemory:
    """Bytes of a step on one device, by what they are for.

    Args:
        weights: parameters, averages and buffers of all networks.
        optimizers: what optimizers keep of parameters.
        passing: gradients and maps, at the moment of the step when there are most.
    """

    weights: int
    optimizers: int
    passing: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.optimizers + self.passing

    @property
    def saved(self) -> int:
        """What a checkpoint holds."""
        return self.weights + self.optimizers


class MemoryPlan:
    """The memory of a spec's steps, for parts of a batch of any size.

    Args:
        spec: of the training.
        facts: of its data.
    """

    def __init__(self, spec: Spec, facts: DataFacts) -> None:
        with torch.device("meta"):
            self.module: GANModule = build_module(spec, facts)
        self.spec = spec
        self.processes = spec.trainer.devices * spec.trainer.num_nodes
        self.moments = self.module.moments(spec.total_images)
        self.optimizers = _of_optimizers(self.module, spec)

    def of_spec(self) -> StepMemory:
        """As the spec is: of the step that takes most."""
        return self._largest(self.spec.data.batch_size, self.spec.data.micro_batch)

    def of_part(self, images: int) -> StepMemory:
        """Where this many images pass at once on each device."""
        return self._largest(images * self.processes, None)

    def largest_part(self, limit: int) -> int | None:
        """The most images, a multiple of 8 or less than that, whose step takes at most `limit` bytes; 0 for none.

        None where the number of images of a step is not that of `data.batch_size`. What passes grows in proportion to
        the images, so that two numbers of them tell of all others.
        """
        eight = self.of_part(_STRIDE).total
        if eight > limit:
            return next((images for images in (4, 2, 1) if self.of_part(images).total <= limit), 0)
        each = (self.of_part(2 * _STRIDE).total - eight) / _STRIDE
        if each <= 0:
            return None
        found = min(MOST, _STRIDE + _multiple((limit - eight) / each))
        while found > _STRIDE and self.of_part(found).total > limit:
            found = min(found - _STRIDE, _multiple(0.97 * found))
        return found

    def _largest(self, batch_size: int, micro_batch: int | None) -> StepMemory:
        settings = self.module.settings
        settings.batch_size, settings.micro_batch = batch_size, micro_batch
        peaks = []
        for moment in self.moments:
            rehearsal = Rehearsal(self.module, self.processes)
            for parameter in self.module.parameters():
                parameter.grad = None
            with _Watch() as watch:
                rehearsal.play(moment)
            peaks.append(watch.peak)
        return StepMemory(_bytes(self.module), self.optimizers, max(peaks))


class _Watch(TorchDispatchMode):
    """Counts the bytes of the tensors that are made, as long as they are there."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self.now = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation and note what it has made."""
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._note(tensor)
        return made

    def _note(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def _of_optimizers(module: GANModule, spec: Spec) -> int:
    """What the optimizers keep of all parameters, found by a step of each on one parameter."""
    total = 0
    for player, node in spec.optimizers.items():
        tried = nn.Parameter(torch.zeros(2, 3))
        tried.grad = torch.zeros(2, 3)
        options = {name: value_at(template, 0) for name, template in node.options.items()}
        optimizer: torch.optim.Optimizer = load_factory(node)([tried], **options)
        optimizer.step()
        state = [value.numel() for value in optimizer.state[tried].values() if isinstance(value, Tensor)]
        kept = sum(state) // tried.numel()  # a counter of steps is none of the parameter's size
        total += kept * sum(each.numel() * each.element_size() for each in module.players()[player].parameters())
    return total


def _bytes(module: nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in module.state_dict().values())


def _multiple(images: float) -> int:
    return int(images // _STRIDE) * _STRIDE

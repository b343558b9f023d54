"""A whole spec for some pictures on some machine, with the reason for every choice in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ganlab.errors import UserError
from ganlab.plugin_contracts import load
from ganlab.plugins import Plugin, find, installed
from ganlab.recipes.commented import commented
from ganlab.recipes.length import HOURS_ON_ACCELERATOR, HOURS_ON_CPU, intervals, kimg_in
from ganlab.recipes.machine import Machine
from ganlab.recipes.pictures import Pictures
from ganlab.recipes.size import Resolution, choose_resolution
from ganlab.recipes.task import Draft, Task
from ganlab.spec import Document, Origin, Spec, resolve
from ganlab.spec.document import located
from ganlab.spec.interpolation import resolve_interpolations
from ganlab.spec.merge import merge
from ganlab.spec.overrides import read_override
from ganlab.spec.sections import key_order

_ROWS = 10  # of a grid, and its columns
_FEWEST_OF_A_CLASS = 50
_UNTIMED = 1.0  # kimg, until the speed is known


@dataclass(frozen=True)
class Wishes:
    """What was asked for; null for what is to be chosen.

    Args:
        name: Name of the experiment.
        resolution: side of a square, or (height, width).
        hours: how long the training may take.
        kimg: how long it is, in thousands of images.
        recipe: Name of the recipe.
    """

    name: str
    resolution: Resolution | None = None
    hours: float | None = None
    kimg: float | None = None
    recipe: str | None = None


@dataclass(frozen=True)
class Proposal:
    """A spec as it is written, the recipe that it follows, and the reason for each place."""

    tree: Mapping[str, Any]
    reasons: Mapping[str, str]
    head: tuple[str, ...]
    recipe: str

    def spec(self, overrides: Sequence[str] = ()) -> Spec:
        """The spec with changes as on the command line, checked."""
        tree = located(self.tree, Origin("the new spec"))
        for override in overrides:
            tree = merge(tree, read_override(override))
        return resolve(Document("the new spec", resolve_interpolations(tree)))

    def text(self) -> str:
        """The spec as YAML with its reasons as comments."""
        return commented({key: self.tree[key] for key in key_order() if key in self.tree}, self.reasons, self.head)


def propose(
    pictures: Pictures, machine: Machine, wishes: Wishes, measure: Callable[[Spec], float] | None = None
) -> Proposal:
    """The spec of the recipe that suits best.

    `measure` tells how many images a second a spec is trained with; it is asked unless `kimg` is wished for.
    """
    hours = wishes.hours or (HOURS_ON_ACCELERATOR if machine.accelerated else HOURS_ON_CPU)
    resolution, why = choose_resolution(pictures, machine)
    if wishes.resolution is not None:
        resolution, why = wishes.resolution, "As asked for."
    height, width = (resolution, resolution) if isinstance(resolution, int) else resolution
    classes = _usable_classes(pictures)
    task = Task((pictures.channels, height, width), pictures.count, len(classes), machine, hours)
    name, draft = best_draft(task, wishes.recipe)
    reasons = {"data.resolution": why, "architecture": draft.why, **draft.reasons}
    tree: dict[str, Any] = {"name": wishes.name, "data": _data(pictures, resolution, bool(classes), reasons)}
    tree = merged(tree, draft.sections)
    proposal = Proposal(_timed(tree, wishes.kimg or _UNTIMED, task), reasons, _head(wishes, pictures, machine), name)
    if wishes.kimg is not None:
        return replace(proposal, reasons=reasons | {"kimg": "Thousands of pictures shown, as asked for."})
    assert measure is not None, "without a length, the speed is measured"
    speed = measure(proposal.spec())
    kimg = kimg_in(hours, speed)
    reasons["kimg"] = (
        f"Thousands of pictures shown: {_duration(kimg / speed / 3.6)} at the {speed:,.0f} images/s "
        "of a short trial on this machine."
    )
    return replace(proposal, tree=_timed(tree, kimg, task), reasons=reasons)


def best_draft(task: Task, wanted: str | None = None) -> tuple[str, Draft]:
    """The draft of highest rank of all installed recipes, or the wanted recipe's, and the recipe's name.

    Raises `UserError` if none suits.
    """
    plugins: list[Plugin] = [find("recipes", wanted)] if wanted else installed("recipes")
    drafts = [(plugin.name, draft) for plugin in plugins if (draft := load(plugin)(task)) is not None]
    if drafts:
        return max(drafts, key=lambda named: (named[1].rank, named[0]))
    size = "x".join(map(str, task.shape[1:]))
    if wanted:
        raise UserError(f"the recipe '{wanted}' does not suit images of {size} pixels here: leave --recipe out")
    if not plugins:
        raise UserError("no recipes are installed: 'pip install ganlab-recipes', or write a spec by hand")
    raise UserError(f"no installed recipe suits images of {size} pixels: try --resolution 64")


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Two trees of mappings as one; where both have a value, the second's counts."""
    result = dict(base)
    for key, value in more.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return result


def _usable_classes(pictures: Pictures) -> Mapping[str, int]:
    """The classes, if each has enough pictures to learn from."""
    few = pictures.classes and min(pictures.classes.values()) < _FEWEST_OF_A_CLASS
    return {} if few else pictures.classes


def _data(pictures: Pictures, resolution: Resolution, labelled: bool, reasons: dict[str, str]) -> dict[str, Any]:
    """The node of the data set, with its reasons."""
    data: dict[str, Any] = {
        "name": pictures.data,
        "path": str(pictures.path),
        "resolution": resolution if isinstance(resolution, int) else list(resolution),
        "channels": pictures.channels,
    }
    reasons["data.channels"] = "All pictures are grey." if pictures.channels == 1 else "The pictures are in colour."
    if pictures.transparent:
        data["background"] = "white"
        reasons["data.background"] = (
            f"{pictures.transparent:,} pictures have transparency: white shows through. Or: black, [red, green, blue]."
        )
    if labelled:
        reasons["data.labels"] = (
            f"Each of the {len(pictures.classes)} classes has at least {_FEWEST_OF_A_CLASS} pictures."
        )
        data["labels"] = "folders" if pictures.data == "image_folder" else True
    elif pictures.classes:
        least = min(pictures.classes, key=lambda name: pictures.classes[name])
        reasons["data.labels"] = (
            f"The class '{least}' has only {pictures.classes[least]} pictures, too few to learn from."
        )
        data["labels"] = False
    else:
        reasons["data.labels"] = "The pictures are not in folders that could be classes."
        data["labels"] = False
    reasons["data.flip"] = "True shows mirrored pictures as well; do not where they have letters or a left and a right."
    reasons["data.batch_size"] = "Pictures of one step, over all devices."
    return data | {"flip": False, "workers": _workers(resolution), "batch_size": 32}


def _workers(resolution: Resolution) -> int:
    """Loading processes: small pictures are read faster than they are trained on."""
    return 0 if (resolution if isinstance(resolution, int) else max(resolution)) <= 64 else 4


def _timed(tree: Mapping[str, Any], kimg: float, task: Task) -> dict[str, Any]:
    """The spec with its length and what follows from it."""
    rows = min(task.classes, _ROWS) or _ROWS
    sections = merged(intervals(kimg, task.hours), {"snapshots": {"grid": [rows, _ROWS]}})
    return merged(merged({"name": tree["name"], "kimg": kimg}, sections), tree)


def _head(wishes: Wishes, pictures: Pictures, machine: Machine) -> tuple[str, ...]:
    return (
        f"Written by 'ganlab new'; change what you like. Train it with: ganlab train {wishes.name}.yaml",
        f"Pictures: {pictures}.",
        f"Machine: {machine}.",
    )


def _duration(hours: float) -> str:
    minutes = max(round(hours * 60), 1)
    if minutes < 90:
        return f"about {minutes} minute{'s' if minutes > 1 else ''}"
    return f"about {hours:.1f} hours"

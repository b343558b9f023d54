"""What the conformance kit tries on recipes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from ganlab.build import rehearse_for
from ganlab.contracts import DataFacts
from ganlab.plugin_contracts import load
from ganlab.plugins import find
from ganlab.recipes import Draft, Machine, Task
from ganlab.spec import Document, Origin, resolve
from ganlab.spec.document import located

_SHAPES = ((1, 16, 16), (3, 32, 32), (3, 64, 48), (3, 256, 256))
_LABORATORY = Machine("an accelerator", 1, memory_gib=24.0, cores=8, fast_bf16=True)
_LAPTOP = Machine(cores=4)


def tasks() -> Iterator[Task]:
    """Few and many pictures of several sizes, with classes and without, on a laptop and on an accelerator."""
    machines = ((_LAPTOP, 0.1), (_LAPTOP, 10.0), (_LABORATORY, 10.0))
    for place, (shape, (machine, hours)) in enumerate(itertools.product(_SHAPES, machines)):
        size, classes = ((200, 0), (1_000_000, 3))[place % 2]
        yield Task(shape, size, classes, machine, hours)


def check_recipe(name: str) -> None:
    """Its drafts are specs of trainings that could start, and its reasons are about places that there are."""
    recipe = load(find("recipes", name))
    drafts = [(task, recipe(task)) for task in tasks()]
    drafted = [(task, draft) for task, draft in drafts if draft is not None]
    assert drafted, "it suits no task at all"
    for task, draft in drafted:
        _check_draft(task, draft)


def _check_draft(task: Task, draft: Draft) -> None:
    from ganlab.recipes.proposal import merged  # late: it can measure trainings, which takes long to import

    height, width = task.shape[1:]
    data = {"name": "image_folder", "path": "pictures", "resolution": [height, width]}
    tree = located(merged({"name": "tried", "kimg": 100, "data": data}, draft.sections), Origin("the recipe"))
    names = tuple(f"class {index}" for index in range(task.classes))
    facts = DataFacts(task.shape, task.size, "tried", class_names=names)
    rehearse_for(resolve(Document("tried", tree)), facts, 1)
    for place in draft.reasons:
        path = [int(key) if key.isdecimal() else key for key in place.split(".")]
        assert tree.get(*path) is not None, f"it has a reason for '{place}', which is not in its sections"
    assert draft.why.endswith("."), "its reason is no sentence"

"""The check before a training starts: every example can be read."""

from __future__ import annotations

from collections.abc import Sequence

from ganlab.contracts import Dataset
from ganlab.data.examination import examine
from ganlab.data.records import file_records
from ganlab.errors import DataError

_ALL_UP_TO = 50_000
_SAMPLE = 5_000
_NAMED = 10


def preflight(dataset: Dataset) -> None:
    """Raise `DataError` that names the examples that cannot be used; silent where all is well.

    Sets of up to 50,000 examples are read whole, larger ones at 5,000 evenly spaced places; what the headers of
    files tell is known of all of them.
    """
    count = len(dataset)
    if count == 0:
        raise DataError("the data set is empty")
    unreadable = {index: record.problem for index, record in enumerate(file_records(dataset)) if record.problem}
    chosen = range(count) if count <= _ALL_UP_TO else [place * count // _SAMPLE for place in range(_SAMPLE)]
    unreadable |= examine(dataset, [index for index in chosen if index not in unreadable]).unreadable
    if unreadable:
        reasons = [unreadable[index] for index in sorted(unreadable)]
        raise DataError(unreadable_sentence(reasons, count, _NAMED))


def unreadable_sentence(reasons: Sequence[str], count: int, named: int) -> str:
    """One sentence about unusable examples, followed by the first `named` reasons."""
    lines = [f"{len(reasons)} of {count} examples cannot be used; mend or remove them:"]
    lines += [f"  {reason}" for reason in reasons[:named]]
    if len(reasons) > named:
        lines.append(f"  ... and {len(reasons) - named} more; 'ganlab data check' names them all")
    return "\n".join(lines)

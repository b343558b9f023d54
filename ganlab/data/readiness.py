"""The check before a training starts: every example can be read."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from ganlab.contracts import Dataset
from ganlab.data.examination import Findings, examine
from ganlab.data.records import file_records, losing_transparency, on_lost_transparency
from ganlab.data.stream import domains_of
from ganlab.errors import DataError
from ganlab.files import cache_folder, write_atomically

logger = logging.getLogger(__name__)

_ALL_UP_TO = 50_000
_SAMPLE = 5_000
_LOOKED_AT_AGAIN = 64
_WORTH_A_WORD = 5_000  # fewer are read in no time
_NAMED = 10


def preflight(dataset: Dataset) -> None:
    """Raise `DataError` that names the examples that cannot be used; silent where all is well.

    Sets of up to 50,000 examples are read whole, larger ones at 5,000 evenly spaced places; what the headers of
    files tell is known of all of them. Data that were found sound are remembered by their fingerprint in the folder
    `preflight` of `ganlab.files.cache_folder`. The next time 64 of their examples are read: should these have changed
    under the same fingerprint, everything is read again. Further domains and held-out examples are looked at, too.
    """
    _check(dataset)
    for name, domain in domains_of(dataset).items():
        _check(domain, f"of the domain '{name}' ")
    held_out: Dataset | None = getattr(dataset, "held_out", None)
    if held_out is not None:
        _check(held_out, "held out ")


def _check(dataset: Dataset, which: str = "") -> None:
    count = len(dataset)
    if count == 0:
        raise DataError("the data set is empty" if not which else f"there are no examples {which}".strip())
    records = file_records(dataset)
    unreadable = {index: record.problem for index, record in enumerate(records) if record.problem}
    few = examine(dataset, [index for index in _evenly(count, _LOOKED_AT_AGAIN) if index not in unreadable])
    if remark := remark_on_transparency(dataset):
        logger.warning("ganlab: warning: %s%s", which and f"{which.strip()}: ", remark)
    memory = _memory_of(dataset, few)
    if not unreadable and not few.unreadable and memory.exists():
        say = logger.warning if count > _WORTH_A_WORD else logger.info
        say("ganlab: the data were found sound before and are not read again; delete %s to have them read", memory)
        return
    chosen = range(count) if count <= _ALL_UP_TO else _evenly(count, _SAMPLE)
    known = few.digests.keys() | unreadable.keys() | few.unreadable.keys()
    unreadable |= few.unreadable | examine(dataset, [index for index in chosen if index not in known]).unreadable
    if unreadable:
        reasons = [unreadable[index] for index in sorted(unreadable)]
        raise DataError(unreadable_sentence(reasons, count, _NAMED, which))
    if count > _LOOKED_AT_AGAIN:
        _remember(memory, dataset)


def remark_on_transparency(dataset: Dataset) -> str | None:
    """A sentence if pictures lose their transparency; some of those that have a place for it are looked at."""
    records = file_records(dataset)
    losing = losing_transparency(records)
    looked_at = [losing[place] for place in _evenly(len(losing), _LOOKED_AT_AGAIN)]
    found = [records[index].path for index in looked_at if dataset.is_transparent(index)]  # type: ignore[attr-defined]
    return on_lost_transparency(found, f"{len(found)} of {len(looked_at)} pictures looked at") if found else None


def _evenly(count: int, wanted: int) -> list[int]:
    """Evenly spaced places of `count`, the first and the last among them."""
    if count <= wanted:
        return list(range(count))
    return [place * (count - 1) // (wanted - 1) for place in range(wanted)]


def _memory_of(dataset: Dataset, few: Findings) -> Path:
    """The file that says that these very data are sound; its name depends on the content of some examples as well."""
    kind = type(getattr(dataset, "dataset", dataset))
    known = (kind.__module__, kind.__qualname__, json.dumps(dataset.facts.to_record(), sort_keys=True, default=str))
    digest = hashlib.blake2b(repr(known).encode(), digest_size=16)
    digest.update(repr(sorted(few.labels.items())).encode())
    for index in sorted(few.digests):
        digest.update(few.digests[index])
    return cache_folder() / "preflight" / f"{digest.hexdigest()}.json"


def _remember(memory: Path, dataset: Dataset) -> None:
    record = {"fingerprint": dataset.facts.fingerprint, "examples": len(dataset)}
    try:
        write_atomically(memory, lambda temporary: temporary.write_text(json.dumps(record) + "\n"))
    except OSError as error:
        logger.info("ganlab: %s cannot be written (%s): the data will be read again next time", memory, error)


def unreadable_sentence(reasons: Sequence[str], count: int, named: int, which: str = "") -> str:
    """One sentence about unusable examples, followed by the first `named` reasons."""
    lines = [f"{len(reasons)} of {count} examples {which}cannot be used; mend or remove them:"]
    lines += [f"  {reason}" for reason in reasons[:named]]
    if len(reasons) > named:
        lines.append(f"  ... and {len(reasons) - named} more; 'ganlab data check' names them all")
    return "\n".join(lines)

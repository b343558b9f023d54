"""Whether a run is running, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ganlab.run.lock import look_at_lock
from ganlab.studies.record import RunRecord

Word = Literal["running", "finished", "stopped", "died"]


@dataclass(frozen=True)
class State:
    """A word, and what is known of it as a sentence."""

    word: Word
    text: str


def state_of(record: RunRecord) -> State:
    """`running` while a training holds the folder's lock, `died` where one left it, else how the diary ends.

    Runs without a diary have finished if they have seen all their images.
    """
    lock = look_at_lock(record.path)
    at = f"{record.images_seen / 1000:g} of {record.total_images / 1000:g} kimg"
    if lock.held:
        return State("running", f"{lock.holder}, at {at}")
    if lock.left:
        return State("died", f"{lock.holder} is gone; 'ganlab train ... --resume' goes on from its last checkpoint")
    ends = [event for event in record.events if event.get("kind") == "end"]
    patience = [event for event in record.events[-2:] if event.get("kind") == "patience"]
    if ends and ends[-1].get("text") != "finished":
        return State("stopped", f"{ends[-1].get('text')}, at {at}")
    if ends and patience:
        return State("finished", str(patience[-1].get("text")))
    if ends or record.images_seen >= record.total_images > 0:
        return State("finished", at)
    return State("stopped", f"at {at}")

"""Errors that speak to the user; the command line prints them as a sentence and ends with their exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganlab.printable import printable as printable  # it has stood here, and plugins take it from here

if TYPE_CHECKING:
    from ganlab.facts import DataFacts


class UserError(ValueError):
    """Something the user can mend: the message says what is wrong, where, what is allowed and what to do."""

    exit_code = 2


class SpecError(UserError):
    """A spec that cannot be used; the message names file, line and key."""


class PluginError(UserError):
    """A plugin that is unknown, ambiguous, broken or does not keep its kind's contract."""


class DataError(UserError):
    """Data that cannot be read or do not fit the spec."""


class DataMissing(DataError):
    """Data whose files are not on this machine; everything but the data can still be checked.

    `facts` are those that the data must have by the options of their spec, if these say enough: then networks can be
    held against them, too.
    """

    def __init__(self, message: str, facts: DataFacts | None = None) -> None:
        super().__init__(message)
        self.facts = facts


class MissingPart(UserError, KeyError):
    """A part of an example, of samples or of scores that was asked for by a name that is not there."""

    __str__ = Exception.__str__  # as a sentence, where KeyError would quote it


class RunError(UserError):
    """A run folder or checkpoint that is missing, damaged or belongs to something else."""


class ProcessLost(RuntimeError):
    """Another process of the run is gone; the last checkpoint is kept."""

    exit_code = 1


class TrainingStopped(RuntimeError):
    """A guard ended the training; the last good checkpoint is kept."""

    exit_code = 3


class Interrupted(BaseException):
    """A signal ended the work at once. It passes through everything that goes on after an `Exception`."""

    def __init__(self, signal: int) -> None:
        super().__init__("stopped by a signal")
        self.exit_code = 128 + signal


def reason(error: BaseException) -> str:
    """The first line of an error's message, or its type if it has none; an operating system's without the path."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip().partition("\n")[0] or type(error).__name__

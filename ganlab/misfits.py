"""What went wrong when parts of a game were tried on each other, as a sentence that names the part and what it got."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from torch import Tensor

from ganlab.errors import SpecError, UserError, reason
from ganlab.training.module import GANModule

_ABOUT_META = re.compile(r"\bmeta\b|register_meta", re.IGNORECASE)
_SHOWN = 3


class Misfit(SpecError):
    """Parts of a game that do not fit each other; the message says in which part of it, and what was found."""


class Unrehearsable(Exception):  # noqa: N818 - no error: the code may well be right
    """Code asked a tensor without memory for its values, which there are in training only."""


@contextmanager
def told(module: GANModule, what: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into a `Misfit` that says in `what`, where, and with what.

    Raises `Unrehearsable` instead where the code only asked for values of tensors on the meta device.
    """
    try:
        yield
    except (Misfit, Unrehearsable):
        raise
    except UserError as error:
        raise Misfit(f"architecture: {what} fails: {error}") from error
    except Exception as error:
        place = _place(error, module)
        if _wants_values(error):
            raise Unrehearsable(f"{what} could not be rehearsed: {place}asks for the values of tensors") from error
        raise Misfit(f"architecture: {what} fails: {place}{_problem(error)}; {_data(module)}") from error


def _wants_values(error: BaseException) -> bool:
    """Whether an error is about tensors that have no memory; torch says so in many ways, all with one word."""
    if isinstance(error, TypeError):
        return "meta device" in str(error) or "Tensor.__format__" in str(error)
    return isinstance(error, RuntimeError) and _ABOUT_META.search(str(error)) is not None


def _problem(error: BaseException) -> str:
    said = reason(error).rstrip(".")
    if isinstance(error, KeyError):
        return f"looks for {said}, which is not there"
    if isinstance(error, RuntimeError) and type(error) is not NotImplementedError:
        return said
    return f"{type(error).__name__}: {said}"


def _data(module: GANModule) -> str:
    facts = module.facts
    parts = [f"the data are {_by(facts.shape)}, with {facts.classes or 'no'} classes"]
    if facts.inputs:
        parts.append(f"the inputs {', '.join(facts.inputs)}")
    if facts.further:
        parts.append(f"the further domains {', '.join(facts.further)}")
    return " and ".join(parts)


def _place(error: BaseException, module: GANModule) -> str:
    """The innermost part of the game that was at work, with what it got: `'discriminator.first' (Conv2d), ..., `."""
    names = _names(module)
    for frame in reversed(_frames(error)):
        owner = frame.f_locals.get("self")
        if id(owner) in names:
            got = _arguments(frame)
            return f"{names[id(owner)]} ({type(owner).__name__}){f', which got {got},' if got else ''} "
    return ""


def _names(module: GANModule) -> dict[int, str]:
    names = {id(part): f"'{name}'" for name, part in module.named_modules() if name}
    for option, value in vars(module).items():
        for part in value if isinstance(value, list | tuple) else [value]:
            if hasattr(part, "__dict__") and not isinstance(part, type | Tensor):
                names.setdefault(id(part), f"the {option}")
    for term in module.regularizers:
        names[id(term.regularizer)] = f"the regularizer '{term.name}'"
    names.pop(id(module.settings), None)
    return names


def _frames(error: BaseException) -> list[FrameType]:
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    return frames


def _arguments(frame: FrameType) -> str:
    """What the function of a frame was called with, as far as these are tensors, or nothing."""
    names = frame.f_code.co_varnames[1 : frame.f_code.co_argcount]
    shown = [f"{name} {_shape(frame.f_locals[name])}" for name in names if _is_shown(frame.f_locals.get(name, 0))]
    return ", ".join(shown[:_SHOWN])


def _is_shown(value: Any) -> bool:
    return value is None or isinstance(value, Tensor)


def _shape(value: Tensor | None) -> str:
    return "none" if value is None else f"({_by(value.shape)})"


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))

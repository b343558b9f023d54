"""All that is wrong with a spec, collected so that the user sees everything at once."""

from __future__ import annotations

from ganlab.errors import SpecError
from ganlab.spec.document import Origin, Path, dotted


class Problems:
    """Sentences with the place and the key that they are about."""

    def __init__(self) -> None:
        self._found: dict[str, Origin] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, origin: Origin, path: Path, sentence: str) -> None:
        """Note that the value at `path`, written at `origin`, is wrong as the sentence says."""
        key = f"{dotted(path)}: " if path else ""
        self._found.setdefault(f"{origin}: {key}{sentence}", origin)

    def raise_if_any(self, what: str = "the spec") -> None:
        """Raise one `SpecError` with a line for each problem of `what`, in the order of the files' lines."""
        lines = sorted(self._found, key=lambda line: (self._found[line].source, self._found[line].line or 0))
        if len(lines) == 1:
            raise SpecError(lines[0])
        if lines:
            raise SpecError(f"{what} has {len(lines)} problems:\n" + "\n".join(lines))

"""Text of strangers, such as names of files and classes, so that it does nothing to a terminal or a picture.

It stands on the floor, as facts about data use it as well as errors.
"""

from __future__ import annotations


def printable(text: str, kept: str = "") -> str:
    """Text in which control characters, such as the escapes of terminals, stand as they are written in Python."""
    return "".join(letter if letter.isprintable() or letter in kept else ascii(letter)[1:-1] for letter in text)

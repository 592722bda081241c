"""Patterns of whole texts, in the one form that every reader of them takes alike."""

from __future__ import annotations


def whole(pattern: str) -> str:
    r"""Return the pattern of a text that is all of it, for Python, msgspec and JSON Schema.

    ``$`` alone lets a line feed follow in Python's ``re`` (Python documentation, re, "Regular Expression Syntax"), and
    ``\Z`` is none of ECMA-262's, which JSON Schema names (2020-12, 6.3.3). A line feed would pass for part of a code.
    """
    return rf"^(?:{pattern})$(?!\n)"

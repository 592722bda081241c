"""A command that was good, with one of its figures spoilt: most such commands must be refused, in any room."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from tsingma.journal.commands import Command, decode, encode

_NUMBERS = (-1, 0, 1, 99, 2**31 - 1, 2**53 + 1, 2**62, -(2**63), 2**63 - 1)
_WORDS = ("", "NOBODY", "x" * 300, "HKSCC", "F1")
_DEPTH_MAX = 3


def spoil(command: Command, chance: np.random.Generator) -> Command | None:
    """Return the command with one field changed, or None when the result is no command that could be sent."""
    try:
        return decode(encode(_struct(command, chance, 0)))
    except msgspec.MsgspecError:
        return None


def _struct(value: Any, chance: np.random.Generator, depth: int) -> Any:
    fields = value.__struct_fields__
    if not fields:
        return value
    name = fields[int(chance.integers(len(fields)))]
    return msgspec.structs.replace(value, **{name: _value(getattr(value, name), chance, depth + 1)})


def _value(value: Any, chance: np.random.Generator, depth: int) -> Any:
    match value:
        case bool():
            return not value
        case int():
            near = (value + 1, value - 1, 2 * value)
            number = (*_NUMBERS, *near, *near)[int(chance.integers(len(_NUMBERS) + 6))]
            return number if -(2**63) <= number < 2**63 else 0
        case str():
            return (*_WORDS, value + "X")[int(chance.integers(len(_WORDS) + 1))]
        case bytes():
            return _bytes(value, chance)
        case tuple() if (
            value and hasattr(value[0], "__struct_fields__") and depth < _DEPTH_MAX and chance.random() < 0.7
        ):
            place = int(chance.integers(len(value)))
            return (*value[:place], _struct(value[place], chance, depth), *value[place + 1 :])
        case tuple():
            return ((), value[1:], value + value, value[::-1])[int(chance.integers(4))]
        case dict() if value:
            name = sorted(value)[int(chance.integers(len(value)))]
            without = {key: kept for key, kept in value.items() if key != name}
            return ({**value, name: _value(value[name], chance, depth)}, without)[int(chance.integers(2))]
        case msgspec.Struct() if depth < _DEPTH_MAX:
            return _struct(value, chance, depth)
    return value


def _bytes(value: bytes, chance: np.random.Generator) -> bytes:
    """Return a packed column cut short, doubled, emptied, or with one of its bytes changed (mostly its sign)."""
    match int(chance.integers(5)):
        case 0:
            return b""
        case 1:
            return value[:-1]
        case 2:
            return value + value
    place = int(chance.integers(len(value))) if value else 0
    return (
        value[:place] + bytes([value[place] ^ (0x80 >> int(chance.integers(8)))]) + value[place + 1 :]
        if value
        else b"x"
    )

"""What the house says in the codes of ISO 20022: one dated table of its statuses and refusals (``codes.toml``)."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from tsingma.basics.rejection import Rejection, RejectionReason, refuse
from tsingma.reference.tables import row_on

TEXT_MAX = 210  # Max210Text, the narrative beside a code


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row: what the house says (``our``), where in a message and with which code, from when, and by what source."""

    message: str
    our: str
    at: str
    code: str
    meaning: str
    valid_from: date
    valid_to: date = date.max
    source: str
    assumed: bool = False


class State(msgspec.Struct, frozen=True):
    """One status in a message: the group and choice it stands at, its code, and a text beside it."""

    at: str
    code: str
    text: str = ""


@cache
def code_table() -> tuple[Code, ...]:
    """Return all rows of the table."""
    text = files("tsingma.messages.iso20022").joinpath("codes.toml").read_text(encoding="utf-8")
    return tuple(msgspec.convert(row, Code) for row in tomllib.loads(text)["row"])


def state_of(message: str, our: str, day: date, text: str = "") -> State:
    """Return what ``message`` (``sese.024``) says for a status of the house on a day.

    Raises Rejected (beyond-horizon) when the table has no row for it that day.
    """
    rows = [msgspec.structs.asdict(row) for row in _rows().get((message, our), ())]
    row = row_on(rows, day, table=f"codes: {message} {our}")
    return State(row["at"], row["code"], text[:TEXT_MAX])


@cache
def require_codes(day: date) -> None:
    """Raise Rejected (beyond-horizon) where the table has no row of a day for something that it says on others.

    Replies are written when a message has been carried out already, so this is asked before.
    """
    for message, our in _rows():
        state_of(message, our, day)


def refusal(message: str, rejection: Rejection, day: date) -> State:
    """Return what ``message`` says for a refusal: by the refused field where the table has it, else by the reason.

    A reference used twice, or a participant that is suspended, is named as that, whatever the table has for the field.
    The file that the house read it from is its own affair and not said.
    """
    text = str(msgspec.structs.replace(rejection, file="", line=0))
    field = f"field.{rejection.field}"
    by_reason = (RejectionReason.DUPLICATE, RejectionReason.SUSPENDED)
    if rejection.reason not in by_reason and (message, field) in _rows():
        return state_of(message, field, day, text)
    return state_of(message, f"reason.{rejection.reason}", day, text)


def meaning_of(message: str, state: State) -> str:
    """Return in words what a status means; raises Rejected (unknown) for one that the table does not have."""
    for row in code_table():
        if row.message == message and (row.at, row.code) == (state.at, state.code):
            return row.meaning
    raise refuse(RejectionReason.UNKNOWN, f"{state.at} {state.code} is not in the table", field="code", subject=message)


@cache
def _rows() -> dict[tuple[str, str], tuple[Code, ...]]:
    found: dict[tuple[str, str], tuple[Code, ...]] = {}
    for row in code_table():
        found[row.message, row.our] = (*found.get((row.message, row.our), ()), row)
    return found

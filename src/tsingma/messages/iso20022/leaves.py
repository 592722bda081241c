"""Messages as leaves: the text of every element that has no elements in it, by its path; and tags written from text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from unicodedata import category

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.messages.iso20022.schema import SPACE, Received

Leaves = Mapping[str, str]
_MONEY = frozenset({
    "AmtWthCcy", "DueToPtyA", "DueToPtyB", "HeldByPtyA", "HeldByPtyB", "TtlColl", "CollVal", "MktVal", "PricVal",
    "PstHrcutVal",
})  # fmt: skip
_BREAKS = re.compile(r"[\t\r\n]+")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def leaves_of(received: Received) -> dict[str, str]:
    """Return text by path below the message's own element: ``TradDtls/SttlmDt/Dt/Dt``.

    The second of neighbours of one name is ``Lnkgs[2]``; a currency is ``.../Amt/@Ccy``. What follows an envelope of
    supplementary data is not read.
    """
    return leaves_below(received.document[0], received.message)


def leaves_below(element: Any, message: str) -> dict[str, str]:
    """Return text by path below an element of a message (or header)."""
    found: dict[str, str] = {}
    _gather(element, "", len(SPACE) + len(message) + 2, found)
    return found


def _gather(element: Any, before: str, cut: int, found: dict[str, str]) -> None:
    last, times = "", 1
    for child in element:
        name = child.tag[cut:]
        if name == last:
            times += 1
            path = f"{before}{name}[{times}]"
        else:
            last, times, path = name, 1, before + name
        if name == "SplmtryData":
            found[path] = ""
        elif len(child):
            _gather(child, path + "/", cut, found)
        else:
            found[path] = _value(child.text or "", path)
            if (name.endswith("Amt") or name in _MONEY) and (currency := child.get("Ccy")):
                found[path + "/@Ccy"] = currency


def _value(value: str, path: str) -> str:
    """Return a value on one line: breaks and tabs in it are a space; raises Rejected for what does not print.

    What comes in may be said again in a reply, which is written when the message has been carried out already.
    """
    if value.isprintable():
        return value
    line = _BREAKS.sub(" ", value)
    if not _prints(line):
        raise refuse(RejectionReason.MALFORMED, f"{value!r} has characters that do not print", field=path,
                     remedy="send letters, digits, signs and spaces")  # fmt: skip
    return line


def _prints(value: str) -> bool:
    """Return whether all characters print, or are spaces: none moves a cursor, hides, or turns the direction."""
    return value.isprintable() or all(letter.isprintable() or category(letter) == "Zs" for letter in value)


def repeated(leaves: Leaves, name: str) -> list[str]:
    """Return the first steps of paths at which an element stands, once each, in order: ``Ntry``, ``Ntry[2]``."""
    starts = dict.fromkeys(path.partition("/")[0] for path in leaves)
    return [start for start in starts if start.partition("[")[0] == name]


def under(leaves: Leaves, path: str) -> dict[str, str]:
    """Return the leaves below a path, by their paths from there."""
    start = path + "/"
    return {name[len(start) :]: text for name, text in leaves.items() if name.startswith(start)}


def located(rejected: Rejected, received: Received, file: str) -> tuple[Rejection, ...]:
    """Return refusals of a message with its file, its number in the file and the line of the element at fault.

    ``field`` of a refusal is a path of ``leaves_of``; where it names no element the line is the message's own.
    """
    found = []
    for one in rejected.rejections:
        path = one.field.partition("/@")[0]
        element = None
        while path and element is None:
            element = received.document[0].find("/".join(f"{{*}}{part}" for part in path.split("/")))
            path = path.rpartition("/")[0]
        line = (received.document if element is None else element).sourceline or 0
        subject = one.subject or f"{received.message} {received.place}"
        found.append(
            Rejection(
                reason=one.reason, message=one.message, file=file, line=line, field=one.field, subject=subject,
                remedy=one.remedy,
            )
        )  # fmt: skip
    return tuple(found)


def text(name: str, value: str) -> str:
    """Return ``<name>value</name>``, or nothing when the value is empty; raises Rejected for unprintable characters."""
    if not value:
        return ""
    if not _prints(value):
        raise refuse(RejectionReason.MALFORMED, f"{value!r} has characters that do not print", field=name)
    return f"<{name}>{value.translate(_ESCAPES)}</{name}>"


def tag(name: str, *content: str) -> str:
    """Return ``<name>`` around what is not empty of the content, or nothing when all of it is."""
    inner = "".join(content)
    return f"<{name}>{inner}</{name}>" if inner else ""


def amount(name: str, cents: int, currency: str) -> str:
    """Return an amount with its currency and two decimals, as every currency of the house has."""
    return f'<{name} Ccy="{currency}">{decimal_cents(cents)}</{name}>'


def decimal_cents(cents: int) -> str:
    """Return cents (not negative) as units with two decimals."""
    return f"{cents // 100}.{cents % 100:02d}"


def moment_text(moment: datetime) -> str:
    """Return a time in whole seconds with its offset from UTC, Z for none."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def read_moment(value: str, where: str) -> datetime:
    """Return the time of an xs:dateTime; raises Rejected for one of no calendar day (24:00, years past 9999)."""
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise refuse(RejectionReason.MALFORMED, f"'{value}' is no time of a calendar day", field=where) from None


def document(message: str, name: str, *content: str) -> str:
    """Return a whole Document; ``name`` is the message's own element."""
    return f'<Document xmlns="{SPACE}{message}">{tag(name, *content)}</Document>'

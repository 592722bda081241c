"""What all messages of corporate actions (seev) say in the same way: event, option, security, balance, dates."""

from __future__ import annotations

import re

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.events.terms import DISTRIBUTIONS, ISO_CODES, OFFERS
from tsingma.journal.corporate_action_commands import EventTerms
from tsingma.messages.iso20022.leaves import Leaves, tag, text
from tsingma.messages.iso20022.parties import ISSUER, Directory

# Option types (CAOP) that every seev message here has; others are said as a code of the house.
OPTION_TYPES = frozenset({
    "ABST", "BSPL", "BUYA", "CASE", "CASH", "CEXC", "CONN", "CONY", "CTEN", "EXER", "LAPS", "MPUT", "NOAC", "NOQU",
    "OFFR", "OTHR", "OVER", "QINV", "SECU", "SLLE",
})  # fmt: skip
LAPSES = "LAPS"
_OWN_TYPE = re.compile(r"[a-zA-Z0-9]{4}")
_ELIGIBLE = "Bal/TtlElgblBal/Bal/QtyChc/SgndQty"


def choice_of(terms: EventTerms) -> str:
    """Return whether holders have a say: MAND none, CHOS which of several, VOLU whether at all."""
    return "VOLU" if terms.kind in OFFERS else "CHOS" if len(terms.options) > 1 else "MAND"


def is_distribution(code: str) -> bool:
    """Return whether a CAEV code gives something beside the shares, which stay."""
    return code in {ISO_CODES[kind] for kind in DISTRIBUTIONS}


def told_type(code: str) -> str:
    """Return what an option's code is told as: a code of the message, four letters of the house's own, or OTHR."""
    return code if code in OPTION_TYPES or _OWN_TYPE.fullmatch(code) else "OTHR"


def option_type(code: str) -> str:
    """Return the type of an option."""
    told = told_type(code)
    own = tag("Prtry", text("Id", told), text("Issr", ISSUER))
    return tag("OptnTp", text("Cd", told) if told in OPTION_TYPES else own)


def read_option_type(leaves: Leaves, path: str = "OptnTp") -> str:
    """Return the type of an option."""
    return leaves.get(f"{path}/Cd") or leaves.get(f"{path}/Prtry/Id", "")


def option_number(place: int) -> str:
    """Return the number of an option from its place, which counts from 0: 001."""
    return f"{place + 1:03d}"


def read_option_number(value: str, where: str) -> int:
    """Return the place of an option (from 0); raises Rejected for number 000, and for a number that is none."""
    if not value.isdecimal() or int(value) < 1:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"'{value}' is no option of an event", field=where,
                     remedy="number them from 001")  # fmt: skip
    return int(value) - 1


def security(name: str, isin: str) -> str:
    """Return a security by its ISIN."""
    return tag(name, text("ISIN", isin))


def account(code: str, units: int, isin: str, directory: Directory) -> str:
    """Return an account with the units it is entitled on: long, or short when it owes them."""
    return text("SfkpgAcct", code) + tag("Bal", tag("TtlElgblBal", tag("Bal", tag("QtyChc", tag(
        "SgndQty", text("ShrtLngPos", "SHOR" if units < 0 else "LONG"),
        tag("Qty", directory.write_quantity(abs(units), isin)),
    )))))  # fmt: skip


def read_account(leaves: Leaves, isin: str, directory: Directory) -> tuple[str, int]:
    """Return an account and the units it is entitled on."""
    units = int(directory.read_quantity(leaves, f"{_ELIGIBLE}/Qty", isin))
    return leaves.get("SfkpgAcct", ""), -units if leaves.get(f"{_ELIGIBLE}/ShrtLngPos") == "SHOR" else units


def on(name: str, day: str) -> str:
    """Return a date."""
    return tag(name, text("Dt", day))


def at(name: str, day: str) -> str:
    """Return a date where a time could stand."""
    return tag(name, tag("Dt", text("Dt", day)))

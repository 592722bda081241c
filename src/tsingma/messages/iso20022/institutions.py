"""Institutions and their cash accounts in payment messages: who is named how, and which account of the book it is."""

from __future__ import annotations

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.messages.iso20022.leaves import Leaves, tag, text
from tsingma.messages.iso20022.parties import ISSUER, Directory

NAMES = ("FinInstnId/BICFI", "FinInstnId/LEI", "FinInstnId/Othr/Id", "FinInstnId/Othr/Issr")
ACCOUNT = "Id/Othr/Id"


def read_institution(leaves: Leaves, path: str, directory: Directory, where: str = "") -> str:
    """Return the code of the participant named at a path (by BIC, or by code of issuer TSINGMA; LEI beside them).

    ``where`` is what stands before the path in the message. Raises Rejected: missing, unknown, malformed, conflict.
    """
    named = {
        "p/LEI": leaves.get(f"{path}/FinInstnId/LEI", ""),
        "p/Id/AnyBIC": leaves.get(f"{path}/FinInstnId/BICFI", ""),
        "p/Id/PrtryId/Id": leaves.get(f"{path}/FinInstnId/Othr/Id", ""),
        "p/Id/PrtryId/Issr": leaves.get(f"{path}/FinInstnId/Othr/Issr", ""),
    }
    try:
        return directory.participant(named, "p")
    except Rejected as rejected:
        found = rejected.rejections[0]
        raise refuse(found.reason, found.message, field=f"{where}{path}/FinInstnId", remedy=found.remedy) from None


def read_account(leaves: Leaves, path: str, code: str, where: str = "") -> str:
    """Return the account at a path, PARTICIPANT/CLASS; the house account where none is named.

    Raises Rejected (conflict) for an account of another than ``code``.
    """
    account = leaves.get(f"{path}/{ACCOUNT}", f"{code}/HOUSE")
    if account.partition("/")[0] != code:
        raise refuse(RejectionReason.CONFLICT, f"'{account}' is no account of {code}", field=f"{where}{path}/{ACCOUNT}")
    return account


def write_institution(name: str, code: str, directory: Directory) -> str:
    """Return an element of an institution: its BIC where the directory has one, else its code."""
    bic = text("BICFI", directory.bics.get(code, ""))
    return tag(name, tag("FinInstnId", bic or tag("Othr", text("Id", code), text("Issr", ISSUER))))


def write_account(name: str, account: str) -> str:
    """Return an element of a cash account."""
    return tag(name, tag("Id", tag("Othr", text("Id", account))))

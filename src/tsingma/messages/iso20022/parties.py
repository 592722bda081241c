"""Who and what a message speaks of: participants, accounts, securities and amounts, under the house's usage rules.

Schemas say what may be written; these rules say what the house takes: participants by their code, BIC (ISO 9362) or
LEI (ISO 17442), securities by ISIN (ISO 6166), money in whole cents, quantities in units or, where the face of a
unit is known, in face amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tsingma.basics.identifiers import is_isin, is_lei
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.messages.iso20022.leaves import Leaves, decimal_cents, tag, text
from tsingma.reference.book import ResolvedBook

ISSUER = "TSINGMA"  # whose scheme the codes of participants belong to
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")


def is_bic(code: str) -> bool:
    """Return whether text has the form of a BIC (ISO 9362): 8 or 11 characters, a country in the middle."""
    return _BIC.fullmatch(code) is not None


def _institution(bic: str) -> str:
    """Return a BIC in 11 letters: one of 8 is the head office, XXX (ISO 9362)."""
    return bic if len(bic) == 11 else f"{bic}XXX"


@dataclass(frozen=True)
class Directory:
    """What codes on the wire mean: the book, BICs by participant, and the face of a unit in cents by ISIN."""

    book: ResolvedBook
    bics: Mapping[str, str] = field(default_factory=dict)
    face_cents: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a BIC of no form, of two participants, or of one the book does not have."""
        for code, bic in self.bics.items():
            if not is_bic(bic):
                raise refuse(RejectionReason.MALFORMED, f"'{bic}' is no BIC", field="bic", subject=code)
            if code not in self.book.participant_index:
                raise refuse(RejectionReason.UNKNOWN, f"no participant '{code}'", field="participant")
        by_bic = {_institution(bic): code for code, bic in self.bics.items()}
        if len(by_bic) != len(self.bics):
            raise refuse(RejectionReason.DUPLICATE, "a BIC stands for two participants", field="bic",
                         remedy="8 letters, and the same with XXX, are one office")  # fmt: skip
        object.__setattr__(self, "_by_bic", by_bic)
        object.__setattr__(self, "_lei", {one.code: one.lei for one in self.book.book.participants})

    def participant(self, leaves: Leaves, path: str) -> str:
        """Return the code of the participant named at a path, by code or BIC, and by LEI beside them or alone.

        Raises Rejected: missing (nobody is named), malformed (BIC, LEI), unknown, conflict (code and LEI differ).
        """
        by_bic: Mapping[str, str] = self._by_bic  # type: ignore[attr-defined]
        known: Mapping[str, str] = self._lei  # type: ignore[attr-defined]
        lei, bic = leaves.get(f"{path}/LEI", ""), leaves.get(f"{path}/Id/AnyBIC", "")
        if bic:
            if _institution(bic) not in by_bic:
                raise refuse(
                    RejectionReason.UNKNOWN, f"no participant has the BIC '{bic}'", field=f"{path}/Id/AnyBIC",
                    remedy="add it to the directory",
                )  # fmt: skip
            code = by_bic[_institution(bic)]
        else:
            there = f"{path}/Id/PrtryId"
            code = party_code(leaves.get(f"{there}/Id", ""), leaves.get(f"{there}/Issr", ""), f"{path}/Id")
        if code not in known:
            raise refuse(RejectionReason.UNKNOWN, f"no participant '{code}'", field=f"{path}/Id")
        if lei and not is_lei(lei):
            raise refuse(RejectionReason.MALFORMED, f"'{lei}' is no LEI: wrong check digits", field=f"{path}/LEI")
        if lei and known[code] and known[code] != lei:
            raise refuse(RejectionReason.CONFLICT, f"the LEI of {code} is {known[code]}", field=f"{path}/LEI")
        return code

    def write_participant(self, code: str) -> str:
        """Return the Id of a participant: its BIC where the directory has one, else its code."""
        bic = self.bics.get(code, "")
        return tag("Id", text("AnyBIC", bic) or tag("PrtryId", text("Id", code), text("Issr", ISSUER)))

    def read_quantity(self, leaves: Leaves, path: str, isin: str) -> str:
        """Return units as text: given so, or as the face amount of a security whose face is known."""
        face = self.face_cents.get(isin, 0)
        units, amount = leaves.get(f"{path}/Unit"), leaves.get(f"{path}/FaceAmt")
        if units is not None:
            number, where = _whole(units, f"{path}/Unit"), f"{path}/Unit"
            if face and number:
                raise refuse(RejectionReason.NOT_ALLOWED, f"{isin} is instructed by its face", field=where,
                             remedy="send FaceAmt")  # fmt: skip
            return str(number)
        where = f"{path}/FaceAmt"
        if amount is None:
            raise refuse(RejectionReason.MISSING, "no quantity in units or face", field=path, remedy="send Qty/Unit")
        if not face:
            raise refuse(RejectionReason.NOT_ALLOWED, f"the face of {isin} is not known here", field=where,
                         remedy="send Unit")  # fmt: skip
        cents = _scaled(amount, 2, where)
        if cents % face:
            raise refuse(
                RejectionReason.OUT_OF_RANGE, f"{amount} is no multiple of {decimal_cents(face)}", field=where,
                remedy="send a multiple of the face of a unit",
            )  # fmt: skip
        return str(cents // face)

    def write_quantity(self, units: int, isin: str) -> str:
        """Return a quantity in units, or in face amount where the face of a unit is known."""
        face = self.face_cents.get(isin, 0)
        return text("FaceAmt", decimal_cents(units * face)) if face else text("Unit", str(units))


def party_code(code: str, issuer: str, where: str) -> str:
    """Return the code of a participant; raises Rejected when there is none or another scheme's."""
    if not code:
        raise refuse(RejectionReason.MISSING, "names nobody by code or BIC", field=where,
                     remedy=f"PrtryId of issuer {ISSUER}, or AnyBIC")  # fmt: skip
    if issuer != ISSUER:
        raise refuse(RejectionReason.UNKNOWN, f"codes of '{issuer}' are not known here", field=where,
                     remedy=f"use those of {ISSUER}")  # fmt: skip
    return code


def read_isin(leaves: Leaves, path: str) -> str:
    """Return an ISIN; raises Rejected: missing, malformed (check digit)."""
    isin = leaves.get(f"{path}/ISIN", "")
    if not isin:
        raise refuse(RejectionReason.MISSING, "names no ISIN", field=path, remedy="send FinInstrmId/ISIN")
    if not is_isin(isin):
        raise refuse(RejectionReason.MALFORMED, f"'{isin}' has a wrong check digit", field=f"{path}/ISIN")
    return isin


def read_amount(leaves: Leaves, path: str) -> tuple[int, str]:
    """Return cents and currency of an amount; raises Rejected: unknown currency, more than two decimals."""
    currency = leaves.get(f"{path}/@Ccy", "")
    if currency not in CURRENCIES:
        raise refuse(RejectionReason.UNKNOWN, f"currency '{currency}' is not kept", field=path,
                     remedy=f"one of {', '.join(CURRENCIES)}")  # fmt: skip
    return _scaled(leaves[path], 2, path), currency


def _whole(value: str, where: str) -> int:
    return _scaled(value, 0, where)


def _scaled(value: str, decimals: int, where: str) -> int:
    try:
        return parse_scaled(value, decimals, field=where)
    except Rejected as rejected:
        found = rejected.rejections[0]
        raise refuse(found.reason, found.message, field=where, remedy=f"at most {decimals} decimals") from None

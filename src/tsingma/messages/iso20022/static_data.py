"""reda.017, .012 and .021: participants, securities and accounts of a house, and a reference book made of them.

T2S keeps static data by requests (reda.014, .006, .018) that create one by one; a house is started with its whole book
and does not change it, so here the reports of the same data go both ways. What the messages have no element for stands
as a classification of the house, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.iso20022.clearing import ONE_PAGE, require_whole
from tsingma.messages.iso20022.leaves import Leaves, document, repeated, tag, text, under
from tsingma.messages.iso20022.parties import ISSUER, party_code, read_isin
from tsingma.reference.book import Account, AccountClass, Counter, Participant

PARTIES, PARTIES_BODY = "reda.017.001.02", "PtyRpt"
SECURITIES, SECURITIES_BODY = "reda.012.001.01", "SctyRpt"
ACCOUNTS, ACCOUNTS_BODY = "reda.021.001.01", "SctiesAcctRpt"
_COUNTER = "COUNTER"  # whose kind of identifier a counter's code is
# Types of accounts in T2S (assumed: their definitions were not at hand); the class stands in the account's name.
_ACCOUNT_TYPES = {
    AccountClass.HOUSE: "CSDP", AccountClass.CLIENT: "CSDP", AccountClass.SEGREGATED: "CSDP",
    AccountClass.OMNIBUS: "CSDO", AccountClass.CNS: "TOFF", AccountClass.ISSUANCE: "ISSA",
}  # fmt: skip
_MAY_BE_NEGATIVE = (AccountClass.CNS, AccountClass.ISSUANCE)
_CLASSED = ("kind", "market", "tick_e4", "settlement_counter", "underlying", "duty_exempt")
T = TypeVar("T", Participant, Account, Counter)


def write_parties(parties: tuple[Participant, ...], identifier: str, bics: Mapping[str, str]) -> str:
    """Return a reda.017 Document; ``bics`` are BICs by code of participant, where there are any."""

    def one(party: Participant) -> str:
        name = tag("PtyId", tag("Id", tag("Id", _own(party.code)), text("LEI", party.lei)))
        details = (tag("Tp", text("Prtry", party.kind)), tag("TechAdr", text("BICFI", bics.get(party.code, ""))),
                   tag("Nm", text("Nm", party.name)))  # fmt: skip
        return tag("PtyRpt", name, tag("PtyOrErr", tag("SysPty", *details)))

    return document(PARTIES, PARTIES_BODY, _head(identifier), tag("RptOrErr", *map(one, parties)))


def read_parties(leaves: Leaves) -> tuple[Participant, ...]:
    """Return participants; raises Rejected: an error instead of data, a kind that is not known."""
    found = []
    for start, inner in _entries(leaves, "RptOrErr", "PtyRpt"):
        own = under(inner, "PtyOrErr/SysPty")
        if not own:
            raise _no_data(start)
        where = "PtyId/Id/Id/PrtryId"
        values = {
            "code": party_code(inner.get(f"{where}/Id", ""), inner.get(f"{where}/Issr", ""), f"{start}/PtyId"),
            "name": own.get("Nm/Nm", ""), "kind": own.get("Tp/Prtry", ""), "lei": inner.get("PtyId/Id/LEI", ""),
        }  # fmt: skip
        found.append(_made(values, Participant, start))
    return tuple(found)


def write_accounts(accounts: tuple[Account, ...], identifier: str) -> str:
    """Return a reda.021 Document of one page."""

    def one(account: Account) -> str:
        name = f"{account.participant}/{account.account_class}"
        details = (text("HldInd", "false"), text("NegPos", str(account.account_class in _MAY_BE_NEGATIVE).lower()),
                   tag("Tp", text("Cd", _ACCOUNT_TYPES[account.account_class])),
                   tag("AcctOwnr", tag("Id", tag("Id", _own(account.participant)))))  # fmt: skip
        return tag("SctiesAcctRpt", tag("SctiesAcctId", text("Id", name), text("Nm", account.name)),
                   tag("SctiesAcctOrErr", tag("SctiesAcct", *details)))  # fmt: skip

    return document(ACCOUNTS, ACCOUNTS_BODY, _head(identifier), ONE_PAGE, tag("RptOrErr", *map(one, accounts)))


def read_accounts(leaves: Leaves) -> tuple[Account, ...]:
    """Return accounts; raises Rejected: several pages, an owner that is not the one its name says, an unknown class."""
    require_whole(leaves)
    found = []
    for start, inner in _entries(leaves, "RptOrErr", "SctiesAcctRpt"):
        where = "SctiesAcctOrErr/SctiesAcct/AcctOwnr/Id/Id/PrtryId"
        if not under(inner, "SctiesAcctOrErr/SctiesAcct"):
            raise _no_data(start)
        owner, _, of = inner["SctiesAcctId/Id"].partition("/")
        if owner != party_code(inner.get(f"{where}/Id", ""), inner.get(f"{where}/Issr", ""), f"{start}/AcctOwnr"):
            raise refuse(RejectionReason.CONFLICT, f"is not an account of {owner}", field=f"{start}/SctiesAcctId")
        values = {"participant": owner, "account_class": of, "name": inner.get("SctiesAcctId/Nm", "")}
        found.append(_made(values, Account, start))
    return tuple(found)


def write_securities(counters: tuple[Counter, ...], identifier: str) -> str:
    """Return a reda.012 Document of one page: each counter (a line traded in one currency) with its security."""

    def one(counter: Counter) -> str:
        code = tag("OthrId", text("Id", counter.code), tag("Tp", text("Prtry", _COUNTER)))
        classed = (
            tag("AltrnClssfctn", text("Id", _said(getattr(counter, name))), text("Issr", ISSUER), text("SchmeNm", name))
            for name in _CLASSED
            if getattr(counter, name) not in ("", False)
        )
        market = text("MktId", counter.market if len(counter.market) == 4 else "")
        ratio = tag("ConvsRatioNmrtr", text("Unit", str(counter.conversion_ratio or "")))
        attributes = tag(
            "FinInstrmAttrbts", tag("FinInstrmNm", text("ISOLngNm", counter.name)),
            text("DnmtnCcy", counter.currency), tag("ClssfctnTp", *classed),
            tag("TradgMkt", market, tag("RndLot", text("Unit", str(counter.lot)))), ratio,
        )  # fmt: skip
        return tag("SctyRpt", tag("FinInstrmId", text("ISIN", counter.isin), code), attributes)

    reports = tag("SctyRptOrErr", tag("SctyRptOrBizErr", *map(one, counters)))
    return document(SECURITIES, SECURITIES_BODY, _head(identifier), ONE_PAGE, reports)


def read_securities(leaves: Leaves) -> tuple[Counter, ...]:
    """Return counters; raises Rejected: several pages, an error instead of data, a counter without code or kind."""
    require_whole(leaves)
    found = []
    for start, inner in _entries(leaves, "SctyRptOrErr/SctyRptOrBizErr", "SctyRpt"):
        attributes = under(inner, "FinInstrmAttrbts")
        if inner.get("FinInstrmId/OthrId/Tp/Prtry") != _COUNTER or not attributes:
            raise refuse(RejectionReason.MISSING, "names no counter", field=f"{start}/FinInstrmId",
                         remedy=f"send OthrId of type {_COUNTER}, and FinInstrmAttrbts")  # fmt: skip
        classed = [
            under(attributes, f"ClssfctnTp/{one}") for one in repeated(under(attributes, "ClssfctnTp"), "AltrnClssfctn")
        ]
        values: dict[str, object] = {
            one.get("SchmeNm", ""): one["Id"] for one in classed if one.get("Issr") == ISSUER
        }  # fmt: skip
        values |= {
            "code": inner["FinInstrmId/OthrId/Id"], "isin": read_isin(inner, "FinInstrmId"),
            "currency": attributes.get("DnmtnCcy", ""), "name": attributes.get("FinInstrmNm/ISOLngNm", ""),
            "lot": attributes.get("TradgMkt/RndLot/Unit", ""),
            "conversion_ratio": attributes.get("ConvsRatioNmrtr/Unit", "0"),
            "settlement_counter": values.get("settlement_counter", "false"),
        }  # fmt: skip
        found.append(_made(values, Counter, start))
    return tuple(found)


def _entries(leaves: Leaves, path: str, name: str) -> list[tuple[str, dict[str, str]]]:
    inner = under(leaves, path)
    starts = repeated(inner, name)
    if not starts:
        raise _no_data(path)
    return [(f"{path}/{start}", under(inner, start)) for start in starts]


def _no_data(where: str) -> Exception:
    return refuse(RejectionReason.MISSING, "an error stands where data should", field=where, remedy="send the data")


def _made(values: Mapping[str, object], kind: type[T], where: str) -> T:
    """Return values as a struct; numbers and flags come as text. Raises Rejected (malformed) naming the value."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise refuse(RejectionReason.MALFORMED, str(error), field=where, remedy="use the codes of the house") from None


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _own(code: str) -> str:
    return tag("PrtryId", text("Id", code), text("Issr", ISSUER))


def _head(identifier: str) -> str:
    return tag("MsgHdr", text("MsgId", identifier))

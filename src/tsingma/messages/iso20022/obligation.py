"""secl.010, the report of settlement obligations: what a member has to deliver, receive and pay after netting."""

from __future__ import annotations

from datetime import date

import msgspec

from tsingma.basics.dates import to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.iso20022.leaves import Leaves, amount, document, tag, text, under
from tsingma.messages.iso20022.parties import ISSUER, Directory, party_code, read_amount, read_isin

MESSAGE, BODY = "secl.010.001.03", "SttlmOblgtnRpt"


class Obligation(msgspec.Struct, frozen=True, kw_only=True):
    """One net position: units to receive (+) or deliver (-) and cents to pay (+) or receive (-), on one account."""

    number: str
    account: str
    isin: str
    market: str
    intended_date: str
    units: int
    currency: str
    cents: int


class ObligationReport(msgspec.Struct, frozen=True):
    """The net positions of a member; there is no report without one."""

    identifier: str
    date: str
    member: str
    obligations: tuple[Obligation, ...]


def obligations_of(house: House, member: str, due: date, identifier: str, today: date) -> ObligationReport | None:
    """Return what a member has due on a day, None for nothing; raises Rejected (unknown) for no participant."""
    book = house.resolved
    if member not in book.participant_index:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{member}'", field="participant")
    index, positions = book.participant_index[member], house.obligations.due(to_day(due))
    found = []
    for place in range(len(positions)):
        account, counter = int(positions.account[place]), int(positions.counter[place])
        if book.account_participant[account] != index:
            continue
        traded = book.book.counters[counter]
        found.append(
            Obligation(
                number=f"{due:%Y%m%d}-{account}-{counter}", account=book.account_name(account), isin=traded.isin,
                market=traded.market, intended_date=str(due), units=int(positions.quantity[place]),
                currency=traded.currency, cents=int(positions.amount_cents[place]),
            )
        )  # fmt: skip
    return ObligationReport(identifier, str(today), member, tuple(found)) if found else None


def write_obligations(report: ObligationReport, directory: Directory) -> str:
    """Return a secl.010 Document of one page."""
    return document(
        MESSAGE, BODY,
        tag("RptParams", text("RptId", report.identifier), tag("RptDtAndTm", text("Dt", report.date))),
        tag("Pgntn", text("PgNb", "1"), text("LastPgInd", "true")),
        tag("ClrMmb", tag("PrtryId", text("Id", report.member), text("Issr", ISSUER))),
        tag("RptDtls", *(_details(one, directory) for one in report.obligations)),
    )  # fmt: skip


def read_obligations(leaves: Leaves, directory: Directory) -> ObligationReport:
    """Return a report; raises Rejected: several pages, an unknown security or currency, quantity without direction."""
    if leaves["Pgntn/PgNb"].strip("0") != "1" or leaves["Pgntn/LastPgInd"].strip() not in ("true", "1"):
        raise refuse(RejectionReason.NOT_ALLOWED, "is not the whole report", field="Pgntn", remedy="send one page")
    inner = under(leaves, "RptDtls")
    starts = list(dict.fromkeys(name.partition("/")[0] for name in inner if name.startswith("SttlmOblgtnDtls")))
    return ObligationReport(
        identifier=leaves["RptParams/RptId"],
        date=leaves.get("RptParams/RptDtAndTm/Dt", ""),
        member=party_code(leaves.get("ClrMmb/PrtryId/Id", ""), leaves.get("ClrMmb/PrtryId/Issr", ""), "ClrMmb"),
        obligations=tuple(_obligation(under(inner, start), f"RptDtls/{start}", directory) for start in starts),
    )


def _details(one: Obligation, directory: Directory) -> str:
    movement = "RECE" if one.units > 0 else "DELI" if one.units else ""
    market = text("MktIdrCd" if len(one.market) == 4 else "Desc", one.market)
    place = tag("PlcOfTrad", tag("Id", market), tag("Tp", text("Cd", "EXCH")))  # fmt: skip
    money = tag("SttlmAmt", amount("Amt", abs(one.cents), one.currency),
                text("CdtDbtInd", "DBIT" if one.cents > 0 else "CRDT" if one.cents else ""))  # fmt: skip
    return tag(
        "SttlmOblgtnDtls", text("SttlmOblgtnId", one.number), tag("FinInstrmId", text("ISIN", one.isin)),
        tag("IntnddSttlmDt", tag("Dt", text("Dt", one.intended_date))),
        tag("Qty", directory.write_quantity(abs(one.units), one.isin)), money, place,
        tag("SfkpgAcct", text("Id", one.account)), text("SctiesMvmntTp", movement), text("Pmt", "APMT"),
    )  # fmt: skip


def _obligation(leaves: Leaves, where: str, directory: Directory) -> Obligation:
    isin = read_isin(leaves, "FinInstrmId")
    cents, currency = read_amount(leaves, "SttlmAmt/Amt")
    units, movement = int(directory.read_quantity(leaves, "Qty", isin)), leaves.get("SctiesMvmntTp", "")
    if bool(units) != bool(movement) or (cents and "SttlmAmt/CdtDbtInd" not in leaves):
        raise refuse(RejectionReason.CONFLICT, "quantity or money without direction", field=where,
                     remedy="send SctiesMvmntTp and CdtDbtInd")  # fmt: skip
    return Obligation(
        number=leaves["SttlmOblgtnId"],
        account=leaves.get("SfkpgAcct/Id", ""),
        isin=isin,
        market=leaves.get("PlcOfTrad/Id/MktIdrCd") or leaves.get("PlcOfTrad/Id/Desc", ""),
        intended_date=leaves.get("IntnddSttlmDt/Dt/Dt", ""),
        units=units if movement == "RECE" else -units,
        currency=currency,
        cents=cents if leaves.get("SttlmAmt/CdtDbtInd") == "DBIT" else -cents,
    )

"""secl.007, .008 and .009: a buy-in is notified to who fails to deliver, who may answer; then what it came to is told.

From the notification on the house takes no delivery and no delay from the failing party (settlement/buy_in.py;
Delegated Regulation (EU) 2018/1229, articles 31 and 32), so an answer that offers either is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.iso20022 import clearing
from tsingma.messages.iso20022.leaves import Leaves, amount, document, tag, text
from tsingma.messages.iso20022.parties import Directory, read_amount, read_isin
from tsingma.settlement.buy_in import RUNNING
from tsingma.settlement.claims import BUY_IN_COSTS, COMPENSATION, PRICE_DIFFERENCE
from tsingma.settlement.instruction import FROM_HOUSE

NOTIFICATION, NOTIFICATION_BODY = "secl.007.001.03", "BuyInNtfctn"
RESPONSE, RESPONSE_BODY = "secl.008.001.03", "BuyInRspn"
CONFIRMATION, CONFIRMATION_BODY = "secl.009.001.03", "BuyInConf"
_ORIGINAL = "OrgnlSttlmOblgtn"


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """The instruction that is bought in: its number, who has to deliver it from which account, and what it is."""

    instruction: str
    account: str
    intended_date: str
    isin: str
    units: int
    left: int
    currency: str
    cents: int


class BuyInNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A buy-in of which the agent has not reported: it may until ``last_date``."""

    number: str
    member: str
    last_date: str
    failed: Failed


class BuyInAnswer(msgspec.Struct, frozen=True):
    """What the failing party says: units it can deliver all the same, and whether it asks for days."""

    notice: str
    delays_days: int
    units: int
    covered: int


class BuyInResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a buy-in came to, and what the member owes for it in cents (costs are the agent's)."""

    number: str
    member: str
    date: str
    failed: Failed
    bought: int
    difference_cents: int
    costs_cents: int
    compensation_cents: int


def buy_ins_of(house: House, member: str) -> Iterator[BuyInNotice | BuyInResult]:
    """Return the buy-ins of what a member failed to deliver, in their order: notices, and results of those reported."""
    book, buy_ins, instructions = house.resolved, house.settlement.buy_ins, house.settlement.instructions.table
    index = book.participant_index[member]
    deliverer = instructions["deliverer"][buy_ins.table["instruction"]]
    for place in np.flatnonzero(book.account_participant[deliverer] == index).tolist():
        row = {name: int(column[place]) for name, column in buy_ins.table.items()}
        cell = {name: int(column[row["instruction"]]) for name, column in instructions.items()}
        failed = Failed(
            instruction=f"I{row['instruction']}", account=book.account_name(cell["deliverer"]),
            intended_date=str(to_date(cell["intended_day"])), isin=book.asset_name(cell["asset"]),
            units=cell["quantity"], left=cell["open_quantity"], currency=CURRENCIES[cell["currency"]],
            cents=cell["amount_cents"],
        )  # fmt: skip
        if row["status"] == RUNNING:
            yield BuyInNotice(number=f"B{place}", member=member, last_date=str(to_date(row["last_day"])), failed=failed)
        else:
            yield BuyInResult(
                number=f"B{place}", member=member, date=_reported(house, row["instruction"]), failed=failed,
                bought=row["bought"], **_claimed(house, row["instruction"]),
            )  # fmt: skip


def isin_of(house: House, notice: str) -> str:
    """Return the security of a buy-in by its number (``B3``), "" for none."""
    buy_ins, table = house.settlement.buy_ins, house.settlement.instructions.table
    place = notice[1:]
    if notice[:1] != "B" or not place.isdecimal() or len(place) > 9 or int(place) >= len(buy_ins):
        return ""
    return house.resolved.asset_name(int(table["asset"][buy_ins.table["instruction"][int(place)]]))


def _reported(house: House, instruction: int) -> str:
    """Return the day of the agent's report: that of the house's instructions in place of the failed one, or claims."""
    table, claims = house.settlement.instructions.table, house.settlement.claims.table
    same = (table["origin"] == FROM_HOUSE) & (table["reference"] == table["reference"][instruction])
    same &= table["receiver"] == table["receiver"][instruction]
    days = [*table["matched_day"][same].tolist(), *claims["day"][claims["instruction"] == instruction].tolist()]
    return str(to_date(max(days, default=house.position.day)))


def _claimed(house: House, instruction: int) -> dict[str, int]:
    table = house.settlement.claims.table
    mine = table["instruction"] == instruction
    kinds = {"difference_cents": PRICE_DIFFERENCE, "costs_cents": BUY_IN_COSTS, "compensation_cents": COMPENSATION}
    return {name: int(table["cents"][mine & (table["kind"] == kind)].sum()) for name, kind in kinds.items()}


def check_answer(house: House, answer: BuyInAnswer, sender: str) -> None:
    """Raise Rejected: unknown, not the sender's or over, another quantity, an offer of delivery or delay."""
    notices = (one for one in buy_ins_of(house, sender) if one.number == answer.notice) if sender else ()
    found = next(iter(notices), None)
    if found is None:
        raise refuse(RejectionReason.UNKNOWN, "no such buy-in of yours", field="BuyInRspnDtls/BuyInNtfctnId",
                     subject=answer.notice)  # fmt: skip
    if not isinstance(found, BuyInNotice):
        raise refuse(RejectionReason.NOT_ALLOWED, "the buy-in is over", field="BuyInRspnDtls/BuyInNtfctnId",
                     subject=answer.notice, remedy="read its secl.009")  # fmt: skip
    if answer.units != found.failed.left:
        raise refuse(RejectionReason.CONFLICT, f"{found.failed.left} units are bought in",
                     field="BuyInRspnDtls/InitlQty", subject=answer.notice)  # fmt: skip
    if answer.covered or answer.delays_days:
        raise refuse(RejectionReason.NOT_ALLOWED, "a buy-in that runs takes no delivery and no delay",
                     field="BuyInRspnDtls/CvrdQty", subject=answer.notice,
                     remedy="cover nothing, or agree to cancel the instruction with its receiver")  # fmt: skip


def write_notice(one: BuyInNotice, directory: Directory) -> str:
    """Return a secl.007 Document."""
    return document(
        NOTIFICATION, NOTIFICATION_BODY, text("TxId", one.number), clearing.member(one.member),
        tag("NtfctnDtls", text("WrngInd", "false"), tag("XpctdBuyInDt", text("Dt", one.last_date))),
        _write_failed(one.failed, directory),
    )  # fmt: skip


def read_notice(leaves: Leaves, directory: Directory) -> BuyInNotice:
    """Return a notification; raises Rejected with the path of what breaks a usage rule."""
    return BuyInNotice(
        number=leaves.get("TxId", ""), member=clearing.read_member(leaves),
        last_date=leaves.get("NtfctnDtls/XpctdBuyInDt/Dt", ""), failed=_read_failed(leaves, directory),
    )  # fmt: skip


def write_answer(one: BuyInAnswer, isin: str, directory: Directory) -> str:
    """Return a secl.008 Document."""
    quantities = {"InitlQty": one.units, "CvrdQty": one.covered, "UcvrdQty": one.units - one.covered}
    return document(
        RESPONSE, RESPONSE_BODY,
        tag("BuyInRspnDtls", text("BuyInNtfctnId", one.notice), text("ReqForDelyInd", str(one.delays_days > 0).lower()),
            text("NbOfDays", str(one.delays_days)),
            *(tag(name, directory.write_quantity(units, isin)) for name, units in quantities.items())),
    )  # fmt: skip


def read_answer(leaves: Leaves, isin: str, directory: Directory) -> BuyInAnswer:
    """Return an answer about a security; raises Rejected: parts that do not add up, days without being asked for."""
    path = "BuyInRspnDtls"
    units, covered, rest = (
        int(directory.read_quantity(leaves, f"{path}/{name}", isin)) for name in ("InitlQty", "CvrdQty", "UcvrdQty")
    )
    if covered + rest != units:
        raise refuse(RejectionReason.CONFLICT, "covered and uncovered do not add up", field=f"{path}/CvrdQty")
    days, asks = leaves[f"{path}/NbOfDays"].strip(), leaves[f"{path}/ReqForDelyInd"].strip() in ("true", "1")
    if not days.isdecimal() or len(days) > 4 or (int(days) > 0) != asks:
        raise refuse(RejectionReason.CONFLICT, "days and the wish for them differ", field=f"{path}/NbOfDays")
    return BuyInAnswer(leaves[f"{path}/BuyInNtfctnId"], int(days), units, covered)


def write_result(one: BuyInResult, directory: Directory) -> str:
    """Return a secl.009 Document."""
    currency = one.failed.currency

    def owed(name: str, cents: int) -> str:
        return tag(name, amount("Amt", cents, currency), text("CdtDbtInd", "DBIT"))

    depository = tag("Dpstry", tag("NmAndAdr", text("Nm", clearing.DEPOSITORY)))
    bought = tag("SctiesBuyIn", depository, owed("SttlmAmt", one.difference_cents), owed("Fees", one.costs_cents))
    money = tag("ReqrdCshCompstn", owed("SttlmAmt", one.compensation_cents), text("ValDt", one.date))
    return document(
        CONFIRMATION, CONFIRMATION_BODY, text("TxId", f"{one.number}-{one.bought}"), clearing.member(one.member),
        tag("BuyInDtls", text("BuyInNtfctnId", one.number), text("BuyInId", f"{one.number}-{one.bought}"),
            text("Dt", one.date), bought, money if one.compensation_cents else ""),
        _write_failed(one.failed, directory),
    )  # fmt: skip


def read_result(leaves: Leaves, directory: Directory) -> BuyInResult:
    """Return a confirmation; raises Rejected: money in another currency, or an identifier of another form."""
    number, _, bought = leaves["BuyInDtls/BuyInId"].rpartition("-")
    failed = _read_failed(leaves, directory)
    if not bought.isdecimal() or len(bought) > 18 or number != leaves.get("BuyInDtls/BuyInNtfctnId"):
        raise refuse(RejectionReason.MALFORMED, "is not notice and units", field="BuyInDtls/BuyInId", remedy="B1-100")

    def owed(path: str) -> int:
        if f"BuyInDtls/{path}/Amt" not in leaves:
            return 0
        cents, currency = read_amount(leaves, f"BuyInDtls/{path}/Amt")
        if currency != failed.currency:
            raise refuse(RejectionReason.CONFLICT, f"is not in {failed.currency}", field=f"BuyInDtls/{path}")
        return cents

    return BuyInResult(
        number=number, member=clearing.read_member(leaves), date=leaves["BuyInDtls/Dt"], failed=failed,
        bought=int(bought), difference_cents=owed("SctiesBuyIn/SttlmAmt"), costs_cents=owed("SctiesBuyIn/Fees"),
        compensation_cents=owed("ReqrdCshCompstn/SttlmAmt"),
    )  # fmt: skip


def _write_failed(one: Failed, directory: Directory) -> str:
    return tag(
        _ORIGINAL, text("CSDTxId", one.instruction), tag("DlvryAcct", text("Id", one.account)),
        text("IntnddSttlmDt", one.intended_date), tag("FinInstrmId", text("ISIN", one.isin)),
        tag("Qty", directory.write_quantity(one.units, one.isin)),
        tag("RmngQtyToBeSttld", directory.write_quantity(one.left, one.isin)),
        tag("SttlmAmt", amount("Amt", one.cents, one.currency), text("CdtDbtInd", "CRDT")),
    )  # fmt: skip


def _read_failed(leaves: Leaves, directory: Directory) -> Failed:
    if f"{_ORIGINAL}/SttlmAmt/Amt" not in leaves:
        raise refuse(RejectionReason.MISSING, "names no instruction", field=_ORIGINAL, remedy="send what is bought in")
    isin = read_isin(leaves, f"{_ORIGINAL}/FinInstrmId")
    cents, currency = read_amount(leaves, f"{_ORIGINAL}/SttlmAmt/Amt")
    return Failed(
        instruction=leaves.get(f"{_ORIGINAL}/CSDTxId", ""), account=leaves.get(f"{_ORIGINAL}/DlvryAcct/Id", ""),
        intended_date=leaves.get(f"{_ORIGINAL}/IntnddSttlmDt", ""), isin=isin,
        units=int(directory.read_quantity(leaves, f"{_ORIGINAL}/Qty", isin)),
        left=int(directory.read_quantity(leaves, f"{_ORIGINAL}/RmngQtyToBeSttld", isin)),
        currency=currency, cents=cents,
    )  # fmt: skip

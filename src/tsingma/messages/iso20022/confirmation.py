"""sese.025, confirmation that an instruction settled, whole or in part."""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.iso20022.leaves import Leaves, amount, document, tag, text
from tsingma.messages.iso20022.parties import Directory, read_amount, read_isin

MESSAGE, BODY = "sese.025.001.11", "SctiesSttlmTxConf"


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """What settled now, before and what is left: units of ``isin`` and cents of ``currency``, on one party's side.

    ``credited``: the money came in to ``account``. Nothing of a security moves without ``isin``.
    """

    reference: str
    number: str
    delivers: bool
    account: str
    counterparty: str
    counterparty_account: str
    settled_date: str
    intended_date: str
    trade_date: str = ""
    isin: str = ""
    quantity: int = 0
    quantity_before: int = 0
    quantity_left: int = 0
    currency: str = ""
    cents: int = 0
    cents_before: int = 0
    cents_left: int = 0
    credited: bool = False

    @property
    def partial(self) -> str:
        """The code of a part: PAIN with more to come, PARC of the last one, "" for what settled whole."""
        return "PAIN" if self.quantity_left else "PARC" if self.quantity_before else ""


def write_confirmation(one: Confirmation, directory: Directory) -> str:
    """Return a sese.025 Document."""
    sign = text("CdtDbtInd", "CRDT" if one.credited else "DBIT")
    other = tag(
        "Pty1", directory.write_participant(one.counterparty), tag("SfkpgAcct", text("Id", one.counterparty_account))
    )
    before = tag("PrevslySttldQty", directory.write_quantity(one.quantity_before, one.isin)) if one.partial else ""
    left = tag("RmngToBeSttldQty", directory.write_quantity(one.quantity_left, one.isin)) if one.partial else ""
    money = ""
    if one.partial and one.currency:
        money = tag("PrevslySttldAmt", amount("Amt", one.cents_before, one.currency), sign)
        money += tag("RmngToBeSttldAmt", amount("Amt", one.cents_left, one.currency), sign)
    return document(
        MESSAGE, BODY,
        tag("TxIdDtls", text("AcctOwnrTxId", one.reference), text("MktInfrstrctrTxId", one.number),
            text("SctiesMvmntTp", "DELI" if one.delivers else "RECE"), text("Pmt", "APMT" if one.currency else "FREE")),
        tag("AddtlParams", text("PrtlSttlm", one.partial)),
        tag("TradDtls", _day("TradDt", one.trade_date), _day("SttlmDt", one.intended_date),
            _day("FctvSttlmDt", one.settled_date)),
        tag("FinInstrmId", text("ISIN", one.isin), text("Desc", "" if one.isin else "payment without delivery")),
        tag("QtyAndAcctDtls", tag("SttldQty", tag("Qty", directory.write_quantity(one.quantity, one.isin))), before,
            left, money, tag("SfkpgAcct", text("Id", one.account))),
        tag("SttlmParams", tag("SctiesTxTp", text("Cd", "TRAD"))),
        tag("RcvgSttlmPties" if one.delivers else "DlvrgSttlmPties", other),
        tag("SttldAmt", amount("Amt", one.cents, one.currency), sign) if one.currency else "",
    )  # fmt: skip


def read_confirmation(leaves: Leaves, directory: Directory) -> Confirmation:
    """Return a confirmation; raises Rejected with the path of what breaks a usage rule."""
    delivers = leaves["TxIdDtls/SctiesMvmntTp"] == "DELI"
    side = "RcvgSttlmPties" if delivers else "DlvrgSttlmPties"
    isin = read_isin(leaves, "FinInstrmId") if "FinInstrmId/ISIN" in leaves else ""
    cents, currency = read_amount(leaves, "SttldAmt/Amt") if "SttldAmt/Amt" in leaves else (0, "")
    if "TradDtls/FctvSttlmDt/Dt/Dt" not in leaves:
        raise refuse(RejectionReason.MISSING, "names no date", field="TradDtls/FctvSttlmDt", remedy="send Dt/Dt")
    if (leaves["TxIdDtls/Pmt"] == "FREE") == bool(currency):
        raise refuse(RejectionReason.CONFLICT, "payment and amount differ", field="SttldAmt")
    quantities, money = [], []
    for name, quantity in (("PrevslySttld", "PrevslySttldQty"), ("RmngToBeSttld", "RmngToBeSttldQty")):
        path = f"QtyAndAcctDtls/{quantity}"
        given = f"{path}/Unit" in leaves or f"{path}/FaceAmt" in leaves
        quantities.append(int(directory.read_quantity(leaves, path, isin)) if given else 0)
        where = f"QtyAndAcctDtls/{name}Amt/Amt"
        money.append(read_amount(leaves, where)[0] if where in leaves else 0)
    return Confirmation(
        reference=leaves["TxIdDtls/AcctOwnrTxId"],
        number=leaves.get("TxIdDtls/MktInfrstrctrTxId", ""),
        delivers=delivers,
        account=leaves.get("QtyAndAcctDtls/SfkpgAcct/Id", ""),
        counterparty=directory.participant(leaves, f"{side}/Pty1"),
        counterparty_account=leaves.get(f"{side}/Pty1/SfkpgAcct/Id", ""),
        settled_date=leaves["TradDtls/FctvSttlmDt/Dt/Dt"],
        intended_date=leaves.get("TradDtls/SttlmDt/Dt/Dt", ""),
        trade_date=leaves.get("TradDtls/TradDt/Dt/Dt", ""),
        isin=isin,
        quantity=int(directory.read_quantity(leaves, "QtyAndAcctDtls/SttldQty/Qty", isin)),
        quantity_before=quantities[0],
        quantity_left=quantities[1],
        currency=currency,
        cents=cents,
        cents_before=money[0],
        cents_left=money[1],
        credited=leaves.get("SttldAmt/CdtDbtInd") == "CRDT",
    )


def _day(name: str, day: str) -> str:
    return tag(name, tag("Dt", text("Dt", day)))

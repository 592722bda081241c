"""sese.028, the allegement: another's order waits for the party's own; sese.029, that it waits no more."""

from __future__ import annotations

import msgspec

from tsingma.messages.iso20022.leaves import Leaves, amount, document, tag, text
from tsingma.messages.iso20022.parties import Directory, read_amount, read_isin

MESSAGE, BODY = "sese.028.001.10", "SctiesSttlmTxAllgmtNtfctn"
REMOVAL, REMOVAL_BODY = "sese.029.001.06", "SctiesSttlmAllgmtRmvlAdvc"


class Allegement(msgspec.Struct, frozen=True, kw_only=True):
    """The order of ``alleging`` (a participant), as the alleged party would have to instruct it.

    ``delivers`` and ``credited`` are the alleged party's; ``account`` is its account where the order names one.
    """

    number: str
    delivers: bool
    alleging: str
    alleging_account: str
    trade_date: str
    intended_date: str
    isin: str = ""
    quantity: int = 0
    currency: str = ""
    cents: int = 0
    credited: bool = False
    account: str = ""


class AllegementRemoval(msgspec.Struct, frozen=True, kw_only=True):
    """The order that was alleged by this number has found its match, or is cancelled: nothing is asked any more.

    ``alleged`` is what had been alleged, where it is known: sese.029 does not say it here.
    """

    number: str
    delivers: bool
    free: bool
    account: str = ""
    alleged: Allegement | None = None


def write_allegement(one: Allegement, directory: Directory) -> str:
    """Return a sese.028 Document."""
    money = ""
    if one.currency:
        sign = text("CdtDbtInd", "CRDT" if one.credited else "DBIT")
        money = tag("SttlmAmt", amount("Amt", one.cents, one.currency), sign)
    other = tag("Pty1", directory.write_participant(one.alleging), tag("SfkpgAcct", text("Id", one.alleging_account)))
    return document(
        MESSAGE, BODY,
        text("TxId", one.number),
        tag("SttlmTpAndAddtlParams", text("SctiesMvmntTp", "DELI" if one.delivers else "RECE"),
            text("Pmt", "APMT" if one.currency else "FREE")),
        tag("TradDtls", _day("TradDt", one.trade_date), _day("SttlmDt", one.intended_date)),
        tag("FinInstrmId", text("ISIN", one.isin), text("Desc", "" if one.isin else "payment without delivery")),
        tag("QtyAndAcctDtls", tag("SttlmQty", directory.write_quantity(one.quantity, one.isin)),
            tag("SfkpgAcct", text("Id", one.account))),
        tag("SttlmParams", tag("SctiesTxTp", text("Cd", "TRAD"))),
        tag("RcvgSttlmPties" if one.delivers else "DlvrgSttlmPties", other),
        money,
    )  # fmt: skip


def read_allegement(leaves: Leaves, directory: Directory) -> Allegement:
    """Return an allegement; raises Rejected with the path of what breaks a usage rule."""
    delivers = leaves["SttlmTpAndAddtlParams/SctiesMvmntTp"] == "DELI"
    side = "RcvgSttlmPties" if delivers else "DlvrgSttlmPties"
    isin = read_isin(leaves, "FinInstrmId") if "FinInstrmId/ISIN" in leaves else ""
    cents, currency = read_amount(leaves, "SttlmAmt/Amt") if "SttlmAmt/Amt" in leaves else (0, "")
    return Allegement(
        number=leaves["TxId"],
        delivers=delivers,
        alleging=directory.participant(leaves, f"{side}/Pty1"),
        alleging_account=leaves.get(f"{side}/Pty1/SfkpgAcct/Id", ""),
        trade_date=leaves.get("TradDtls/TradDt/Dt/Dt", ""),
        intended_date=leaves.get("TradDtls/SttlmDt/Dt/Dt", ""),
        isin=isin,
        quantity=int(directory.read_quantity(leaves, "QtyAndAcctDtls/SttlmQty", isin)),
        currency=currency,
        cents=cents,
        credited=leaves.get("SttlmAmt/CdtDbtInd") == "CRDT",
        account=leaves.get("QtyAndAcctDtls/SfkpgAcct/Id", ""),
    )


def write_removal(one: AllegementRemoval) -> str:
    """Return a sese.029 Document."""
    about = tag("AcctSvcrTxId", text("TxId", one.number), text("SctiesMvmntTp", "DELI" if one.delivers else "RECE"),
                text("Pmt", "FREE" if one.free else "APMT"))  # fmt: skip
    return document(REMOVAL, REMOVAL_BODY, about, tag("SfkpgAcct", text("Id", one.account)))


def read_removal(leaves: Leaves) -> AllegementRemoval:
    """Return the removal of an allegement."""
    path = "AcctSvcrTxId"
    return AllegementRemoval(
        number=leaves[f"{path}/TxId"], delivers=leaves[f"{path}/SctiesMvmntTp"] == "DELI",
        free=leaves[f"{path}/Pmt"] == "FREE", account=leaves.get("SfkpgAcct/Id", ""),
    )  # fmt: skip


def _day(name: str, day: str) -> str:
    return tag(name, tag("Dt", text("Dt", day)))

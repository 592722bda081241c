"""sese.023, the settlement instruction, to and from an order of one side.

Kinds: free is ``fop``, against payment ``dvp``, where the deliverer pays as well ``dwp``, with quantity 0 ``pfod``.
``pvp`` and ``dvd`` have no form in sese.023. What the house would have to act on and does not is refused, what only
informs is passed over (INFORMS). Priorities 0001 to 0004, NOMC, CCPN and XCPN, and MACH are used as T2S uses them (UDFS
R2026.JUN; assumed, its message tables were not at hand); docs/files-iso20022.md has the table.
"""

from __future__ import annotations

import re

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.messages.iso20022.leaves import Leaves, amount, document, tag, text
from tsingma.messages.iso20022.parties import ISSUER, Directory, party_code, read_amount, read_isin
from tsingma.settlement.instruction import PRIORITIES

MESSAGE, BODY = "sese.023.001.11", "SctiesSttlmTxInstr"
KINDS_SPOKEN = ("dvp", "fop", "dwp", "pfod")
DELIVERS, RECEIVES = "DELI", "RECE"
MATCHING = "TradDtls/MtchgSts/Cd"  # MACH: agreed already
NO_SECURITY = "payment without delivery"
# What a sender may say about market claims and coupons, and what it is here.
CONDITION_CODES = {"opt-out": ("SttlmParams/SttlmTxCond", "NOMC"), "cum": ("TradDtls/TradTxCond", "CCPN"),
                   "ex": ("TradDtls/TradTxCond", "XCPN")}  # fmt: skip
_PARTY_LEAVES = ("Id/AnyBIC", "Id/PrtryId/Id", "Id/PrtryId/Issr", "LEI")
_SIDES = ("DlvrgSttlmPties", "RcvgSttlmPties")
READ = frozenset(
    {
        "TxId", "SttlmTpAndAddtlParams/SctiesMvmntTp", "SttlmTpAndAddtlParams/Pmt", "SttlmTpAndAddtlParams/CmonId",
        "NbCounts/TtlNb/CurInstrNb", "NbCounts/TtlNb/TtlOfLkdInstrs", "Lnkgs/PrcgPos/Cd", "Lnkgs/Ref/PoolId",
        "TradDtls/TradDt/Dt/Dt", "TradDtls/SttlmDt/Dt/Dt", "TradDtls/TradTxCond/Cd", "TradDtls/MtchgSts/Cd",
        "FinInstrmId/ISIN", "FinInstrmId/Desc", "QtyAndAcctDtls/SttlmQty/Qty/Unit", "SttlmAmt/Amt/@Ccy",
        "QtyAndAcctDtls/SttlmQty/Qty/FaceAmt", "QtyAndAcctDtls/SfkpgAcct/Id", "SttlmParams/HldInd/Ind",
        "SttlmParams/Prty/Nmrc", "SttlmParams/SttlmTxCond/Cd", "SttlmParams/PrtlSttlmInd", "SttlmAmt/Amt",
        "SttlmAmt/CdtDbtInd",
        *(f"QtyAndAcctDtls/AcctOwnr/{leaf}" for leaf in _PARTY_LEAVES),
        *(f"{side}/{party}/{leaf}" for side in _SIDES for party in ("Pty1", "Pty2") for leaf in _PARTY_LEAVES),
        *(f"{side}/Pty1/SfkpgAcct/Id" for side in _SIDES),
    }
)  # fmt: skip
INFORMS = (
    "SttlmParams/SctiesTxTp/", "SttlmParams/HldInd/Rsn", "DlvrgSttlmPties/Dpstry/", "RcvgSttlmPties/Dpstry/",
    "TradDtls/TradId", "TradDtls/PlcOfTrad/", "TradDtls/PlcOfClr/", "TradDtls/DealPric/", "TradDtls/Rptg",
    "TradDtls/FxAddtlDtls", "TradDtls/SttlmInstrPrcgAddtlDtls", "FinInstrmId/OthrId", "FinInstrmAttrbts/",
    "QtyAndAcctDtls/CshAcct/", "QtyAndAcctDtls/SfkpgPlc/", "OthrAmts/", "OthrBizPties/", "SplmtryData",
)  # fmt: skip
_REFERENCE = re.compile(r"[1-9][0-9]{0,12}")


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """One order as text; the fields are the columns of an instruction file (docs/files-instructions.md)."""

    reference: str
    account: str
    side: str
    counterparty: str
    kind: str
    quantity: str
    trade_date: str
    intended_date: str
    isin: str = ""
    currency: str = ""
    amount: str = ""
    counterparty_account: str = ""
    priority: str = ""
    partial: str = ""
    hold: str = ""
    conditions: str = ""
    common_reference: str = ""
    client: str = ""
    counterparty_client: str = ""
    pool: str = ""
    pool_size: str = ""
    matched: str = ""


def read_instruction(leaves: Leaves, directory: Directory) -> Instruction:
    """Return the order of a sese.023's leaves; raises Rejected with the path of what breaks a usage rule."""
    _require_known(leaves)
    reference = leaves["TxId"]
    if not _REFERENCE.fullmatch(reference):
        raise refuse(RejectionReason.MALFORMED, f"'{reference}' is no number from 1", field="TxId",
                     remedy="number your instructions")  # fmt: skip
    delivers = leaves["SttlmTpAndAddtlParams/SctiesMvmntTp"] == DELIVERS
    own, other = _SIDES if delivers else reversed(_SIDES)
    account = leaves.get("QtyAndAcctDtls/SfkpgAcct/Id", "")
    _require_owner(leaves, directory, own, account)
    quantity, isin, kind, cents, currency = _legs(leaves, directory, delivers=delivers)
    return Instruction(
        reference=reference,
        account=account,
        side="deliver" if delivers else "receive",
        counterparty=directory.participant(leaves, f"{other}/Pty1"),
        kind=kind,
        quantity=quantity,
        trade_date=_date(leaves, "TradDtls/TradDt"),
        intended_date=_date(leaves, "TradDtls/SttlmDt"),
        isin=isin,
        currency=currency,
        amount=cents,
        counterparty_account=leaves.get(f"{other}/Pty1/SfkpgAcct/Id", ""),
        priority=_priority(leaves),
        partial=_one_of(leaves, "SttlmParams/PrtlSttlmInd", {"PART": "yes", "NPAR": "no"}),
        hold="yes" if read_flag(leaves.get("SttlmParams/HldInd/Ind", "")) else "",
        conditions=_conditions(leaves),
        common_reference=leaves.get("SttlmTpAndAddtlParams/CmonId", ""),
        client=_client(leaves, own),
        counterparty_client=_client(leaves, other),
        matched="yes" if leaves.get(MATCHING) == "MACH" else "",
        **_pool(leaves),
    )


def write_instruction(one: Instruction, directory: Directory, place: int = 1) -> str:
    """Return an order as a sese.023 Document; ``place`` is its number in its pool, when it is in one.

    Raises Rejected: not-allowed for pvp and dvd, malformed for numbers and characters that cannot be written.
    """
    if one.kind not in KINDS_SPOKEN:
        raise refuse(RejectionReason.NOT_ALLOWED, f"sese.023 has no form for '{one.kind}'", field="kind",
                     subject=f"order {one.reference}", remedy="send it in an instruction file")  # fmt: skip
    delivers = one.side == "deliver"
    conditions = [CONDITION_CODES[name] for name in one.conditions.split()]
    settlement, trade = (
        "".join(tag(path.rpartition("/")[2], text("Cd", code)) for path, code in conditions if path.startswith(start))
        for start in ("SttlmParams", "TradDtls")
    )
    linked = _linked(one, place)
    return document(
        MESSAGE, BODY,
        text("TxId", one.reference),
        tag("SttlmTpAndAddtlParams", text("SctiesMvmntTp", DELIVERS if delivers else RECEIVES),
            text("Pmt", "FREE" if one.kind == "fop" else "APMT"), text("CmonId", one.common_reference)),
        linked,
        tag("TradDtls", tag("TradDt", tag("Dt", text("Dt", one.trade_date))),
            tag("SttlmDt", tag("Dt", text("Dt", one.intended_date))), trade,
            tag("MtchgSts", text("Cd", "MACH" if one.matched == "yes" else ""))),
        tag("FinInstrmId", text("ISIN", one.isin), text("Desc", "" if one.isin else NO_SECURITY)),
        tag("QtyAndAcctDtls",
            tag("SttlmQty", tag("Qty", directory.write_quantity(parse_scaled(one.quantity, 0), one.isin))),
            tag("SfkpgAcct", text("Id", one.account))),
        tag("SttlmParams", tag("HldInd", text("Ind", "true" if one.hold == "yes" else "")),
            tag("Prty", text("Nmrc", f"{PRIORITIES.index(one.priority) + 1:04d}" if one.priority else "")),
            tag("SctiesTxTp", text("Cd", "TRAD")), settlement,
            text("PrtlSttlmInd", {"yes": "PART", "no": "NPAR"}.get(one.partial, ""))),
        *_parties(one, directory, delivers=delivers),
        _amount(one, delivers=delivers),
    )  # fmt: skip


def read_flag(value: str) -> bool:
    """Return an xs:boolean, False when it is not there."""
    return value.strip() in ("true", "1")


def _require_known(leaves: Leaves) -> None:
    for path in leaves:
        if path not in READ and not path.startswith(INFORMS):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=path,
                         remedy="leave it out, or instruct it elsewhere")  # fmt: skip


def _require_owner(leaves: Leaves, directory: Directory, own: str, account: str) -> None:
    """Refuse an instruction without account, or one that names another owner than the account's."""
    owner = account.partition("/")[0]
    if not account:
        raise refuse(RejectionReason.MISSING, "names no account of yours", field="QtyAndAcctDtls",
                     remedy="send SfkpgAcct/Id: PARTICIPANT/CLASS")  # fmt: skip
    for path in ("QtyAndAcctDtls/AcctOwnr", f"{own}/Pty1"):
        if any(f"{path}/{leaf}" in leaves for leaf in _PARTY_LEAVES):
            named = directory.participant(leaves, path)
            if named != owner:
                raise refuse(RejectionReason.CONFLICT, f"names {named}, the account is {owner}'s", field=f"{path}/Id")
    there = leaves.get(f"{own}/Pty1/SfkpgAcct/Id", account)
    if there != account:
        raise refuse(RejectionReason.CONFLICT, f"'{there}' is not the account '{account}'",
                     field=f"{own}/Pty1/SfkpgAcct/Id")  # fmt: skip


def _legs(leaves: Leaves, directory: Directory, *, delivers: bool) -> tuple[str, str, str, str, str]:
    """Return quantity, ISIN, kind, amount and currency."""
    free = leaves["SttlmTpAndAddtlParams/Pmt"] == "FREE"
    units = leaves.get("QtyAndAcctDtls/SttlmQty/Qty/Unit", "")
    money_only = not free and not leaves.get("FinInstrmId/ISIN") and units.strip("0. ") == "" != units
    isin = "" if money_only else read_isin(leaves, "FinInstrmId")
    quantity = "0" if money_only else directory.read_quantity(leaves, "QtyAndAcctDtls/SttlmQty/Qty", isin)
    if free:
        if "SttlmAmt/Amt" in leaves:
            raise refuse(RejectionReason.CONFLICT, "free of payment, and an amount", field="SttlmAmt/Amt")
        return quantity, isin, "fop", "", ""
    if "SttlmAmt/Amt" not in leaves:
        raise refuse(RejectionReason.MISSING, "against payment, and no amount", field="SttlmTpAndAddtlParams/Pmt",
                     remedy="send SttlmAmt")  # fmt: skip
    cents, currency = read_amount(leaves, "SttlmAmt/Amt")
    paid = (leaves["SttlmAmt/CdtDbtInd"] == "CRDT") == delivers  # the deliverer's account is credited
    if money_only and paid:
        raise refuse(RejectionReason.CONFLICT, "who delivers nothing pays", field="SttlmAmt/CdtDbtInd",
                     remedy="DBIT of who delivers, CRDT of who receives")  # fmt: skip
    kind = "pfod" if money_only else "dvp" if paid else "dwp"
    return quantity, isin, kind, f"{cents // 100}.{cents % 100:02d}", currency


def _date(leaves: Leaves, path: str) -> str:
    found = leaves.get(f"{path}/Dt/Dt", "")
    if not found:
        raise refuse(RejectionReason.MISSING, "names no date", field=path, remedy="send Dt/Dt: YYYY-MM-DD")
    return found


def _one_of(leaves: Leaves, path: str, names: dict[str, str]) -> str:
    found = leaves.get(path, "")
    if found and found not in names:
        raise refuse(RejectionReason.NOT_ALLOWED, f"'{found}' is not acted on here", field=path,
                     remedy=f"one of {', '.join(names)}")  # fmt: skip
    return names.get(found, "")


def _priority(leaves: Leaves) -> str:
    names = {f"{place:04d}": name for place, name in enumerate(PRIORITIES, 1)}
    return _one_of(leaves, "SttlmParams/Prty/Nmrc", names)


def _conditions(leaves: Leaves) -> str:
    found = []
    for path in ("SttlmParams/SttlmTxCond", "TradDtls/TradTxCond"):
        names = {code: name for name, (where, code) in CONDITION_CODES.items() if where == path}
        found.append(_one_of(leaves, f"{path}/Cd", names))
    return " ".join(filter(None, found))


def _client(leaves: Leaves, side: str) -> str:
    path = f"{side}/Pty2"
    if not any(f"{path}/{leaf}" in leaves for leaf in _PARTY_LEAVES):
        return ""
    there = f"{path}/Id/PrtryId"
    return party_code(leaves.get(f"{there}/Id", ""), leaves.get(f"{there}/Issr", ""), f"{path}/Id")


def _pool(leaves: Leaves) -> dict[str, str]:
    pool = leaves.get("Lnkgs/Ref/PoolId", "")
    size = leaves.get("NbCounts/TtlNb/TtlOfLkdInstrs", "")
    if leaves.get("Lnkgs/PrcgPos/Cd", "WITH") != "WITH" or bool(pool) != bool(size):
        raise refuse(RejectionReason.CONFLICT, "a pool has WITH, PoolId and its number of instructions", field="Lnkgs",
                     remedy="send all of them, or link with sese.030")  # fmt: skip
    return {"pool": pool, "pool_size": str(int(size)) if size else ""}


def _linked(one: Instruction, place: int) -> str:
    if not one.pool:
        return ""
    counts = tag("TtlNb", text("CurInstrNb", str(place)), text("TtlOfLkdInstrs", one.pool_size))
    position, pool = tag("PrcgPos", text("Cd", "WITH")), tag("Ref", text("PoolId", one.pool))
    return tag("NbCounts", counts) + tag("Lnkgs", position, pool)


def _parties(one: Instruction, directory: Directory, *, delivers: bool) -> tuple[str, str]:
    """Return the delivering and the receiving parties; the sender's own side only when it names a client."""
    owner = one.account.partition("/")[0]
    own = tag("Pty1", directory.write_participant(owner)) + _client_tag(one.client) if one.client else ""
    account = tag("SfkpgAcct", text("Id", one.counterparty_account))
    other = tag("Pty1", directory.write_participant(one.counterparty), account) + _client_tag(one.counterparty_client)
    pairs = (own, other) if delivers else (other, own)
    return tag(_SIDES[0], pairs[0]), tag(_SIDES[1], pairs[1])


def _client_tag(client: str) -> str:
    return tag("Pty2", tag("Id", tag("PrtryId", text("Id", client), text("Issr", ISSUER)))) if client else ""


def _amount(one: Instruction, *, delivers: bool) -> str:
    if one.kind == "fop":
        return ""
    credited = (one.kind == "dvp") == delivers
    money = amount("Amt", parse_scaled(one.amount, 2), one.currency)
    return tag("SttlmAmt", money, text("CdtDbtInd", "CRDT" if credited else "DBIT"))

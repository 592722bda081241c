"""seev.035, what a corporate action is about to move on an account; seev.036, what it has moved.

One message for each account and option, of what the issuer (or offeror) gives and takes. Claims through the central
counterparty on what was pending are settlement, and not told here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.events.book import CorporateAction, EventStatus
from tsingma.custody.events.conversion import converted_balances
from tsingma.custody.events.offer import considered, subscription_cents, taken
from tsingma.custody.events.outturn import Outturn
from tsingma.custody.events.terms import DISTRIBUTIONS, ISO_CODES, OFFERS, REORGANISATIONS, default_option
from tsingma.engine.entitling import expected
from tsingma.engine.house import House
from tsingma.engine.pending import settled_balances
from tsingma.journal.corporate_action_commands import EventKind
from tsingma.messages.iso20022 import event_words as words
from tsingma.messages.iso20022.clearing import require_whole
from tsingma.messages.iso20022.event_notice import entitled_units
from tsingma.messages.iso20022.leaves import Leaves, amount, document, repeated, tag, text, under
from tsingma.messages.iso20022.parties import Directory, read_amount, read_isin

ADVICE, ADVICE_BODY = "seev.035.001.15", "CorpActnMvmntPrlimryAdvc"
CONFIRMATION, CONFIRMATION_BODY = "seev.036.001.15", "CorpActnMvmntConf"
Message = Literal["advice", "confirmation"]


class SharesMoved(msgspec.Struct, frozen=True):
    """Units of a security that come in (above 0) or go out."""

    isin: str
    units: int


class CashMoved(msgspec.Struct, frozen=True):
    """Cents that come in (above 0, after tax) or go out; ``tax_cents`` was withheld; ``in_lieu`` of fractions."""

    currency: str
    cents: int
    tax_cents: int = 0
    in_lieu: bool = False


class Movements(msgspec.Struct, frozen=True, kw_only=True):
    """What an event moves on one account under one option (its place counts from 0)."""

    identifier: str
    reference: str
    kind: str  # CAEV
    choice: str
    isin: str
    account: str
    units: int  # entitled on
    option: int
    code: str
    date: str
    is_default: bool = False
    shares: tuple[SharesMoved, ...] = ()
    cash: tuple[CashMoved, ...] = ()


Flow = tuple[dict[tuple[int, int], int], Outturn]  # what goes out by (account, asset); what comes in


def movements_of(
    house: House, action: CorporateAction, identifier: str, member: int, day: int = 0
) -> Iterator[Movements]:
    """Return what an event moves for a member by what is known now, account by account in each option.

    ``day`` is when it is booked (0: when it is due). What an account pays to itself, and nothing at all, is left out.
    """
    book, terms = house.resolved, action.terms
    entitled, default = entitled_units(house, action), default_option(terms)
    for option, (out, outturn) in enumerate(_flows(house, action)):
        parts = (out, outturn.paid, outturn.fractions)
        accounts = sorted({account for part in parts for (account, _), units in part.items() if units})
        for account in accounts:
            if book.account_participant[account] != member:
                continue
            shares, cash = _moved(house, account, out, outturn)
            yield Movements(
                identifier=f"{identifier}-{account}-{option}", reference=terms.reference, kind=ISO_CODES[terms.kind],
                choice=words.choice_of(terms), isin=book.securities[terms.security],
                account=book.account_name(account), units=entitled.get(account, 0), option=option,
                code=terms.options[option].code if option < len(terms.options) else words.LAPSES,
                date=str(to_date(day or terms.pay_day or terms.ex_day)), is_default=option == default,
                shares=shares, cash=cash,
            )  # fmt: skip


def _flows(house: House, action: CorporateAction) -> Iterator[Flow]:
    """Yield what goes out and comes in under each option; rights that lapse are an option after the last."""
    terms, asset = action.terms, action.terms.security + len(CURRENCIES)
    if terms.kind in DISTRIBUTIONS:
        for option in range(len(terms.options)):
            yield {}, expected(house, action, option)
        return
    balances = settled_balances(house, terms.security)
    if terms.kind in REORGANISATIONS:
        given = {(account, asset): units for account, units in balances.items()}
        yield given, converted_balances(terms, terms.options[0], list(balances), list(balances.values()))
        return
    shares = taken(terms, action.elections)
    payer = house.internal.issuer if terms.counterparty < 0 else terms.counterparty
    for option in range(len(terms.options)):
        out: dict[tuple[int, int], int] = {}
        for (account, which, _), count in zip(action.elections, shares, strict=True):
            if which == option and account != payer:
                out[account, asset] = out.get((account, asset), 0) + count
                for currency, cents in subscription_cents(terms, option, count).items():
                    out[account, currency] = out.get((account, currency), 0) + cents
                balances[account] = balances.get(account, 0) - count
        chosen = [(one, count) for one, count in zip(action.elections, shares, strict=True) if one[1] == option]
        yield out, considered(terms, [one for one, _ in chosen], [count for _, count in chosen])
    if terms.kind is EventKind.RIGHTS_EXERCISE:
        yield {(account, asset): units for account, units in balances.items()}, Outturn()


def _moved(
    house: House, account: int, out: dict[tuple[int, int], int], outturn: Outturn
) -> tuple[tuple[SharesMoved, ...], tuple[CashMoved, ...]]:
    shares: list[SharesMoved] = []
    cash: list[CashMoved] = []
    for part, sign, in_lieu in ((out, -1, False), (outturn.paid, 1, False), (outturn.fractions, 1, True)):
        for (owner, asset), units in sorted(part.items()):
            if owner != account or not units:
                continue
            if asset >= len(CURRENCIES):
                shares.append(SharesMoved(house.resolved.asset_name(asset), sign * units))
            else:
                tax = outturn.tax.get((account, asset), 0) if sign > 0 and not in_lieu else 0
                cash.append(CashMoved(CURRENCIES[asset], sign * units, tax, in_lieu))
    return tuple(shares), tuple(cash)


def is_known(action: CorporateAction) -> bool:
    """Return whether what an event moves is settled enough to be told before it moves: entitled, closed or by law."""
    if action.terms.kind in OFFERS:
        return action.status is EventStatus.CLOSED
    return action.status in (EventStatus.ENTITLED, EventStatus.CLOSED) or action.terms.kind in REORGANISATIONS


def write_advice(one: Movements, directory: Directory) -> str:
    """Return a seev.035 Document of one page."""
    pays = tag("DtDtls", words.on("PmtDt", one.date))
    event = (text("CorpActnEvtId", one.reference), tag("EvtTp", text("Cd", one.kind)),
             tag("MndtryVlntryEvtTp", text("Cd", one.choice)),
             tag("UndrlygScty", words.security("FinInstrmId", one.isin)))  # fmt: skip
    shares = (
        tag("SctiesMvmntDtls", tag("SctyDtls", words.security("FinInstrmId", moved.isin)), _side(moved.units),
            tag("EntitldQty", tag("Qty", directory.write_quantity(abs(moved.units), moved.isin))), pays)
        for moved in one.shares
    )  # fmt: skip
    cash = (tag("CshMvmntDtls", _side(moved.cents), tag("AmtDtls", *_amounts(moved)), pays) for moved in one.cash)
    return document(
        ADVICE, ADVICE_BODY,
        tag("Pgntn", text("PgNb", "1"), text("LastPgInd", "true")),
        tag("MvmntPrlimryAdvcGnlInf", text("MvmntPrlimryAdvcId", one.identifier), text("Tp", "NEWM"),
            text("Fctn", "CAPA")),
        tag("CorpActnGnlInf", *event),
        tag("AcctDtls", tag("AcctsListAndBalDtls", words.account(one.account, one.units, one.isin, directory))),
        tag("CorpActnMvmntDtls", text("OptnNb", words.option_number(one.option)), words.option_type(one.code),
            tag("DfltPrcgOrStgInstr", text("DfltOptnInd", str(one.is_default).lower())), *shares, *cash),
    )  # fmt: skip


def write_confirmation(one: Movements, directory: Directory) -> str:
    """Return a seev.036 Document of one page."""
    day = tag("DtDtls", words.on("PstngDt", one.date))
    side = "SHOR" if one.units < 0 else "LONG"
    quantity = directory.write_quantity(abs(one.units), one.isin)
    held = tag("ConfdBal", tag("Bal", text("ShrtLngPos", side), tag("QtyChc", tag("Qty", quantity))))
    shares = (
        tag("SctiesMvmntDtls", words.security("FinInstrmId", moved.isin), _side(moved.units),
            tag("PstngQty", tag("Qty", directory.write_quantity(abs(moved.units), moved.isin))), day)
        for moved in one.shares
    )  # fmt: skip
    cash = (
        tag("CshMvmntDtls", _side(moved.cents),
            tag("AmtDtls", amount("PstngAmt", abs(moved.cents), moved.currency), *_amounts(moved)[:-1]), day)
        for moved in one.cash
    )  # fmt: skip
    return document(
        CONFIRMATION, CONFIRMATION_BODY,
        tag("Pgntn", text("PgNb", "1"), text("LastPgInd", "true")), text("MvmntConfId", one.identifier),
        tag("CorpActnGnlInf", text("CorpActnEvtId", one.reference), tag("EvtTp", text("Cd", one.kind)),
            words.security("FinInstrmId", one.isin)),
        tag("AcctDtls", text("SfkpgAcct", one.account), tag("Bal", held)),
        tag("CorpActnConfDtls", tag("OptnNb", text("Nb", words.option_number(one.option))),
            words.option_type(one.code), *shares, *cash),
    )  # fmt: skip


def _side(amount_moved: int) -> str:
    return text("CdtDbtInd", "DBIT" if amount_moved < 0 else "CRDT")


def _amounts(moved: CashMoved) -> list[str]:
    """Return money in lieu, tax withheld, and last what is entitled, where they are given."""
    return [
        amount("CshInLieuOfShr", abs(moved.cents), moved.currency) if moved.in_lieu else "",
        amount("WhldgTaxAmt", moved.tax_cents, moved.currency) if moved.tax_cents else "",
        amount("EntitldAmt", abs(moved.cents), moved.currency),
    ]


def read_advice(leaves: Leaves, directory: Directory) -> Movements:
    """Return a preliminary advice; raises Rejected: several pages, accounts or options, what breaks a usage rule."""
    general, held = under(leaves, "CorpActnGnlInf"), under(leaves, "AcctDtls/AcctsListAndBalDtls")
    isin, inner = read_isin(general, "UndrlygScty/FinInstrmId"), under(leaves, "CorpActnMvmntDtls")
    several = repeated(leaves, "CorpActnMvmntDtls"), repeated(under(leaves, "AcctDtls"), "AcctsListAndBalDtls")
    if [len(one) for one in several] != [1, 1]:
        raise refuse(RejectionReason.NOT_ALLOWED, "is not of one account and option", field="CorpActnMvmntDtls",
                     remedy="one message for each")  # fmt: skip
    code, units = words.read_account(held, isin, directory)
    return _read(leaves, inner, directory, "advice", isin=isin, account=code, units=units,
                 identifier=leaves.get("MvmntPrlimryAdvcGnlInf/MvmntPrlimryAdvcId", ""),
                 choice=general.get("MndtryVlntryEvtTp/Cd", ""), option=inner["OptnNb"],
                 is_default=inner.get("DfltPrcgOrStgInstr/DfltOptnInd", "") in ("true", "1"))  # fmt: skip


def read_confirmation(leaves: Leaves, directory: Directory) -> Movements:
    """Return a confirmation, which does not say who had a choice; raises Rejected as ``read_advice``."""
    isin, inner = read_isin(leaves, "CorpActnGnlInf/FinInstrmId"), under(leaves, "CorpActnConfDtls")
    path = "AcctDtls/Bal/ConfdBal/Bal"
    units = int(directory.read_quantity(leaves, f"{path}/QtyChc/Qty", isin))
    short = leaves.get(f"{path}/ShrtLngPos") == "SHOR"
    return _read(leaves, inner, directory, "confirmation", isin=isin, account=leaves.get("AcctDtls/SfkpgAcct", ""),
                 units=-units if short else units, identifier=leaves.get("MvmntConfId", ""), choice="",
                 option=inner.get("OptnNb/Nb", ""), is_default=False)  # fmt: skip


def _read(
    leaves: Leaves, inner: Leaves, directory: Directory, message: Message, *, isin: str, account: str, units: int,
    identifier: str, choice: str, option: str, is_default: bool,
) -> Movements:  # fmt: skip
    require_whole({"Pgntn/PgNb": "1", "Pgntn/LastPgInd": "true", **leaves})
    shares = tuple(
        _read_shares(under(inner, start), directory, message) for start in repeated(inner, "SctiesMvmntDtls")
    )
    cash = tuple(_read_cash(under(inner, start), message) for start in repeated(inner, "CshMvmntDtls"))
    path = "PmtDt/Dt" if message == "advice" else "PstngDt/Dt"
    dates = {under(inner, start).get(f"DtDtls/{path}", "") for start in _moves(inner)}
    if len(dates) != 1:
        raise refuse(RejectionReason.NOT_ALLOWED, "moves on no day, or on several", field="DtDtls",
                     remedy="one message for each day")  # fmt: skip
    return Movements(
        identifier=identifier, reference=leaves["CorpActnGnlInf/CorpActnEvtId"],
        kind=leaves.get("CorpActnGnlInf/EvtTp/Cd", ""), choice=choice, isin=isin, account=account, units=units,
        option=words.read_option_number(option, "OptnNb"), code=words.read_option_type(inner), date=dates.pop(),
        is_default=is_default, shares=shares, cash=cash,
    )  # fmt: skip


def _moves(inner: Leaves) -> list[str]:
    return [*repeated(inner, "SctiesMvmntDtls"), *repeated(inner, "CshMvmntDtls")]


def _read_shares(leaves: Leaves, directory: Directory, message: Message) -> SharesMoved:
    isin = read_isin(leaves, "SctyDtls/FinInstrmId" if message == "advice" else "FinInstrmId")
    path = "EntitldQty/Qty" if message == "advice" else "PstngQty/Qty"
    units = int(directory.read_quantity(leaves, path, isin))
    return SharesMoved(isin, -units if leaves["CdtDbtInd"] == "DBIT" else units)


def _read_cash(leaves: Leaves, message: Message) -> CashMoved:
    path = "AmtDtls/EntitldAmt" if message == "advice" else "AmtDtls/PstngAmt"
    if path not in leaves:
        raise refuse(RejectionReason.MISSING, "names no amount", field=path)
    cents, currency = read_amount(leaves, path)
    tax = read_amount(leaves, "AmtDtls/WhldgTaxAmt")[0] if "AmtDtls/WhldgTaxAmt" in leaves else 0
    return CashMoved(currency, -cents if leaves["CdtDbtInd"] == "DBIT" else cents, tax,
                     "AmtDtls/CshInLieuOfShr" in leaves)  # fmt: skip

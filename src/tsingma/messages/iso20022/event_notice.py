"""seev.031, the notification of a corporate action: terms, dates, options, and on how much each account is entitled."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.events.book import CorporateAction
from tsingma.custody.events.terms import ISO_CODES, OFFERS, REORGANISATIONS, default_option
from tsingma.engine.entitling import entitled_now
from tsingma.engine.house import House
from tsingma.engine.pending import settled_balances
from tsingma.journal.corporate_action_commands import SCALE_E9, CashTerm, EventOption
from tsingma.messages.iso20022 import event_words as words
from tsingma.messages.iso20022.clearing import require_whole
from tsingma.messages.iso20022.leaves import Leaves, document, repeated, tag, text, under
from tsingma.messages.iso20022.parties import Directory, read_isin

MESSAGE, BODY = "seev.031.001.14", "CorpActnNtfctn"
_DIVIDENDS = ("DVCA", "DVOP")
_DIGITS_MAX, _DECIMALS_MAX = 18, 13  # ActiveCurrencyAnd13DecimalAmount


class CashGiven(msgspec.Struct, frozen=True):
    """Money for one unit, a decimal to 13 places (what is paid is exact); the holder pays it unless ``credited``."""

    currency: str
    amount: str
    credited: bool = True


class SharesGiven(msgspec.Struct, frozen=True):
    """``new`` units of a security for every ``old``."""

    isin: str
    new: int
    old: int


class NoticeOption(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit gives under an option; ``is_default``: to who does not choose."""

    code: str
    is_default: bool
    cash: tuple[CashGiven, ...] = ()
    shares: tuple[SharesGiven, ...] = ()


class EventNotice(msgspec.Struct, frozen=True, kw_only=True):
    """An event as a participant is told of it; a date that does not apply is empty.

    ``effective`` is the ex-date of a reorganisation. ``accounts`` are (account, units entitled on, short below 0).
    """

    identifier: str
    reference: str
    kind: str  # CAEV
    choice: str  # MAND, CHOS or VOLU
    isin: str
    announced: str
    accounts: tuple[tuple[str, int], ...]
    options: tuple[NoticeOption, ...]
    replaces: bool = False
    ex: str = ""
    effective: str = ""
    record: str = ""
    deadline: str = ""
    payment: str = ""


def entitled_units(house: House, action: CorporateAction) -> dict[int, int]:
    """Return on how many units each account is entitled: at the record date, and before it by what stands now."""
    terms = action.terms
    if terms.kind in OFFERS or terms.kind in REORGANISATIONS:
        return settled_balances(house, terms.security)
    return {row.account: row.total for row in entitled_now(house, action)}


def notices_of(house: House, member: str, identifier: str) -> Iterator[EventNotice]:
    """Return the live events in which accounts of a member have something, in the order announced."""
    book = house.resolved
    index = book.participant_index[member]
    for place, action in enumerate(house.corporate_actions.live(), 1):
        mine = tuple(
            (book.account_name(account), units)
            for account, units in sorted(entitled_units(house, action).items())
            if units and book.account_participant[account] == index
        )
        if mine:
            yield notice_of(house, action, mine, f"{identifier}-{place}")


def notice_of(
    house: House, action: CorporateAction, accounts: tuple[tuple[str, int], ...], identifier: str
) -> EventNotice:
    """Return an event as accounts are told of it."""
    terms, default = action.terms, default_option(action.terms)
    reorganises = terms.kind in REORGANISATIONS
    return EventNotice(
        identifier=identifier, reference=terms.reference, kind=ISO_CODES[terms.kind], choice=words.choice_of(terms),
        isin=house.resolved.securities[terms.security], announced=_date(action.announced_day), accounts=accounts,
        options=tuple(_option(house, one, place == default) for place, one in enumerate(terms.options)),
        replaces=bool(action.amended), ex="" if reorganises else _date(terms.ex_day),
        effective=_date(terms.ex_day) if reorganises else "", record=_date(terms.record_day),
        deadline=_date(terms.deadline_day), payment=_date(terms.pay_day),
    )  # fmt: skip


def _option(house: House, option: EventOption, is_default: bool) -> NoticeOption:
    return NoticeOption(
        code=option.code, is_default=is_default, cash=tuple(map(_cash, option.cash)),
        shares=tuple(SharesGiven(house.resolved.securities[one.security], one.new, one.old) for one in option.shares),
    )  # fmt: skip


def _cash(term: CashTerm) -> CashGiven:
    """Return money for one unit, exactly to as many decimals as the message has room for."""
    whole, rest = divmod(abs(term.amount_e9) * term.rate_e9, SCALE_E9 * SCALE_E9)
    decimals = min(_DECIMALS_MAX, _DIGITS_MAX - len(str(whole)))
    part = f"{rest:018d}"[:decimals].rstrip("0")
    return CashGiven(CURRENCIES[term.currency], f"{whole}.{part}" if part else str(whole), term.amount_e9 > 0)


def _date(day: int) -> str:
    return str(to_date(day)) if day else ""


def write_notice(one: EventNotice, directory: Directory) -> str:
    """Return a seev.031 Document of one page."""
    dates = tag("DtDtls", words.at("AnncmntDt", one.announced), words.on("FctvDt", one.effective),
                words.on("RcrdDt", one.record), words.on("ExDvddDt", one.ex),
                words.on("PmtDt", one.payment))  # fmt: skip
    status = tag("PrcgSts", tag("Cd", text("EvtCmpltnsSts", "COMP"), text("EvtConfSts", "CONF")))
    return document(
        MESSAGE, BODY,
        tag("Pgntn", text("PgNb", "1"), text("LastPgInd", "true")),
        tag("NtfctnGnlInf", text("NtfctnId", one.identifier), text("NtfctnTp", "REPL" if one.replaces else "NEWM"),
            status),
        tag("CorpActnGnlInf", text("CorpActnEvtId", one.reference), tag("EvtTp", text("Cd", one.kind)),
            tag("MndtryVlntryEvtTp", text("Cd", one.choice)),
            tag("UndrlygScty", words.security("FinInstrmId", one.isin))),
        tag("AcctDtls", *(
            tag("AcctsListAndBalDtls", words.account(code, units, one.isin, directory)) for code, units in one.accounts
        )),
        tag("CorpActnDtls", dates),
        *(_write_option(one, place, option) for place, option in enumerate(one.options)),
    )  # fmt: skip


def _write_option(one: EventNotice, place: int, option: NoticeOption) -> str:
    pays = tag("DtDtls", words.on("PmtDt", one.payment or one.effective))
    deadline = tag("DtDtls", tag("RspnDdln", tag("Dt", text("Dt", one.deadline)))) if one.deadline else ""
    ratio = "AddtlQtyForExstgScties" if words.is_distribution(one.kind) else "NewToOd"

    def shares(given: SharesGiven) -> str:
        rate = tag("RateDtls", tag(ratio, tag("QtyToQty", text("Qty1", str(given.new)), text("Qty2", str(given.old)))))
        which = tag("SctyDtls", words.security("FinInstrmId", given.isin))
        return tag("SctiesMvmntDtls", which, text("CdtDbtInd", "CRDT"), pays, rate)

    return tag(
        "CorpActnOptnDtls", text("OptnNb", words.option_number(place)), words.option_type(option.code),
        tag("DfltPrcgOrStgInstr", text("DfltOptnInd", str(option.is_default).lower())), deadline,
        *map(shares, option.shares),
        *(_write_cash(one.kind, given, pays) for given in option.cash),
    )  # fmt: skip


def _write_cash(kind: str, given: CashGiven, pays: str) -> str:
    side = text("CdtDbtInd", "CRDT" if given.credited else "DBIT")
    if kind in _DIVIDENDS:
        rate = tag("GrssDvddRate", f'<Amt Ccy="{given.currency}">{given.amount}</Amt>')
        return tag("CshMvmntDtls", side, pays, tag("RateAndAmtDtls", rate))
    name = "GncCshPricRcvdPerPdct" if given.credited else "GncCshPricPdPerPdct"
    price = tag("AmtPric", text("AmtPricTp", "ACTU"), f'<PricVal Ccy="{given.currency}">{given.amount}</PricVal>')
    return tag("CshMvmntDtls", side, pays, tag("PricDtls", tag(name, price)))


def read_notice(leaves: Leaves, directory: Directory) -> EventNotice:
    """Return a notification; raises Rejected: several pages, all accounts at once, what breaks a usage rule."""
    require_whole({"Pgntn/PgNb": "1", "Pgntn/LastPgInd": "true", **leaves})
    general, dates = under(leaves, "CorpActnGnlInf"), under(leaves, "CorpActnDtls/DtDtls")
    isin, held = read_isin(general, "UndrlygScty/FinInstrmId"), under(leaves, "AcctDtls")
    if repeated(held, "ForAllAccts"):
        raise refuse(RejectionReason.NOT_ALLOWED, "is for all accounts", field="AcctDtls", remedy="name accounts")
    options = [under(leaves, start) for start in repeated(leaves, "CorpActnOptnDtls")]
    deadlines = {option.get("DtDtls/RspnDdln/Dt/Dt", "") for option in options}
    if len(deadlines) > 1:
        raise refuse(RejectionReason.NOT_ALLOWED, "options have different deadlines", field="CorpActnOptnDtls",
                     remedy="one deadline for an event")  # fmt: skip
    for place, option in enumerate(options):
        if words.read_option_number(option["OptnNb"], "CorpActnOptnDtls/OptnNb") != place:
            raise refuse(RejectionReason.CONFLICT, "options do not count from 001", field="CorpActnOptnDtls/OptnNb")
    return EventNotice(
        identifier=leaves.get("NtfctnGnlInf/NtfctnId", ""), reference=general["CorpActnEvtId"],
        kind=general.get("EvtTp/Cd", ""), choice=general.get("MndtryVlntryEvtTp/Cd", ""), isin=isin,
        announced=dates.get("AnncmntDt/Dt/Dt", ""),
        accounts=tuple(
            words.read_account(under(held, start), isin, directory) for start in repeated(held, "AcctsListAndBalDtls")
        ),
        options=tuple(_read_option(option) for option in options),
        replaces=leaves["NtfctnGnlInf/NtfctnTp"] == "REPL", ex=dates.get("ExDvddDt/Dt", ""),
        effective=dates.get("FctvDt/Dt", ""), record=dates.get("RcrdDt/Dt", ""),
        deadline=next(iter(deadlines), ""), payment=dates.get("PmtDt/Dt", ""),
    )  # fmt: skip


def _read_option(leaves: Leaves) -> NoticeOption:
    return NoticeOption(
        code=words.read_option_type(leaves),
        is_default=leaves.get("DfltPrcgOrStgInstr/DfltOptnInd", "") in ("true", "1"),
        cash=tuple(_read_cash(under(leaves, start), start) for start in repeated(leaves, "CshMvmntDtls")),
        shares=tuple(_read_shares(under(leaves, start), start) for start in repeated(leaves, "SctiesMvmntDtls")),
    )  # fmt: skip


def _read_cash(leaves: Leaves, where: str) -> CashGiven:
    for path in ("RateAndAmtDtls/GrssDvddRate/Amt", "PricDtls/GncCshPricRcvdPerPdct/AmtPric/PricVal",
                 "PricDtls/GncCshPricPdPerPdct/AmtPric/PricVal"):  # fmt: skip
        if path in leaves:
            return CashGiven(leaves.get(f"{path}/@Ccy", ""), leaves[path].strip(), leaves["CdtDbtInd"] == "CRDT")
    raise refuse(RejectionReason.MISSING, "names no money", field=where, remedy="a dividend rate, or a price")


def _read_shares(leaves: Leaves, where: str) -> SharesGiven:
    for name in ("AddtlQtyForExstgScties", "NewToOd"):
        path = f"RateDtls/{name}/QtyToQty"
        new, old = leaves.get(f"{path}/Qty1", "").strip(), leaves.get(f"{path}/Qty2", "").strip()
        if new.isdecimal() and old.isdecimal():
            return SharesGiven(read_isin(leaves, "SctyDtls/FinInstrmId"), int(new), int(old))
    raise refuse(RejectionReason.MISSING, "names no ratio of whole units", field=where, remedy="QtyToQty, as 1 to 10")

"""What a command must move in the books, written down plainly: by its own figures, and nothing else beside.

A kind that is not listed here moves no balance, hold or pledge at all (``NOTHING``), or moves what rules decide that
are not told once more here (``RULES``: these are only held to conservation and to what ``watch`` checks after every
command). Where other things settled because of a command (more than one event), its effect is not told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tsingma.basics.columns import unpack
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.currency_futures import CNY, USD
from tsingma.engine.house import House
from tsingma.journal.commands import Command
from tsingma.journal.events import Accepted, Event

Key = tuple[int, int]
Moved = dict[Key, tuple[int, int, int]]  # (account, asset): balance, held, pledged
Plain = dict[str, Any]
Effect = Callable[[House, Any, Any, Plain], Moved]

# Rules decide what these move: settlement, corporate actions, marking, queues, transfers one by one.
RULES = frozenset({
    "run-step", "open-day", "close-day", "post-transfers", "change-instruction", "submit-instructions",
    "settle-together", "mark-derivatives", "collect-claims", "run-corporate-actions", "pay-due",
    "submit-payments", "run-payments", "settle-payments", "change-payment", "elect-option",
    "withdraw-corporate-action", "call-margin", "buy-in-short", "report-buy-in", "send-small-payments", "tell-time",
    "start-buy-in", "link-instructions", "set-credit-line", "receive-from-mainland", "close-link-orders",
})  # fmt: skip


def expected(house: House, command: Command, answer: Accepted, plain: Plain) -> Moved | None:
    """Return what a command must have moved, or None where that is not told here."""
    tag = str(command.__struct_config__.tag)
    if tag in RULES or len(answer.events) > 1:
        return None
    effect = EFFECTS.get(tag)
    return {} if effect is None else effect(house, command, answer.events[0], plain)


def legs(*rows: tuple[int, int, int, int]) -> Moved:
    """Return the changes of (giver, taker, asset, amount) rows; what cancels is none."""
    total: dict[Key, int] = {}
    for giver, taker, asset, amount in rows:
        total[giver, asset] = total.get((giver, asset), 0) - amount
        total[taker, asset] = total.get((taker, asset), 0) + amount
    return {key: (change, 0, 0) for key, change in total.items() if change}


def held(account: int, asset: int, amount: int) -> Moved:
    """Return a change of what is on hold."""
    return {(account, asset): (0, amount, 0)} if amount else {}


def pledged(account: int, asset: int, amount: int) -> Moved:
    """Return a change of what is pledged."""
    return {(account, asset): (0, 0, amount)} if amount else {}


def together(*parts: Moved) -> Moved:
    """Return the sum of changes."""
    total: dict[Key, tuple[int, int, int]] = {}
    for part in parts:
        for key, change in part.items():
            before = total.get(key, (0, 0, 0))
            total[key] = (before[0] + change[0], before[1] + change[1], before[2] + change[2])
    return {key: change for key, change in total.items() if any(change)}


def _asset(house: House, isin: str) -> int:
    return len(CURRENCIES) + house.resolved.securities.index(isin)


def _issuer(house: House) -> int:
    return house.internal.issuer


def _deposit(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    columns = (unpack(command.owner, "i4"), unpack(command.asset, "i4"), unpack(command.amount, "i8"))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return legs(*((_source(house, asset), owner, asset, amount) for owner, asset, amount in rows))


def _source(house: House, asset: int) -> int:
    return house.internal.bank if asset < len(CURRENCIES) else house.internal.issuer


def _issue(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    asset = _asset(house, command.isin)
    return legs(
        *((_issuer(house), one, asset, units) for one, units in zip(command.accounts, command.units, strict=True))
    )


def _cancel(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    return legs((command.account, _issuer(house), _asset(house, command.isin), command.units))


def _settle_offer(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    """Return what allotments that have settled by this command move; none that had settled before is among them."""
    before, after = plain["offers"][command.offer], house.custody.offers[command.offer]
    terms = house.custody.register.of(after.asset).terms
    currency, rows = CURRENCIES.index(terms.currency), []
    for was, one in zip(before.allotments, after.allotments, strict=True):
        if was.status == "waiting" and one.status == "settled":
            rows += [(one.account, terms.payer, currency, one.clean_cents + one.accrued_cents),
                     (_issuer(house), one.account, after.asset, one.units)]  # fmt: skip
    return legs(*rows)


def _open_repo(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    given = [(command.seller, command.buyer, _asset(house, isin), units)
             for isin, units in zip(command.isins, command.units, strict=True)]  # fmt: skip
    return legs(*given, (command.buyer, command.seller, CURRENCIES.index(command.currency), command.cash_cents))


def _change_collateral(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    repo = plain["repos"][command.repo]
    give = zip(command.give_isins, command.give_units, strict=True)
    take = zip(command.take_isins, command.take_units, strict=True)
    return legs(
        *((repo.seller, repo.buyer, _asset(house, isin), units) for isin, units in give),
        *((repo.buyer, repo.seller, _asset(house, isin), units) for isin, units in take),
    )


def _close_repo(house: House, command: Any, event: Any, plain: Plain) -> Moved:
    repo = plain["repos"][command.repo]
    back = ((repo.buyer, repo.seller, asset, units) for asset, units in repo.collateral)
    return legs((repo.seller, repo.buyer, repo.currency, event.owed_cents), *back)


def _deal(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    fund, count = _asset(house, command.isin), command.applications
    one, terms = plain["funds"][fund], house.custody.register.of(fund).terms
    currency, trustee = CURRENCIES.index(terms.currency), terms.payer
    units = (_issuer(house), command.dealer, fund, count * one.size)
    if command.in_cash:
        return legs(units, (command.dealer, trustee, currency, _worth(abs(count) * one.size, one.nav_e4, count)))
    parts = ((command.dealer, trustee, asset, count * part) for asset, part in one.basket)
    return legs(units, *parts, (command.dealer, trustee, currency, count * one.cash_cents))


def _worth(units: int, price_e4: int, count: int) -> int:
    return divide_half_away(units * price_e4, 100) * (1 if count > 0 else -1)


def _deposit_bar(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    return legs((_issuer(house), command.account, _asset(house, command.isin), 1))


def _withdraw_bars(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    return legs((command.account, _issuer(house), _asset(house, command.isin), len(command.serials)))


def _move_bars(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    moved = (command.giver, command.taker, _asset(house, command.isin), len(command.serials))
    return {} if command.booked else legs(moved)


def _allocate(house: House, command: Any, event: Any, plain: Plain) -> Moved:
    bars, metal = _asset(house, command.bars), _asset(house, command.metal)
    vault = house.custody.register.of(metal).terms.payer
    fine = sum(divide_half_away(bar.gross_mg * bar.fineness_e4, 10_000) for bar in plain["bars"]
               if bar.serial in command.serials and bar.status == "in vault")  # fmt: skip
    owner, taker = (command.account, vault) if command.back else (vault, command.account)
    metal_leg = (_issuer(house), command.account, metal, fine if command.back else -fine)
    return legs((owner, taker, bars, len(command.serials)), metal_leg)


def _deliver_bonds(house: House, command: Any, event: Any, plain: Plain) -> Moved:
    units, cents = event.figures["units"], event.figures["invoice_CNY_cents"]
    asset = _asset(house, command.isin)
    return legs((command.seller, command.buyer, asset, units), (command.buyer, command.seller, CNY, cents))


def _currency_future(house: House, command: Any, event: Any, plain: Plain) -> Moved:
    figures = event.figures
    money = ((CNY, figures["to_buyer_CNY_cents"]), (USD, figures["to_buyer_USD_cents"]))
    return legs(*((command.seller, command.buyer, asset, cents) for asset, cents in money))


def _pledge(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    return pledged(command.account, command.asset, command.amount)


def _give_back(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    return pledged(command.account, command.asset, -command.amount)


def _substituted(sign: int, side: str, *, only_delivered: bool = False) -> Effect:
    def effect(house: House, command: Any, event: Event, plain: Plain) -> Moved:
        one = plain["substitutions"][command.substitution]
        if only_delivered and not one.delivered:
            return {}
        return pledged(one.account, getattr(one, f"{side}_asset"), sign * getattr(one, f"{side}_amount"))

    return effect


def _draw_credit(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    return legs((house.internal.bank, command.account, command.currency, command.cents))


def _repay_credit(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    loan = plain["loans"][command.loan]
    return legs((loan.account, house.internal.bank, loan.currency, loan.cents))


def _reserve(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    return held(command.account, command.asset, command.amount)


def _row(table: dict[str, list[int]], number: int) -> dict[str, int]:
    return {name: column[number] for name, column in table.items()}


def _end_reservation(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    one = _row(plain["reservations"], command.reservation)
    return held(one["account"], one["asset"], -one["amount"])


def _pay_reserved(house: House, command: Any, event: Any, plain: Plain) -> Moved:
    one = _row(plain["reservations"], command.reservation)
    paid = legs((one["account"], command.payee, one["asset"], one["amount"]))
    return together(paid, held(one["account"], one["asset"], -one["amount"]))


def _reserve_legs(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    if command.agreement.settlement in plain["agreements"]:
        return {}
    return together(*(held(leg.debit, leg.asset, leg.amount) for leg in command.agreement.book_legs))


def _decide(house: House, command: Any, event: Any, plain: Plain) -> Moved:
    terms = plain["agreements"].get(command.settlement)
    if terms is None:
        return {}
    freed = [held(leg.debit, leg.asset, -leg.amount) for leg in terms.book_legs]
    done = [legs((leg.debit, leg.credit, leg.asset, leg.amount)) for leg in terms.book_legs] if event.committed else []
    return together(*freed, *done)


def _lodge(house: House, command: Any, event: Any, plain: Plain) -> Moved:
    one = house.chains.chains[command.direction].terms.lodgings[command.lodging]
    more = command.amount_cents - plain["lodged"][command.direction, command.lodging]
    moved = legs((one.source, one.account, one.currency, more)) if more else {}
    return together(moved, pledged(one.account, one.currency, more))


def _convert(house: House, command: Any, event: Any, plain: Plain) -> Moved:
    rates, rows = house.fx_e6, []
    columns = (unpack(command.account, "i4"), unpack(command.sell_cents, "i8"), unpack(command.buy_cents, "i8"))
    for account, sell, buy in zip(*(column.tolist() for column in columns), strict=True):
        given = sell or divide_half_away(buy * rates[command.buy], rates[command.sell])
        taken = buy or divide_half_away(sell * rates[command.sell], rates[command.buy])
        rows += [
            (account, house.internal.bank, command.sell, given),
            (house.internal.bank, account, command.buy, taken),
        ]
    return legs(*rows)


def _draw_repo(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    lent = legs((house.internal.bank, command.account, command.currency, command.cents))
    return together(lent, pledged(command.account, command.security + len(CURRENCIES), command.quantity))


def _repay_repo(house: House, command: Any, event: Any, plain: Plain) -> Moved:
    one = _row(plain["intraday"], command.repo)
    cents = event.cents + event.interest_cents
    paid = legs((one["account"], house.internal.bank, one["currency"], cents))
    stock = one["security"] + len(CURRENCIES)
    return paid if one["security"] < 0 else together(paid, pledged(one["account"], stock, -one["quantity"]))


def _earmark(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    return pledged(command.account, command.security + len(CURRENCIES), command.quantity)


def _withdraw_paper(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    one = _row(plain["lines"], command.line)
    return pledged(one["account"], one["security"] + len(CURRENCIES), -one["quantity"])


def _move_wallet(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    operator, inwards = plain["wallets"][command.wallet], command.move == "top-up"
    giver, taker = (command.account, operator) if inwards else (operator, command.account)
    return together(
        legs((giver, taker, CNY, command.cents)), held(operator, CNY, command.cents * (1 if inwards else -1))
    )


def _answer_mainland(house: House, command: Any, event: Event, plain: Plain) -> Moved:
    transfers, confirmed = unpack(command.transfer, "i4").tolist(), unpack(command.confirmed, "i1").tolist()
    back: Iterable[int] = (one for one, sure in zip(transfers, confirmed, strict=True) if not sure)
    rows = (_row(plain["transfers"], one) for one in back)
    return legs(*((house.internal.bank, row["account"], CNY, row["cents"]) for row in rows))


EFFECTS: dict[str, Effect] = {
    "deposit-assets": _deposit, "issue-units": _issue, "cancel-units": _cancel,
    "settle-offer": _settle_offer, "open-repo": _open_repo,
    "change-collateral": _change_collateral, "close-repo": _close_repo, "deal-units": _deal,
    "deposit-bar": _deposit_bar, "withdraw-bars": _withdraw_bars, "move-bars": _move_bars, "allocate-metal": _allocate,
    "deliver-bonds": _deliver_bonds, "settle-currency-future": _currency_future, "pledge-collateral": _pledge,
    "return-collateral": _give_back, "deliver-substitute": _substituted(1, "in"),
    "release-substituted": _substituted(-1, "out"), "cancel-substitution": _substituted(-1, "in", only_delivered=True),
    "draw-pool-credit": _draw_credit, "repay-pool-credit": _repay_credit, "reserve-assets": _reserve,
    "end-reservation": _end_reservation, "pay-reserved": _pay_reserved, "reserve-legs": _reserve_legs,
    "decide-settlement": _decide, "lodge-margin": _lodge, "convert-money": _convert, "draw-intraday-repo": _draw_repo,
    "repay-intraday-repo": _repay_repo, "earmark-paper": _earmark, "withdraw-paper": _withdraw_paper,
    "move-wallet": _move_wallet, "answer-from-mainland": _answer_mainland,
}  # fmt: skip

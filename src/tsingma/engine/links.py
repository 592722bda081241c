"""Commands on links, and what a day's steps do to them: chains follow the ledger, and every level adds up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.clearing.derivatives import SERIES_MAX
from tsingma.engine.house import Handlers, House
from tsingma.journal.link_commands import ConvertMoney, LodgeMargin, NameHolders, OpenLink
from tsingma.journal.link_events import HoldersNamed, LinkOpened, MarginLodged, MoneyConverted
from tsingma.links.chain import Chain
from tsingma.reference.book import ACCOUNT_CLASSES, KINDS, AccountClass, InstrumentKind

Int64 = npt.NDArray[np.int64]

AMOUNT_MAX = 2**53
CHECKED = (
    "along every nominee chain each level holds what the one below does, and the ledger's what the ledger does",
    "what is held along a link's chain and beside it is what is issued",
    "margin lodged between houses stands in its account",
)
_FUTURE = KINDS.index(InstrumentKind.FUTURE)
_INNER = (ACCOUNT_CLASSES.index(AccountClass.CNS), ACCOUNT_CLASSES.index(AccountClass.ISSUANCE))


def open_link(house: House, command: OpenLink) -> LinkOpened:
    """Open a direction on a market of the book; what its accounts hold already is carried up the chain at once."""
    book = house.resolved
    if command.market not in book.markets.codes:
        raise refuse(RejectionReason.UNKNOWN, f"no market '{command.market}'", field="market", subject=command.link)
    taken = [(one.terms.link, one.terms.direction) for one in house.chains.chains]
    if (command.link, command.direction) in taken:
        raise refuse(RejectionReason.DUPLICATE, f"{command.direction} is open already", subject=command.link)
    for number in [one.account for one in command.holders if one.account != -1]:
        _account(house, number, "holders.account")
    for one in command.lodgings:
        _account(house, one.source, "lodgings.source")
        _account(house, one.account, "lodgings.account")
        if not 0 <= one.currency < len(CURRENCIES) or one.source == one.account:
            raise refuse(RejectionReason.MALFORMED, "a currency and two accounts are needed", field="lodgings")
    chain = Chain(command, len(book.securities))
    house.chains.chains.append(chain)
    house.chains.lodged.update({(len(house.chains.chains) - 1, place): 0 for place in range(len(command.lodgings))})
    follow(house)
    return LinkOpened(len(house.chains.chains) - 1, len(command.holders))


def name_holders(house: House, command: NameHolders) -> HoldersNamed:
    """Take in for whom trades were made; refused whole when one names nobody."""
    chain = house.chains.chain(command.direction)
    columns = {"holder": "i4", "security": "i4", "quantity": "i8", "due_day": "i4"}
    holder, security, quantity, due = (
        unpack(getattr(command, name), kind, field=name).astype(np.int64) for name, kind in columns.items()
    )
    if len({column.size for column in (holder, security, quantity, due)}) != 1:
        raise refuse(RejectionReason.MALFORMED, "the columns differ in length", field=", ".join(columns))
    chain.expect(holder, security, quantity, due)
    return HoldersNamed(int(holder.size))


def lodge_margin(house: House, command: LodgeMargin) -> MarginLodged:
    """Move margin between houses up or down to what is asked; refused when the lodger does not have it."""
    chain = house.chains.chain(command.direction)
    if not 0 <= command.lodging < len(chain.terms.lodgings):
        raise refuse(RejectionReason.UNKNOWN, f"no arrangement {command.lodging}", field="lodging")
    if not 0 <= command.amount_cents <= AMOUNT_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{command.amount_cents} cents", field="amount_cents")
    terms, key = chain.terms.lodgings[command.lodging], (command.direction, command.lodging)
    moved = command.amount_cents - house.chains.lodged[key]
    row = np.array([house.ledger.row(terms.account, terms.currency)], np.int64)
    change = np.array([abs(moved)], np.int64)
    if moved < 0 and house.ledger.unpledge(row, change).any():
        raise InvariantBroken("margin lodged between houses is not where it was lodged")
    if moved:
        from_, to = (terms.source, terms.account) if moved > 0 else (terms.account, terms.source)
        _move(house, [(from_, to, terms.currency, abs(moved))], f"{terms.lodger} cannot lodge it")
    if moved > 0 and house.ledger.pledge(row, change).any():
        raise InvariantBroken("margin just lodged could not be set aside")
    house.chains.lodged[key] = command.amount_cents
    return MarginLodged(terms.lodger, terms.holder, command.amount_cents, moved)


def convert_money(house: House, command: ConvertMoney) -> MoneyConverted:
    """Exchange money with the settlement bank at the day's rates: every account or none."""
    names = {"account": "i4", "sell_cents": "i8", "buy_cents": "i8"}
    account, sell, buy = (
        unpack(getattr(command, name), kind, field=name).astype(np.int64) for name, kind in names.items()
    )
    if len({account.size, sell.size, buy.size}) != 1 or not account.size:
        raise refuse(RejectionReason.MALFORMED, "the columns differ in length, or are empty", field=", ".join(names))
    rates = house.fx_e6
    units = (command.sell, command.buy)
    if (
        not all(0 <= unit < len(CURRENCIES) for unit in units)
        or units[0] == units[1]
        or min(rates[u] for u in units) <= 0
    ):
        message = f"no rate between currencies {command.sell} and {command.buy}"
        raise refuse(RejectionReason.MISSING, message, field="sell, buy", remedy="set the rates of the day first")
    moves = []
    for number, given, taken in zip(account.tolist(), sell.tolist(), buy.tolist(), strict=True):
        _account(house, number, "account")
        if (given > 0) == (taken > 0) or min(given, taken) < 0 or max(given, taken) > AMOUNT_MAX:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{given} and {taken} cents", field="sell_cents, buy_cents")
        given = given or divide_half_away(taken * rates[command.buy], rates[command.sell])
        taken = taken or divide_half_away(given * rates[command.sell], rates[command.buy])
        moves += [(number, house.internal.bank, command.sell, given), (house.internal.bank, number, command.buy, taken)]
    _move(house, [move for move in moves if move[3]], "an account does not have what it sells")
    return MoneyConverted(
        int(account.size),
        sum(move[3] for move in moves if move[2] == command.sell),
        sum(move[3] for move in moves if move[2] == command.buy),
    )


def follow(house: House) -> int:
    """Let every chain follow the ledger; returns how many holdings changed."""
    return sum(chain.follow(lambda one: _balance(house, one), house.position.day) for chain in house.chains.chains)


def close_links(house: House) -> tuple[dict[str, int], tuple[str, ...]]:
    """Prove every chain and every lodged margin; returns figures and what was checked, none when there is no link."""
    if not house.chains.chains:
        return {}, ()
    follow(house)
    for chain in house.chains.chains:
        chain.check(lambda one: _balance(house, one), *_issued(house, chain))
    _check_lodged(house)
    return {
        "chain_units": sum(int(chain.held[chain.accounts >= 0].sum()) for chain in house.chains.chains),
        "chain_units_expected": sum(int(np.abs(chain.waiting["quantity"]).sum()) for chain in house.chains.chains),
        "margin_lodged_between_houses": sum(1 for cents in house.chains.lodged.values() if cents),
    }, CHECKED


def _contracts(house: House, accounts: Int64) -> Int64:
    """Return the contracts that accounts have in futures on each security listed as one, i8[accounts, securities]."""
    book, derivatives = house.resolved, house.derivatives
    found = np.zeros((accounts.size, len(book.securities)), np.int64)
    counters = [book.counter_index.get(one.underlying, -1) for one in derivatives.series]
    security = np.array(
        [
            book.counter_security[place] if place >= 0 and book.counter_kind[place] == _FUTURE else -1
            for place in counters
        ],
        np.int64,
    )
    owner, series = np.divmod(derivatives.key, SERIES_MAX)
    rows = np.flatnonzero(np.isin(owner, accounts) & (security[series] >= 0)) if series.size else series
    if rows.size:
        order = np.argsort(accounts)
        place = order[np.searchsorted(accounts, owner[rows], sorter=order)]
        np.add.at(found, (place, security[series[rows]]), derivatives.quantity[rows])
    return found


def _balance(house: House, accounts: Int64) -> Int64:
    """Return what accounts hold of every security, i8[accounts, securities]; of futures, their contracts."""
    securities = np.arange(len(CURRENCIES), house.resolved.asset_count, dtype=np.int32)
    owners = np.repeat(accounts.astype(np.int32), securities.size)
    rows = house.ledger.find_all(owners, np.tile(securities, accounts.size))
    held = (
        np.where(rows >= 0, house.ledger.balance[np.maximum(rows, 0)], 0) if house.ledger.count else np.zeros_like(rows)
    )
    return held.reshape(accounts.size, securities.size).astype(np.int64) + _contracts(house, accounts)


def _issued(house: House, chain: Chain) -> tuple[Int64, Int64]:
    """Return what is in issue of the chain's market, and what accounts outside the chain hold of it, per security."""
    book, ledger = house.resolved, house.ledger
    market = book.markets.codes.index(chain.terms.market)
    mine = book.counter_market[book.settlement_counter] == market
    stock = ledger.asset >= len(CURRENCIES)
    issuer = stock & (ledger.owner == house.internal.issuer)
    outside = stock & ~issuer & ~np.isin(ledger.owner, chain.accounts[chain.accounts >= 0])
    sums = []
    for rows, sign in ((issuer, -1), (outside, 1)):
        total = np.zeros(mine.size, np.int64)
        np.add.at(total, ledger.asset[rows] - len(CURRENCIES), sign * ledger.balance[rows])
        sums.append(np.where(mine, total, 0))
    others = np.setdiff1d(np.unique(house.derivatives.key // SERIES_MAX), chain.accounts)
    sums[1] = sums[1] + np.where(mine, _contracts(house, others).sum(axis=0), 0)  # longs and shorts: nothing is issued
    chained = chain.held[chain.accounts >= 0].sum(axis=0)
    sums[0] = np.where(mine, sums[0], chained)  # what the chain holds of other markets is proved by their own chains
    return sums[0], sums[1]


def _check_lodged(house: House) -> None:
    """Raise InvariantBroken unless what stands lodged in an account is set aside there, for nothing else."""
    due: dict[tuple[int, int], int] = {}
    for (direction, place), cents in house.chains.lodged.items():
        terms = house.chains.chains[direction].terms.lodgings[place]
        due[terms.account, terms.currency] = due.get((terms.account, terms.currency), 0) + cents
    for (account, currency), cents in due.items():
        row = house.ledger.find(account, currency)
        if (0 if row < 0 else int(house.ledger.pledged[row])) != cents:
            raise InvariantBroken(f"account {account} does not set aside the {cents} cents lodged in it")


def _move(house: House, moves: list[tuple[int, int, int, int]], message: str) -> None:
    """Book (debit, credit, currency, cents) all or none; raises Rejected (insufficient)."""
    debit, credit, currency, cents = (np.array(column, np.int64) for column in zip(*moves, strict=True))
    opened = house.ledger.count
    rows = [house.ledger.rows(owner.astype(np.int32), currency.astype(np.int32)) for owner in (debit, credit)]
    failed = house.ledger.post_all(rows[0], rows[1], cents)
    if failed is not None:
        house.ledger.close_rows(opened)
        account = int(debit[failed])
        raise refuse(RejectionReason.INSUFFICIENT, f"account {account}: {message}", field="amount_cents")


def _account(house: House, account: int, field: str) -> None:
    book = house.resolved
    if not 0 <= account < book.account_participant.size or int(book.account_class[account]) in _INNER:
        raise refuse(RejectionReason.UNKNOWN, f"number {account} is no account of a participant", field=field)


HANDLERS: Handlers = {
    OpenLink: open_link,
    NameHolders: name_holders,
    LodgeMargin: lodge_margin,
    ConvertMoney: convert_money,
}

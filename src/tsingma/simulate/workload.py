"""A seeded day of commands: what an open house is told next, legal or not, as its own books stand.

The workload looks at the auditor's draft of the house and draws the next command from the seed. The day's frame (book,
opening deposits, prices, timetable, close) is always finished in the end; between its parts come transfers, deposits,
trades, holds, margin calls, and commands that must be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.journal.act_commands import DecideAct, Decision, ProposeAct
from tsingma.journal.commands import (
    CallMargin,
    CaptureTrades,
    ChangeInstruction,
    CloseDay,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    PostTransfers,
    RunStep,
    SetClosingPrices,
    encode,
)
from tsingma.reference.book import (
    Account,
    AccountClass,
    Counter,
    InstrumentKind,
    Market,
    Participant,
    ParticipantKind,
    ReferenceBook,
)
from tsingma.settlement.timetable import timetable
from tsingma.simulate.plain_house import TRADE_COLUMNS, PlainHouse
from tsingma.simulate.plain_trades import Trade
from tsingma.simulate.swarm import Swarm
from tsingma.simulate.universe import invented_isin
from tsingma.simulate.workload_orders import OrderDraws
from tsingma.simulate.workload_resources import ResourceDraws

OWN_ACCOUNTS = 4  # CNS, house, issuer, bank: the first accounts of the book
FX_E6: tuple[int, ...] = (1_000_000, 1_080_000, 7_800_000, 8_500_000)
OPENING_DEPOSITS = 5  # rounds before the first day
_DECISIONS: tuple[Decision, ...] = ("approve", "approve", "approve", "reject", "withdraw")
_COUNTERS = (
    ("00001", 1, "HKD", InstrumentKind.EQUITY, Market.XHKG, 300_000, True),
    ("80001", 1, "CNY", InstrumentKind.EQUITY, Market.XHKG, 280_000, False),
    ("02800", 2, "HKD", InstrumentKind.ETF, Market.XHKG, 250_000, True),
    ("600001", 3, "CNY", InstrumentKind.EQUITY, Market.XSHG, 150_000, True),
    ("000001", 4, "CNY", InstrumentKind.EQUITY, Market.XSHE, 120_000, True),
    ("CMU1", 5, "HKD", InstrumentKind.BOND, Market.CMU, 1_000_000, True),
)


@cache
def small_book(participants: int) -> ReferenceBook:
    """Return a book with a dual counter, an ETF, two A-shares and a bond, and so many firms with two accounts each."""
    firms = [f"F{number}" for number in range(1, participants + 1)]
    own = (
        ("HKSCC", AccountClass.CNS),
        ("HKSCC", AccountClass.HOUSE),
        ("ISSUER", AccountClass.ISSUANCE),
        ("BANK", AccountClass.ISSUANCE),
    )
    theirs = tuple((firm, name) for firm in firms for name in (AccountClass.HOUSE, AccountClass.CLIENT))
    kinds = {
        "HKSCC": ParticipantKind.HOUSE,
        "CHINACLEAR": ParticipantKind.LINK,
        "ISSUER": ParticipantKind.ISSUER,
        "BANK": ParticipantKind.SETTLEMENT_BANK,
        **dict.fromkeys(firms, ParticipantKind.DIRECT_CLEARING),
    }
    return ReferenceBook(
        counters=tuple(
            Counter(
                code=code, isin=invented_isin(number), currency=currency, kind=kind, market=market, lot=100,
                tick_e4=100, settlement_counter=settles, name=code,
            )
            for code, number, currency, kind, market, _, settles in _COUNTERS
        ),
        participants=tuple(Participant(code=code, name=code, kind=kind) for code, kind in kinds.items()),
        accounts=tuple(Account(participant=code, account_class=name) for code, name in own + theirs),
    )  # fmt: skip


class Workload:
    """Draws commands until the last day is closed; ``actions`` beyond the frame are limited for each day."""

    def __init__(self, swarm: Swarm, chance: np.random.Generator) -> None:
        """Keep parameters and generator."""
        self.swarm = swarm
        self._chance = chance
        self._book = small_book(swarm.participants)
        self._accounts = range(OWN_ACCOUNTS, len(self._book.accounts))
        self._assets = len(CURRENCIES) + len({counter.isin for counter in self._book.counters})
        self._trade_id = 0
        self._resources = ResourceDraws(chance, self._accounts)
        self._orders = OrderDraws(chance, self._accounts)
        self._spent: dict[int, int] = {}
        self._opening = 0

    def done(self, house: PlainHouse) -> bool:
        """Return whether the last day is closed."""
        return house.day >= self.swarm.days[-1] and not house.is_open

    def next(self, house: PlainHouse, *, calm: bool) -> Command:
        """Return the next command; ``calm`` gives only what finishes the day."""
        if not calm and self._chance.random() < self.swarm.invalid_rate:
            return self._pick(self._invalid())(house)
        return self._legal(house, calm=calm)

    def altered(self, house: PlainHouse) -> Command:
        """Return a body that no acknowledged command has."""
        return DepositAssets(
            pack([self._account()], "i4"), pack([0], "i4"), pack([10**15 + int(self._chance.integers(10**9))], "i8")
        )

    def _legal(self, house: PlainHouse, *, calm: bool) -> Command:
        if house.reference is None:
            return LoadReference(self._book)
        if not house.is_open:
            if self._opening < OPENING_DEPOSITS and not house.day and not calm:
                self._opening += 1
                return self._deposits(house)
            return OpenDay(next(day for day in self.swarm.days if day > house.day))
        if not house.fx_e6[1] or min(house.price_e4.values()) <= 0:
            return self._prices(house)
        if not calm and self._orders.left:
            self._orders.left -= 1
            return self._orders.more(house)
        spent = self._spent.get(house.day, 0)
        share = (len(house.steps) + 1) / (len(timetable()) + 1)  # actions are spread over the day
        if not calm and spent < self.swarm.actions_a_day * share:
            self._spent[house.day] = spent + 1
            return self._pick(self._actions())(house)
        if len(house.steps) < len(timetable()):
            return RunStep(timetable()[len(house.steps)].name)
        return CloseDay()

    def _actions(self) -> Sequence[Callable[[PlainHouse], Command]]:
        return (
            self._trades, self._trades, self._trades, self._transfers, self._transfers, self._deposits, self._margin,
            self._change, self._change, self._prices, self._resources.reserve, self._resources.end_reservation,
            self._resources.together, self._resources.series, self._resources.contracts, self._resources.mark,
            self._orders.begin, self._orders.begin, self._propose, self._decide, self._decide,
        )  # fmt: skip

    def _invalid(self) -> Sequence[Callable[[PlainHouse], Command]]:
        return (
            self._bad_trades, self._bad_trades, self._bad_deposit, self._bad_transfer, self._bad_step, self._bad_day,
            self._bad_margin, self._bad_prices, self._bad_change, self._bad_book,
        )  # fmt: skip

    def _pick(self, choices: Sequence[Callable[[PlainHouse], Command]]) -> Callable[[PlainHouse], Command]:
        return choices[int(self._chance.integers(len(choices)))]

    def _number(self, low: int, high: int) -> int:
        return int(self._chance.integers(low, high))

    def _account(self) -> int:
        return self._number(self._accounts[0], self._accounts[-1] + 1)

    def _amount(self) -> int:
        """Return an amount that is now small, now large, now about what accounts hold."""
        return int(self.swarm.wealth * 10 ** self._chance.uniform(2, 7)) + 1

    def _deposits(self, house: PlainHouse) -> Command:
        count = self._number(1, 10)
        asset = [self._number(0, self._assets) for _ in range(count)]
        amount = [self._amount() * (100 if one < len(CURRENCIES) else 1) for one in asset]
        return DepositAssets(pack([self._account() for _ in asset], "i4"), pack(asset, "i4"), pack(amount, "i8"))

    def _transfers(self, house: PlainHouse) -> Command:
        count = self._number(1, 8)
        rich = [key for key, balance in house.ledger.balance.items() if balance > 0 and key[0] in self._accounts]
        debit, credit, asset, amount = [], [], [], []
        for _ in range(count):
            owner, kind = rich[self._number(0, len(rich))] if rich else (self._account(), 0)
            much = self._number(1, max(house.ledger.balance.get((owner, kind), 0), 1) + 1)
            debit.append(owner)
            credit.append(self._account())
            asset.append(kind)
            amount.append(much if self._chance.random() < 0.9 else self._number(-5, 1))
        linked = [int(self._chance.random() < 0.4) for _ in range(count)]
        return PostTransfers(
            pack(debit, "i4"), pack(credit, "i4"), pack(asset, "i4"), pack(amount, "i8"), pack(linked, "i1")
        )

    def _trade(self, house: PlainHouse) -> Trade:
        counter = self._number(0, len(_COUNTERS))
        market, price = _COUNTERS[counter][4], _COUNTERS[counter][5]
        mode = {Market.CMU: 2, Market.XHKG: int(self._chance.random() < 0.3)}.get(market, 0)
        self._trade_id += 1
        quantity = self._number(1, 50) * 100 if self._chance.random() < 0.9 else self._number(1, 10**6)
        price += 100 * self._number(-50, 51)
        return Trade(
            self._trade_id, self._number(0, 86_400), counter, self._account(), self._account(), quantity, price, mode,
            self._number(0, 4) if self._chance.random() < 0.1 else 0,
        )  # fmt: skip

    def _trades(self, house: PlainHouse) -> Command:
        return _captured(house.day, [self._trade(house) for _ in range(self._number(1, 7))])

    def _prices(self, house: PlainHouse) -> Command:
        moved = [row[5] + 100 * self._number(-50, 51) for row in _COUNTERS]
        return SetClosingPrices(pack(range(len(_COUNTERS)), "i4"), pack(moved, "i8"), FX_E6)

    def _margin(self, house: PlainHouse) -> Command:
        called = [account for account in self._accounts if self._chance.random() < 0.6]
        required = [self._amount() for _ in called]
        return CallMargin("simulated", pack(called, "i4"), pack(required, "i8"))

    def _change(self, house: PlainHouse) -> Command:
        """Let one of its parties, or the house, act on any instruction: its status may forbid it."""
        action = ("hold", "release", "cancel", "cancel", "keep", "prioritise")[self._number(0, 6)]
        if not house.instructions:
            return ChangeInstruction(0, action, "F1")
        number = self._number(0, len(house.instructions))
        one, owners = house.instructions[number], house.known.account_owner
        owner = owners[(one.deliverer, one.receiver, house.fee_account)[self._number(0, 3)]]
        return ChangeInstruction(number, action, house.known.participants[owner], self._number(0, 5))

    def _propose(self, house: PlainHouse) -> Command:
        """Propose what may be done now, or what the house will refuse when it is approved."""
        makers = (self._deposits, self._prices, self._change_as_house, self._next_step, self._bad_step, self._bad_day)
        person = self._person()
        return ProposeAct(encode(self._pick(makers)(house)), person, f"{person}-key", 1, 2)

    def _decide(self, house: PlainHouse) -> Command:
        """Decide an act, mostly one that waits; the person may be who proposed it, the key a shared one."""
        waiting = [number for number, act in enumerate(house.acts, 1) if act.status == "pending"]
        number = waiting[self._number(0, len(waiting))] if waiting else self._number(0, len(house.acts) + 2)
        person = self._person()
        key = f"{person if self._chance.random() < 0.9 else self._person()}-key"
        return DecideAct(number, _DECISIONS[self._number(0, len(_DECISIONS))], person, key, 1)

    def _person(self) -> str:
        return ("chan", "lee", "wong")[self._number(0, 3)]

    def _next_step(self, house: PlainHouse) -> Command:
        done = len(house.steps)
        return RunStep(timetable()[done].name) if done < len(timetable()) else CloseDay()

    def _change_as_house(self, house: PlainHouse) -> Command:
        number = self._number(0, len(house.instructions) + 1)
        return ChangeInstruction(number, ("hold", "release", "cancel")[self._number(0, 3)], "HKSCC")

    def _bad_trades(self, house: PlainHouse) -> Command:
        rows = [self._trade(house) for _ in range(self._number(1, 4))]
        faults = (
            {"counter": 99}, {"buyer": -1}, {"seller": 0}, {"seller": 2}, {"quantity": 0}, {"quantity": -100},
            {"price_e4": -100}, {"price_e4": 123_457}, {"quantity": 2**61}, {"time_s": 86_400}, {"mode": 3},
            {"mode": (rows[0].mode + 1) % 3}, {"maker": 4}, {"trade_id": 0}, {"trade_id": rows[-1].trade_id},
            {"trade_id": min(house.seen, default=-1)},
        )  # fmt: skip
        rows[0] = rows[0]._replace(**faults[self._number(0, len(faults))])
        day = house.day if self._chance.random() < 0.9 else house.day - 1
        return _captured(day, rows)

    def _bad_deposit(self, house: PlainHouse) -> Command:
        owner, asset, amount = self._account(), 0, 5
        match self._number(0, 6):
            case 0:
                amount = self._number(-(10**9), 1)
            case 1:
                owner = 99
            case 2:
                asset = -1
            case 3:
                amount = 2**63 - 1 - self._number(0, 3)
            case 4:
                owner = 0
            case _:
                return DepositAssets(pack([owner], "i4"), pack([0, 0], "i4"), pack([amount], "i8")[:7])
        pair = [owner, self._account()], [asset, self._number(0, self._assets)], [amount, 10]
        if self._chance.random() < 0.5:
            pair = pair[0][::-1], pair[1][::-1], pair[2][::-1]
        return DepositAssets(pack(pair[0], "i4"), pack(pair[1], "i4"), pack(pair[2], "i8"))

    def _bad_transfer(self, house: PlainHouse) -> Command:
        debit, asset, amount = self._account(), self._number(0, self._assets), 2**63 - 1 - self._number(0, 2**40)
        if self._chance.random() < 0.3:
            debit = (-1, 99, 0, 2, 3)[self._number(0, 5)]
        return PostTransfers(
            pack([debit], "i4"), pack([self._account()], "i4"), pack([asset], "i4"), pack([amount], "i8"), b"\0"
        )

    def _bad_step(self, house: PlainHouse) -> Command:
        names = [*(step.name for step in timetable()), "tea-break"]
        return CloseDay() if self._chance.random() < 0.2 else RunStep(names[self._number(0, len(names))])

    def _bad_day(self, house: PlainHouse) -> Command:
        """Yesterday, a weekend, or a day that skips one: refused unless it is by chance the right one."""
        return OpenDay(house.day + self._number(-2, 9) if house.day else self.swarm.days[0] - 1)

    def _bad_margin(self, house: PlainHouse) -> Command:
        account = self._account()
        called = ([account, account], [99], [account])[self._number(0, 3)]
        return CallMargin("simulated", pack(called, "i4"), pack([-1] * len(called), "i8"))

    def _bad_prices(self, house: PlainHouse) -> Command:
        counter, price, fx = ([0, 0], [99], [1])[self._number(0, 3)], -self._number(0, 9), FX_E6
        if self._chance.random() < 0.5:
            counter, price, fx = (
                [0],
                300_000,
                ((2_000_000, *FX_E6[1:]), FX_E6[:2], (1_000_000, 0, 1, 1))[self._number(0, 3)],
            )
        return SetClosingPrices(pack(counter, "i4"), pack([price] * len(counter), "i8"), fx)

    def _bad_change(self, house: PlainHouse) -> Command:
        number = self._number(-1, len(house.instructions) + 2)
        participant = ("NOBODY", "HKSCC", "F1")[self._number(0, 3)]
        return ChangeInstruction(number, ("hold", "release", "cancel", "settle")[self._number(0, 4)], participant)

    def _bad_book(self, house: PlainHouse) -> Command:
        """A second book; before the first one, a command that needs it."""
        return CloseDay() if house.reference is None else LoadReference(self._book)


def _captured(day: int, rows: Sequence[Trade]) -> CaptureTrades:
    packed = {name: pack([getattr(row, name) for row in rows], kind) for name, kind in TRADE_COLUMNS.items()}
    return CaptureTrades(source="simulated", trade_day=day, **packed)

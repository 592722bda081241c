"""The words in which settlement stories are told: given accounts, when instructions, then books.

A story runs the production step on a small house. After every command the state must come back from its dump with the
same digest; at its end the commands told so far give the same state again from nothing.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.engine.cycle import settlement_days_after
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal import commands as do
from tsingma.journal import events
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
from tsingma.settlement.claims import CLAIM_KINDS
from tsingma.settlement.instruction import KINDS, PRIORITIES, STATUSES
from tsingma.settlement.orders import ORDER_COLUMNS, ORDER_STATUSES
from tsingma.settlement.submission import RESULTS
from tsingma.settlement.timetable import timetable

MONDAY = to_day(date(2026, 1, 5))
SHARE, BOND, FUND = "KYG875721634", "HK0000096088", "HK2800008867"
FX_E6 = (1_000_000, 1_080_000, 7_800_000, 9_000_000)
PRICES_E4 = {SHARE: 3_000_000, BOND: 1_000_000, FUND: 200_000}  # 300, 100 and 20 in the counter's currency


def _book() -> ReferenceBook:
    kind, market = InstrumentKind, Market
    rows = (
        ("700", SHARE, "HKD", kind.EQUITY, market.XHKG, 100),
        ("CGB", BOND, "CNY", kind.BOND, market.CMU, 1_000),
        ("2800", FUND, "HKD", kind.ETF, market.XHKG, 500),
    )
    counters = tuple(
        Counter(
            code=code, isin=isin, currency=currency, kind=of, market=where, lot=lot, tick_e4=100,
            settlement_counter=True, name=code,
        )
        for code, isin, currency, of, where, lot in rows
    )  # fmt: skip
    own = (("HKSCC", ParticipantKind.HOUSE), ("CHINACLEAR", ParticipantKind.LINK), ("ISSUER", ParticipantKind.ISSUER),
           ("BANK", ParticipantKind.SETTLEMENT_BANK))  # fmt: skip
    members = ("A", "B", "C", "D", "AGENT")
    accounts = [("HKSCC", AccountClass.CNS), ("HKSCC", AccountClass.HOUSE), ("ISSUER", AccountClass.ISSUANCE),
                ("BANK", AccountClass.ISSUANCE), *((code, AccountClass.HOUSE) for code in members),
                ("A", AccountClass.CLIENT), ("B", AccountClass.CLIENT)]  # fmt: skip
    return ReferenceBook(
        counters=counters,
        participants=(
            *(Participant(code=code, name=code, kind=of) for code, of in own),
            *(Participant(code=code, name=code, kind=ParticipantKind.DIRECT_CLEARING) for code in members),
        ),
        accounts=tuple(Account(participant=code, account_class=of) for code, of in accounts),
    )


class Story:
    """A house on Monday 5 January 2026, open, with prices; steps of the day run as far as the story says."""

    def __init__(self) -> None:
        """Open the house."""
        self.house, self.told, self.references = House(), [], 0
        self._tell(do.LoadReference(_book()))
        self.book = self.house.resolved
        self._tell(do.OpenDay(MONDAY))
        self.price(PRICES_E4)

    # given

    def give(self, who: str, what: str, amount: int) -> None:
        """Deposit units of a security, or cents."""
        owner, asset = pack([self.account(who)], "i4"), pack([self.asset(what)], "i4")
        self._tell(do.DepositAssets(owner, asset, pack([amount], "i8")))

    def price(self, prices_e4: dict[str, int]) -> None:
        """Fix closing prices."""
        places = [self.book.settlement_counter[self.book.securities.index(isin)] for isin in prices_e4]
        self._tell(do.SetClosingPrices(pack(places, "i4"), pack(list(prices_e4.values()), "i8"), FX_E6))

    def line(self, who: str, currency: str = "HKD", *, credit: int = 0, cap: int = -1, collateral: int = 0) -> int:
        """Set a credit line; returns the floor of the account."""
        unit = CURRENCIES.index(currency)
        return self._tell(do.SetCreditLine(self.account(who), unit, credit, cap, collateral)).floor_cents

    # when

    def send(self, who: str, side: str, to: str, **fields: object) -> tuple[str, int]:
        """Send one order ("delivers" or "receives"); returns its result and number. Amounts are cents.

        Fields: those of ORDER_COLUMNS, and ``isin``, ``kind`` by name, ``money`` (a currency), ``at`` (HH:MM),
        ``account`` ("A/CLIENT"). Left out: 100 shares against 30,000 dollars, due today.
        """
        event, _ = self.submit(who, self.order(who, side, to, **fields), at=str(fields.get("at", "")))
        result = int(np.frombuffer(event.results, np.int8)[0])
        return RESULTS[result], int(np.frombuffer(event.numbers, np.int64)[0])

    def order(self, who: str, side: str, to: str, **fields: object) -> dict[str, int]:
        """Return the columns of one order."""
        self.references += 1
        fields.pop("at", None)
        kind = str(fields.pop("kind", "dvp"))
        moves_stock, moves_money = kind in ("dvp", "fop", "dwp", "dvd"), kind in ("dvp", "dwp", "pfod", "pvp")
        money = str(fields.pop("money", "HKD"))
        isin = str(fields.pop("isin", SHARE))
        row: dict[str, object] = {
            "reference": self.references, "account": self.account(str(fields.pop("account", who))),
            "counterparty": self.book.participant_index[to], "delivers": int(side == "delivers"),
            "trade_day": MONDAY - 4, "intended_day": self.house.position.day, "kind": KINDS.index(kind),
            "security": self.book.securities.index(isin) if moves_stock else -1,
            "currency": CURRENCIES.index(money) if moves_money else -1,
            "quantity": 100 if moves_stock else 0, "amount_cents": 3_000_000 if moves_money else 0,
        }  # fmt: skip
        row.update(fields)
        return {name: int(value) for name, value in row.items()}  # type: ignore[call-overload]

    def submit(self, who: str, *rows: dict[str, int], at: str = "") -> tuple[events.InstructionsSubmitted, dict]:
        """Send several orders in one command; returns the answer and the figures of what settled at once."""
        second = self.house.settlement.clock_s
        if at:
            hours, minutes = at.split(":")
            second = int(hours) * 3600 + int(minutes) * 60
        names = sorted({name for row in rows for name in row})
        defaults = {name: default for name, (_, default) in ORDER_COLUMNS.items()}
        packed = {name: pack([row.get(name, defaults[name]) for row in rows], ORDER_COLUMNS[name][0]) for name in names}
        answer = self._answer(do.SubmitInstructions("story", who, second, packed))
        settled = [event.figures for event in answer.events if isinstance(event, events.InstructionsSettled)]
        return answer.events[0], settled[0] if settled else {}

    def agree(self, giver: str, taker: str, **fields: object) -> int:
        """Send an instruction as already matched by the deliverer; returns its number. Parts are allowed by default."""
        own = str(fields.pop("taker_account", taker))
        result, number = self.send(
            giver.partition("/")[0], "delivers", taker.partition("/")[0], matched=1,
            counterparty_account=self.account(own), **fields,
        )  # fmt: skip
        assert result == "matched", result
        return number

    def trade(self, mode: int, *, buyer: str = "B", seller: str = "A") -> None:
        """Capture a trade of the exchange: 100 shares at 300 (mode 0 continuous net, 1 isolated)."""
        row = {"trade_id": 1, "time_s": 36_000, "counter": 0, "buyer": self.account(buyer),
               "seller": self.account(seller), "quantity": 100, "price_e4": 3_000_000, "mode": mode,
               "maker": 0}  # fmt: skip
        columns = {name: np.array([row[name]], kind) for name, kind in COLUMN_TYPES.items()}
        self._tell(next(iter(Trades("story", self.house.position.day, **columns).commands())))

    def act(self, who: str, number: int, action: str, value: int = 0) -> str:
        """Act on an instruction; returns its status."""
        return self._tell(do.ChangeInstruction(number, action, who, value)).status

    def act_on_order(self, who: str, number: int, action: str, value: int = 0) -> str:
        """Act on an order that has no match; returns its status."""
        return self._tell(do.ChangeOrder(number, action, who, value)).status

    def link(self, who: str, kind: str, *numbers: int) -> None:
        """Link instructions."""
        self._tell(do.LinkInstructions(kind, numbers, who))

    def run(self, name: str) -> dict[str, int]:
        """Run the timetable up to and with a step; returns that step's figures."""
        figures: dict[str, int] = {}
        done = self.house.position.steps_run
        for entry in timetable():
            if entry.name not in done:
                figures = self._tell(do.RunStep(entry.name)).figures
            if entry.name == name:
                return figures
        raise AssertionError(f"no step {name}")

    def next_day(self, days: int = 1) -> dict[str, int]:
        """Finish the day, prove it and open the next settlement day (``days`` times); returns the last proof."""
        proof: dict[str, int] = {}
        for _ in range(days):
            self.run(timetable()[-1].name)
            proof = self._tell(do.CloseDay()).figures
            self._tell(do.OpenDay(settlement_days_after(self.house.position.day, 1)))
        return proof

    def tell(self, command: do.Command) -> object:
        """Carry out any command that must be accepted; returns its event."""
        return self._tell(command)

    def refuse(self, command: do.Command) -> str:
        """Carry out a command that must be refused and leave no trace; returns the reasons."""
        before = self.house.digest()
        answer = step(self.house, command)
        assert isinstance(answer, events.Refused), answer
        assert self.house.digest() == before
        return " | ".join(str(rejection) for rejection in answer.rejections)

    def refuse_act(self, who: str, number: int, action: str, value: int = 0) -> str:
        """Act in vain; returns why."""
        return self.refuse(do.ChangeInstruction(number, action, who, value))

    # then

    def has(self, who: str, what: str) -> int:
        """Return a balance: units, or cents."""
        row = self.house.ledger.find(self.account(who), self.asset(what))
        return 0 if row < 0 else int(self.house.ledger.balance[row])

    def free(self, who: str, what: str) -> int:
        """Return what of a balance is neither on hold nor pledged, credit counted in."""
        row = self.house.ledger.find(self.account(who), self.asset(what))
        return 0 if row < 0 else int(self.house.ledger.available(np.array([row]))[0])

    def status(self, number: int) -> str:
        """Return an instruction's status."""
        return STATUSES[self.cell(number, "status")]

    def priority(self, number: int) -> str:
        """Return an instruction's priority."""
        return PRIORITIES[self.cell(number, "priority")]

    def cell(self, number: int, column: str) -> int:
        """Return one number of an instruction's row."""
        return int(self.house.settlement.instructions.table[column][number])

    def order_status(self, number: int) -> str:
        """Return an order's status."""
        return ORDER_STATUSES[int(self.house.settlement.orders.table["status"][number])]

    def claims(self) -> list[tuple[str, str, str, int]]:
        """Return open claims: kind, payer, payee, cents."""
        table = self.house.settlement.claims.table
        due = np.flatnonzero(table["paid_day"] == 0)
        names = [self.book.account_name(place).removesuffix("/HOUSE") for place in range(len(self.book.book.accounts))]
        return [
            (CLAIM_KINDS[table["kind"][i]], names[table["payer"][i]], names[table["payee"][i]], int(table["cents"][i]))
            for i in due.tolist()
        ]

    def end(self) -> None:
        """Tell the same commands to another house: the same state must come out."""
        again = House()
        for command in self.told:
            step(again, command)
        assert again.digest() == self.house.digest()

    def account(self, who: str) -> int:
        """Return an account by "A" (its house account) or "A/CLIENT"."""
        code, _, of = who.partition("/")
        return self.book.account_index[code, AccountClass(of or "HOUSE")]

    def asset(self, what: str) -> int:
        """Return an asset by currency or ISIN."""
        return CURRENCIES.index(what) if what in CURRENCIES else 4 + self.book.securities.index(what)

    def _answer(self, command: do.Command) -> events.Accepted:
        answer = step(self.house, command)
        assert isinstance(answer, events.Accepted), answer
        self.told.append(command)
        if not isinstance(command, do.RunStep | do.CloseDay):  # what these do is seen after the next one
            assert House.load(self.house.dump()).digest() == self.house.digest()
        self.house.settlement.instructions.check()
        self.house.settlement.orders.check()
        return answer

    def _tell(self, command: do.Command) -> object:
        return self._answer(command).events[0]

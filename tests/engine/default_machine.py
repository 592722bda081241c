"""A stateful machine of defaults: a real house behind a real sequencer, and a plain model that says what it must do.

Three members with own and client accounts trade one share in two monies, move money, are called for margin and fund,
are suspended, reinstated and declared; close-outs, waterfalls, collections and closings follow in any order. The model
keeps dictionaries and does each sum by hand. After every step: contracts, the money of the central counterparty and
what is owed cancel, in both monies; now and then the house is opened again from its journal or a snapshot.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec
from clearing_book import MONDAY, book, trades
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tsingma.basics.columns import pack
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.journal import commands as do
from tsingma.journal import default_commands as default
from tsingma.journal.events import Accepted, Refused
from tsingma.reference.book import Account, AccountClass, Participant, ParticipantKind, ReferenceBook
from tsingma.store.memory import MemoryStore

WHO = ("A", "B", "C")
FX_E6 = (1_000_000, 1_083_333, 7_800_000, 9_000_000)
FUND, DEPOSIT, HOUSE_PART = "HKSCC", 500_000, 40_000
CENTRAL, OWN_HOUSE = 0, 1
OWN = {"A": 4, "B": 6, "C": 8}
CLIENT = {"A": 5, "B": 7, "C": 9}
OWNER = {**{place: who for who, place in OWN.items()}, **{place: who for who, place in CLIENT.items()}}
ACCOUNTS = st.sampled_from(sorted(OWNER))
MEMBERS = st.sampled_from(WHO)
PRICES = st.integers(50_000, 400_000)
TRADES = st.tuples(st.sampled_from((0, 1)), ACCOUNTS, ACCOUNTS, st.integers(1, 900), st.integers(500, 4_000))
CONTRIBUTIONS = st.sampled_from([0, 1_001, 30_001, 60_000, 700_000])


def three_members() -> ReferenceBook:
    """Return the book of the clearing tests with a third member, C."""
    two = book()
    more = tuple(Account(participant="C", account_class=kind) for kind in (AccountClass.HOUSE, AccountClass.CLIENT))
    third = Participant(code="C", name="Gamma", kind=ParticipantKind.DIRECT_CLEARING)
    return msgspec.structs.replace(
        two, participants=(*two.participants, third), accounts=(*two.accounts, *more)
    )  # fmt: skip


class Defaults(RuleBasedStateMachine):
    """People, the house and the model."""

    def __init__(self) -> None:
        """Begin with a house that has a book."""
        super().__init__()
        self.store = MemoryStore()
        self.sequencer = self.opened()
        self.names = self.traded = self.cases = 0
        self.free = dict.fromkeys((*OWNER, OWN_HOUSE), 0)
        self.margin, self.called = dict.fromkeys(OWNER, 0), dict.fromkeys(OWNER, 0)
        self.fund: dict[int, int] = {}
        self.units = dict.fromkeys(OWNER, 0)
        self.cents = {(account, unit): 0 for account in OWNER for unit in (0, 1)}
        self.status = dict.fromkeys(WHO, "active")
        self.numbers: dict[str, int] = {}
        self.owed: dict[tuple[str, int, int], int] = {}
        self.booked: set[str] = set()
        self.assessed: dict[tuple[str, int], int] = {}
        self.written_off = [0, 0]

    def opened(self) -> Sequencer[House]:
        """Return a sequencer over the store."""
        return Sequencer(self.store, House, step, step_all)

    def tell(self, command: do.Command, *, accepted: bool) -> object:
        """Submit under a new id; the model says whether it is accepted. Returns the event."""
        self.names += 1
        before = self.sequencer.state.digest() if not accepted else b""
        answer = self.sequencer.submit([(f"n{self.names}", command)])[0]
        assert isinstance(answer, Accepted) == accepted, (command, answer)
        if isinstance(answer, Refused):
            assert self.sequencer.state.digest() == before
            assert all(one.field and one.message for one in answer.rejections)
            return None
        return answer.events[0]

    @initialize(contributions=st.tuples(CONTRIBUTIONS, CONTRIBUTIONS, CONTRIBUTIONS))
    def begin(self, contributions: tuple[int, ...]) -> None:
        """Open a day with prices, money for everybody, and a fund with a part of the house's own."""
        owners = [*OWNER, OWN_HOUSE]
        columns = (pack(owners, "i4"), pack([0] * len(owners), "i4"), pack([DEPOSIT] * len(owners), "i8"))
        for command in (
            do.LoadReference(three_members()), do.OpenDay(MONDAY),
            do.SetClosingPrices(pack([0], "i4"), pack([200_000], "i8"), FX_E6), do.DepositAssets(*columns),
            default.CallFund("test", FUND, pack([OWN_HOUSE], "i4"), pack([HOUSE_PART], "i8")),
        ):  # fmt: skip
            self.tell(command, accepted=True)
        self.free = dict.fromkeys((*OWNER, OWN_HOUSE), DEPOSIT)
        self.free[OWN_HOUSE] -= HOUSE_PART
        self.fund[OWN_HOUSE] = HOUSE_PART
        for who, cents in zip(WHO, contributions, strict=True):
            self.call_fund(who, cents)

    @rule(made=st.lists(TRADES, min_size=1, max_size=5))
    def trade(self, made: list[tuple[int, int, int, int, int]]) -> None:
        """Trade the share in a money, after every suspension of the day; each trade for itself."""
        for money, buyer, seller, quantity, hundreds in made:
            self.traded += 1
            row = (money, buyer, seller, quantity, hundreds * 100)
            command = next(iter(trades([row], first_id=self.traded).commands()))
            may = all(self.status[OWNER[account]] == "active" for account in (buyer, seller))
            self.tell(command, accepted=may)
            if may:
                for account, sign in ((buyer, 1), (seller, -1)):
                    self.units[account] += sign * quantity
                    self.cents[account, money] += sign * quantity * hundreds

    @rule(giver=ACCOUNTS, taker=ACCOUNTS, part=st.integers(1, 4))
    def transfer(self, giver: int, taker: int, part: int) -> None:
        """Move a part of what is free: who is barred takes, and gives nothing."""
        cents = self.free[giver] * part // 4
        if giver == taker or not cents:
            return
        may = self.status[OWNER[giver]] == "active"
        columns = [pack([one], "i4") for one in (giver, taker, 0)]
        self.tell(do.PostTransfers(*columns, pack([cents], "i8"), pack([0], "i1")), accepted=may)
        if may:
            self.free[giver] -= cents
            self.free[taker] += cents

    @rule(cents=st.lists(st.integers(0, 300_000), min_size=6, max_size=6))
    def call_margin(self, cents: list[int]) -> None:
        """Call everybody anew: what was pledged comes back, what is free is pledged."""
        accounts = sorted(OWNER)
        self.tell(do.CallMargin("test", pack(accounts, "i4"), pack(cents, "i8")), accepted=True)
        for account, required in zip(accounts, cents, strict=True):
            self.free[account] += self.margin[account]
            self.margin[account] = min(required, self.free[account])
            self.free[account] -= self.margin[account]
            self.called[account] = required

    @rule(who=MEMBERS, cents=CONTRIBUTIONS)
    def call_fund(self, who: str, cents: int) -> None:
        """Call a contribution from a member's own account."""
        account, may = OWN[who], self.status[who] == "active"
        command = default.CallFund("test", FUND, pack([account], "i4"), pack([cents], "i8"))
        self.tell(command, accepted=may)
        if may:
            has = self.fund.pop(account, 0)
            self.fund[account] = min(cents, has + self.free[account])
            self.free[account] += has - self.fund[account]
            if not self.fund[account]:
                del self.fund[account]

    @precondition(lambda self: self.traded >= 6)
    @rule(who=MEMBERS, reason=st.sampled_from(["late", " "]))
    def suspend(self, who: str, reason: str) -> None:
        """Suspend a member, for a reason or for none."""
        may = self.status[who] == "active" and reason.strip() != ""
        self.tell(default.SuspendParticipant(who, reason, 0), accepted=may)
        if may:
            self.cases += 1
            self.status[who], self.numbers[who] = "suspended", self.cases

    @rule(who=MEMBERS)
    def reinstate(self, who: str) -> None:
        """Reinstate a member."""
        may = self.status[who] == "suspended"
        self.tell(default.ReinstateParticipant(who, "paid", 0), accepted=may)
        if may:
            self.status[who] = "active"

    @precondition(lambda self: self.traded >= 6)
    @rule(who=MEMBERS, ground=st.sampled_from(["decision", "decision", "failure-of-margin", "failure-to-pay", "none"]))
    def declare(self, who: str, ground: str) -> None:
        """Declare a default on a ground that the model checks as well: nothing is due here, so nothing unpaid."""
        lacks = any(self.margin[account] < self.called[account] for account in (OWN[who], CLIENT[who]))
        shown = ground == "decision" or (ground == "failure-of-margin" and lacks)
        may = self.status[who] in ("active", "suspended") and shown
        self.tell(default.DeclareDefault(who, ground, "so it was decided", 0), accepted=may)
        if may and self.status[who] == "active":
            self.cases += 1
            self.numbers[who] = self.cases
        if may:
            self.status[who] = "declared"

    @rule(account=ACCOUNTS, taker=ACCOUNTS, price=PRICES)
    def close_out(self, account: int, taker: int, price: int) -> None:
        """Give a position to a taker."""
        who = OWNER[account]
        is_open = self.units[account] or self.cents[account, 0] or self.cents[account, 1]
        may = bool(self.status[who] == "declared" and self.status[OWNER[taker]] == "active" and is_open)
        command = default.CloseOutPosition(self.numbers.get(who, 99), account, self.security(), taker, price)
        self.tell(command, accepted=may)
        if not may:
            return
        units = self.units[account]
        value = (abs(units) * price + 50) // 100 * (1 if units >= 0 else -1)
        for unit in (0, 1):
            lost = self.cents[account, unit] - (value if unit == 0 else 0)
            self.owe(who, account, unit, lost)
            self.cents[account, unit] = 0
        self.units[account] = 0
        self.units[taker] += units
        self.cents[taker, 0] += value

    @rule(who=MEMBERS)
    def waterfall(self, who: str) -> None:
        """Book the layers, by hand in the model; a share of a layer is right to the cent."""
        is_open = any(self.units[one] or self.cents[one, 0] or self.cents[one, 1] for one in self.mine(who))
        may = self.status[who] == "declared" and who not in self.booked and not is_open
        event = self.tell(default.BookWaterfall(self.numbers.get(who, 99), FUND), accepted=may)
        if not may:
            return
        self.booked.add(who)
        own, client = OWN[who], CLIENT[who]
        for account in (own, client):
            abroad = self.owed.pop((who, account, 1), 0)
            self.owe(who, account, 0, -(-abroad * FX_E6[1] // 1_000_000))
        gain = max(-self.owed.get((who, own, 0), 0), 0)
        offset = min(gain, max(self.owed.get((who, client, 0), 0), 0))
        self.owe(who, own, 0, offset)
        self.owe(who, client, 0, -offset)
        loss = {account: max(self.owed.get((who, account, 0), 0), 0) for account in (own, client)}
        whole, borne = sum(loss.values()), []
        borne.append(sum(self.take_own(who, *pair) for pair in ((own, own), (client, client), (own, client))))
        left = whole - borne[0]
        survivors = {OWN[one]: self.fund.get(OWN[one], 0)
                     for one in WHO if self.status[one] == "active"}  # fmt: skip
        for payers in ({own: self.fund.get(own, 0)}, {OWN_HOUSE: self.fund[OWN_HOUSE]}, survivors):
            used = min(left, sum(payers.values()))
            self.take_fund(who, payers, used)
            left -= used
            borne.append(used)
        used = min(left, sum(survivors.values()))
        self.assess(who, survivors, used)
        borne.append(used)
        assert event.loss_cents == whole  # type: ignore[attr-defined]
        assert [layer[2] for layer in event.layers] == borne  # type: ignore[attr-defined]
        assert event.uncovered_cents == left - used  # type: ignore[attr-defined]

    @rule(who=MEMBERS, to=MEMBERS)
    def drain(self, who: str, to: str) -> None:
        """Move all that a member has free to another, so that its losses reach the later layers."""
        for account in self.mine(who):
            self.transfer(account, OWN[to], 4)

    @precondition(lambda self: self.traded >= 6)
    @rule(who=MEMBERS, taker=MEMBERS, far=st.booleans())
    def finish(self, who: str, taker: str, far: bool) -> None:
        """Declare, close all out at prices against the defaulter (or near those of the trades), book the layers."""
        if self.status[who] in ("active", "suspended"):
            self.declare(who, "decision")
        for account in self.mine(who):
            against = 390_000 if self.units[account] < 0 else 60_000
            self.close_out(account, OWN[taker], against if far else 210_000)
        self.waterfall(who)

    def take_own(self, who: str, bearer: int, bears: int) -> int:
        """Let margin and free money of an account bear a loss of another (or itself); returns how much."""
        taken = 0
        for purse in (self.margin, self.free):
            part = min(purse[bearer], max(self.owed.get((who, bears, 0), 0), 0))
            purse[bearer] -= part
            self.owe(who, bears, 0, -part)
            taken += part
        return taken

    def take_fund(self, who: str, payers: dict[int, int], used: int) -> None:
        """Take what the house took from contributions, after a look that each share is right."""
        house, total = self.sequencer.state, sum(payers.values())
        for account, has in payers.items():
            taken = has - house.defaults.pledged.get((FUND, account), 0)
            assert abs(Fraction(taken) - (Fraction(used * has, total) if total else 0)) < 1
            if account in self.fund:
                self.fund[account] -= taken
            used_up = taken
            for bears in self.mine(who):
                part = min(used_up, max(self.owed.get((who, bears, 0), 0), 0))
                self.owe(who, bears, 0, -part)
                used_up -= part
        assert total - sum(house.defaults.pledged.get((FUND, account), 0) for account in payers) == used

    def assess(self, who: str, survivors: dict[int, int], used: int) -> None:
        """Take assessments as far as there is money; the share that each was asked for is right to the cent."""
        book, total, asked = self.sequencer.state.defaults, sum(survivors.values()), 0
        borne = [layer for layer in book.borne if layer.case == self.numbers[who] and layer.kind == "assessments"]
        shares = borne[0].borne_by if borne else {}
        for account, has in survivors.items():
            share = shares.get(OWNER[account], 0)
            assert abs(Fraction(share) - (Fraction(used * has, total) if total else 0)) < 1
            asked += share
            self.pay_assessment(who, account, share)
        assert asked == used

    def pay_assessment(self, who: str, account: int, owed: int) -> int:
        """Pay what is free of an assessment; the rest stays owed. Returns what was paid."""
        paid = min(owed, self.free[account])
        self.free[account] -= paid
        self.assessed.pop((who, account), None)
        if owed > paid:
            self.assessed[who, account] = owed - paid
        left = paid
        for bears in self.mine(who):
            part = min(left, max(self.owed.get((who, bears, 0), 0), 0))
            self.owe(who, bears, 0, -part)
            left -= part
        return paid

    @rule(who=MEMBERS)
    def collect(self, who: str) -> None:
        """Collect assessments of a default."""
        may = self.status[who] == "declared"
        event = self.tell(default.CollectAssessments(self.numbers.get(who, 99)), accepted=may)
        if may:
            mine = [(account, owed) for (name, account), owed in sorted(self.assessed.items()) if name == who]
            paid = sum(self.pay_assessment(who, account, owed) for account, owed in mine)
            assert event.paid_cents == paid  # type: ignore[attr-defined]

    @rule(who=MEMBERS, write_off=st.booleans())
    def close(self, who: str, write_off: bool) -> None:
        """Close a default."""
        mine = {key: cents for key, cents in self.owed.items() if key[0] == who}
        is_open = any(self.units[one] or self.cents[one, 0] or self.cents[one, 1] for one in self.mine(who))
        may = self.status[who] == "declared" and not is_open and (not mine or who in self.booked)
        may = may and (write_off or all(cents <= 0 for cents in mine.values()))
        self.tell(default.CloseDefault(self.numbers.get(who, 99), "done", 0, write_off), accepted=may)
        if not may:
            return
        self.status[who] = "closed"
        for (_, account, unit), cents in mine.items():
            if cents > 0:
                self.written_off[unit] += cents
            else:
                self.free[account] -= cents
            self.owe(who, account, unit, -cents)
        self.assessed = {key: cents for key, cents in self.assessed.items() if key[0] != who}
        self.free[OWN[who]] += self.fund.pop(OWN[who], 0)

    @rule()
    def open_again(self) -> None:
        """End the process and recover from the journal, by replay or from a snapshot."""
        before = self.sequencer.state.digest()
        if self.names % 2:
            self.sequencer.snapshot()
        self.sequencer = self.opened()
        assert self.sequencer.state.digest() == before

    @invariant()
    def money_and_debts_are_the_models(self) -> None:
        """Compare every balance, pledge, debt and status."""
        house = self.sequencer.state
        if house.book is None or not house.position.is_open:
            return
        ledger = house.ledger
        for account in (*OWNER, OWN_HOUSE):
            row = ledger.find(account, 0)
            pledged = self.margin.get(account, 0) + self.fund.get(account, 0)
            assert int(ledger.pledged[row]) == pledged, account
            assert int(ledger.balance[row]) == self.free[account] + pledged, account
        found = {(key[0], key[2], key[3]): cents for key, cents in house.defaults.owed.items()}
        assert found == {(self.numbers[who], account, unit): cents for (who, account, unit), cents in self.owed.items()}
        barred = {house.resolved.book.participants[one].code for one in house.defaults.barred}
        assert barred == {who for who in WHO if self.status[who] != "active"}

    @invariant()
    def nothing_is_lost(self) -> None:
        """Contracts, the money of the central counterparty and what is owed cancel; the share is flat."""
        house = self.sequencer.state
        if house.book is None or not house.position.is_open:
            return
        house.defaults.check()
        for unit in (0, 1):
            due = [house.obligations.due(day) for day in house.obligations.days]
            contracts = sum(
                int(one.amount_cents[house.resolved.counter_currency[one.counter] == unit].sum()) for one in due
            )
            central = int(house.ledger.balance[house.ledger.find(CENTRAL, unit)])
            assert central + contracts + house.defaults.owed_in(unit) == 0
            assert house.defaults.written_off.get(unit, 0) == self.written_off[unit]
            assert sum(int(one.quantity.sum()) for one in due) == 0
        assert sum(self.units.values()) == 0

    def security(self) -> int:
        """Return the number of the share that is traded."""
        return int(self.sequencer.state.resolved.counter_security[0])

    def mine(self, who: str) -> tuple[int, int]:
        """Return the accounts of a member, in order."""
        return (OWN[who], CLIENT[who])

    def owe(self, who: str, account: int, unit: int, cents: int) -> None:
        """Add to what a default owes."""
        key = (who, account, unit)
        self.owed[key] = self.owed.get(key, 0) + cents
        if not self.owed[key]:
            del self.owed[key]

"""The books against a plain model.

Goal: balances, holds and pledges follow the rules of design section 1 whatever the order of operations.
Method: a stateful hypothesis machine with plain dictionaries beside the ledger; hand-made cases for borders and dumps.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.kernels.postings import BOOKED
from tsingma.ledger.ledger import NO_FLOOR, Ledger

ISSUER = 9
owners = st.integers(0, 4)
assets = st.integers(0, 2)
amounts = st.integers(-3, 200)


def opened() -> Ledger:
    """Return books with an issuer that may go below zero in three assets."""
    ledger = Ledger()
    ledger.rows(np.full(3, ISSUER, np.int32), np.arange(3, dtype=np.int32), floor=NO_FLOOR)
    return ledger


class Books(RuleBasedStateMachine):
    """The ledger beside three dictionaries."""

    def __init__(self) -> None:
        """Start both empty."""
        super().__init__()
        self.ledger = opened()
        self.balance: dict[tuple[int, int], int] = {}
        self.held: dict[tuple[int, int], int] = {}
        self.pledged: dict[tuple[int, int], int] = {}

    def free(self, key: tuple[int, int]) -> int:
        """Return what the model says is available."""
        return self.balance.get(key, 0) - self.held.get(key, 0) - self.pledged.get(key, 0)

    @rule(owner=owners, asset=assets, amount=amounts)
    def deposit(self, owner: int, asset: int, amount: int) -> None:
        """Bring assets in from the issuer."""
        debit, credit = self.ledger.row(ISSUER, asset), self.ledger.row(owner, asset)
        code = self.ledger.post(np.array([debit]), np.array([credit]), np.array([amount]))[0]
        assert (code == BOOKED) == (amount > 0)
        if code == BOOKED:
            self.balance[owner, asset] = self.balance.get((owner, asset), 0) + amount

    @rule(giver=owners, taker=owners, asset=assets, amount=amounts)
    def transfer(self, giver: int, taker: int, asset: int, amount: int) -> None:
        """Move what is available."""
        debit, credit = self.ledger.row(giver, asset), self.ledger.row(taker, asset)
        failed = self.ledger.post_all(np.array([debit]), np.array([credit]), np.array([amount]))
        legal = amount > 0 and giver != taker and self.free((giver, asset)) >= amount
        assert (failed is None) == legal
        if legal:
            self.balance[giver, asset] -= amount
            self.balance[taker, asset] = self.balance.get((taker, asset), 0) + amount

    @rule(asset=assets, moves=st.lists(st.tuples(owners, owners, st.integers(1, 200)), max_size=6))
    def at_one_instant(self, asset: int, moves: list[tuple[int, int, int]]) -> None:
        """Move what nobody need have one by one, as long as everybody has it in the end."""
        rows = [self.ledger.row(owner, asset) for owner in range(5)]
        change = dict.fromkeys(range(5), 0)
        for giver, taker, amount in moves:
            change[giver] -= amount
            change[taker] += amount
        table = np.array(moves, np.int64).reshape(-1, 3)
        debit, credit = np.array(rows)[table[:, 0]], np.array(rows)[table[:, 1]]
        short = self.ledger.post_together(debit, credit, table[:, 2])
        lacking = [owner for owner in range(5) if change[owner] < 0 and self.free((owner, asset)) + change[owner] < 0]
        assert short == (rows[lacking[0]] if len(lacking) == 1 else short)
        assert (short is None) == (not lacking)
        if not lacking:
            for owner in range(5):
                self.balance[owner, asset] = self.balance.get((owner, asset), 0) + change[owner]

    @rule(owner=owners, asset=assets, amount=amounts, which=st.sampled_from(["held", "pledged"]), take=st.booleans())
    def reserve(self, owner: int, asset: int, amount: int, which: str, take: bool) -> None:
        """Hold or pledge, release or give back."""
        own = self.held if which == "held" else self.pledged
        act = {
            ("held", True): self.ledger.hold,
            ("held", False): self.ledger.release,
            ("pledged", True): self.ledger.pledge,
            ("pledged", False): self.ledger.unpledge,
        }[which, take]
        limit = self.free((owner, asset)) if take else own.get((owner, asset), 0)
        code = act(np.array([self.ledger.row(owner, asset)]), np.array([amount]))[0]
        assert (code == BOOKED) == (0 < amount <= limit)
        if code == BOOKED:
            own[owner, asset] = own.get((owner, asset), 0) + (amount if take else -amount)

    @rule(owner=st.integers(5, 7), asset=assets)
    def open_for_nothing(self, owner: int, asset: int) -> None:
        """Open a row and close it again: nothing may have changed."""
        before, count = self.ledger.digest(), self.ledger.count
        self.ledger.row(owner, asset)
        self.ledger.close_rows(count)
        assert self.ledger.digest() == before
        assert self.ledger.find(owner, asset) == -1

    @rule()
    def dump_and_load(self) -> None:
        """Go on from a dump: nothing may change."""
        before = self.ledger.digest()
        again = Ledger()
        again.load(self.ledger.dump())
        assert again.digest() == before
        self.ledger = again

    @invariant()
    def books_equal_model(self) -> None:
        """Every row equals the model and the ledger proves itself."""
        self.ledger.check()
        for (owner, asset), balance in self.balance.items():
            row = self.ledger.find(owner, asset)
            assert int(self.ledger.balance[row]) == balance
            assert int(self.ledger.held[row]) == self.held.get((owner, asset), 0)
            assert int(self.ledger.pledged[row]) == self.pledged.get((owner, asset), 0)
            assert int(self.ledger.available(np.array([row]))[0]) == self.free((owner, asset))


Books.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestBooks = Books.TestCase


def test_many_rows_grow_and_keep_their_order() -> None:
    """Goal: growth by doubling loses nothing. Method: 10,000 rows in random order, found again one by one."""
    ledger = Ledger()
    chance = np.random.default_rng(1)
    owner, asset = chance.permutation(100).repeat(100).astype(np.int32), np.tile(chance.permutation(100), 100)
    rows = ledger.rows(owner, asset.astype(np.int32))
    assert ledger.count == np.unique(rows).size == 10_000
    for place in range(0, 10_000, 997):
        assert ledger.find(int(owner[place]), int(asset[place])) == rows[place]
        assert (ledger.owner[rows[place]], ledger.asset[rows[place]]) == (owner[place], asset[place])
    assert ledger.find(500, 1) == -1


def test_digest_does_not_depend_on_the_order_of_opening() -> None:
    """Goal: one state, one hash. Method: open the same rows in two orders."""
    one, other = Ledger(), Ledger()
    for owner in range(5):
        one.row(owner, 1)
        other.row(4 - owner, 1)
    assert one.digest() == other.digest()
    other.row(7, 1)
    assert one.digest() != other.digest()


def test_whole_batch_or_nothing() -> None:
    """Goal: post_all names the first bad transfer and books none. Method: the third of four is too large."""
    ledger = opened()
    issuer, member = ledger.row(ISSUER, 0), ledger.row(1, 0)
    debit, credit = np.array([issuer, member, member, issuer]), np.array([member, issuer, issuer, member])
    assert ledger.post_all(debit, credit, np.array([10, 4, 7, 1])) == 2
    assert not ledger.balance.any()
    assert ledger.post_all(debit[:0], credit[:0], np.zeros(0, np.int64)) is None
    assert ledger.post_all(debit, credit, np.array([10, 4, 6, 1])) is None
    assert int(ledger.balance[member]) == 1


def test_borders_are_refused() -> None:
    """Goal: bad numbers and sizes are refused by name. Method: negative owner, unknown row, unequal columns, limit."""
    ledger = Ledger(rows_max=3)
    with pytest.raises(Rejected, match="negative"):
        ledger.row(-1, 0)
    ledger.rows(np.arange(3, dtype=np.int32), np.zeros(3, np.int32))
    with pytest.raises(Rejected, match="4 ledger rows, 3 at most"):
        ledger.row(5, 5)
    one = np.array([1])
    for rows in (np.array([3]), np.array([-1])):
        with pytest.raises(Rejected, match="never opened"):
            ledger.hold(rows, one)
        with pytest.raises(Rejected, match="never opened"):
            ledger.post(rows, one, one)
    with pytest.raises(Rejected, match="differ in length"):
        ledger.post(one, one, np.array([1, 2]))


@pytest.mark.parametrize(
    ("column", "text"),
    [("balance", "sums to"), ("held", "below its floor"), ("pledged", "below its floor"), ("floor", "below its floor")],
)
def test_damaged_dump_is_found(column: str, text: str) -> None:
    """Goal: a dump that contradicts itself is not loaded. Method: raise one number of each column of a good dump."""
    ledger = opened()
    ledger.post(np.array([ledger.row(ISSUER, 0)]), np.array([ledger.row(1, 0)]), np.array([5]))
    parts = ledger.dump()
    values = np.frombuffer(parts[column], "<i8").copy()
    values[ledger.find(1, 0)] += 6
    with pytest.raises(InvariantBroken, match=text):
        Ledger().load({**parts, column: values.tobytes()})


def test_negative_hold_and_short_column_are_found() -> None:
    """Goal: impossible states are named. Method: a dump with a negative hold, one with a column cut short."""
    ledger = opened()
    ledger.row(1, 0)
    parts = ledger.dump()
    values = np.frombuffer(parts["held"], "<i8").copy()
    values[0] = -1
    with pytest.raises(InvariantBroken, match="negative"):
        Ledger().load({**parts, "held": values.tobytes()})
    with pytest.raises(InvariantBroken, match="differ in length"):
        Ledger().load({**parts, "floor": parts["floor"][:-8]})


def test_an_instant_of_impossible_transfers_is_refused() -> None:
    """Goal: no transfer between assets, of less than nothing, or beyond 64 bits. Method: one fault each."""
    ledger = opened()
    issuer, member, other = ledger.row(ISSUER, 0), ledger.row(1, 0), ledger.row(1, 1)
    for credit, amount, message in (
        (other, 1, "cannot be booked"),
        (member, -1, "cannot"),
        (member, 2**61 + 1, "cannot"),
    ):
        with pytest.raises(Rejected, match=message):
            ledger.post_together(np.array([issuer] * 2), np.array([credit] * 2), np.array([amount, 2**61]))
    for _ in range(2):
        assert ledger.post_together(np.array([issuer]), np.array([member]), np.array([2**61])) is None
    assert ledger.post_together(np.array([issuer]), np.array([member]), np.array([1])) == issuer
    second = ledger.row(8, 0, floor=NO_FLOOR)
    with pytest.raises(Rejected, match="would leave 62 bits"):
        ledger.post_together(np.array([second]), np.array([member]), np.array([1]))
    assert int(ledger.balance[member]) == 2**62


def test_many_items_on_few_rows_are_found_as_one_by_one() -> None:
    """Goal: the table finds what the search finds. Method: 10,000 items on 60 rows, some of them new."""
    chance = np.random.default_rng(2)
    owner, asset = chance.integers(0, 6, 10_000).astype(np.int32), chance.integers(0, 10, 10_000).astype(np.int32)
    one, other = opened(), opened()
    one.row(3, 4)
    other.row(3, 4)
    together = one.rows(owner, asset, floor=-5)
    pieces = np.concatenate(
        [other.rows(owner[i : i + 100], asset[i : i + 100], floor=-5) for i in range(0, 10_000, 100)]
    )
    assert (one.owner[together] == owner).all()
    assert (one.asset[together] == asset).all()
    assert one.digest() == other.digest()
    assert (other.owner[pieces] == owner).all()
    with pytest.raises(Rejected, match="negative"):
        one.rows(owner - 1, asset)

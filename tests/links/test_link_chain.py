"""The nominee chain against a plain model: whatever settles, every level adds up, and nobody gets another's stock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.journal.link_commands import ChainHolder, ChainLevel, OpenLink
from tsingma.links.chain import Chain, Chains

SECURITIES, DAY = 2, 10
LEVELS = (
    ChainLevel("investor", "segregated", "participant"), ChainLevel("participant", "omnibus", "HOUSE"),
    ChainLevel("HOUSE", "omnibus", "CSD"),
)  # fmt: skip
HOLDERS = (
    ChainHolder(2, "HOUSE", -1),
    ChainHolder(1, "P1", 0, account=5), ChainHolder(1, "P2", 0, account=7),
    ChainHolder(0, "I1", 1), ChainHolder(0, "I2", 1), ChainHolder(0, "I3", 2), ChainHolder(0, "I4", 2),
)  # fmt: skip
PARENT = {3: 5, 4: 5, 5: 7, 6: 7}  # account over each investor


def opened(holders: tuple[ChainHolder, ...] = HOLDERS) -> OpenLink:
    """Return a direction of four investors under two participants."""
    return OpenLink("link", "north", "LINK", LEVELS, holders)


class Ledger:
    """Units by (account, security), as the house's ledger would answer."""

    def __init__(self) -> None:
        self.units: dict[tuple[int, int], int] = {}

    def __call__(self, accounts: np.ndarray) -> np.ndarray:
        rows = [[self.units.get((int(one), security), 0) for security in range(SECURITIES)] for one in accounts]
        return np.array(rows, np.int64)


trade = st.tuples(
    st.sampled_from([3, 4, 5, 6]), st.integers(0, 1), st.integers(-50, 50).filter(bool), st.integers(8, 11)
)


@given(st.lists(trade, max_size=12), st.lists(st.integers(0, 100), min_size=4, max_size=4), st.booleans())
def test_settlement_reaches_those_who_traded(
    rows: list[tuple[int, int, int, int]], parts: list[int], reload: bool
) -> None:
    """Goal: partial and whole settlement end with each investor. Method: settle shares of each net, then the rest.

    A plain sum of the trades that are due says who must hold what in the end; every level is checked on the way.
    """
    chain, ledger = Chain(opened(), SECURITIES), Ledger()
    columns = [np.array([row[place] for row in rows], np.int64) for place in range(4)]
    chain.expect(*columns)
    due = [row for row in rows if row[3] <= DAY]
    net: dict[tuple[int, int], int] = {}
    for holder, security, quantity, _ in due:
        key = (PARENT[holder], security)
        net[key] = net.get(key, 0) + quantity
    for place, key in enumerate(sorted(net)):  # a part of each net settles first
        ledger.units[key] = int(net[key] * parts[place] / 100)
    chain.follow(ledger, DAY)
    chain.check(ledger, chain.held[[1, 2]].sum(axis=0), np.zeros(SECURITIES, np.int64))
    if reload:
        chain = Chain.load(chain.dump())
    ledger.units = dict(net)
    chain.follow(ledger, DAY)
    chain.check(ledger, chain.held[[1, 2]].sum(axis=0), np.zeros(SECURITIES, np.int64))
    for holder in PARENT:
        for security in range(SECURITIES):
            wanted = sum(row[2] for row in due if row[:2] == (holder, security))
            assert chain.held[holder, security] == wanted
    assert sorted(chain.waiting["due_day"].tolist()) == sorted(row[3] for row in rows if row[3] > DAY)
    assert chain.follow(ledger, DAY) == 0, "nothing moved: nothing changes"


@given(st.lists(st.tuples(st.sampled_from([5, 7]), st.integers(0, 1), st.integers(-30, 60)), max_size=10))
def test_what_no_trade_explains_is_the_first_holders(moves: list[tuple[int, int, int]]) -> None:
    """Goal: deposits and transfers stay on the chain. Method: random movements without trades, summed plainly."""
    chain, ledger = Chain(opened(), SECURITIES), Ledger()
    for account, security, units in moves:
        ledger.units[account, security] = ledger.units.get((account, security), 0) + units
        chain.follow(ledger, DAY)
    for account, first, others in ((5, 3, (4,)), (7, 5, (6,))):
        for security in range(SECURITIES):
            assert chain.held[first, security] == ledger.units.get((account, security), 0)
            assert all(chain.held[other, security] == 0 for other in others)
    assert chain.held[0].tolist() == chain.held[[1, 2]].sum(axis=0).tolist()


@pytest.mark.parametrize(
    ("place", "text"), [(0, "those for whom it holds"), (1, "what the ledger does"), (3, "those for")]
)
def test_a_chain_that_does_not_add_up_is_found(place: int, text: str) -> None:
    """Goal: a wrong unit at any level stops the day. Method: add one share at the top, in the ledger's level, below."""
    chain, ledger = Chain(opened(), SECURITIES), Ledger()
    ledger.units[5, 0] = 100
    chain.follow(ledger, DAY)
    issued, nobody = np.array([100, 0]), np.zeros(SECURITIES, np.int64)
    chain.check(ledger, issued, nobody)
    chain.held[place, 0] += 1
    with pytest.raises(InvariantBroken, match=text):
        chain.check(ledger, issued, nobody)
    chain.held[place, 0] -= 1
    with pytest.raises(InvariantBroken, match="what is issued"):
        chain.check(ledger, issued + 1, nobody)


@pytest.mark.parametrize(
    ("holders", "text"),
    [
        ((), "0 holders"),
        ((*HOLDERS[:3], ChainHolder(0, "I1", 0)), "next level"),
        ((*HOLDERS[:3], ChainHolder(1, "P3", -1)), "next level"),
        ((ChainHolder(2, "HOUSE", -1), ChainHolder(1, "P1", 0), ChainHolder(0, "I1", 1)), "keeps none"),
        (
            (ChainHolder(2, "H", -1, account=1), ChainHolder(1, "P1", 0, account=2), ChainHolder(0, "I", 1)),
            "or several",
        ),
        ((*HOLDERS, ChainHolder(1, "P3", 0, account=5), ChainHolder(0, "I5", 7)), "two holders have one account"),
    ],
)
def test_holders_that_are_no_chain_are_refused(holders: tuple[ChainHolder, ...], text: str) -> None:
    """Goal: a direction opens only on a chain that the ledger cuts once. Method: break its form in one way each."""
    with pytest.raises(Rejected, match=text):
        Chain(opened(holders), SECURITIES)


def test_trades_of_nobody_are_refused_and_chains_are_dumped_whole() -> None:
    """Goal: bad names are refused whole; a dump comes back. Method: a nominee as holder; a round trip of two chains."""
    chains = Chains()
    assert chains.dump() == {}
    chains.chains = [Chain(opened(), SECURITIES), Chain(opened(), SECURITIES)]
    one = np.array([1], np.int64)
    with pytest.raises(Rejected, match="holder 1"):
        chains.chain(0).expect(one, one * 0, one, one)
    assert not chains.chain(0).waiting["holder"].size
    with pytest.raises(Rejected, match="no direction 2"):
        chains.chain(2)
    chains.chain(1).expect(np.array([3, 4]), np.array([0, 1]), np.array([5, -5]), np.array([9, 9]))
    chains.lodged = {(1, 0): 700}
    again = Chains()
    again.load(chains.dump())
    assert again.dump() == chains.dump()
    again.load({})
    assert again.dump() == {}

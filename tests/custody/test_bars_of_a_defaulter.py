"""Bars of a defaulter's client: their register follows what was ported, and nothing else of theirs moves."""

from __future__ import annotations

import pytest
from custody_story import ISIN, CustodyStory

from tsingma.engine.step import step
from tsingma.journal import custody_commands as custody
from tsingma.journal import default_commands as default
from tsingma.journal.events import Refused
from tsingma.reference.terms import Product


@pytest.mark.parametrize("booked", [True, False])
def test_the_register_of_bars_follows_a_port(booked: bool) -> None:
    """Goal: whose bars they are, after a port. Method: units ported, bars re-registered; free moves are refused."""
    story = CustodyStory()
    story.register("BARS", Product.GOLD, payer="VAULT")
    client, to = story.account("A/CLIENT"), story.account("B/CLIENT")
    story.tell(custody.DepositBar(ISIN["BARS"], client, "R1", "REFINER", 1_000_000, 9_999))
    story.tell(default.DeclareDefault("A", "decision", "it cannot pay", 1_767_571_200))
    story.tell(default.PortAccount(1, client, to))
    answer = step(story.house, custody.MoveBars(ISIN["BARS"], client, to, ("R1",), booked))
    assert isinstance(answer, Refused) is not booked
    if booked:
        assert story.house.custody.bars.of(story.asset("BARS"), to, ("R1",)) == [0]

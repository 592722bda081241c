"""A day of custody, its machine stopped at every write; old journals; answers that survive.

Goal: a life of products is as safe as every other day: nothing acknowledged is lost, nothing is doubled, the same hash.
Method: the simulated disk stops at a sample of its operations (every one with ``-m soak``) on a day of thirty commands.
"""

from __future__ import annotations

import pytest

pytest.importorskip("apsw")

from custody_story import ISIN, CustodyStory, day

from tsingma.journal import custody_commands as custody
from tsingma.journal.commands import Command, decode, encode
from tsingma.journal.events import decode_answer, encode_answer
from tsingma.reference.terms import Product
from tsingma.simulate.every_write import crash_everywhere


def _day() -> list[tuple[str, Command]]:
    """Return the commands of two days: tender, issue, repo with substitution, fund, gold, currency future."""
    story = CustodyStory()
    for who in "AB":
        story.give(who, "CNY", 90_000_000)
        story.give(who, "USD", 90_000_000)
    story.register("BOND", issue_day=day(2026, 1, 6))
    story.register("FUND", Product.FUND, payer="TRUST")
    story.register("BARS", Product.GOLD, payer="VAULT")
    story.tell(custody.OpenOffer(ISIN["BOND"], "single-price", 1_000, 100, day(2026, 1, 6)))
    story.tell(custody.PlaceBid(0, story.account("A"), 700, 1_001_000))
    story.tell(custody.PlaceBid(0, story.account("B"), 700, 1_000_000))
    story.tell(custody.AllotOffer(0))
    story.next_day()
    story.tell(custody.SettleOffer(0))
    story.price({"BOND": 1_000_000})
    repo = ("CNY", 5_000_000, 18_000_000, "ACT/365F", 0, 1_020_000_000, (ISIN["BOND"],), (600,))
    story.tell(custody.OpenRepo(story.account("A"), story.account("B"), *repo))
    story.tell(custody.ChangeCollateral(0, (ISIN["BOND"],), (10,), (ISIN["BOND"],), (50,)))
    story.tell(custody.PublishComposition(ISIN["FUND"], 100, (ISIN["BOND"],), (5,), 60_000))
    story.tell(custody.DealUnits(ISIN["FUND"], story.account("B"), 2))
    story.tell(custody.DepositBar(ISIN["BARS"], story.account("A"), "R1", "REFINER", 1_000_000, 9_999))
    story.tell(custody.MoveBars(ISIN["BARS"], story.account("A"), story.account("B"), ("R1",)))
    story.tell(custody.SettleCurrencyFuture("CUS", story.account("A"), story.account("B"), 1, 69_721))
    story.tell(custody.CloseRepo(0))
    story.next_day()
    return [(f"custody-{number}", command) for number, command in enumerate(story.told)]


def test_every_command_and_answer_survives_its_encoding() -> None:
    """Goal: the journal holds what was said. Method: commands and answers of the day, encoded and decoded."""
    from tsingma.engine.house import House
    from tsingma.engine.step import step

    house = House()
    for _, command in _day():
        assert decode(encode(command)) == command
        answer = step(house, command)
        assert decode_answer(encode_answer(answer)) == answer


def test_crashes_at_a_sample_of_writes() -> None:
    """Goal: recovery on every run. Method: one operation of the disk in 61, each way of losing power."""
    commands = _day()
    report = crash_everywhere(commands, stride=61, snapshot_every=17)
    assert report.records == len(commands)
    assert report.crashes > 5
    assert report.durable > 0


@pytest.mark.soak
def test_crashes_at_every_write() -> None:
    """Goal: no operation is left out. Method: all of them."""
    commands = _day()
    report = crash_everywhere(commands, snapshot_every=17)
    assert report.crashes == report.operations
    assert report.records == len(commands)

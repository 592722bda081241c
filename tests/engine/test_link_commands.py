"""Commands on links in a house: opening a direction, holders, lodged margin, conversion; refusals leave no trace."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import pytest

from tsingma.app.link_book import LinkBook, link_book
from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import Command, DepositAssets, LoadReference, PostTransfers
from tsingma.journal.events import Accepted, Event, Refused
from tsingma.journal.link_commands import ConvertMoney, LodgeMargin, NameHolders
from tsingma.journal.link_events import MarginLodged, MoneyConverted
from tsingma.links.machine import plan_link
from tsingma.links.rule_file import shipped_rules

HKD, CNY = CURRENCIES.index("HKD"), CURRENCIES.index("CNY")
FX = (1_000_000, 1_080_000, 7_800_000, 8_500_000)


@pytest.fixture
def setting() -> tuple[House, LinkBook]:
    """Return a house with the northbound direction of a shipped link open and some money in its accounts."""
    rules = shipped_rules("stock-connect-shanghai")
    book = link_book(rules, plan_link(rules, date(2026, 3, 2)))
    house = House()
    one = book.directions[0]
    source = one.opens.lodgings[0].source
    for command in (
        LoadReference(book.resolved.book),
        one.opens,
        DepositAssets(pack([source, one.home[0]], "i4"), pack([CNY, HKD], "i4"), pack([1_000, 500], "i8")),
    ):
        assert isinstance(step(house, command), Accepted)
    house.fx_e6 = FX
    return house, book


def told(house: House, command: Command) -> Event:
    """Carry out a command that must be accepted."""
    answer = step(house, command)
    assert isinstance(answer, Accepted), answer
    return answer.events[0]


def refused(house: House, command: Command) -> RejectionReason:
    """Carry out a command that must be refused and leave the state as it was."""
    before = house.digest()
    answer = step(house, command)
    assert isinstance(answer, Refused), answer
    assert house.digest() == before
    return answer.rejections[0].reason


def balance(house: House, account: int, unit: int) -> tuple[int, int]:
    """Return what an account holds of a money, and what of it is set aside."""
    row = house.ledger.find(account, unit)
    return (0, 0) if row < 0 else (int(house.ledger.balance[row]), int(house.ledger.pledged[row]))


def test_margin_goes_to_the_other_house_and_comes_back(setting: tuple[House, LinkBook]) -> None:
    """Goal: lodged margin is an account in the books, out of reach, in no default fund. Method: up, down, too much."""
    house, book = setting
    one = book.directions[0]
    terms = one.opens.lodgings[0]
    assert terms.outside_default_fund
    event = told(house, LodgeMargin(0, 0, 600, "a test"))
    assert event == MarginLodged(terms.lodger, terms.holder, 600, 600)
    assert balance(house, terms.source, CNY) == (400, 0)
    assert balance(house, terms.account, CNY) == (600, 600)
    out = PostTransfers(
        pack([terms.account], "i4"), pack([terms.source], "i4"), pack([CNY], "i4"), pack([1], "i8"), b"\0"
    )
    told(house, out)
    assert balance(house, terms.account, CNY) == (600, 600), "what is lodged cannot be moved away"
    assert refused(house, LodgeMargin(0, 0, 1_001, "a test")) is RejectionReason.INSUFFICIENT
    assert told(house, LodgeMargin(0, 0, 250, "a test")) == MarginLodged(terms.lodger, terms.holder, 250, -350)
    assert balance(house, terms.source, CNY) == (750, 0)
    assert balance(house, terms.account, CNY) == (250, 250)
    again = House.load(house.dump())
    assert again.digest() == house.digest()
    assert told(again, LodgeMargin(0, 0, 0, "a test")) == MarginLodged(terms.lodger, terms.holder, 0, -250)


def test_money_is_converted_at_the_days_rate_whole_or_not_at_all(setting: tuple[House, LinkBook]) -> None:
    """Goal: both legs at one instant, all accounts or none. Method: buy a sum, sell a sum, one account too poor."""
    house, book = setting
    rich, poor = book.directions[0].home[:2]

    def convert(accounts: list[int], sell: list[int], buy: list[int]) -> ConvertMoney:
        return ConvertMoney("bank", HKD, CNY, pack(accounts, "i4"), pack(sell, "i8"), pack(buy, "i8"))

    assert told(house, convert([rich], [0], [100])) == MoneyConverted(1, 108, 100)
    assert told(house, convert([rich], [108], [0])) == MoneyConverted(1, 108, 100)
    assert balance(house, rich, HKD) == (500 - 216, 0)
    assert balance(house, rich, CNY) == (200, 0)
    assert refused(house, convert([rich, poor], [0, 0], [10, 10])) is RejectionReason.INSUFFICIENT
    assert refused(house, convert([rich], [5], [5])) is RejectionReason.OUT_OF_RANGE
    assert refused(house, convert([rich], [-5], [0])) is RejectionReason.OUT_OF_RANGE
    assert refused(house, convert([], [], [])) is RejectionReason.MALFORMED
    assert refused(house, convert([house.internal.cns], [5], [0])) is RejectionReason.UNKNOWN
    house.fx_e6 = (1_000_000, 0, 0, 0)
    assert refused(house, convert([rich], [5], [0])) is RejectionReason.MISSING


def test_a_direction_is_opened_once_and_on_a_market_of_the_book(setting: tuple[House, LinkBook]) -> None:
    """Goal: what names nothing is refused. Method: again, another market, another account, a holder of no level."""
    house, book = setting
    opens = book.directions[0].opens
    replace = msgspec.structs.replace
    assert refused(house, opens) is RejectionReason.DUPLICATE
    assert refused(house, replace(opens, direction="x", market="MOON")) is RejectionReason.UNKNOWN
    holders = (*opens.holders[:1], *(replace(one, account=999) for one in opens.holders[1:2]))
    assert refused(house, replace(opens, direction="x", holders=holders)) is RejectionReason.UNKNOWN
    lodging = replace(opens.lodgings[0], account=opens.lodgings[0].source)
    assert refused(house, replace(opens, direction="x", lodgings=(lodging,))) is RejectionReason.MALFORMED
    one = pack([0], "i4")
    assert refused(house, NameHolders(0, one, one, pack([5], "i8"), one)) is RejectionReason.UNKNOWN
    assert refused(house, NameHolders(9, one, one, pack([5], "i8"), one)) is RejectionReason.UNKNOWN
    leaf = pack([len(opens.holders) - 1], "i4")
    assert refused(house, NameHolders(0, leaf, b"", pack([5], "i8"), one)) is RejectionReason.MALFORMED
    assert refused(house, LodgeMargin(0, 7, 1, "")) is RejectionReason.UNKNOWN
    assert refused(house, LodgeMargin(0, 0, -1, "")) is RejectionReason.OUT_OF_RANGE
    assert np.all(house.chains.chain(0).held == 0)

"""Markets as data: the house's own as before, and one that a book brings with calendar, cycle, steps and charges."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected
from tsingma.reference.book import Account, AccountClass, Participant, ParticipantKind, ReferenceBook, resolve
from tsingma.reference.calendars import CalendarTable, Closure, calendar
from tsingma.reference.fees import charges
from tsingma.reference.kinds import InstrumentKind, TariffLine
from tsingma.reference.markets import MarketRule, Markets, MarketStep, shipped_markets
from tsingma.settlement.timetable import step_named, timetable

HOLIDAY = date(2026, 3, 4)
TABLE = CalendarTable("XFAR", (Closure(HOLIDAY, "a holiday far away"),))
FEE = TariffLine(
    name="fee", market="FAR", kinds=(InstrumentKind.COMMODITY,), valid_from=date(2026, 1, 1), rate_e9=100_000,
    rounding="cent", currency="trade", side="buy", source="this test",
)  # fmt: skip
FAR = MarketRule(
    code="FAR", name="Far market", trading=("XHKG", "XFAR"), settlement=("XHKG.settlement", "XFAR"),
    money=("XHKG.settlement", "XFAR"), stock_days=1, money_days=1, modes=("cns",), source="this test", charges=(FEE,),
    own_steps=(
        MarketStep("FAR/stock", "11:15", "batch-settlement-run"), MarketStep("FAR/money", "11:45", "money-settlement"),
    ),
    link="far",
)  # fmt: skip


def test_the_houses_own_markets_come_first_with_the_numbers_they_had() -> None:
    """Goal: older journals keep their indices and hashes. Method: numbers; a book without markets encodes as before."""
    assert shipped_markets().codes == ("XHKG", "XSHG", "XSHE", "CMU")
    assert Markets((FAR,), (TABLE,)).codes == ("XHKG", "XSHG", "XSHE", "CMU", "FAR")
    book = ReferenceBook(counters=(), participants=(), accounts=())
    older = msgspec.msgpack.encode({"counters": [], "participants": [], "accounts": []})
    assert msgspec.msgpack.encode(book) == older
    assert msgspec.msgpack.decode(older, type=ReferenceBook) == book


def test_a_market_of_a_book_has_its_own_cycle_steps_and_charges() -> None:
    """Goal: nothing of a market is in code. Method: its holiday, its T+1, its steps in the day, its one charge."""
    markets = Markets((FAR,), (TABLE,))
    assert not markets.trading(HOLIDAY)["FAR"]
    assert "FAR" not in markets.settlement_days(HOLIDAY)
    tuesday, thursday = date(2026, 3, 3), date(2026, 3, 5)
    assert markets.settlement_days(tuesday)["FAR"] == (to_day(thursday), to_day(thursday)), "the holiday is passed over"
    assert markets.settlement_days(tuesday)["XHKG"] == shipped_markets().settlement_days(tuesday)["XHKG"]
    assert markets.paying((0, 4), HOLIDAY) == (0,)
    assert step_named("FAR/stock", markets).markets == (4,)
    assert 4 in step_named("fails-and-fees", markets).markets, "a step for every market is for this one too"
    assert step_named("batch-settlement-run-1", markets).markets == (0,)
    assert [step.name for step in timetable(markets) if step.name not in {one.name for one in timetable()}] == [
        "FAR/stock", "FAR/money",
    ]  # fmt: skip
    asked = {"kind": InstrumentKind.COMMODITY, "amount_cents": 1_000_000, "currency": "CNY", "day": tuesday}
    lines = charges(market=FAR, side="buy", fx_e6=1_080_000, **asked)
    assert [(line.name, line.amount_cents) for line in lines] == [("fee", 100)]
    assert charges(market=FAR, side="sell", fx_e6=1_080_000, **asked) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"code": "XHKG"}, "is a market already"),
        ({"modes": ("barter",)}, "at least one of cns, isolated, dvp"),
        ({"trading": ("XMOON",)}, "no calendar 'XMOON'"),
        ({"money": ()}, "no calendar is named"),
        ({"stock_days": 31}, "0 to 30 days"),
        ({"steps": ("tea-time",)}, "no step 'tea-time'"),
        ({"own_steps": (MarketStep("x", "25:00", "money-settlement"),)}, "is no step"),
        ({"own_steps": (MarketStep("x", "10:00", "tea"),)}, "is no step"),
    ],
)
def test_a_bad_market_is_refused_with_its_reason(change: dict[str, object], text: str) -> None:
    """Goal: a book with an impossible market is refused whole. Method: spoil one field; the house cannot load it."""
    from tsingma.engine.house import House

    own = (("HKSCC", AccountClass.CNS), ("HKSCC", AccountClass.HOUSE), ("ISSUER", AccountClass.ISSUANCE),
           ("BANK", AccountClass.ISSUANCE))  # fmt: skip
    kinds = {"HKSCC": ParticipantKind.HOUSE, "ISSUER": ParticipantKind.ISSUER, "BANK": ParticipantKind.SETTLEMENT_BANK}
    book = ReferenceBook(
        counters=(),
        participants=tuple(Participant(code=code, name=code, kind=kind) for code, kind in kinds.items()),
        accounts=tuple(Account(participant=code, account_class=one) for code, one in own),
        markets=(msgspec.structs.replace(FAR, **change),),
        calendars=(TABLE,),
    )
    house = House()
    with pytest.raises(Rejected, match=text):
        house.install(book)
    assert house.book is None
    house.install(msgspec.structs.replace(book, markets=(FAR,)))
    assert resolve(book if house.book is None else house.book).markets.codes[-1] == "FAR"


@given(st.dates(date(2024, 1, 2), date(2026, 11, 30)), st.integers(0, 5), st.integers(0, 5))
def test_due_days_are_counted_on_the_joint_calendar(day: date, stock_days: int, money_days: int) -> None:
    """Goal: a cycle counts days on which all its calendars are open. Method: a plain count, day by day."""
    names = ("XHKG.settlement", "XSHG")
    rule = msgspec.structs.replace(FAR, settlement=names, money=names, stock_days=stock_days, money_days=money_days)
    open_days = [
        one for one in calendar(names[0]).days(day, date(2026, 12, 31)) if calendar(names[1]).is_business_day(one)
    ]
    later = [one for one in open_days if one > day]
    wanted = tuple(later[count - 1] if count else day for count in (stock_days, money_days))
    assert Markets((rule,), (TABLE,)).due(rule, day) == wanted

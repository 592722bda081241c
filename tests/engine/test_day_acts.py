"""Steps of a day under four-eyes in the engine: an approval brings along what was proposed, or it is refused."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from clearing_book import CNS, MONDAY, A, B, book, trades
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejected
from tsingma.clearing.trades import Trades
from tsingma.engine.day_acts import CONTENTS_MAX, figures_of, hash_of
from tsingma.engine.day_plan import TOGETHER, PlanKind, day_plan, kind_of, step_id, trades_name
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.act_commands import DecideAct, ProposeAct, RunDayStep
from tsingma.journal.act_events import ActDecided, ActProposed
from tsingma.journal.carried_out import events_of
from tsingma.journal.commands import (
    CallMargin,
    CaptureDerivatives,
    CloseDay,
    CollectClaims,
    Command,
    LoadReference,
    OpenDay,
    RunStep,
    SetClosingPrices,
    encode,
)
from tsingma.journal.events import Accepted, Refused
from tsingma.settlement.timetable import timetable

FIRST = timetable()[0].name
PRICES = SetClosingPrices(pack([0], "i4"), pack([3_000_000], "i8"), (1_000_000, 1_080_000, 7_800_000, 8_500_000))


def house(*commands: Command) -> House:
    """Return a house with the book that was told commands."""
    found = House()
    for command in (LoadReference(book()), *commands):
        assert isinstance(step(found, command), Accepted)
    return found


def told(found: House, name: str, *commands: Command) -> RunDayStep:
    """Return the step of Monday that commands make."""
    contents = tuple(hash_of(encode(one)) for one in commands)
    return RunDayStep(MONDAY, name, contents, figures_of(found, commands))


def decided(found: House, proposal: RunDayStep, *commands: Command, decision: str = "approve") -> Accepted | Refused:
    """Propose, and decide with commands; returns the first refusal."""
    proposed = step(found, ProposeAct(encode(proposal), "chan", "c", 1, 60))
    if isinstance(proposed, Refused):
        return proposed
    first = proposed.events[0]
    assert isinstance(first, ActProposed)
    bodies = tuple(encode(one) for one in commands)
    return step(found, DecideAct(first.act, decision, "lee", "l", 2, bodies))  # type: ignore[arg-type]


def many(count: int, *, bad: int = -1) -> Trades:
    """Return trades of the first counter; one of them may be between the house and itself."""
    rows = [(0, CNS if place == bad else A, B, 100, 3_000_000) for place in range(count)]
    return trades(rows)


def test_the_plan_is_whole_and_in_turn() -> None:
    """Goal: one list. Method: the timetable in it in order; what a step needs stands before it; ids differ."""
    plan = day_plan()
    names = [one.name for one in plan]
    assert [one.name for one in plan if one.kind is PlanKind.TIMETABLE] == [entry.name for entry in timetable()]
    assert len({step_id(MONDAY, name) for name in names}) == len(names)
    for place, one in enumerate(plan):
        assert set(one.needs) <= set(names[:place])
        assert not one.until or names.index(one.until) > place
        assert kind_of(one.name) is one.kind
    assert names[0] == "open"
    assert names[-1] == "close"
    assert kind_of(trades_name("0" * 64)) is PlanKind.TRADES
    assert kind_of("margin-call/intraday-2") is PlanKind.MARGIN_CALL
    for wrong in ("margin-call/2", "prices/intraday-", "trades/", "batch", ""):
        with pytest.raises(Rejected, match="a day has no step"):
            kind_of(wrong)


def test_what_is_approved_is_what_was_proposed() -> None:
    """Goal: no other command, figure or day slips in. Method: change each after the proposal; the state stays."""
    other = msgspec.structs.replace(PRICES, fx_e6=(1_000_000, 1, 1, 1))
    changes: list[tuple[Callable[[RunDayStep], RunDayStep], tuple[Command, ...], str]] = [
        (lambda one: one, (other,), "not what was proposed"),
        (lambda one: one, (), "not what was proposed"),
        (lambda one: one, (PRICES, PRICES), "not what was proposed"),
        (
            lambda one: msgspec.structs.replace(one, figures={**one.figures, "prices": 2}),
            (PRICES,),
            "counts and totals",
        ),
        (lambda one: msgspec.structs.replace(one, day=MONDAY + 1), (PRICES,), "is not open"),
        (lambda one: msgspec.structs.replace(one, name="margin-call"), (PRICES,), "is not what 'margin-call' does"),
        (lambda one: msgspec.structs.replace(one, name=FIRST), (PRICES,), "is not what"),
    ]
    for change, brought, message in changes:
        found = house(OpenDay(MONDAY))
        before = {name: part for name, part in found.dump().items() if not name.startswith("acts.")}
        answer = decided(found, change(told(found, "prices", PRICES)), *brought)
        assert isinstance(answer, Refused), message
        assert message in answer.rejections[0].message
        assert {name: part for name, part in found.dump().items() if not name.startswith("acts.")} == before
        assert len(found.acts.pending()) == 1  # it goes on waiting
    found = house(OpenDay(MONDAY))
    done = decided(found, told(found, "prices", PRICES), PRICES)
    assert isinstance(done, Accepted)
    assert isinstance(done.events[0], ActDecided)
    twin = house(OpenDay(MONDAY), PRICES)
    assert events_of(done) == events_of(step(house(OpenDay(MONDAY)), PRICES))
    assert found.price_e4.tolist() == twin.price_e4.tolist()


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        (FIRST + TOGETHER, {}, "does this itself"),
        ("no-such-step", {}, "has no step"),
        ("prices", {"contents": ()}, "no list of SHA-256"),
        ("prices", {"contents": (b"short",)}, "no list of SHA-256"),
        ("prices", {"contents": (bytes(32), bytes(32))}, "no list of SHA-256"),
        (trades_name("ab"), {"contents": (bytes(32),) * (CONTENTS_MAX + 1)}, "no list of SHA-256"),
        ("prices", {"file": b"short"}, "no list of SHA-256"),
        ("prices", {"source": "x" * 201}, "more than 200"),
    ],
    ids=["together", "unknown", "none", "short", "two", "many", "file", "source"],
)
def test_what_is_no_step_is_not_proposed(name: str, changed: dict[str, object], message: str) -> None:
    """Goal: bounded proposals. Method: wrong ones of each field."""
    found = house(OpenDay(MONDAY))
    proposal = msgspec.structs.replace(RunDayStep(MONDAY, name, (bytes(32),), {}), **changed)
    answer = decided(found, proposal)
    assert isinstance(answer, Refused)
    assert message in answer.rejections[0].message
    assert not found.acts.pending()


def test_a_step_is_not_told_by_itself_and_others_bring_nothing() -> None:
    """Goal: two people for each step. Method: the bare command; bodies with a rejection and with another act."""
    found = house(OpenDay(MONDAY))
    proposal = told(found, "prices", PRICES)
    bare = step(found, proposal)
    assert isinstance(bare, Refused)
    assert "second person" in bare.rejections[0].message
    assert isinstance(decided(found, proposal, PRICES, decision="reject"), Refused)
    step(found, ProposeAct(encode(CollectClaims()), "chan", "c", 1, 60))
    brought = step(found, DecideAct(found.acts.numbered, "approve", "lee", "l", 2, (encode(PRICES),)))
    assert isinstance(brought, Refused)
    assert isinstance(step(found, DecideAct(found.acts.numbered, "approve", "lee", "l", 2)), Accepted)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(1, 40), st.integers(-1, 39))
def test_trades_that_fill_several_commands_are_taken_whole(count: int, chunk: int, bad: int) -> None:
    """Goal: all or none. Method: trades cut anywhere, one perhaps faulty; against the commands one by one on a twin."""
    chosen = list(many(count, bad=bad).commands(chunk))
    found = house(OpenDay(MONDAY))
    before = {name: part for name, part in found.dump().items() if not name.startswith("acts.")}
    if len(chosen) > CONTENTS_MAX:
        return
    answer = decided(found, told(found, trades_name("ab"), *chosen), *chosen)
    after = {name: part for name, part in found.dump().items() if not name.startswith("acts.")}
    if 0 <= bad < count:
        assert isinstance(answer, Refused)
        assert [one.subject for one in answer.rejections] == [f"trade {bad + 1}"]
        assert after == before
    else:
        twin = house(OpenDay(MONDAY), *chosen)
        assert isinstance(answer, Accepted)
        assert len(answer.events) == len(chosen) + 1
        assert after == {name: part for name, part in twin.dump().items() if not name.startswith("acts.")}


def test_a_whole_day_by_steps_ends_as_by_commands() -> None:
    """Goal: nothing else in it. Method: a day of trades, prices, a margin call, each step approved; against a twin."""
    dealt = next(many(5).commands())
    steps = [(one.name, RunStep(one.name)) for one in timetable()]
    day: list[tuple[str, Command]] = [
        ("open", OpenDay(MONDAY)), ("prices", PRICES), (trades_name("ab"), dealt), *steps,
        ("margin-call", CallMargin("told", pack([A], "i4"), pack([100], "i8"))), ("close", CloseDay()),
    ]  # fmt: skip
    found, twin = house(), house(*(command for _, command in day))
    for name, command in day:
        answer = decided(found, told(found, name, command), command)
        assert isinstance(answer, Accepted), (name, answer)
    parts, wanted = found.dump(), twin.dump()
    assert {name: part for name, part in parts.items() if not name.startswith("acts.")} == wanted
    assert House.load(parts).digest() == found.digest()


@pytest.mark.parametrize("rest", ["\u00b2", "\u0663", "01", "0", "1000", "-1", ""], ids=range(7))
def test_an_intraday_step_is_counted_in_plain_digits_or_refused(rest: str) -> None:
    """Goal: no proposal that nobody can list. Method: digits of other scripts, raised, padded, none; then one."""
    found = house(OpenDay(MONDAY))
    call = CallMargin("x", pack([A], "i4"), pack([0], "i8"))
    with pytest.raises(Rejected, match="a day has no step"):
        kind_of(f"{PlanKind.MARGIN_CALL}/intraday-{rest}")
    proposal = told(found, f"{PlanKind.MARGIN_CALL}/intraday-{rest}", call)
    assert isinstance(step(found, ProposeAct(encode(proposal), "chan", "c", 1, 60)), Refused)
    assert isinstance(decided(found, told(found, f"{PlanKind.MARGIN_CALL}/intraday-999", call), call), Accepted)


def test_totals_beyond_64_bits_are_refused() -> None:
    """Goal: who approves sees no sum that wrapped around. Method: the largest of columns, once and twice."""
    most, found = 2**63 - 1, house()
    for size in (1, 2, 3):
        largest, zero = pack([most] * size, "i8"), pack([0] * size, "i4")
        called, traded = (
            CallMargin("x", zero, largest),
            CaptureDerivatives("x", largest, zero, zero, zero, largest, largest),
        )
        for command, name in ((called, "requirement_HKD_cents"), (traded, "contracts")):
            if size == 1:
                assert figures_of(found, (command,))[name] == most
                continue
            with pytest.raises(Rejected, match="add up beyond 64 bits"):
                figures_of(found, (command,))

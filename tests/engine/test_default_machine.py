"""Whatever people do around defaults, the house does what a plain model of money, contracts and layers says.

Method: the machine of ``default_machine`` in any order hypothesis likes, and straight through whole defaults, so that
losses reach every layer; how far they reached is checked too.
"""

from __future__ import annotations

from collections import Counter

from default_machine import CONTRIBUTIONS, FUND, MEMBERS, TRADES, WHO, Defaults
from hypothesis import given, settings
from hypothesis import strategies as st

Defaults.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestDefaults = Defaults.TestCase

REACHED: Counter[str] = Counter()


@settings(max_examples=200, deadline=None)
@given(
    contributions=st.tuples(CONTRIBUTIONS, CONTRIBUTIONS, CONTRIBUTIONS),
    made=st.lists(TRADES, min_size=4, max_size=12),
    drained=st.lists(st.tuples(MEMBERS, MEMBERS), max_size=3),
    called=st.lists(st.integers(0, 300_000), min_size=6, max_size=6),
    order=st.permutations(WHO),
    far=st.booleans(),
    write_off=st.booleans(),
)
def whole_defaults(
    contributions: tuple[int, ...], made: list[tuple[int, int, int, int, int]], drained: list[tuple[str, str]],
    called: list[int], order: list[str], far: bool, write_off: bool,
) -> None:  # fmt: skip
    """Trade, drain, default one after another, collect, close; compare with the model after each."""
    told = Defaults()
    told.begin(contributions=contributions)
    told.trade(made=made)
    told.call_margin(cents=called)
    for who, to in drained:
        told.drain(who=who, to=to)
    for who, taker in ((order[0], order[1]), (order[1], order[2])):
        told.finish(who=who, taker=taker, far=far)
        told.money_and_debts_are_the_models()
        told.nothing_is_lost()
        told.drain(who=order[2], to=order[1])
        told.collect(who=who)
        told.close(who=who, write_off=write_off)
        told.money_and_debts_are_the_models()
        told.nothing_is_lost()
    told.open_again()
    book = told.sequencer.state.defaults
    for layer in book.borne:
        assert layer.fund == FUND
        REACHED[layer.kind] += 1
    REACHED["unpaid assessments"] += bool(book.assessed)
    REACHED["written off"] += any(book.written_off.values())


def test_whole_defaults_reach_every_layer() -> None:
    """Goal: no layer goes untried. Method: count, over all that were drawn, where losses were borne."""
    REACHED.clear()
    whole_defaults()
    reached = {name for name, count in REACHED.items() if count}
    assert reached == {
        "defaulter-collateral", "defaulter-contribution", "house", "survivor-contributions", "assessments",
        "unpaid assessments", "written off",
    }, REACHED  # fmt: skip

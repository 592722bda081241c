"""Acts of default management in words: to a command and back, for every act there is; wrong names are refused.

Method: acts drawn over a small book by hypothesis, and one of each kind by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))

from clearing_book import resolved

from tsingma.app import default_acts as act
from tsingma.basics.rejection import Rejected
from tsingma.journal.commands import decode, encode

BOOK = resolved()
ACCOUNTS = st.sampled_from([BOOK.account_name(place) for place in range(len(BOOK.book.accounts))])
SECURITIES = st.sampled_from(list(BOOK.securities))
NUMBERS, AMOUNTS = st.integers(0, 2**40), st.integers(0, 2**53)
WORDS, NAMES = st.text(min_size=1, max_size=50), st.sampled_from(["A", "B", "HKSCC", "HKCC"])
CONTRIBUTIONS = st.lists(st.builds(act.ContributionOf, ACCOUNTS, AMOUNTS), min_size=1, max_size=4).map(tuple)
ACTS = {
    act.SuspendAct: st.builds(act.SuspendAct, NAMES, WORDS),
    act.ReinstateAct: st.builds(act.ReinstateAct, NAMES, WORDS),
    act.DeclareAct: st.builds(act.DeclareAct, NAMES, NAMES, WORDS),
    act.CallFundAct: st.builds(act.CallFundAct, NAMES, NAMES, CONTRIBUTIONS),
    act.CloseOutAct: st.builds(act.CloseOutAct, NUMBERS, ACCOUNTS, SECURITIES, ACCOUNTS, AMOUNTS),
    act.CloseOutSeriesAct: st.builds(act.CloseOutSeriesAct, NUMBERS, ACCOUNTS, NUMBERS, ACCOUNTS, AMOUNTS),
    act.CloseOutSwapAct: st.builds(
        act.CloseOutSwapAct, NUMBERS, ACCOUNTS, NUMBERS, ACCOUNTS, st.integers(-(2**53), 2**53)
    ),
    act.SellCollateralAct: st.builds(
        act.SellCollateralAct, NUMBERS, NAMES, ACCOUNTS, SECURITIES, AMOUNTS, ACCOUNTS, AMOUNTS
    ),
    act.PortAct: st.builds(act.PortAct, NUMBERS, ACCOUNTS, ACCOUNTS),
    act.WaterfallAct: st.builds(act.WaterfallAct, NUMBERS, NAMES),
    act.CollectAct: st.builds(act.CollectAct, NUMBERS),
    act.CloseDefaultAct: st.builds(act.CloseDefaultAct, NUMBERS, WORDS, st.booleans()),
}


def test_every_act_is_drawn() -> None:
    """Goal: no act without the next test. Method: the union against the strategies."""
    assert set(get_args(act.DefaultAct)) == set(ACTS)


@settings(max_examples=150, deadline=None)
@given(st.one_of(*ACTS.values()))
def test_what_the_second_person_sees_is_what_is_carried_out(told: act.DefaultAct) -> None:
    """Goal: nothing is lost on the way. Method: to a command, through the journal's encoding, and back."""
    command = decode(encode(act.command_of_default_act(told, BOOK)))
    assert act.default_act_of(command, BOOK) == told  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (act.CloseOutAct(1, "Z/HOUSE", "700", "A/HOUSE", 1), "account"),
        (act.CloseOutAct(1, "A/HOUSE", "701", "A/HOUSE", 1), "security"),
        (act.CloseOutAct(1, "A/HOUSE", "700", "A/NONE", 1), "taker"),
        (act.SellCollateralAct(1, "HKSCC", "A/HOUSE", "GBP", 1, "B/HOUSE", 1), "asset"),
        (act.PortAct(1, "A/CLIENT", "B"), "to"),
    ],
    ids=["account", "security", "taker", "asset", "to"],
)
def test_a_wrong_name_is_refused_by_its_field(told: act.DefaultAct, field: str) -> None:
    """Goal: who asked sees where it is wrong. Method: one wrong name each."""
    with pytest.raises(Rejected) as refused:
        act.command_of_default_act(told, BOOK)
    assert refused.value.rejections[0].field == field

"""The skeleton: every question mark is a fault until it is filled in, and then the file is valid."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest

from tsingma.basics.rejection import Rejected
from tsingma.links.day_terms import day_terms
from tsingma.links.rule_file import read_rules
from tsingma.links.sessions import due_days, trading_days

# What a stranger writes, by table and field: a link to a market whose calendar and rules the house does not know.
FIRST_MARKET = {
    "code": '"XSES"', "title": '"Singapore"', "place": '"SG"', "clearing_house": '"CDP"', "depository": '"CDP"',
    "currency": '"USD"', "kinds": '["equity"]', "trading_calendar": '"XSES"', "money_calendar": '"XSES"',
}  # fmt: skip
SECOND_MARKET = {
    "code": '"XHKG"', "title": '"Hong Kong"', "place": '"HK"', "clearing_house": '"HKSCC"', "depository": '"HKSCC"',
    "currency": '"HKD"', "kinds": '["equity"]', "trading_calendar": '"XHKG"', "money_calendar": '"HKD.money"',
}  # fmt: skip
ANSWERS = {
    "name": '"southeast"', "title": '"Hong Kong-Singapore"', "status": '"proposal"', "valid_from": "2026-01-01",
    "assumptions": '["everything here"]', "closures": "[2026-01-01, 2026-02-17, 2026-02-18]", "half_days": "[]",
    "valid_to": "2026-12-31", "source": '"assumed"', "lodger": '"HKSCC"', "holder": '"CDP"', "form": '"margin"',
    "currency": '"USD"', "rate_e9": "0", "outside_default_fund": "true", "mutualised": "false", "market": '"XSES"',
    "home": '"XHKG"', "products": '["stock"]', "trades_when": '["XHKG", "XSES"]', "settles_when": '["XSES"]',
    "start": "09:00:00", "end": "17:00:00", "amount": "1_000_000", "at_zero": '{ continuous = "refuse-rest-of-day" }',
    "pre_trade": '"none"', "pre_delivery": '"none"', "account": '"omnibus"', "stock_days": "2",
    "stock_calendars": '["XSES"]', "stock_time": "17:00:00", "money_days": "2",
    "money_calendars": '["XSES", "HKD.money"]', "money_time": "17:00:00", "side": '"both"',
    "trade_currency": '"USD"', "settlement_currency": '"USD"', "investor_currency": '"USD"',
    "house": '"HKSCC"', "model": '"flat-rate"', "books_of": '"HKSCC"',
}  # fmt: skip
KINDS = {"direction.session": '"continuous"', "direction.quota": '"daily-net-buy"'}
NAMES = {"calendar": '"XSES"', "direction": '"southbound"', "direction.fee": '"handling fee"'}


def _skeleton() -> str:
    return files("tsingma.links").joinpath("skeleton.toml").read_text(encoding="utf-8")


def _filled(text: str) -> str:
    """Answer the questions of a skeleton, table by table."""
    table, markets, chain, out = "", 0, 0, []
    for line in text.splitlines():
        if line.startswith("[["):
            table = line.strip("[]")
            markets += table == "market"
            chain += table == "direction.chain"
        key, equals, rest = line.partition(" = ")
        if equals and ("?" in rest.partition("#")[0] or key in ("assumptions", "at_zero", "rate_e9")):
            answer = ANSWERS.get(key, "")
            if table == "market":
                answer = (FIRST_MARKET if markets == 1 else SECOND_MARKET)[key]
            elif key == "kind":
                answer = KINDS[table]
            elif key == "name" and table:
                answer = NAMES[table]
            elif table == "direction.chain" and key == "holder":
                answer = '"HKSCC"'
            elif table == "direction.chain" and key == "books_of":
                answer = '"HKSCC"' if chain == 1 else '"CDP"'
            elif table == "direction.margin" and key == "rate_e9":
                answer = "100_000_000"
            line = f"{key} = {answer}"
        out.append(line)
    return "\n".join(out) + "\n"


def test_an_empty_skeleton_names_every_question() -> None:
    """Goal: nothing is forgotten. Method: each line with a question mark in a field of its own is a fault."""
    text = _skeleton()
    open_lines = {
        number for number, line in enumerate(text.splitlines(), 1) if " = " in line and '"?"' in line.partition("#")[0]
    }
    with pytest.raises(Rejected) as refused:
        read_rules(text.encode(), file="mine.toml")
    assert {fault.line for fault in refused.value.rejections if "filled in" in fault.message} == open_lines


def test_a_filled_skeleton_is_valid_and_has_its_days() -> None:
    """Goal: a stranger's link with a calendar of its own. Method: answer every question; read it, use its calendar."""
    rules = read_rules(_filled(_skeleton()).encode(), file="mine.toml")
    direction = rules.directions[0]
    assert date(2026, 2, 17) not in trading_days(rules, direction, date(2026, 1, 1), date(2026, 12, 31))
    assert due_days(rules, direction, date(2026, 2, 13)) == (date(2026, 2, 19), date(2026, 2, 20))
    terms = day_terms(rules, "southbound", date(2026, 3, 2))
    assert (terms.currency, terms.quotas[0].amount_cents) == ("USD", 10**8)


def test_quota_must_say_what_happens_at_zero() -> None:
    """Goal: no session without a rule. Method: leave the answer of the skeleton empty."""
    text = _filled(_skeleton()).replace('{ continuous = "refuse-rest-of-day" }', "{}")
    with pytest.raises(Rejected) as refused:
        read_rules(text.encode())
    assert refused.value.rejections[0].field == "direction[1].quota[1].at_zero.continuous"

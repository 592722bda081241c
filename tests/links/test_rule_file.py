"""Rule files: those that ship are valid, and every fault of a file is said with its line, field and remedy."""

from __future__ import annotations

from importlib.resources import files

import pytest

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.links.rule_file import read_rules, shipped_links, shipped_rules
from tsingma.links.rule_rows import LinkStatus


def _text(name: str) -> str:
    return files("tsingma.links").joinpath("rules", f"{name}.toml").read_text(encoding="utf-8")


def _faults(text: str) -> tuple[Rejection, ...]:
    with pytest.raises(Rejected) as found:
        read_rules(text.encode(), file="mine.toml")
    return found.value.rejections


@pytest.mark.parametrize("name", shipped_links())
def test_what_ships_is_valid(name: str) -> None:
    """Goal: every shipped file may be used and is named as its link. Method: read each; proposals state assumptions."""
    rules = shipped_rules(name)
    assert rules.name == name
    assert (rules.status is LinkStatus.PROPOSAL) == bool(rules.assumptions)


@pytest.mark.parametrize(
    ("before", "after", "reason", "field"),
    [
        ("amount = 2_000_000_000", 'amount = "2bn"', RejectionReason.MALFORMED, "direction[1].quota[1].amount"),
        ("amount = 2_000_000_000", "amount = 0", RejectionReason.OUT_OF_RANGE, "direction[1].quota[1].amount"),
        ('kind = "daily-net-buy"', 'kind = "weekly"', RejectionReason.UNKNOWN, "direction[1].quota[1].kind"),
        ('market = "SGEX"', 'market = "SGE"', RejectionReason.UNKNOWN, "direction[1].market"),
        ('books_of = "SGE"', 'books_of = "CN"', RejectionReason.CONFLICT, "direction[1].chain[3].books_of"),
        ("start = 13:30:00", "start = 11:00:00", RejectionReason.CONFLICT, "direction[1].session[2].start"),
        ("rate_e9 = 80_000", "rate_e9 = -1", RejectionReason.OUT_OF_RANGE, "direction[1].fee[1].rate_e9"),
        ('title = "Commodity', 'titel = "Commodity', RejectionReason.UNKNOWN, "titel"),
        ('status = "proposal"', 'status = "?"', RejectionReason.MISSING, "status"),
    ],
)
def test_a_fault_is_found_where_it_is(before: str, after: str, reason: RejectionReason, field: str) -> None:
    """Goal: file, line, field, reason and a remedy. Method: spoil one line of a good file; that line is named."""
    text = _text("commodity-connect")
    assert text.count(before) == 1
    spoilt = text.replace(before, after)
    fault = next(fault for fault in _faults(spoilt) if fault.field == field)
    assert (fault.reason, fault.file) == (reason, "mine.toml")
    assert fault.line == text[: text.index(before)].count("\n") + 1
    assert fault.message
    assert fault.remedy


def test_all_faults_are_said_at_once() -> None:
    """Goal: one round of corrections. Method: spoil three lines; three faults come back, each with its own line."""
    text = _text("bond-connect").replace("stock_days = 2", "stock_days = 99").replace('"CIBM"\ntitle', '"cibm"\ntitle')
    faults = _faults(text)
    assert {fault.field for fault in faults} >= {
        "market[1].code",
        "direction[1].cycle[1].stock_days",
        "direction[2].cycle[1].stock_days",
    }
    assert len({fault.line for fault in faults if fault.field.endswith("stock_days")}) == 2

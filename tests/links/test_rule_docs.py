"""The page on rule files: a stranger finds every field, every word and every message of the validator's world there."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tsingma.links import rule_rows

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "files-link-rules.md").read_text(encoding="utf-8")
STRUCTS = [kind for kind in vars(rule_rows).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
TABLES = {
    "sessions",
    "quotas",
    "checks",
    "cycles",
    "fees",
    "monies",
    "margins",
    "eligibility",
    "securities",
    "chain",
    "days",
}
TABLES |= {"calendars", "markets", "directions", "risks"}


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
def test_every_field_is_on_the_page(kind: Any) -> None:
    """Goal: nothing undocumented. Method: each field stands in code type, each table as a heading."""
    for field in msgspec.structs.fields(kind):
        name = field.encode_name
        assert f"`{name}`" in PAGE or (field.name in TABLES and f"{name}]]`" in PAGE), f"{kind.__name__}.{name}"


@pytest.mark.parametrize(
    "kind", [rule_rows.SessionKind, rule_rows.QuotaKind, rule_rows.AtZero, rule_rows.PreTradeCheck,
             rule_rows.PreDeliveryCheck, rule_rows.AccountForm, rule_rows.MarginModel, rule_rows.Product,
             rule_rows.LinkStatus, rule_rows.Rounding],
)  # fmt: skip
def test_every_word_is_on_the_page(kind: type[Enum]) -> None:
    """Goal: every choice can be made from the page. Method: each word of each list stands in code type."""
    assert [member.value for member in kind if f"`{member.value}`" not in PAGE] == []

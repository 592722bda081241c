"""The validator meets anything: rules, or refusals with file, line, field and remedy; never a traceback."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.links.rule_file import FILE_BYTES_MAX, read_rules, shipped_links
from tsingma.links.rule_rows import LinkRules

TEXTS = {
    name: files("tsingma.links").joinpath("rules", f"{name}.toml").read_text(encoding="utf-8")
    for name in shipped_links()
}
VALUES = st.sampled_from([
    '""', '"?"', "0", "-1", "true", "1.5", "nan", "inf", "[]", "[[]]", "{}", "{ a = 1 }", "2026-02-29", "2026-01-01",
    "25:00:00", "09:30:00", "9223372036854775808", "0x" + "f" * 6_000, "1" * 5_000, "[1, 'a', []]", '"\\u0000"', "=",
    "'''",
    "2026-01-01T00:00:00Z", '["XHKG"]', '"XHKG"', "9999-12-31", "0001-01-01", "1_000", '"' + "x" * 300 + '"',
    "[" * 500 + "]" * 500, '{ continuous = "refuse-rest-of-day" }', "{ continuous = 1, x = {} }",
])  # fmt: skip


def _answer(data: bytes) -> LinkRules | None:
    """Read a file; check the form of a refusal."""
    try:
        return read_rules(data, file="mine.toml")
    except Rejected as rejected:
        lines = data.count(b"\n") + data.count(b"\r") + data.count(b"\x0b") + data.count(b"\x0c") + 100
        for one in rejected.rejections:
            assert one.file == "mine.toml"
            assert one.message
            assert one.remedy or one.reason is RejectionReason.MALFORMED
            assert 0 <= one.line <= lines
            assert len(str(one)) < 3_000
            str(one).encode()
        return None


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(sorted(TEXTS)),
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["value", "drop", "twice", "key"]), VALUES), max_size=4),
)
def test_spoilt_files(name: str, changes: list[tuple[int, str, str]]) -> None:
    """Goal: faults, not tracebacks. Method: put odd values, drop, repeat and rename lines of shipped files."""
    lines = TEXTS[name].splitlines()
    for place, change, value in changes:
        at = place % len(lines)
        key, equals, _ = lines[at].partition(" = ")
        if change == "value" and equals:
            lines[at] = f"{key} = {value}"
        elif change == "drop":
            del lines[at]
        elif change == "twice":
            lines.insert(place % 97 % len(lines), lines[at])
        elif equals:
            lines[at] = lines[at].replace(key, f"{key}x", 1)
    _answer("\n".join(lines).encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Goal: a file of anything is refused. Method: random bytes, none of which are rules."""
    assert _answer(data) is None


def _documents() -> st.SearchStrategy[Any]:
    words = st.sampled_from(
        ["name", "title", "direction", "market", "quota", "session", "valid_from", "at_zero", "kind", "x"]
    )
    leaf = st.one_of(
        st.text(max_size=5), st.integers(), st.booleans(), st.dates(), st.times(), st.floats(allow_nan=True)
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=4)),
        max_leaves=20,
    )


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["name", "title", "status", "market", "direction", "calendar", "risk"]), _documents()
    )
)
def test_any_document(document: dict[str, Any]) -> None:
    """Goal: well-formed TOML of any shape is refused with its faults. Method: random tables under known names."""
    text = "".join(f"{key} = {_toml(value)}\n" for key, value in document.items())
    tomllib.loads(text)
    assert _answer(text.encode()) is None


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return (
            '"'
            + "".join(
                c if c.isalnum() and c.isascii() else f"\\u{ord(c):04x}" if ord(c) < 0xD800 else "_" for c in value
            )
            + '"'
        )
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe", RejectionReason.MALFORMED),
        (b"a = [" * 3_000, RejectionReason.MALFORMED),
        (b"a = " + b"[" * 100_000 + b"]" * 100_000, RejectionReason.LIMIT),
        (b"#" * (FILE_BYTES_MAX + 1), RejectionReason.LIMIT),
        (b"a = " + b"9" * 10_000, RejectionReason.MALFORMED),
        (b"", RejectionReason.MISSING),
    ],
)
def test_extremes(data: bytes, reason: RejectionReason) -> None:
    """Goal: limits are refusals. Method: bytes that are no text, deep nesting, a huge file, a huge number, nothing."""
    with pytest.raises(Rejected) as refused:
        read_rules(data)
    assert refused.value.rejections[0].reason is reason

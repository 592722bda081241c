"""Orders in bulk: the same as one by one, in every form; every fault with its line; nothing of a bad body is kept."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import numpy as np
import pytest
from api_house import SHARE, Served
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tsingma.app.bulk_intake import ROWS_MAX, bulk_command, columns_by_rows, columns_of
from tsingma.app.row_formats import ARROW, CSV, NDJSON
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.messages.arrow_stream import rows_of_stream

polars = pytest.importorskip("polars")

ROW = {
    "reference": "1", "account": "A/HOUSE", "side": "deliver", "counterparty": "B", "kind": "dvp", "quantity": "5",
    "trade_date": "2026-01-02", "intended_date": "2026-01-05", "isin": SHARE, "currency": "HKD", "amount": "12.50",
}  # fmt: skip


def rows(count: int, **changes: str) -> list[dict[str, str]]:
    return [{**ROW, "reference": str(500 + place), "amount": f"{place}.5", **changes} for place in range(count)]


def as_csv(told: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(told[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(told)
    return out.getvalue().encode()


def as_arrow(told: list[dict[str, Any]], **options: Any) -> bytes:
    out = io.BytesIO()
    polars.DataFrame(told).write_ipc_stream(out, **options)
    return out.getvalue()


def as_ndjson(told: list[dict[str, str]]) -> bytes:
    numbers = ("reference", "quantity")
    lines = [
        {"account_class" if name == "account" else name: value.partition("/")[2] if name == "account" else value
         for name, value in row.items()}
        for row in told
    ]  # fmt: skip
    return b"\n".join(
        msgspec.json.encode({name: int(value) if name in numbers else value for name, value in line.items()})
        for line in lines
    )


FORMS = {NDJSON: as_ndjson, CSV: as_csv, ARROW: as_arrow}


def send(house: Served, form: str, body: bytes, key: str, who: str = "participant") -> Any:
    return house.call(who, "POST", "/instructions/bulk", content=body,
                      headers={"Content-Type": form, "Idempotency-Key": key})  # fmt: skip


@pytest.mark.parametrize("form", list(FORMS))
def test_a_body_is_its_orders_one_by_one(house: Served, form: str) -> None:
    """Goal: three forms. Method: both sides of four orders, one against a broker there is not for; then read back."""
    told = rows(4)
    found = send(house, form, FORMS[form](told), "b").json()
    assert (found["orders"], found["waiting"], found["matched"], found["refused"]) == (4, 4, 0, 0)
    assert (found["outcomes"], found["refusals"]) == ("wwww", [])
    orders = [house.get("participant", f"/orders/{number}").json() for number in found["numbers"]]
    assert [(one["reference"], one["against_amount"]) for one in orders] == [(500 + k, k * 100 + 50) for k in range(4)]
    theirs = [{**row, "account": "B/HOUSE", "side": "receive", "counterparty": "A"} for row in told[:3]]
    theirs.append({**theirs[0], "reference": "900", "quantity": "0"})
    found = send(house, form, FORMS[form](theirs), "b", who="other").json()
    assert (found["matched"], found["outcomes"], found["numbers"][3]) == (3, "mmmr", -1)
    assert [(one["order"], one["reference"], one["field"]) for one in found["refusals"]] == [(4, 900, "quantity")]


def test_a_repeat_is_answered_and_another_body_is_not(house: Served) -> None:
    """Goal: idempotency. Method: the same body twice, in two forms too; then another under the same key."""
    first = send(house, CSV, as_csv(rows(3)), "k").json()
    length = house.service.length()
    assert send(house, CSV, as_csv(rows(3)), "k").json() == first
    assert send(house, ARROW, as_arrow(rows(3)), "k").json() == first
    assert send(house, CSV, as_csv(rows(2)), "k").status_code == 409
    assert house.service.length() == length


BAD = [
    (CSV, as_csv([*rows(2), {**ROW, "kind": "swap"}]), 422, [(4, "kind")]),
    (CSV, as_csv([*rows(1), {**ROW, "isin": "XX", "amount": "x"}]), 422, [(3, "isin"), (3, "amount")]),
    (ARROW, as_arrow([*rows(2), {**ROW, "currency": "XYZ"}]), 422, [(3, "currency")]),
    (NDJSON, as_ndjson(rows(1)) + b"\n{}\n\n[1]", 400, [(2, ""), (4, "")]),
    (NDJSON, as_ndjson([*rows(1), {**ROW, "counterparty": "ZZ"}]), 422, [(2, "counterparty")]),
    (CSV, as_csv(rows(1)) + b"1,2\n", 400, [(3, "")]),
    (CSV, as_csv(rows(1, matched="yes")), 409, [(1, "matched")]),
    (CSV, as_csv([*rows(1), {**ROW, "account": "D/HOUSE"}]), 409, [(3, "account")]),
    (ARROW, as_arrow(rows(2, account="D/HOUSE")), 409, [(1, "account"), (2, "account")]),
    (CSV, b"reference,side\n1,deliver\n", 400, [(1, "")]),
    (CSV, b"\xff\xfe", 400, [(None, "")]),
    (CSV, as_csv(rows(1))[:0], 400, [(1, "")]),
    (NDJSON, b"", 422, [(None, "")]),
    (ARROW, b"ARROW1 no stream", 400, [(None, "")]),
    (ARROW, as_arrow(rows(3))[:-40], 400, [(None, "")]),
    (ARROW, as_arrow(rows(3), compression="zstd"), 409, [(None, "")]),
    (ARROW, as_arrow([{**ROW, "amount": 1.5}]), 400, [(None, "amount")]),
]


@pytest.mark.parametrize(("form", "body", "status", "faults"), BAD, ids=[str(place) for place in range(len(BAD))])
def test_every_fault_has_its_line(shown: Served, form: str, body: bytes, status: int, faults: list[Any]) -> None:
    """Goal: faults by line and field, nothing kept. Method: bodies with one or two things wrong."""
    before = shown.service.length()
    answer = send(shown, form, body, "bad")
    assert answer.status_code == status, answer.text
    assert [(one.get("line"), one.get("field", "")) for one in answer.json()["faults"]] == faults, answer.text
    assert shown.service.length() == before


def test_bounds_and_forms(shown: Served) -> None:
    """Goal: limits. Method: a form there is not, a JSON list, too many rows in every form, too many bytes."""
    assert send(shown, "application/json", b"[]", "k").status_code == 415
    assert send(shown, "text/plain", b"x", "k").status_code == 415
    line = as_csv(rows(1)).splitlines(keepends=True)
    assert send(shown, CSV, line[0] + line[1] * (ROWS_MAX + 1), "k").status_code == 413
    assert send(shown, NDJSON, b"{}\n" * (ROWS_MAX + 2), "k").status_code == 413
    many = polars.DataFrame({"reference": np.zeros(ROWS_MAX + 1, np.int8)})
    out = io.BytesIO()
    many.write_ipc_stream(out)
    assert send(shown, ARROW, out.getvalue(), "k").status_code == 413
    assert send(shown, CSV, b"x" * (33 * 1024 * 1024), "k").status_code == 413


KNOWN = ("", "A/HOUSE", "A/CLIENT", "B", "D", "dvp", "fop", "deliver", "receive", "HKD", "CNY", SHARE, "yes", "no",
         "high", "2026-01-05", "2026-02-30", "cum ex", "'=1", " 7 ", "007", "1.005", "1e3", "9" * 25)  # fmt: skip
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
CELL = st.sampled_from(KNOWN) | TEXT
COLUMNS = (*ROW, "counterparty_account", "paid_currency", "against_quantity", "priority", "partial", "hold",
           "conditions", "client", "pool", "pool_size")  # fmt: skip
CHANGED = st.dictionaries(st.sampled_from(COLUMNS), CELL, max_size=2)


@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(told=[{"account": "'=1"}])
@example(told=[{"reference": "'=1", "client": "'=1"}])
@given(told=st.lists(CHANGED, min_size=1, max_size=4))
def test_the_quick_way_is_the_slow_one(shown: Served, told: list[dict[str, str]]) -> None:
    """Goal: columns read at once are those read row by row, and so are the faults. Method: drawn cells."""
    names = {name for change in told for name in change}
    body = as_csv([{**ROW, **dict.fromkeys(names - set(ROW), ""), **change} for change in told])
    intake = shown.service.intake

    def outcome(read: Any) -> Any:
        try:
            return {name: (column.tolist(), column.dtype) for name, column in read().items()}
        except Rejected as rejected:
            return [(one.line, one.field, one.reason, one.message) for one in rejected.rejections]

    assert outcome(lambda: columns_of(body, CSV, intake, "A")) == outcome(lambda: columns_by_rows(body, intake, "A"))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_no_stream_is_a_defect(data: st.DataObject) -> None:
    """Goal: the border of Arrow. Method: good streams with bytes changed, cut and joined: read or refused, no more."""
    body = bytearray(as_arrow(rows(2)))
    for _ in range(data.draw(st.integers(0, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    try:
        reason = None if rows_of_stream(bytes(body[:cut]), 10) <= 10 else "beyond"
    except Rejected as rejected:
        reason = rejected.rejections[0].reason
    assert reason in (None, RejectionReason.MALFORMED, RejectionReason.LIMIT, RejectionReason.NOT_ALLOWED)


def test_rows_are_counted_before_they_are_built() -> None:
    """Goal: a bound before any memory. Method: a stream of two batches against a bound of three rows."""
    out = as_arrow(rows(2))
    assert rows_of_stream(out, 2) == 2
    with pytest.raises(Rejected) as refused:
        rows_of_stream(out, 1)
    assert refused.value.rejections[0].reason is RejectionReason.LIMIT


def test_without_polars_csv_is_read_and_arrow_is_not(shown: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: polars is an extra. Method: as if it were not installed."""
    from tsingma.app import bulk_intake

    monkeypatch.setattr(bulk_intake, "has_arrow", lambda: False)
    intake = shown.service.intake
    assert bulk_command(as_csv(rows(2)), CSV, intake, "A", "test", 0).columns["quantity"]
    with pytest.raises(Rejected) as refused:
        bulk_command(as_arrow(rows(2)), ARROW, intake, "A", "test", 0)
    assert "polars" in refused.value.rejections[0].message


@pytest.mark.parametrize("header", [b"," * 50_000, b",".join(b"%d" % place for place in range(50_000))])
def test_a_header_of_many_columns_is_never_built(shown: Served, header: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: memory in proportion to the body. Method: 50,000 columns; a table of them would be an error here."""
    monkeypatch.setattr(polars, "read_csv", None)
    assert send(shown, CSV, header, "k").status_code == 400

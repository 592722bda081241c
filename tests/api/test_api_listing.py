"""Lists whole: NDJSON, CSV and Arrow have the rows that the pages have; what is not there is 406; bounds cut."""

from __future__ import annotations

import csv
import io
import json
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
from api_house import Served
from hypothesis import given
from hypothesis import strategies as st

from tsingma.api import listing
from tsingma.app.row_formats import ARROW, CSV, NDJSON, arrow, csv_header, csv_rows, fields_of, ndjson
from tsingma.app.serve_settings import LimitsSection
from tsingma.messages.cells import plain_cell

LISTS = ("/participants", "/positions", "/margin/calls", "/instructions", "/orders", "/holdings", "/obligations",
         "/trades",
         "/payments", "/collateral", "/collateral/calls", "/accounts/A/HOUSE/balances")  # fmt: skip


def whole(house: Served, path: str, form: str, who: str = "auditor") -> Any:
    """Return the answer to a list in a form."""
    return house.call(who, "GET", path, headers={"Accept": form})


def told(row: dict[str, Any]) -> list[str]:
    """Return a row of JSON as CSV has it."""
    return ["" if value is None else " ".join(map(str, value)) if isinstance(value, list) else str(value)
            for value in row.values()]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_every_form_has_the_rows_of_the_pages(shown: Served, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: one list, four forms. Method: parts of two rows, so that several are joined; against a page of 1,000."""
    monkeypatch.setattr(listing, "LIMIT_MAX", 2)
    rows = shown.get("auditor", f"{path}?limit=1000").json()["items"]
    found = whole(shown, path, NDJSON)
    assert found.headers["content-type"].startswith(NDJSON)
    assert [json.loads(line) for line in found.text.splitlines()] == rows
    header, *lines = csv.reader(io.StringIO(whole(shown, path, CSV).text))
    assert [[plain_cell(cell) for cell in line] for line in lines] == [told(row) for row in rows]
    polars = pytest.importorskip("polars")
    frame = polars.read_ipc_stream(io.BytesIO(whole(shown, path, ARROW).content))
    assert frame.columns == header
    assert json.loads(json.dumps(frame.to_dicts())) == rows


def test_a_form_that_there_is_not_is_refused(shown: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: 406 with the forms there are. Method: XML; Arrow where polars is not installed."""
    answer = whole(shown, "/positions", "application/xml")
    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")
    assert NDJSON in answer.json()["detail"]
    monkeypatch.setattr(listing, "has_arrow", lambda: False)
    answer = whole(shown, "/positions", ARROW)
    assert (answer.status_code, "polars" in answer.json()["detail"]) == (406, True)


def test_what_is_wrong_is_said_before_anything_is_sent(shown: Served) -> None:
    """Goal: problems stay problems. Method: a status there is not, others' objects, a moment that is none."""
    for form in (NDJSON, CSV, ARROW):
        assert whole(shown, "/instructions?status=lost", form).status_code == 422
        assert whole(shown, "/instructions?participant=D", form, "participant").status_code == 403
        assert whole(shown, "/instructions?at=99999", form).status_code == 422


def test_one_sees_ones_own_in_every_form(shown: Served) -> None:
    """Goal: no form is a side door. Method: the participant's rows of instructions and holdings."""
    for path, column in (("/instructions", "deliverer"), ("/holdings", "account")):
        rows = list(csv.DictReader(io.StringIO(whole(shown, path, CSV, "participant").text)))
        assert rows
        assert {row[column] for row in rows} <= {"A/HOUSE", "A/CLIENT"}


def test_a_list_beyond_its_bounds_is_cut_off(shown: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: bounds. Method: one row at most: Arrow, made before it is sent, is a problem; a stream breaks off."""
    monkeypatch.setattr(listing, "LIMIT_MAX", 1)
    monkeypatch.setattr(listing, "ROWS_MAX", 2)
    assert whole(shown, "/orders", ARROW).status_code == 413
    assert whole(shown, "/orders", NDJSON).status_code == 500  # what a client in process makes of an answer cut off


def test_a_key_has_few_whole_lists_at_once(shown: Served) -> None:
    """Goal: nobody takes all places. Method: two held by a key: its next is 429, another's goes; freed, it goes too."""
    streams = shown.client.app.dependencies["streams"].dependency()
    with streams.place_of("auditor"), streams.place_of("auditor"):
        for form in (NDJSON, CSV, ARROW):
            assert whole(shown, "/orders", form).status_code == 429
            assert whole(shown, "/orders", form, "regulator").status_code == 200
    assert whole(shown, "/orders", CSV).status_code == 200


def test_when_all_places_are_taken_that_is_said_before_anything_is_sent(shown: Served) -> None:
    """Goal: a status, not an answer cut off. Method: every place is held, each by another key; a further key asks."""
    streams = shown.client.app.dependencies["streams"].dependency()
    with ExitStack() as held:
        for place in range(LimitsSection().lists_at_once):
            held.enter_context(streams.place_of(f"key-{place}"))
        for form in (NDJSON, CSV, ARROW):
            assert whole(shown, "/orders", form).status_code == 429
    assert whole(shown, "/orders", CSV).status_code == 200


class Row(msgspec.Struct, frozen=True):
    """A row with every kind of column."""

    text: str
    number: int
    part: float
    yes: bool
    some: int | None
    several: tuple[str, ...]


ROWS = st.lists(
    st.builds(
        Row, st.text(max_size=8), st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(), st.none() | st.integers(0, 9), st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple),
    ),
    max_size=5,
)  # fmt: skip
FORMULAS = st.sampled_from(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "plain", "-12.5"])


@given(ROWS)
def test_rows_come_back_from_every_form(rows: list[Row]) -> None:
    """Goal: nothing is lost or changed. Method: drawn rows there and back through NDJSON and Arrow."""
    assert [msgspec.json.decode(line, type=Row) for line in ndjson(rows).splitlines()] == rows
    polars = pytest.importorskip("polars")
    back = polars.read_ipc_stream(io.BytesIO(arrow(Row, rows)))
    assert back.columns == list(fields_of(Row))
    assert [Row(**{**one, "several": tuple(one["several"])}) for one in back.to_dicts()] == rows


@given(st.lists(FORMULAS | st.text(max_size=6), max_size=4))
def test_no_cell_is_a_formula_and_every_text_comes_back(texts: list[str]) -> None:
    """Goal: CSV injection. Method: cells that begin as formulas are guarded, numbers stay, ``plain_cell`` undoes it."""
    rows = [Row(text, -5, -0.5, True, None, (text,)) for text in texts]
    lines = list(csv.reader(io.StringIO((csv_header(Row) + csv_rows(rows)).decode(), newline="")))[1:]
    for text, line in zip(texts, lines, strict=True):
        first, number, part, *_ = line
        assert plain_cell(first) == text
        if first[:1] in ("=", "+", "-", "@", "\t", "\r"):
            assert first.lstrip("+-").replace(".", "").isdigit()  # a number is no formula
        assert (number, part) == ("-5", "-0.5")

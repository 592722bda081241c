"""Columns of text to integers, for the trade file: once with polars, once in plain Python, with the same answers.

An answer is a value >= 0, or -1 where a choice is left to the market, -2 where the text does not parse and -3 where a
code names nothing. ``trade_date`` answers 1 where it repeats the first line's text and 0 where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
CodeMaps = Mapping[str, Mapping[str, int]]

NOT_PARSED = -2
NOT_KNOWN = -3


class Pattern(msgspec.Struct, frozen=True):
    """The text a numeric field must match, and what it is called in a refusal."""

    text: str
    meaning: str


PATTERNS: dict[str, Pattern] = {
    "trade_id": Pattern(r"^[0-9]{1,18}$", "a whole number of at most 18 digits"),
    "trade_time": Pattern(r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$", "a time HH:MM:SS"),
    "quantity": Pattern(r"^0*[1-9][0-9]{0,14}$", "a positive whole number of at most 15 digits"),
    "price": Pattern(
        r"^[0-9]{1,12}(\.[0-9]{1,4})?$", "a positive price of at most 12 digits before and 4 after the point"
    ),
}


@cache
def _polars() -> Any:
    try:
        import polars
    except ImportError:  # polars is an extra; the plain way below answers the same, slower
        return None
    return polars


def parse_columns(body: bytes, fields: Sequence[str], codes: CodeMaps) -> dict[str, Int64]:
    """Return one int64 column per field (accounts joined to their participants) for a checked CSV body."""
    library = _polars()
    return parse_plain(body, fields, codes) if library is None else _parse_polars(library, body, fields, codes)


def parse_plain(body: bytes, fields: Sequence[str], codes: CodeMaps) -> dict[str, Int64]:
    """Return what ``parse_columns`` does, line by line in plain Python; the twin of the polars way."""
    rows = [line.split(",") for line in body.decode("ascii").split("\n")[:-1]]
    text = {field: [row[place] for row in rows] for place, field in enumerate(fields)}
    columns = {"trade_date": np.array([entry == text["trade_date"][0] for entry in text["trade_date"]], np.int64)}
    for field, pattern in PATTERNS.items():
        match = re.compile(pattern.text).fullmatch
        columns[field] = np.array([_number(field, entry) if match(entry) else NOT_PARSED for entry in text[field]])
    for field, known in codes.items():
        entries = text[field]
        if field in ("buyer", "seller"):
            entries = [f"{code}/{kind}" for code, kind in zip(entries, text[f"{field}_account"], strict=True)]
        columns[field] = np.array([known.get(entry, NOT_KNOWN) for entry in entries], np.int64)
    columns["price"][columns["price"] == 0] = NOT_PARSED
    return columns


def _number(field: str, text: str) -> int:
    if field == "trade_time":
        return int(text[:2]) * 3600 + int(text[3:5]) * 60 + int(text[6:])
    if field == "price":
        whole, _, part = text.partition(".")
        return int(whole) * 10_000 + int(part.ljust(4, "0"))
    return int(text)


def _parse_polars(pl: Any, body: bytes, fields: Sequence[str], codes: CodeMaps) -> dict[str, Int64]:
    frame = pl.read_csv(
        body,
        has_header=False,
        new_columns=list(fields),
        infer_schema=False,
        quote_char=None,
    ).with_columns(pl.all().fill_null(""))
    col = pl.col

    def checked(field: str, value: Any) -> Any:
        return pl.when(col(field).str.contains(PATTERNS[field].text)).then(value).otherwise(NOT_PARSED).alias(field)

    def whole(expression: Any) -> Any:
        return expression.cast(pl.Int64, strict=False)

    time, price = col("trade_time").str, col("price").str
    seconds = whole(time.slice(0, 2)) * 3600 + whole(time.slice(3, 2)) * 60 + whole(time.slice(6, 2))
    part = price.extract(r"\.([0-9]+)$", 1).fill_null("").str.pad_end(4, "0")
    ten_thousandths = whole(price.extract(r"^([0-9]+)", 1)) * 10_000 + whole(part)
    joined = {field: col(field) + "/" + col(f"{field}_account") for field in ("buyer", "seller")}
    parsed = frame.select(
        (col("trade_date") == col("trade_date").first()).cast(pl.Int64),
        checked("trade_id", whole(col("trade_id"))),
        checked("trade_time", seconds),
        checked("quantity", whole(col("quantity"))),
        checked("price", ten_thousandths),
        *(
            joined.get(field, col(field))
            .replace_strict(list(known), list(known.values()), default=NOT_KNOWN, return_dtype=pl.Int64)
            .alias(field)
            for field, known in codes.items()
        ),
    )
    columns = {name: parsed[name].to_numpy().astype(np.int64) for name in parsed.columns}
    columns["price"][columns["price"] == 0] = NOT_PARSED
    return columns

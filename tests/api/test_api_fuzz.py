"""Whatever is sent, the house answers with what it describes, never with a defect of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from api_house import Served
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_api_writes import ORDER

WORDS = ("dvp", "pvp", "dvd", "pfod", "HKD", "CNY", "2026-01-05", "B", "A", "12.00", ORDER["isin"], "HOUSE", "CNS")
LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.sampled_from(WORDS),
)  # fmt: skip
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
FIELDS = sorted(
    {*ORDER, "paid_currency", "against_isin", "against_quantity", "pool", "pool_size", "conditions", "hold"}
)
CHANGED = st.dictionaries(st.sampled_from(FIELDS), VALUE, max_size=4).map(lambda more: {**ORDER, **more})
BODY = st.one_of(
    CHANGED, st.lists(CHANGED, max_size=3), VALUE, st.fixed_dictionaries({"action": VALUE, "value": VALUE})
)
WRITES = (
    "/instructions",
    "/instructions/0/actions",
    "/instructions/1/actions",
    "/orders/6/actions",
    "/orders/0/actions",
)
DESCRIPTION = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))["paths"]


def _described(path: str) -> dict[str, Any]:
    template = re.sub(r"/(instruction|order)s/\d+", r"/\1s/{\1}", path)
    return dict(DESCRIPTION[template])


SETTINGS = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SETTINGS
@given(path=st.sampled_from(WRITES), body=BODY, key=st.integers(0, 40), who=st.sampled_from(["participant", "other"]))
def test_no_body_is_a_defect(house_of_cases: Served, path: str, body: Any, key: int, who: str) -> None:
    """Goal: no 5xx, only what is described. Method: bodies near and far from good ones."""
    headers = {"Idempotency-Key": f"fuzz-{key}", "Content-Type": "application/json"}
    answer = house_of_cases.call(who, "POST", path, content=json.dumps(body).encode(), headers=headers)
    assert answer.status_code in (200, 201, 400, 404, 409, 413, 422), answer.text
    assert str(answer.status_code) in _described(path)["post"]["responses"]
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail"} <= set(answer.json())


@SETTINGS
@given(data=st.binary(max_size=200))
def test_no_bytes_are_a_defect(house_of_cases: Served, data: bytes) -> None:
    """Goal: the decoder's border. Method: arbitrary bytes as a body."""
    headers = {"Idempotency-Key": "fuzz-bytes", "Content-Type": "application/json"}
    answer = house_of_cases.call("participant", "POST", "/instructions", content=data, headers=headers)
    assert answer.status_code in (400, 422), answer.text


@SETTINGS
@given(
    path=st.sampled_from(["/instructions", "/orders", "/positions", "/margin/calls", "/participants", "/events"]),
    query=st.dictionaries(
        st.sampled_from(["cursor", "limit", "participant", "status", "from"]),
        st.one_of(st.integers().map(str), st.text(max_size=10), st.sampled_from(["A", "D", "matched", "settled"])),
        max_size=3,
    ),
)
def test_no_query_is_a_defect(house_of_cases: Served, path: str, query: dict[str, str]) -> None:
    """Goal: parameters. Method: arbitrary values of the known names; the participant never sees D alone."""
    answer = house_of_cases.get("participant", path, params={**query, "follow": "false"})
    assert answer.status_code in (200, 400, 403, 422), answer.text
    assert str(answer.status_code) in _described(path)["get"]["responses"]
    if query.get("participant") == "D" and path != "/participants":
        assert answer.status_code != 200

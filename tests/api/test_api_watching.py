"""Figures, logs and spans of a served house: they say what happened, and give nobody and nothing away.

Goal: an operator sees counts, times and faults; no secret, participant or amount leaves by them. Method: a house,
requests of every kind, then the figures, every line that was logged and every span.
"""

from __future__ import annotations

import io
import json
import logging
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_house import Served, served
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from test_api_server import _free_port
from test_api_writes import ORDER

from tsingma.api.logs import MASK, mask, start_logs
from tsingma.api.metrics import Metrics
from tsingma.api.watching import tracer_of
from tsingma.app.commit_watch import Committed, WatchedSubmits
from tsingma.basics.clock import FixedClock
from tsingma.basics.rejection import InvariantBroken


def figures(text: str) -> dict[str, float]:
    """Return the samples of Prometheus' text by name and labels."""
    return {
        f"{sample.name}{sorted(sample.labels.items()) or ''}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, from debug on; the loggers are put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    start_logs("debug", stream)
    yield stream
    root.handlers[:], level_before = before, level
    root.setLevel(level_before)


def test_figures_count_what_happened(house: Served) -> None:
    """Goal: right numbers. Method: one order, its repeat, one refused, one lost; the difference of two looks."""
    before = figures(house.get("operator", "/metrics").text)
    house.post("participant", "/instructions", ORDER, "w-1")
    house.post("participant", "/instructions", ORDER, "w-1")
    house.post("participant", "/instructions/0/actions", {"action": "release"}, "w-2")  # it is not held
    house.get("participant", "/nowhere/at/all")
    answer = house.get("auditor", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    after = figures(answer.text)

    def more(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert more("tsingma_commands_total[('outcome', 'accepted')]") == 2
    assert more("tsingma_commands_total[('outcome', 'refused')]") == 1
    assert more("tsingma_refusals_total[('reason', 'not-allowed')]") == 1
    assert more("tsingma_commit_seconds_count") == more("tsingma_commit_commands_count") == 3
    posted = "tsingma_requests_total[('method', 'POST'), ('route', '/instructions'), ('status', '201')]"
    assert more(posted) == 2
    assert more("tsingma_requests_total[('method', 'GET'), ('route', 'none'), ('status', '404')]") == 1
    assert more("tsingma_journal_sequence") == 1
    assert (after["tsingma_house_open"], after["tsingma_commands_waiting"], after["tsingma_feeds_open"]) == (1, 0, 0)
    assert (after["tsingma_sessions_open"], after["tsingma_jobs_open"]) == (0, 0)
    assert after["tsingma_follower_lag_records"] in (0, 1)
    for name in ("/nowhere", "B00001", 'participant="'):
        assert name not in answer.text


def test_a_house_that_stopped_is_seen(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: an alarm can hang on a figure. Method: the store fails at the next append."""

    def fail(_records: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(house.service._writer.store, "append", fail)
    assert house.post("participant", "/instructions", ORDER, "w-9").status_code == 503
    after = figures(house.get("operator", "/metrics").text)
    assert (after["tsingma_house_open"], after["tsingma_failures_total"]) == (0, 1)


def test_figures_on_a_port_of_this_machine() -> None:
    """Goal: a scraper needs no token. Method: the port is bound to the loopback address, answers, and is let go."""
    found, port = Metrics(), _free_port()
    found.gauge("answer", "The answer.", lambda: 42)
    end = found.listen(port)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert figures(answer.read().decode())["tsingma_answer"] == 42
    finally:
        end()
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)


def test_a_failing_batch_is_told_and_raised() -> None:
    """Goal: watching changes nothing. Method: a sequencer that fails, watched and not."""

    class Fails:
        def submit(self, batch: object, /) -> list[object]:
            raise InvariantBroken("secret figures")

    told: list[Committed] = []
    watched = WatchedSubmits(Fails(), FixedClock(5))  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(InvariantBroken):
            watched.submit([])
        watched.watches.append(told.append)
    assert told == [Committed(0, {}, 5, 0, "InvariantBroken")]


def test_every_request_has_an_id(house: Served, lines: io.StringIO) -> None:
    """Goal: one word joins caller, log and span. Method: own ids, given ones, ones that are no plain words."""
    first, second = (house.get(None, "/health").headers["x-request-id"] for _ in range(2))
    assert first != second
    assert house.get(None, "/health", headers={"X-Request-Id": "call-7"}).headers["x-request-id"] == "call-7"
    for odd in ("a b", "x" * 65, '"', ""):
        assert house.get(None, "/health", headers={"X-Request-Id": odd}).headers["x-request-id"] not in (odd, "call-7")
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    asked = [one for one in told if one["event"] == "request"]
    assert [one["request_id"] for one in asked[:3]] == [first, second, "call-7"]
    assert asked[0].items() >= {"method": "GET", "route": "/health", "status": 200, "level": "info"}.items()


def test_no_secret_is_logged(folder: Path, lines: io.StringIO) -> None:
    """Goal: logs can be sent anywhere. Method: secrets by every way in, a defect that quotes them."""
    with served(folder) as house:
        token, key = house.token("participant"), house.private["participant"]["d"]
        cookie = "session=0123456789abcdef0123456789abcdef"
        for path in (f"/instructions?token={token}", f"/day?password=hunter2&d={key}", "/instructions"):
            house.call(None, "GET", path, headers={"Authorization": f"Bearer {token}", "Cookie": cookie})
        house.post("participant", "/instructions", {"password": "hunter2", "d": key}, "w-1")

        def defect(*_: object) -> None:
            raise ValueError(f"Authorization: Bearer {token}; Cookie: {cookie}; {house.private} password='hunter2'")

        house.service.read = defect  # type: ignore[method-assign]
        assert house.get("participant", "/day").status_code == 500
        log = logging.getLogger("elsewhere")
        log.warning("connecting to postgresql://me:hunter2@db/house with %s", {"password": "hunter2", "x": [token]})
        log.error("headers", extra={"headers": {"authorization": token, "cookie": cookie}, "token": token, "d": key})
        log.error("hash $argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g of hunter")
        log.error("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI\n-----END PRIVATE KEY-----\n")
    text = lines.getvalue()
    assert "defect" in text
    assert MASK in text
    for secret in (token, token.split(".")[2], key, "hunter2", cookie.split("=")[1], "$argon2id", "MC4CAQAwBQYDK2Vw"):
        assert secret not in text, secret
    for line in text.splitlines():
        assert {"event", "level", "logger", "timestamp"} <= set(json.loads(line))


@given(st.recursive(st.text(max_size=30) | st.integers() | st.none() | st.binary(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
                    max_leaves=6))  # fmt: skip
def test_masking_takes_anything(value: object) -> None:
    """Goal: the last step of a log never fails, and hides a token wherever it is. Method: any value around one."""
    token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    told = json.dumps(mask(None, "", {"event": f"a {token} b", "more": [value, token], "at": {"token": value}}))
    assert token not in told
    assert "c2lnbmF0dXJl" not in told


def test_requests_and_commits_are_spans(folder: Path) -> None:
    """Goal: traces join those of the caller. Method: the SDK's exporter in memory; an order with a traceparent."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    with served(folder, spans=provider) as house:
        headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "Idempotency-Key": "s-1", "X-Request-Id": "r-1"}
        assert house.call("participant", "POST", "/instructions", json=ORDER, headers=headers).status_code == 201
        assert house.get("participant", "/instructions/2").status_code == 404
    spans = {span.name: span for span in kept.get_finished_spans()}
    asked, commit = spans["POST /instructions"], spans["commit"]
    assert f"{asked.context.trace_id:032x}" == trace_id
    assert dict(asked.attributes or {}) == {
        "http.request.method": "POST", "http.route": "/instructions", "http.response.status_code": 201,
        "tsingma.request_id": "r-1",
    }  # fmt: skip
    assert dict(commit.attributes or {}) == {"tsingma.commands": 1, "tsingma.refused": 0}
    assert "GET /instructions/{instruction}" in spans
    assert not [name for name in spans if re.search(r"/\d", name)]


def test_without_a_provider_there_are_no_spans() -> None:
    """Goal: nothing is paid for what nobody reads. Method: the process has no provider."""
    assert tracer_of() is None

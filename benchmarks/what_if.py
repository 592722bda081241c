"""What-if margin over HTTP: a book of 500 positions at three houses, before and after more lines, beside long jobs.

    python benchmarks/what_if.py [QUESTIONS]

A simulated market of a day is cleared into a house, and the house is asked over its own interface, in process: every
question has other amounts, so that nothing of the answer after is known before. The second half is asked while two
economy runs work beside it. Seconds are of the clock (``perf_counter``) and of this process (``process_time``).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from litestar.testing import TestClient

from machine import describe, verdict
from tsingma.api.application import application
from tsingma.api.keys import Key, Keys
from tsingma.api.permissions import Role
from tsingma.api.tokens import mint, new_private_key
from tsingma.app.house_market import HouseMarket
from tsingma.app.house_service import HouseService
from tsingma.app.market_folder import run_folder, write_market
from tsingma.app.progress import Silent
from tsingma.basics.clock import SystemClock
from tsingma.simulate.market import simulate_market

DAY = date(2026, 1, 5)
POSITIONS = 500
GOAL_MS = 100.0
HOUSES = (("HKSCC", "stock"), ("HKCC", "future"), ("SEOCH", "call"))


def main(questions: int) -> None:
    """Make the house, ask, print the times against the goal."""
    print(describe("numpy", "litestar"))
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder)) as (ask, start):
        draws = np.random.default_rng(1)
        market = HouseMarket(Path(folder) / "market")
        names = [name for name in market.history.instruments if name.isdigit()]
        ask(_body(draws, names))  # what is read once
        _told("alone", [ask(_body(draws, names)) for _ in range(questions)])
        start()
        _told("beside two economy runs", [ask(_body(draws, names)) for _ in range(questions)])


def _body(draws: np.random.Generator, names: list[str]) -> dict[str, Any]:
    lines = []
    for place in range(POSITIONS):
        house, product = HOUSES[place % len(HOUSES)]
        amount = int(draws.integers(10_000, 10_000_000)) * (1 if place % 2 else -1)
        lines.append({"house": house, "product": product, "factor": names[place % len(names)], "notional": amount})
    return {"holdings": lines, "alone": True}


def _told(name: str, found: list[tuple[float, float]]) -> None:
    wall = sorted(1_000 * one for one, _ in found)
    own = statistics.mean(1_000 * one for _, one in found)
    p50, p99 = wall[len(wall) // 2], wall[min(len(wall) * 99 // 100, len(wall) - 1)]
    print(f"{name}: {len(wall)} questions of {POSITIONS} positions, p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    print(f"  {own:.0f} ms of this process each, the client's part among them")
    print(verdict(f"p99 <= {GOAL_MS:.0f} ms", p99 <= GOAL_MS))


@contextmanager
def _served(folder: Path) -> Iterator[tuple[Any, Any]]:
    write_market(folder / "market", simulate_market(1, DAY, 1, 2_000), Silent(), plain=True)
    run_folder(folder / "house", folder / "market", (), None, SystemClock(), Silent(), None)
    pair = new_private_key()
    now = datetime.now(UTC).replace(microsecond=0)
    key = Key(id="op", public=pair["x"], issuer="op", role=Role.OPERATOR, participant="",
              valid_from=now - timedelta(days=1), valid_to=now + timedelta(days=1))  # fmt: skip
    with HouseService.open(folder / "house") as service:
        app = application(service, Keys(audience="bench", key=(key,)), SystemClock(),
                          market=HouseMarket(folder / "market"))  # fmt: skip
        with TestClient(app) as client:

            def headers(**more: str) -> dict[str, str]:
                token = mint(pair, "op", "op", "bench", int(time.time()), 60)
                return {"Authorization": f"Bearer {token}", **more}

            def ask(body: dict[str, Any]) -> tuple[float, float]:
                told = headers()
                wall, own = time.perf_counter(), time.process_time()
                answer = client.post("/accounts/B00001/CLIENT/margin/what-if", json=body, headers=told)
                assert answer.status_code == 200, answer.text
                return time.perf_counter() - wall, time.process_time() - own

            def start() -> None:
                time.sleep(1.1)
                for number in range(2):
                    body = {"model": "renminbi", "scenario": "renminbi-opening", "replications": 20_000, "seed": number}
                    told = headers(**{"Idempotency-Key": f"run-{number}"})
                    assert client.post("/economy-runs", json=body, headers=told).status_code == 202

            yield ask, start


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)

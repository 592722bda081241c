"""A served house under load, on SQLite in a temporary folder, with its clients on the same machine.

    python benchmarks/interface.py [--clients 64] [--seconds 10] [--instructions 100000]

Four claims: single orders that are answered when they are durable; orders in bulk; reads while a night batch runs and
200 clients follow the feed; what-if margin of a book of 500 lines, alone and beside economy runs of which two work at
a time. Tokens are signed and requests built beforehand, one token a change. Single orders are sent by wrk, all else by
plain sockets. Client and server share the machine, so rates are lower bounds; processor time of the server (with the
process that checks signatures) an order is what compares.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars

from interface_clients import (
    HOST,
    Callers,
    Spent,
    answer,
    ask,
    connected,
    follow,
    load_with_sockets,
    load_with_wrk,
    request_of,
    spent_of,
)
from machine import describe, verdict
from tsingma.api.permissions import Role
from tsingma.app.market_folder import write_market
from tsingma.app.progress import Silent
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.journal.commands import DepositAssets, LoadReference, OpenDay, SubmitInstructions
from tsingma.simulate.market import SimulatedMarket, simulate_market

DAY = date(2026, 1, 5)
FEEDS, FEEDS_A_KEY, READERS = 200, 16, 8
BULK_CLIENTS = 4
ARROW_REQUESTS, ARROW_ORDERS, LIST_REQUESTS, LIST_ORDERS = 40, 20_000, 200, 1_000
NIGHT = ("night-1-free-of-payment", "night-1-everything", "night-2-everything", "night-2-parts")
LINES, WHAT_IFS, RUNS = 500, 120, 4
ORDERS_A_SECOND, ORDERS_P99_MS, BULK_A_SECOND, READS_P99_MS, WHAT_IF_P99_MS = 5_000, 20.0, 300_000, 50.0, 100.0


def main() -> int:
    """Serve, load, print the four lines."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--instructions", type=int, default=100_000, help="that the night batch finds")
    arguments = parser.parse_args()
    print(describe("uvicorn", "litestar"), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        market = simulate_market(1, DAY, 1, 2_000)
        write_house(folder / "house", market, arguments.instructions)
        write_market(folder / "market", market, Silent(), plain=True)
        callers = Callers()
        callers.add("b1", Role.PARTICIPANT, "B00001")
        callers.add("first", Role.OPERATOR)
        callers.add("second", Role.OPERATOR)
        for number in range(-(-FEEDS // FEEDS_A_KEY)):
            callers.add(f"auditor-{number}", Role.AUDITOR)
        with served(folder, callers) as (port, processes):
            single_orders(port, folder, callers, market, processes, arguments)
            bulk(port, callers, market, processes)
            asyncio.run(night(port, callers, arguments.instructions))
            what_if(port, callers, market)
    return 0


def single_orders(
    port: int, folder: Path, callers: Callers, market: SimulatedMarket, processes: list[int], arguments: Any
) -> None:
    """Send one order a request and print rate, latencies and what one costs the server."""
    count = int(ORDERS_A_SECOND * 1.6 * arguments.seconds) if shutil.which("wrk") else 4_000
    requests = [
        request_of("POST", "/instructions", callers.token("b1"), _order(market, n), f"one-{n}") for n in range(1, count)
    ]
    before = processor_s(processes)
    if shutil.which("wrk"):
        spent = load_with_wrk(port, folder, arguments.clients, arguments.seconds, requests)
    else:
        spent = asyncio.run(load_with_sockets(port, arguments.clients, requests))
    used = [after - earlier for after, earlier in zip(processor_s(processes), before, strict=True)]
    _require_answered(spent)
    rate = spent.requests / spent.seconds
    print(
        f"single orders, {arguments.clients} clients: {rate:,.0f} a second, p50 {spent.p50_ms:.1f} ms, p99 "
        f"{spent.p99_ms:.1f} ms; processor time of the server {used[0] / spent.requests * 1e6:,.0f} µs an order, "
        f"and {sum(used[1:]) / spent.requests * 1e6:,.0f} µs of the process that checks signatures"
    )
    met = rate >= ORDERS_A_SECOND and spent.p99_ms <= ORDERS_P99_MS
    print(verdict(f"{ORDERS_A_SECOND:,} a second, p99 {ORDERS_P99_MS:.0f} ms", met), flush=True)


def bulk(port: int, callers: Callers, market: SimulatedMarket, processes: list[int]) -> None:
    """Send orders in bulk, as Arrow and in lists of JSON, and print rates from received bytes to durable answers."""
    arrow = [
        request_of(
            "POST", "/instructions/bulk", callers.token("b1"), _arrow(market, 10_000_000 + place * ARROW_ORDERS),
            f"arrow-{place}", "vnd.apache.arrow.stream",
        )
        for place in range(ARROW_REQUESTS)
    ]  # fmt: skip
    lists = [
        request_of(
            "POST", "/instructions", callers.token("b1"),
            [_order(market, 1_000_000 + place * LIST_ORDERS + n) for n in range(LIST_ORDERS)], f"list-{place}",
        )
        for place in range(LIST_REQUESTS)
    ]  # fmt: skip
    rates = []
    for form, requests, size in (("Arrow", arrow, ARROW_ORDERS), ("lists of JSON", lists, LIST_ORDERS)):
        before = processor_s(processes)
        spent = asyncio.run(load_with_sockets(port, BULK_CLIENTS, requests))
        used = processor_s(processes)[0] - before[0]
        _require_answered(spent)
        orders = len(requests) * size
        rates.append(orders / spent.seconds)
        print(
            f"orders in bulk, {form}, {size:,} a request, {BULK_CLIENTS} clients: {rates[-1]:,.0f} a second, p99 "
            f"{spent.p99_ms:.0f} ms a request; processor time of the server {used / orders * 1e6:.2f} µs an order"
        )
    print(verdict(f"{BULK_A_SECOND:,} a second", max(rates) >= BULK_A_SECOND), flush=True)


async def night(port: int, callers: Callers, instructions: int) -> None:
    """Run the night's steps by two operators while feeds follow and reads are asked; print the reads' latencies."""
    counted: Counter[int] = Counter()
    at = int((await ask(port, request_of("GET", "/day", callers.token("auditor-0"))))["at"])
    feeds = [
        asyncio.create_task(follow(port, callers.token(f"auditor-{place // FEEDS_A_KEY}"), at, counted, place))
        for place in range(FEEDS)
    ]
    await asyncio.sleep(2)
    took, done = list[float](), asyncio.Event()
    readers = [asyncio.create_task(_read(port, callers.token("b1"), instructions, place, took, done))
               for place in range(READERS)]  # fmt: skip
    began = time.perf_counter()
    for step in NIGHT:
        body = {"act": "run-step", "step": step}
        proposed = await ask(port, request_of("POST", "/acts", callers.token("first"), body, f"p-{step}"))
        path = f"/acts/{proposed['number']}/approve"
        await ask(port, request_of("POST", path, callers.token("second"), b"", f"a-{step}"))
    seconds = time.perf_counter() - began
    await asyncio.sleep(1)  # reads right after it
    done.set()
    failed = sum(await asyncio.gather(*readers))
    told = sorted({counted[place] for place in range(FEEDS)})
    for feed in feeds:
        feed.cancel()
    spent = spent_of(took, failed, seconds)
    _require_answered(spent)
    settled = await ask(port, request_of("GET", "/instructions?status=settled&limit=1", callers.token("auditor-0")))
    print(
        f"night batch over {instructions:,} instructions in {seconds:.1f} s, {FEEDS} feeds (told {told} records each), "
        f"{READERS} readers: {spent.requests:,} reads, p50 {spent.p50_ms:.1f} ms, p99 {spent.p99_ms:.1f} ms, longest "
        f"{max(took) * 1_000:.0f} ms"
    )
    print(
        verdict(f"reads p99 {READS_P99_MS:.0f} ms", spent.p99_ms <= READS_P99_MS and bool(settled["items"])), flush=True
    )


async def _read(port: int, token: str, instructions: int, seed: int, took: list[float], done: asyncio.Event) -> int:
    """Ask for balances, pages and single instructions until told; returns how many were not answered well."""
    draws, failed = np.random.default_rng(seed), 0
    async with connected(port) as (reader, writer):
        while not done.is_set():
            number = int(draws.integers(instructions))
            path = ("/accounts/B00001/HOUSE/balances", f"/instructions/{number - number % 2}", "/instructions?limit=50",
                    "/day")[int(draws.integers(4))]  # fmt: skip
            began = time.perf_counter()
            writer.write(request_of("GET", path, token))
            status, _ = await answer(reader)
            took.append(time.perf_counter() - began)
            failed += status != 200
            await asyncio.sleep(0.005)
    return failed


def what_if(port: int, callers: Callers, market: SimulatedMarket) -> None:
    """Ask what 500 lines would be margined, each time other ones, alone and beside long runs; print the latencies."""
    factors = sorted(market.history.instruments)
    draws = np.random.default_rng(1)
    path = "/accounts/B00001/HOUSE/margin/what-if"
    requests = []
    for _ in range(2 * WHAT_IFS):
        holdings = []
        for line in range(LINES):
            house, product = (("HKSCC", "stock"), ("HKCC", "future"), ("SEOCH", "call"))[line % 3]
            notional = int(draws.integers(1, 50)) * 100_000 * (1 if draws.random() < 0.6 else -1)
            factor = factors[int(draws.integers(len(factors)))]
            one = {"house": house, "product": product, "factor": factor, "notional": notional}
            holdings.append(
                {**one, "strike_e4": int(draws.integers(9_000, 11_000)), "days": int(draws.integers(5, 90))}
            )
        requests.append(request_of("POST", path, callers.token("b1"), {"holdings": holdings, "alone": True}))
    asyncio.run(ask(port, requests[0]))  # the market is read when it is first asked for
    told = []
    for beside, asked in (("alone", requests[1:WHAT_IFS]), ("beside economy runs", requests[WHAT_IFS:])):
        if told:
            runs = [_start_run(port, callers, seed) for seed in range(RUNS)]
        spent = asyncio.run(load_with_sockets(port, 1, asked))
        _require_answered(spent)
        print(f"what-if margin of {LINES} lines, {beside}: p50 {spent.p50_ms:.0f} ms, p99 {spent.p99_ms:.0f} ms")
        told.append(spent.p99_ms)
    states = [asyncio.run(ask(port, request_of("GET", run, callers.token("first"))))["state"] for run in runs]
    print(f"the economy runs after the last answer: {', '.join(states)}")
    print(verdict(f"p99 {WHAT_IF_P99_MS:.0f} ms", max(told) <= WHAT_IF_P99_MS), flush=True)


def _start_run(port: int, callers: Callers, seed: int) -> str:
    """Start a run that lasts longer than the questions and return where its state is read."""
    body = {"model": "renminbi", "scenario": "renminbi-opening", "replications": 20_000, "seed": seed}
    begun = asyncio.run(ask(port, request_of("POST", "/economy-runs", callers.token("first"), body, f"run-{seed}")))
    return f"/jobs/{begun['job']}"


def write_house(folder: Path, market: SimulatedMarket, instructions: int) -> None:
    """Write a house on an open day with matched instructions for its night, most of which can settle."""
    with Session.open(folder) as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("open", lambda: OpenDay(to_day(DAY)))
        book = session.house.resolved
        members = [code for code in book.participant_index if code[0] == "B" and code[1:].isdigit()][:50]
        accounts = np.array([book.account_index[code, "HOUSE"] for code in members])  # type: ignore[index]
        owners = np.repeat(accounts, 1 + len(book.securities))
        assets = np.tile(np.r_[0, len(CURRENCIES) + np.arange(len(book.securities))], accounts.size)
        amounts = np.where(assets == 0, 10**12, 400 * instructions // accounts.size)
        deposit = DepositAssets(pack(owners, "i4"), pack(assets, "i4"), pack(amounts, "i8"))
        session.once("deposit", lambda: deposit)
        draws = np.random.default_rng(1)
        deliverer = draws.integers(accounts.size, size=instructions)
        deliverer[::2] = 0  # every other one is the reader's
        receiver = (deliverer + draws.integers(1, accounts.size, instructions)) % accounts.size
        members_of = book.account_participant
        shared = {
            "trade_day": np.full(instructions, to_day(DAY) - 3), "intended_day": np.full(instructions, to_day(DAY)),
            "security": draws.integers(len(book.securities), size=instructions),
            "currency": np.zeros(instructions, np.int64), "quantity": 100 + np.arange(instructions) % 900,
            "amount_cents": 1_000_000 + np.arange(instructions),
        }  # fmt: skip
        for side, own, other in ((1, deliverer, receiver), (0, receiver, deliverer)):
            columns = {
                **shared, "reference": np.arange(instructions) + 1 + 10**9 * (2 - side), "account": accounts[own],
                "counterparty": members_of[accounts[other]], "delivers": np.full(instructions, side),
            }  # fmt: skip
            kinds = {"reference": "i8", "quantity": "i8", "amount_cents": "i8", "delivers": "i1", "currency": "i1"}
            packed = {name: pack(column, kinds.get(name, "i4")) for name, column in columns.items()}
            session.once(f"orders-{side}", lambda packed=packed: SubmitInstructions("bench", "", 0, packed))  # type: ignore[misc]


def _order(market: SimulatedMarket, number: int) -> dict[str, Any]:
    """Return an order; every one is of another quantity, so that none is a candidate for another."""
    isin = next(counter.isin for counter in market.book.counters if counter.settlement_counter)
    return {
        "reference": number, "account_class": "HOUSE", "side": "deliver", "counterparty": "B00002", "kind": "dvp",
        "isin": isin, "quantity": 100 + number, "currency": "HKD", "amount": "1000.00", "trade_date": str(DAY),
        "intended_date": str(DAY + timedelta(2)),
    }  # fmt: skip


def _arrow(market: SimulatedMarket, first: int) -> bytes:
    """Return orders as an Arrow stream with the columns of the instruction file."""
    columns: dict[str, Any] = {name: [value] * ARROW_ORDERS for name, value in _order(market, first).items()}
    columns["account"] = ["B00001/HOUSE"] * ARROW_ORDERS
    del columns["account_class"]
    numbers = np.arange(first, first + ARROW_ORDERS)
    columns |= {"reference": numbers, "quantity": 100 + numbers}
    out = io.BytesIO()
    polars.DataFrame(columns).write_ipc_stream(out)
    return out.getvalue()


@contextmanager
def served(folder: Path, callers: Callers) -> Iterator[tuple[int, list[int]]]:
    """Serve the house in a process; yields its port and the processes that serve, the main one first."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tsingma.cli.main", "serve", "--house", str(folder / "house"),
               "--keys", str(callers.write(folder / "keys.toml")), "--market", str(folder / "market"),
               "--port", str(port)]  # fmt: skip
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1_200):
            try:
                socket.create_connection((HOST, port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit("the server does not answer")
        time.sleep(1.1)  # tokens must be younger than the opening
        children = [
            int(pid)
            for task in Path(f"/proc/{server.pid}/task").iterdir()
            for pid in (task / "children").read_text(encoding="ascii").split()
        ]
        yield port, [server.pid, *children]
    finally:
        server.terminate()
        server.wait(60)


def processor_s(processes: list[int]) -> list[float]:
    """Return the processor time each process has used, of all its threads (seconds; Linux)."""
    found = []
    for pid in processes:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        found.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    return found


def _require_answered(spent: Spent) -> None:
    if spent.failed:
        raise SystemExit(f"{spent.failed} of {spent.requests} requests were not answered well")


if __name__ == "__main__":
    sys.exit(main())

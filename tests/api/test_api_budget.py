"""Bodies have a budget: taken before they are read, given back whatever becomes of them, and nobody has all of it.

Method: a client on the other side of ASGI that sends a body part by part, waits, and hangs up as it is told.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from api_house import Served, served
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from test_api_bulk import as_csv, rows
from test_api_writes import ORDER

from tsingma.api.budget import Budget, Hold, NoRoom
from tsingma.app.row_formats import CSV
from tsingma.app.serve_settings import LimitsSection

KIB, MIB = 1024, 1024 * 1024
LIMITS = LimitsSection(body_bytes=64 * KIB, bulk_body_bytes=4 * MIB, body_budget_bytes=16 * MIB)
JSON = "application/json"


@pytest.fixture
def bounded(folder: Path) -> Any:
    """A served copy with a small budget."""
    with served(folder, limits=LIMITS) as house:
        yield house


def budget_of(house: Served) -> Budget:
    found: Budget = house.client.app.asgi_handler._app._budget
    return found


class Sender:
    """A client of one request: it sends parts when it is told to, and keeps what it is answered."""

    def __init__(
        self, house: Served, who: str, length: int | None, path: str = "/instructions/bulk", form: str = CSV,
        more: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._coming: asyncio.Queue[Any] = asyncio.Queue()
        self._told: list[Any] = []
        self._gone = False
        headers = {"authorization": f"Bearer {house.token(who)}", "content-type": form, "idempotency-key": "k"}
        headers |= more or {}
        headers |= {"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode(),
            "query_string": b"", "root_path": "", "scheme": "http", "server": ("testserver", 80),
            "client": ("127.0.0.1", 1), "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        }  # fmt: skip
        self.task = asyncio.ensure_future(house.client.app(scope, self._coming.get, self._take))

    async def _take(self, message: Any) -> None:
        self._told.append(message)

    def part(self, data: bytes, *, more: bool = True) -> None:
        self._coming.put_nowait({"type": "http.request", "body": data, "more_body": more})

    def hang_up(self) -> None:
        self._coming.put_nowait({"type": "http.disconnect"})

    async def status(self) -> int:
        """Wait for the answer and return its status."""
        await asyncio.wait_for(asyncio.gather(self.task, return_exceptions=True), 30)
        return int(self._told[0]["status"]) if self._told else 0

    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self._told[0]["headers"]}

    def problem(self) -> Any:
        return json.loads(b"".join(one.get("body", b"") for one in self._told[1:]))


def run(scene: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await asyncio.wait_for(scene(), 60)

    asyncio.run(whole())


async def until(what: Callable[[], bool]) -> None:
    """Wait until something holds; half a minute at most."""
    async with asyncio.timeout(30):
        while not what():
            await asyncio.sleep(0.005)


def test_a_body_is_paid_for_before_it_is_read(bounded: Served) -> None:
    """Goal: by its length at once, in chunks as they come; given back. Method: one each, answered and hung up."""
    budget = budget_of(bounded)

    async def scene() -> None:
        told = Sender(bounded, "participant", 3 * MIB)
        await until(lambda: budget.taken == 3 * MIB)  # nothing of it was sent
        chunks = Sender(bounded, "other", None)
        for place in range(3):
            chunks.part(b"x" * MIB)
            await until(lambda place=place: budget.taken == (3 + place + 1) * MIB)  # type: ignore[misc]
        told.hang_up()
        await told.status()
        await until(lambda: budget.taken == 3 * MIB)
        chunks.part(b"", more=False)
        assert await chunks.status() == 400  # it is no table
        assert budget.taken == 0

    run(scene)


def test_beyond_it_is_said_and_others_go_on(bounded: Served) -> None:
    """Goal: 429 for one's own doing, 503 for others', small bodies go on. Method: three owners, 4 MiB a body, 16."""
    budget = budget_of(bounded)

    async def scene() -> None:
        held = [Sender(bounded, "participant", 4 * MIB) for _ in range(2)]
        await until(lambda: budget.taken == 8 * MIB)
        third = Sender(bounded, "participant", 4 * MIB)
        assert (await third.status(), third.headers()["retry-after"]) == (429, "2")
        told = third.problem()
        assert (told["status"], "bodies of yours" in told["detail"], "later" in told["remedy"]) == (429, True, True)
        held.append(Sender(bounded, "other", 4 * MIB))
        await until(lambda: budget.taken == 12 * MIB)
        custodian = Sender(bounded, "custodian", 4 * MIB)
        assert (await custodian.status(), custodian.headers()["retry-after"]) == (503, "2")
        assert custodian.headers()["content-type"] == "application/problem+json"
        small = Sender(bounded, "custodian", None, "/instructions", JSON)
        small.part(json.dumps({**ORDER, "account_class": "HOUSE"}).encode(), more=False)
        assert await small.status() in (201, 409, 422)
        for one in held:
            one.hang_up()
            await one.status()
        assert budget.taken == 0
        again = Sender(bounded, "custodian", 4 * MIB)
        await until(lambda: budget.taken == 4 * MIB)
        again.hang_up()
        await again.status()
        assert budget.taken == 0

    run(scene)


def test_too_long_is_413_whatever_is_free(bounded: Served) -> None:
    """Goal: what can never pass is not told to come again. Method: a length beyond the bound; chunks beyond it."""
    budget = budget_of(bounded)

    async def scene() -> None:
        assert await Sender(bounded, "participant", 5 * MIB).status() == 413
        chunks = Sender(bounded, "participant", None)
        for _ in range(5):
            chunks.part(b"x" * MIB)
        assert await chunks.status() == 413
        order = Sender(bounded, "participant", 65 * KIB, "/instructions", JSON)
        assert await order.status() == 413
        assert budget.taken == 0

    run(scene)


def test_chunks_end_where_the_share_ends(bounded: Served) -> None:
    """Goal: a body without a length takes no more than one's share. Method: half is others'; chunks of 1 MiB."""
    budget = budget_of(bounded)

    async def scene() -> None:
        held = [Sender(bounded, "other", 4 * MIB) for _ in range(2)]
        await until(lambda: budget.taken == 8 * MIB)
        held.append(Sender(bounded, "custodian", 3 * MIB))
        await until(lambda: budget.taken == 11 * MIB)
        chunks = Sender(bounded, "participant", None)
        for _ in range(4):
            chunks.part(b"x" * MIB)
        assert await chunks.status() == 429  # of 5 MiB free it has 2 and would not leave 3
        assert budget.taken == 11 * MIB
        for one in held:
            one.hang_up()
            await one.status()
        assert budget.taken == 0

    run(scene)


def test_what_waits_for_the_writer_is_counted_on(bounded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: who was told 503 has left the command in memory. Method: a writer that answers late; then it does."""
    budget, told = budget_of(bounded), []
    submit = bounded.service.submit_told
    monkeypatch.setattr("tsingma.api.door.ANSWER_SECONDS_MAX", 0.05)
    monkeypatch.setattr(bounded.service, "submit_told", lambda *more: told.append(more))
    body = as_csv(rows(50))

    async def scene() -> None:
        late = Sender(bounded, "participant", len(body))
        late.part(body, more=False)
        assert await late.status() == 503
        assert budget.taken == len(body)
        submit(*told[0])
        await until(lambda: budget.taken == 0)

    run(scene)
    assert bounded.get("participant", "/orders?limit=1000").json()["items"][-1]["reference"] == 549


def test_the_short_way_pays_too(bounded: Served) -> None:
    """Goal: one budget for every way in. Method: plain orders while nothing is free, and after."""
    budget, order = budget_of(bounded), json.dumps(ORDER).encode()
    budget.take("participant/somebody", 8 * MIB)
    budget.take("participant/somebody else", 4 * MIB)
    budget.take("participant/a third", 2 * MIB - 64)
    budget.take("participant/a fourth", MIB)

    async def scene() -> None:
        refused = Sender(bounded, "participant", 60 * KIB, "/instructions", JSON)
        await until(lambda: budget.taken == 15 * MIB - 64 + 60 * KIB)
        refused.hang_up()
        assert await refused.status() in (0, 400)
        budget.take("participant/a fifth", MIB // 2)
        budget.take("participant/a sixth", MIB // 4)
        budget.take("participant/a seventh", MIB // 8)
        budget.take("participant/an eighth", MIB // 16)
        no = Sender(bounded, "participant", 60 * KIB, "/instructions", JSON)
        assert await no.status() == 503
        yes = Sender(bounded, "participant", len(order), "/instructions", JSON)
        yes.part(order, more=False)
        assert await yes.status() == 201

    run(scene)
    assert budget.taken == 15 * MIB - 64 + MIB // 2 + MIB // 4 + MIB // 8 + MIB // 16


STEPS = st.lists(
    st.tuples(st.sampled_from(["told", "chunks", "part", "part", "end", "hang up"]), st.integers(0, 9),
              st.integers(1, 5 * MIB), st.sampled_from(["participant", "other", "custodian", "auditor"])),
    min_size=3, max_size=12,
)  # fmt: skip


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_nothing_leaks_whatever_clients_do(shown: Served, steps: list[tuple[str, int, int, str]]) -> None:
    """Goal: no leak. Method: clients send, end and hang up as drawn; the bound holds, at the end nothing is taken."""
    budget = budget_of(shown)

    async def scene() -> None:
        senders: list[Sender] = []
        for what, place, size, who in steps:
            if what in ("told", "chunks"):
                senders.append(Sender(shown, who, size if what == "told" else None))
            elif senders:
                one = senders[place % len(senders)]
                if what == "hang up":
                    one.hang_up()
                else:
                    one.part(b"x" * size, more=what == "part")
            for _ in range(5):
                await asyncio.sleep(0)
            assert 0 <= budget.taken <= budget._max
        for one in senders:
            one.hang_up()
        for one in senders:
            await one.status()
        assert (budget.taken, dict(budget._of)) == (0, {})

    run(scene)


class Shares(RuleBasedStateMachine):
    """The rule of shares against plain sums of what each owner has."""

    def __init__(self) -> None:
        super().__init__()
        self.budget, self.holds = Budget(100), list[tuple[str, Hold, int]]()

    def plain(self, owner: str) -> int:
        return sum(count for one, _, count in self.holds if one == owner)

    @rule(owner=st.sampled_from("abc"), count=st.integers(1, 60))
    def take(self, owner: str, count: int) -> None:
        """Take: allowed when what one has then is not more than what stays free."""
        hold = Hold(self.budget, "nobody")
        hold.belong_to(owner)
        free = 100 - sum(one[2] for one in self.holds) - count
        if self.plain(owner) + count <= free:
            hold.cover(count)
            hold.cover(count // 2)  # less than it has
            self.holds.append((owner, hold, count))
            return
        with pytest.raises(NoRoom) as refused:
            hold.cover(count)
        assert refused.value.own is (self.plain(owner) > 0)
        hold.end()

    @rule(place=st.integers(0, 20), shared=st.booleans())
    def end(self, place: int, *, shared: bool) -> None:
        """Give back, with the last one of two users where there are two."""
        if self.holds:
            _, hold, _ = self.holds.pop(place % len(self.holds))
            if shared:
                hold.share()
                before = self.budget.taken
                hold.end()
                assert self.budget.taken == before
            hold.end()

    @invariant()
    def adds_up(self) -> None:
        """What is taken is what is held, by owner too; whoever has nothing finds some."""
        assert self.budget.taken == sum(one[2] for one in self.holds) < 100
        assert dict(self.budget._of) == {owner: self.plain(owner) for owner, _, _ in self.holds}


TestShares = Shares.TestCase
TestShares.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)

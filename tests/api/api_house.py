"""A small house on disk with keys for every role, and a client in process that signs its own tokens."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from argon2 import PasswordHasher
from litestar.testing import TestClient
from story import MONDAY, SHARE, Story

from tsingma.api.application import application
from tsingma.api.keys import Key, Keys
from tsingma.api.people import People, Person
from tsingma.api.permissions import MEMBERS, Role
from tsingma.api.tokens import mint, new_private_key
from tsingma.app.house_service import HouseService
from tsingma.app.jobs import JobBoard
from tsingma.app.session import Session
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack
from tsingma.journal import commands as do
from tsingma.journal.payment_commands import SubmitPayments
from tsingma.reference.book import Participant, ParticipantKind

SECOND = 1_000_000_000
START_S = 1_767_600_000  # 5 January 2026, 08:00 UTC
AUDIENCE = "tsingma-test"
PASSWORD = "a bridge to the harbour"  # of everybody in the tests
NAMED = {"other": "participant", "second": "operator"}  # keys and people beside those named by their role
OWNER = {Role.PARTICIPANT: "A", Role.CUSTODIAN: "C"}


def commands() -> list[do.Command]:
    """Tell a house: A and C have shares, B and D money; instruction 0 A to B, 1 C to B, 2 D to B; orders; calls.

    Payments 0 to 2 of A, C and D to B wait for their system to open.
    """
    told = Story()
    custodian = tuple(
        Participant(code="C", name="C", kind=ParticipantKind.CUSTODIAN) if one.code == "C" else one
        for one in told.house.resolved.book.participants
    )
    book = msgspec.structs.replace(told.house.resolved.book, participants=custodian)
    for who in ("A", "C", "D"):
        told.give(who, SHARE, 1_000)
    told.give("B", "HKD", 100_000_000)
    told.give("A", "HKD", 50_000)
    for deliverer in ("A", "C", "D"):
        told.send(deliverer, "delivers", "B")
        told.send("B", "receives", deliverer)
    for deliverer in ("A", "C", "D"):
        told.send(deliverer, "delivers", "B", amount_cents=77)  # waits: B has not told its side
    told.trade(0, buyer="A", seller="D")
    accounts = [told.account(who) for who in ("A", "B", "C", "D")]
    told.tell(do.CallMargin("test", pack(accounts, "i4"), pack([10_000, 20_000, 30_000, 0], "i8")))
    columns = {"payer": pack([told.account(who) for who in ("A", "C", "D")], "i4"),
               "payee": pack([told.account("B")] * 3, "i4"), "asset": pack([0, 0, 0], "i4"),
               "amount": pack([10_000, 10_000, 10_000], "i8")}  # fmt: skip
    told.tell(SubmitPayments("test", "", 0, columns))  # before its system opens: they wait
    return [do.LoadReference(book), *told.told[1:]]


@dataclass
class Served:
    """A served house with one private key for each role, and one of another participant, B."""

    client: TestClient
    clock: FixedClock
    service: HouseService
    private: dict[str, dict[str, str]]

    @property
    def board(self) -> JobBoard:
        """The jobs of the application."""
        return self.client.app.dependencies["board"].dependency()

    def token(self, who: str, **changes: Any) -> str:
        """Return a new token of a key (named by its role, or "other"); changes: audience, lifetime_s, at_s, issuer."""
        at = changes.get("at_s", self.clock.now_ns() // SECOND)
        return mint(
            self.private[who], who, changes.get("issuer", f"issuer-{who}"), changes.get("audience", AUDIENCE), at,
            changes.get("lifetime_s", 60),
        )  # fmt: skip

    def call(self, who: str | None, method: str, path: str, **more: Any) -> Any:
        """Send a request with a new token of ``who``."""
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {more.pop('token', None) or self.token(who)}"
        return self.client.request(method, path, headers=headers, **more)

    def get(self, who: str | None, path: str, **more: Any) -> Any:
        """Read."""
        return self.call(who, "GET", path, **more)

    def post(self, who: str | None, path: str, body: Any, key: str, **more: Any) -> Any:
        """Send a change under an idempotency key."""
        return self.call(who, "POST", path, json=body, headers={"Idempotency-Key": key}, **more)


def write_prices(folder: Path, days: int = 1_400) -> Path:
    """Write closes of the house's two listed counters and a third up to 2 January 2026 into a folder; return it."""
    draws = np.random.default_rng(7).normal(0.0, 0.015, (days, 3))
    draws[:, 1:] += 0.6 * draws[:, :1]
    closes = np.exp(np.cumsum(draws, axis=0)) * (300.0, 20.0, 60.0)
    moments = [date(2026, 1, 2) - timedelta(days=back) for back in range(2 * days)]
    traded = sorted(moment for moment in moments if moment.weekday() < 5)[-days:]
    lines = [f"{day},{','.join(f'{close:.2f}' for close in row)}" for day, row in zip(traded, closes, strict=True)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prices.csv").write_text("\n".join(["Date,0700.HK,2800.HK,0005.HK", *lines]) + "\n", encoding="ascii")
    return folder


def keys_of(private: dict[str, dict[str, str]], owner_of_participant: str = "A") -> Keys:
    """Return the keys file of private keys named by role; "other" is a participant, B, "second" another operator.

    Keys of operators name the person of the same name.
    """
    owners = {**OWNER, Role.PARTICIPANT: owner_of_participant}

    def key(name: str, pair: dict[str, str]) -> Key:
        role = Role(NAMED.get(name, name))
        owner = "B" if name == "other" else owners[role] if role in MEMBERS else ""
        return Key(
            id=name, public=pair["x"], issuer=f"issuer-{name}", role=role, participant=owner,
            person=name if role is Role.OPERATOR else "",
            valid_from=datetime(2026, 1, 1, tzinfo=UTC), valid_to=datetime(2027, 1, 1, tzinfo=UTC),
        )  # fmt: skip

    return Keys(audience=AUDIENCE, key=tuple(key(name, pair) for name, pair in private.items()))


@cache
def people_of() -> People:
    """Return one person for each role, named by it, "other" of participant B, "second" operator; PASSWORD is theirs."""
    password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # cheap: many sign in

    def person(name: str) -> Person:
        role = Role(NAMED.get(name, name))
        return Person(
            id=name, name=f"The {name}", role=role, password=password,
            participant="B" if name == "other" else OWNER.get(role, ""),
            valid_from=datetime(2026, 1, 1, tzinfo=UTC), valid_to=datetime(2027, 1, 1, tzinfo=UTC),
        )  # fmt: skip

    return People(person=tuple(person(str(name)) for name in (*Role, *NAMED)))


def sign_in(client: TestClient, who: str, password: str = PASSWORD, place: str = "", **more: Any) -> Any:
    """Sign a person in as a browser would, with the form's token; the client keeps the cookie. Returns the answer."""
    form = client.get("/console/sign-in").text
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', form)
    assert token is not None, form
    told = {"csrf": token.group(1), "name": who, "password": password, "next": place}
    return client.post("/console/sign-in", data=told, follow_redirects=False, **more)


def write_house(folder: Path | str) -> Path | str:
    """Write the house into a folder and return it."""
    with Session.open(folder) as session:
        session.submit([(f"setup/{place}", command) for place, command in enumerate(commands())])
    return folder


@contextmanager
def served(
    folder: Path | str, owner: str = "A", who: tuple[str, ...] = (*Role, *NAMED), **settings: Any
) -> Iterator[Served]:
    """Serve a house in process; ``owner`` has the key of the participant, ``settings`` go to the application.

    Only ``who`` have keys: other houses lack some of the participants.
    """
    private = {str(name): new_private_key() for name in who}
    clock = FixedClock(START_S * SECOND)
    with HouseService.open(folder) as service:
        app = application(service, keys_of(private, owner), clock, **settings)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield Served(client, clock, service, private)


__all__ = [
    "AUDIENCE",
    "MONDAY",
    "OWNER",
    "PASSWORD",
    "SECOND",
    "SHARE",
    "START_S",
    "Served",
    "keys_of",
    "mint",
    "new_private_key",
    "people_of",
    "served",
    "sign_in",
    "write_house",
    "write_prices",
]

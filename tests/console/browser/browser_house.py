"""A house of a simulated market on an address of this machine, for browsers: two days, orders that wait, a market."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "api"))

import httpx
import uvicorn
from api_house import AUDIENCE, PASSWORD, SECOND, START_S, sign_in
from argon2 import PasswordHasher

from tsingma.api.application import application
from tsingma.api.keys import Keys
from tsingma.api.people import People, Person
from tsingma.api.permissions import Role
from tsingma.app.house_market import HouseMarket
from tsingma.app.house_service import HouseService
from tsingma.app.market_folder import write_market
from tsingma.app.market_week import run_market
from tsingma.app.parameter_file import build_parameters
from tsingma.app.session import Session
from tsingma.basics.clock import FixedClock, SystemClock
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.console.routes import ROUTES
from tsingma.journal import commands as do
from tsingma.journal.corporate_action_commands import (
    SCALE_E9,
    AnnounceCorporateAction,
    CashTerm,
    EventKind,
    EventOption,
    EventTerms,
)
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.reference.book import AccountClass, ResolvedBook
from tsingma.settlement.instruction import KINDS
from tsingma.settlement.orders import ORDER_COLUMNS
from tsingma.simulate.market import simulate_market

FIRST_DAY, THIRD_DAY = date(2026, 1, 5), date(2026, 1, 7)
DAYS, TRADES, SEED = 2, 2_000, 1
READY_SECONDS = 20.0
OWNERS = {"participant": "B00010", "other": "B00002", "custodian": "C00001"}
CLIENT_SELLS = 300_000  # shares that a client of the custodian sold, 50,000 more than it has
LACKED = 50_000_000  # shares that B00010 is to deliver and does not have; it is short of margin on its own account too


class Quiet:
    """Progress that nobody watches."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Say nothing."""


@dataclass
class Site:
    """A served house: its address, and sessions of people by name, signed in when first asked for."""

    address: str
    clock: FixedClock
    service: HouseService
    cookies: dict[str, str] = field(default_factory=dict)

    def cookie(self, who: str) -> str:
        """Return the cookie of a person's session."""
        if who not in self.cookies:
            with httpx.Client(base_url=self.address) as browser:
                answer = sign_in(browser, who)
                assert answer.status_code == 303, answer.text
                self.cookies[who] = browser.cookies["tsingma"]
        return self.cookies[who]


def write_week(folder: Path) -> None:
    """Write the house and its market into a folder; the same bytes each time."""
    market = simulate_market(SEED, FIRST_DAY, DAYS, TRADES)
    write_market(folder / "market", market, Quiet(), plain=True)
    parameters = build_parameters(market.history, FilterSettings())
    with Session.open(folder / "house") as session:
        for _ in run_market(session, market, parameters, SystemClock(), Quiet()):
            pass
        _third_day(session)


def _third_day(session: Session) -> None:
    """Open a day, agree on a delivery that lacks its shares and on one that does not, and run the night."""
    session.once("third/open", lambda: do.OpenDay(to_day(THIRD_DAY)))
    session.once("third/custody", lambda: _stock_of_clients(session))
    for place, quantity in enumerate((LACKED, 100)):
        for who, to, delivers in (("participant", "other", 1), ("other", "participant", 0)):
            session.once(f"third/{place}/{who}", lambda: _order(session, who, to, delivers, quantity, place))  # noqa: B023
    for who, to, delivers in (("custodian", "other", 1), ("other", "custodian", 0)):
        session.once(f"third/client/{who}", lambda: _order(session, who, to, delivers, CLIENT_SELLS, 3, 1))  # noqa: B023
    session.once("third/dividend", lambda: _dividend(session))
    session.once("third/waits", lambda: _order(session, "other", "participant", 1, 200, 2))
    for step in ("night-1-free-of-payment", "night-1-everything"):
        session.once(f"third/{step}", lambda: do.RunStep(step))  # noqa: B023


def _stock_of_clients(session: Session) -> do.DepositAssets:
    """Give the custodian stock, and the participant that is short of margin money to cover it with."""
    book = session.house.resolved
    keeper, member = (_account(book, OWNERS[who]) for who in ("custodian", "participant"))
    gifts = [
        *((keeper, book.asset_of_security(place), units) for place, units in enumerate((10_000, 250_000, 4_000))),
        (member, CURRENCIES.index("HKD"), 9_000_000), (member, CURRENCIES.index("USD"), 1_500_000),
    ]  # fmt: skip
    owner, asset, amount = zip(*gifts, strict=True)
    return do.DepositAssets(pack(list(owner), "i4"), pack(list(asset), "i4"), pack(list(amount), "i8"))


def _dividend(session: Session) -> AnnounceCorporateAction:
    """Announce 78 cents a share on the first stock of the custodian's clients, in the week after."""
    day = session.house.position.day
    option = EventOption("CASH", cash=(CashTerm(CURRENCIES.index("HKD"), 780_000_000, SCALE_E9),))
    return AnnounceCorporateAction(
        EventTerms(reference="DIV-1", kind=EventKind.CASH_DIVIDEND, security=0, options=(option,), ex_day=day + 5,
                   record_day=day + 6, pay_day=day + 12)
    )  # fmt: skip


def _account(book: ResolvedBook, code: str) -> int:
    """Return the house account of a member, of a custodian that of its clients."""
    for account_class in (AccountClass.HOUSE, AccountClass.SEGREGATED):
        if (code, account_class) in book.account_index:
            return book.account_index[code, account_class]
    raise LookupError(code)


def _order(
    session: Session, who: str, to: str, delivers: int, quantity: int, place: int, security: int = 0
) -> do.SubmitInstructions:
    house, code = session.house, OWNERS[who]
    book = house.resolved
    row = {
        "reference": place + 1,
        "account": _account(book, code),
        "counterparty": book.participant_index[OWNERS[to]], "delivers": delivers, "trade_day": house.position.day - 1,
        "intended_day": house.position.day, "kind": KINDS.index("dvp"), "security": security, "currency": 0,
        "quantity": quantity, "amount_cents": 100 * quantity,
    }  # fmt: skip
    packed = {name: pack([value], ORDER_COLUMNS[name][0]) for name, value in row.items()}
    return do.SubmitInstructions("browser", code, house.settlement.clock_s, packed)


def people_of_week() -> People:
    """Return the people: one a role, "other" of a second participant, and a second operator, for four eyes."""
    password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # cheap: many sign in
    roles = {**{str(role): role for role in Role}, "other": Role.PARTICIPANT, "operator-2": Role.OPERATOR}
    return People(
        person=tuple(
            Person(
                id=name, name=f"The {name}", role=role, password=password, participant=OWNERS.get(name, ""),
                valid_from=datetime(2026, 1, 1, tzinfo=UTC), valid_to=datetime(2027, 1, 1, tzinfo=UTC),
            )
            for name, role in roles.items()
        )
    )  # fmt: skip


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Serve the house of a folder on a free port of this machine."""
    clock = FixedClock(START_S * SECOND)
    service = HouseService.open(folder / "house")
    market = HouseMarket(folder / "market")
    app = application(
        service, Keys(audience=AUDIENCE), clock, people=people_of_week(), market=market, more_routes=ROUTES
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
    thread.start()
    until = time.monotonic() + READY_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    if not server.started:
        raise RuntimeError("the house is not served")
    try:
        yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", clock, service)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()

"""Acts of the operator in words: from what somebody asks for to a command of the house, and back to what others see.

What a second person is shown is made from the command that would be carried out, not from what the first one sent.
Amounts are in cents, securities in units, prices in ten-thousandths, rates in millionths.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import msgspec

from tsingma.app.book_names import account_of, asset_of
from tsingma.app.default_acts import DefaultAct, command_of_default_act, default_act_of
from tsingma.basics.columns import pack, unpack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.engine.act_book import Act, ActStatus
from tsingma.engine.acts import HOUSE
from tsingma.engine.day_plan import PlanKind, kind_of, step_id
from tsingma.engine.house import House
from tsingma.journal.act_commands import DecideAct, ProposeAct, RunDayStep
from tsingma.journal.commands import (
    ChangeInstruction,
    CloseDay,
    CollectClaims,
    Command,
    DepositAssets,
    OpenDay,
    RunStep,
    SetClosingPrices,
    SetCreditLine,
    decode,
)
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.journal.default_commands import DefaultCommand
from tsingma.reference.book import ResolvedBook

LINES_MAX = 5_000
DEPOSITS_MAX = 4_000  # 16 bytes each: what the house takes as one act
MOMENT_MAX = 253_402_300_799  # the end of the year 9999; older journals know no bound
Amount = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**40)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Currency = Literal["HKD", "CNY", "USD", "EUR"]
FILE_NAME = "[A-Za-z0-9._-]{0,100}"
Sha = Annotated[str, msgspec.Meta(pattern=whole("([0-9a-f]{64})?"))]
FileName = Annotated[str, msgspec.Meta(pattern=whole(FILE_NAME))]
Intraday = Annotated[int, msgspec.Meta(ge=0, le=999)]


class _Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="act"):
    """An act by its name, the field ``act``."""


class OpenDayAct(_Act, frozen=True, tag="open-day"):
    """Open a business day."""

    date: date


class RunStepAct(_Act, frozen=True, tag="run-step"):
    """Run the next step of the day's timetable, and what settles together after it; without date, of the open day."""

    step: Name
    date: date | None = None


class _FileAct(_Act, frozen=True):
    """An act that takes in what a file brings, of a day; without ``sha256`` the file of the market folder."""

    date: date | None = None
    sha256: Sha = ""
    file: FileName = ""


class TakeTradesAct(_FileAct, frozen=True, tag="take-trades"):
    """Take the trades of a trade file in: novate and net. Without ``sha256`` the file of the market folder."""


class TakePricesAct(_FileAct, frozen=True, tag="take-prices"):
    """Fix the prices and rates of a closing file; ``intraday`` counts from 1 those before the close."""

    intraday: Intraday = 0


class TakeDerivativesAct(_FileAct, frozen=True, tag="take-derivative-trades"):
    """Take trades in futures and options in."""


class MarkDerivativesAct(_FileAct, frozen=True, tag="mark-derivatives"):
    """Mark futures and options at the settlement prices of a file, and move the day's money."""


class CallMarginAct(_FileAct, frozen=True, tag="call-margin"):
    """Call the margin of every account; ``intraday`` counts calls before that of the day. RPF01: file or market."""

    intraday: Intraday = 0


class PriceOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The closing price of a counter, in ten-thousandths."""

    counter: Name
    price_e4: Amount


class ClosingPricesAct(_Act, frozen=True, tag="set-closing-prices"):
    """Fix closing prices, and HKD for a unit of each currency in millionths."""

    prices: Annotated[tuple[PriceOf, ...], msgspec.Meta(max_length=LINES_MAX)]
    rates_e6: dict[Currency, Amount]


class CorporateActionsAct(_Act, frozen=True, tag="run-corporate-actions"):
    """Carry out what corporate actions have due; ``part`` is that of the day's plan, "" any other moment."""

    part: Literal["", "morning", "evening"] = ""
    date: date | None = None


class CollectClaimsAct(_Act, frozen=True, tag="collect-claims"):
    """Pay penalties, price differences and compensation that are owed."""


class CreditLineAct(_Act, frozen=True, tag="set-credit-line"):
    """Set an account's intraday credit in a currency; ``cap_cents`` -1 is no cap."""

    account: Name
    currency: Currency
    credit_cents: Amount
    collateral_cents: Amount
    cap_cents: Annotated[int, msgspec.Meta(ge=-1, le=2**53)] = -1


class DepositOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an account is given: a currency in cents, or a security in units."""

    account: Name
    asset: Name
    amount: Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class DepositAct(_Act, frozen=True, tag="deposit-assets"):
    """Bring securities or money into the house, from the issuer or the settlement bank."""

    deposits: Annotated[tuple[DepositOf, ...], msgspec.Meta(min_length=1, max_length=DEPOSITS_MAX)]


class InstructionAct(_Act, frozen=True, tag="change-instruction"):
    """Hold, release, cancel ... an instruction as the house, for whoever is party to it."""

    instruction: Number
    action: Name
    value: Amount = 0


class CloseDayAct(_Act, frozen=True, tag="close-day"):
    """Close the business day; without date, the open one."""

    date: date | None = None


FileAct = TakeTradesAct | TakePricesAct | TakeDerivativesAct | MarkDerivativesAct | CallMarginAct
DayAct = OpenDayAct | RunStepAct | CorporateActionsAct | CloseDayAct | FileAct
OperatorAct = (
    OpenDayAct
    | RunStepAct
    | TakeTradesAct
    | TakePricesAct
    | TakeDerivativesAct
    | MarkDerivativesAct
    | CallMarginAct
    | ClosingPricesAct
    | CorporateActionsAct
    | CollectClaimsAct
    | CreditLineAct
    | DepositAct
    | InstructionAct
    | CloseDayAct
    | DefaultAct
)


class ActTold(msgspec.Struct, frozen=True):
    """An act as people see it; moments are UTC, those of the decision are missing while it is pending.

    ``step`` is the id of a step of the day's plan; ``figures`` are counts and totals of what it would carry out,
    ``contents`` the SHA-256 of it, ``source`` what it was made of.
    """

    number: int
    status: str
    act: OperatorAct
    proposer: str
    proposer_key: str
    proposed_at: datetime
    lapses_at: datetime
    decider: str = ""
    decider_key: str = ""
    decided_at: datetime | None = None
    step: str = ""
    source: str = ""
    figures: dict[str, int] = {}
    contents: tuple[str, ...] = ()


def command_of_act(act: OperatorAct, book: ResolvedBook) -> Command:
    """Return the command of an act; raises Rejected (unknown) naming the field of a code that the book lacks.

    Steps of the day's plan are made by ``day_acts``, which knows the house and its files.
    """
    if isinstance(act, DefaultAct):
        return command_of_default_act(act, book)
    match act:
        case CorporateActionsAct():
            return RunCorporateActions()
        case ClosingPricesAct():
            return _closing_prices(act, book)
        case CollectClaimsAct():
            return CollectClaims()
        case CreditLineAct():
            currency = CURRENCIES.index(act.currency)
            line = (act.credit_cents, act.cap_cents, act.collateral_cents)
            return SetCreditLine(account_of(act.account, book), currency, *line)
        case DepositAct(deposits=deposits):
            owners = [account_of(one.account, book) for one in deposits]
            assets = [asset_of(one.asset, book) for one in deposits]
            amounts = pack([one.amount for one in deposits], "i8")
            return DepositAssets(pack(owners, "i4"), pack(assets, "i4"), amounts)
        case InstructionAct():
            return ChangeInstruction(act.instruction, act.action, HOUSE, act.value)
        case _:
            raise InvariantBroken(f"{type(act).__name__} is a step of the day")


def act_of_command(command: Command, book: ResolvedBook) -> OperatorAct:
    """Return an act's command in words; raises InvariantBroken for a command that is no act."""
    if isinstance(command, DefaultCommand):
        return default_act_of(command, book)
    match command:
        case RunDayStep():
            return _act_of_step(command, book)
        case OpenDay(day=day):
            return OpenDayAct(to_date(day))
        case RunStep(step=step):
            return RunStepAct(step)
        case SetClosingPrices():
            lines = zip(unpack(command.counter, "i4").tolist(), unpack(command.price_e4, "i8").tolist(), strict=True)
            prices = tuple(PriceOf(book.book.counters[place].code, price) for place, price in lines)
            return ClosingPricesAct(prices, dict(zip(CURRENCIES, command.fx_e6, strict=True)))  # type: ignore[arg-type]
        case RunCorporateActions():
            return CorporateActionsAct()
        case CollectClaims():
            return CollectClaimsAct()
        case SetCreditLine():
            account, currency = book.account_name(command.account), CURRENCIES[command.currency]
            return CreditLineAct(account, currency, command.credit_cents, command.collateral_cents, command.cap_cents)  # type: ignore[arg-type]
        case DepositAssets():
            columns = (unpack(command.owner, "i4"), unpack(command.asset, "i4"), unpack(command.amount, "i8"))
            rows = zip(*(column.tolist() for column in columns), strict=True)
            return DepositAct(tuple(DepositOf(book.account_name(a), book.asset_name(b), n) for a, b, n in rows))
        case ChangeInstruction():
            return InstructionAct(command.instruction, command.action, command.value)
        case CloseDay():
            return CloseDayAct()
        case _:
            raise InvariantBroken(f"{type(command).__name__} is no act of the operator")


def step_of_day(act: OperatorAct) -> DayAct | None:
    """Return the act when it is a step of the day's plan."""
    outside = isinstance(act, CorporateActionsAct) and not act.part
    return act if isinstance(act, DayAct) and not outside else None


def asks_for(asked: DayAct, told: RunDayStep, book: ResolvedBook) -> bool:
    """Return whether a proposed step is what an act asks for; what the act leaves out does not count."""
    before = _act_of_step(told, book)
    left_out = (None, "")
    return type(before) is type(asked) and all(
        getattr(asked, name) in (*left_out, getattr(before, name)) for name in asked.__struct_fields__
    )


def acts_of(house: House, now_s: int) -> list[ActTold]:
    """Return the acts the house remembers, newest first, as they stand at a second since 1970."""
    return [_told(act, house.resolved, now_s) for act in sorted(house.acts.acts.values(), key=lambda act: -act.number)]


def act_numbered(house: House, number: int, now_s: int) -> ActTold | None:
    """Return one act as it stands at a second since 1970, or None."""
    act = house.acts.acts.get(number)
    return None if act is None else _told(act, house.resolved, now_s)


def same_act(before: Command, now: Command) -> bool:
    """Return whether two commands propose or decide the same; when, and with which key of the person, do not count."""
    if isinstance(before, ProposeAct) and isinstance(now, ProposeAct):
        return (before.body, before.person) == (now.body, now.person)
    if isinstance(before, DecideAct) and isinstance(now, DecideAct):
        return (before.act, before.decision, before.person) == (now.act, now.decision, now.person)
    return False


def _told(act: Act, book: ResolvedBook, now_s: int) -> ActTold:
    lapsed = act.status is ActStatus.PENDING and act.until_s <= now_s
    decided_s = act.until_s if lapsed else act.decided_s
    command = decode(act.body)
    more: dict[str, Any] = {}
    if isinstance(command, RunDayStep):
        hashes = tuple(content.hex() for content in command.contents)
        more = {"step": step_id(command.day, command.name), "source": command.source, "figures": command.figures,
                "contents": hashes}  # fmt: skip
    return ActTold(
        act.number, ActStatus.LAPSED if lapsed else act.status, act_of_command(command, book), act.proposer,
        act.proposer_key, _moment(act.proposed_s), _moment(act.until_s), act.decider, act.decider_key,
        _moment(decided_s) if decided_s else None, **more,
    )  # fmt: skip


def _act_of_step(told: RunDayStep, book: ResolvedBook) -> OperatorAct:
    """Return a step of the day as an act."""
    day, kind, rest = to_date(told.day), kind_of(told.name, book.markets), told.name.partition("/")[2]
    intraday = int(rest.removeprefix("intraday-")) if rest.startswith("intraday-") else 0
    file = (told.file.hex(), told.source if told.file else "")
    match kind:
        case PlanKind.OPEN:
            return OpenDayAct(day)
        case PlanKind.CORPORATE_ACTIONS:
            return CorporateActionsAct("evening" if rest == "evening" else "morning", day)
        case PlanKind.PRICES:
            return TakePricesAct(day, *file, intraday)
        case PlanKind.TRADES:
            return TakeTradesAct(day, *file)
        case PlanKind.DERIVATIVE_TRADES:
            return TakeDerivativesAct(day, *file)
        case PlanKind.DERIVATIVE_MARKS:
            return MarkDerivativesAct(day, *file)
        case PlanKind.MARGIN_CALL:
            return CallMarginAct(day, *file, intraday)
        case PlanKind.CLOSE:
            return CloseDayAct(day)
        case _:
            return RunStepAct(told.name, day)


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(min(max(second, 0), MOMENT_MAX), UTC)


def _closing_prices(act: ClosingPricesAct, book: ResolvedBook) -> SetClosingPrices:
    places = {counter.code: place for place, counter in enumerate(book.book.counters)}
    unknown = [one.counter for one in act.prices if one.counter not in places]
    if unknown:
        raise refuse(RejectionReason.UNKNOWN, f"no counter {unknown[0]}", field="counter", subject=unknown[0])
    chosen = [places[one.counter] for one in act.prices]
    rates = tuple(act.rates_e6.get(currency, 0) for currency in CURRENCIES)  # type: ignore[call-overload]
    return SetClosingPrices(pack(chosen, "i4"), pack([one.price_e4 for one in act.prices], "i8"), rates)

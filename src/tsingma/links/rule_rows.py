"""What a link's rule file holds: the tables and rows of its TOML, as frozen records.

Every row with a figure is dated (``valid_from``, ``valid_to``) and says where the figure is from: ``source``, or
``assumed = true``. Money is whole units of its currency, rates are scaled by 10^9, shares of a whole by 10^4, times are
local to Hong Kong. ``rule_file.read_rules`` reads and checks a file; ``docs/files-link-rules.md`` explains each field.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Any

import msgspec

from tsingma.basics.money import INT64_MAX, MINOR_SCALE
from tsingma.reference.book import InstrumentKind


class LinkStatus(StrEnum):
    """Whether a link exists, or is a proposal that runs on assumptions."""

    LIVE = "live"
    PROPOSAL = "proposal"


class Product(StrEnum):
    """What is traded over a link."""

    STOCK = "stock"
    ETF = "etf"
    BOND = "bond"
    SWAP = "swap"
    FUND = "fund"
    WEALTH_PRODUCT = "wealth-product"
    FUTURE = "future"
    COMMODITY = "commodity"
    NEW_SHARE = "new-share"


class SessionKind(StrEnum):
    """What a market does in a session; in an input window orders only wait for the next one."""

    INPUT = "input"
    OPENING_AUCTION = "opening-auction"
    CONTINUOUS = "continuous"
    CLOSING_AUCTION = "closing-auction"
    NEGOTIATED = "negotiated"
    DEALING = "dealing"


class QuotaKind(StrEnum):
    """What a quota limits, and over which time."""

    DAILY_NET_BUY = "daily-net-buy"
    DAILY_NET_OUTFLOW = "daily-net-outflow"
    YEARLY_NET_OUTFLOW = "yearly-net-outflow"
    AGGREGATE_NET_OUTFLOW = "aggregate-net-outflow"
    INDIVIDUAL = "individual"
    DAILY_NET_NOTIONAL = "daily-net-notional"


class AtZero(StrEnum):
    """What happens to what would use a quota that is used up."""

    UNTIL_POSITIVE = "refuse-until-positive"
    REST_OF_DAY = "refuse-rest-of-day"
    MUST_FIT = "refuse-what-does-not-fit"


class PreTradeCheck(StrEnum):
    """What sellers are held against before an order goes to the market."""

    NONE = "none"
    HOLDINGS = "snapshot-of-holdings"
    SEGREGATED = "snapshot-of-segregated-accounts"


class PreDeliveryCheck(StrEnum):
    """What is asked of the deliverer before settlement."""

    NONE = "none"
    HOLDINGS = "holdings"
    PREFUNDED = "prefunded"


class AccountForm(StrEnum):
    """How an account in the chain keeps what it holds for others."""

    OWN = "own"
    OMNIBUS = "omnibus"
    SEGREGATED = "segregated"


class MarginModel(StrEnum):
    """Which margin room margins what is traded over the link."""

    NONE = "none"
    HKSCC = "hkscc"
    PRIME = "prime"
    HOUSE = "house"
    FLAT_RATE = "flat-rate"


class Rounding(StrEnum):
    """How a fee is rounded (``reference/data/fees.toml``)."""

    CENT = "cent"
    DOLLAR_UP = "dollar-up"


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row in force from ``valid_from`` to ``valid_to``, both included, and where it is from."""

    valid_from: date
    valid_to: date = date.max
    source: str = ""
    assumed: bool = False

    def in_force(self, day: date) -> bool:
        """Return whether the row holds on a day."""
        return self.valid_from <= day <= self.valid_to


class CalendarRow(Row, frozen=True, kw_only=True):
    """A calendar the file brings itself: every weekday from ``valid_from`` to ``valid_to`` but ``closures``."""

    name: str
    closures: tuple[date, ...] = ()
    half_days: tuple[date, ...] = ()


class MarketRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A market of the link: MIC (or own code), where it is, who clears and keeps it, what it trades and when."""

    code: str
    title: str
    place: str
    clearing_house: str
    depository: str
    currency: str
    kinds: tuple[InstrumentKind, ...]
    trading_calendar: str
    money_calendar: str


class DaysRow(Row, frozen=True, kw_only=True):
    """On which days a direction trades and settles: when every calendar named is open."""

    trades_when: tuple[str, ...]
    settles_when: tuple[str, ...]


class SessionRow(Row, frozen=True, kw_only=True):
    """One session of orders; ``half_days`` says whether it is held on half days of the market."""

    kind: SessionKind
    start: time
    end: time
    cancels: bool = True
    half_days: bool = True


class QuotaRow(Row, frozen=True, kw_only=True):
    """One quota, in whole units of its currency. ``split_amount`` caps a channel when an investor uses several."""

    kind: QuotaKind
    amount: int
    currency: str
    at_zero: dict[SessionKind, AtZero] = {}
    channels: tuple[str, ...] = ()
    split_amount: int = 0

    @property
    def amount_cents(self) -> int:
        """The quota in cents."""
        return self.amount * MINOR_SCALE


class CheckRow(Row, frozen=True, kw_only=True):
    """Checks before trading and before delivery, and what identifies the client behind an order."""

    pre_trade: PreTradeCheck
    pre_delivery: PreDeliveryCheck
    designated_brokers_max: int = 0
    client_id: str = ""
    client_id_days_before: int = 0


class HolderRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of the nominee chain: who holds, in which form of account, in whose books."""

    holder: str
    account: AccountForm
    books_of: str


class CycleRow(Row, frozen=True, kw_only=True):
    """When stock and money of a trade are due: business days after it, of which calendars, at which time of day.

    Money falls due on the n-th day on which every calendar named is open; ``*_step`` names a step of the timetable.
    """

    stock_days: int
    stock_calendars: tuple[str, ...]
    stock_time: time
    stock_step: str = ""
    money_days: int
    money_calendars: tuple[str, ...]
    money_time: time
    money_step: str = ""


class FeeRow(Row, frozen=True, kw_only=True):
    """One charge on a side of a trade (as ``reference.fees.TariffLine``); currency "HKD" or "trade"."""

    name: str
    products: tuple[Product, ...]
    rate_e9: int
    side: str = "both"
    rounding: Rounding = Rounding.CENT
    currency: str = "trade"
    minimum_cents: int = 0
    maximum_cents: int = INT64_MAX


class MoneyRow(Row, frozen=True, kw_only=True):
    """In which money it is traded and settled, who converts and at whose rate."""

    trade_currency: str
    settlement_currency: str
    investor_currency: str
    converted_by: str = ""


class MarginRow(Row, frozen=True, kw_only=True):
    """Which house margins the direction, by which model; ``rate_e9`` is a flat rate or deposit of what is margined."""

    house: str
    model: MarginModel
    rate_e9: int = 0


class EligibilityRow(Row, frozen=True, kw_only=True):
    """When a product is eligible: size in ``currency`` over months and weight of the other market's stocks (x 10^4).

    It comes in at ``in_size`` and ``in_weight_e4`` or more, and goes below ``out_size`` or ``out_weight_e4``. Of a
    fund, ``host_share_max_e4`` caps what is sold in the host market as a share of its assets.
    """

    product: Product
    basis: str
    currency: str = ""
    months: int = 0
    in_size: int = 0
    out_size: int = 0
    in_weight_e4: int = 0
    out_weight_e4: int = 0
    host_share_max_e4: int = 0


class SecurityRow(Row, frozen=True, kw_only=True):
    """A security of the eligibility list; ``sell_only_from`` is the day from which it may only be sold."""

    code: str
    product: Product
    sell_only_from: date = date.max


class SwapRow(Row, frozen=True, kw_only=True):
    """Which swaps are traded: the curve of the floating rate, terms in months, and months of each leg's periods."""

    curve: str
    months: tuple[int, ...]
    fixed_months: int = 3
    floating_months: int = 3


class RiskRow(Row, frozen=True, kw_only=True):
    """What one clearing house lodges with the other, and what it takes no part in.

    ``limit`` in whole units of the currency is the most that may have to be lodged for swaps (0: no limit).
    """

    lodger: str
    holder: str
    form: str
    currency: str
    rate_e9: int = 0
    limit: int = 0
    outside_default_fund: bool = True
    mutualised: bool = False


class Direction(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={
        "sessions": "session",
        "quotas": "quota",
        "checks": "check",
        "cycles": "cycle",
        "fees": "fee",
        "monies": "money",
        "margins": "margin",
        "eligibility": "eligible",
        "securities": "security",
        "swaps": "swap",
    },
):
    """One direction: whose investors reach which market, by which rules.

    ``quota_of`` names the link and direction (``link/direction``) whose quota and order routing it shares.
    """

    name: str
    market: str
    home: str
    products: tuple[Product, ...]
    days: tuple[DaysRow, ...]
    sessions: tuple[SessionRow, ...]
    quotas: tuple[QuotaRow, ...] = ()
    quota_of: str = ""
    checks: tuple[CheckRow, ...]
    chain: tuple[HolderRow, ...]
    cycles: tuple[CycleRow, ...]
    tariff: str = ""
    portfolio_fee: bool = False
    fees: tuple[FeeRow, ...] = ()
    monies: tuple[MoneyRow, ...]
    margins: tuple[MarginRow, ...]
    eligibility: tuple[EligibilityRow, ...] = ()
    securities: tuple[SecurityRow, ...] = ()
    swaps: tuple[SwapRow, ...] = ()


class LinkRules(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"calendars": "calendar", "markets": "market", "directions": "direction", "risks": "risk"},
):
    """A whole rule file; ``valid_from`` is the day the link opened (of a proposal: the day assumed)."""

    name: str
    title: str
    status: LinkStatus
    valid_from: date
    assumptions: tuple[str, ...] = ()
    calendars: tuple[CalendarRow, ...] = ()
    markets: tuple[MarketRow, ...]
    directions: tuple[Direction, ...]
    risks: tuple[RiskRow, ...] = ()

    def direction(self, name: str) -> Direction | None:
        """Return a direction by name, or None."""
        return next((one for one in self.directions if one.name == name), None)

    def market(self, code: str) -> MarketRow | None:
        """Return a market by code, or None."""
        return next((one for one in self.markets if one.code == code), None)


def rows_on(rows: tuple[Any, ...], day: date) -> list[Any]:
    """Return the rows of a table in force on a day, in file order."""
    return [row for row in rows if row.in_force(day)]

"""Every event the house answers with, as one tagged union; events are facts, small and final."""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import Rejection
from tsingma.journal.act_events import ActEvent
from tsingma.journal.corporate_action_events import CorporateActionEvent
from tsingma.journal.custody_events import CustodyEvent
from tsingma.journal.default_events import DefaultEvent
from tsingma.journal.link_events import LinkEvent
from tsingma.journal.link_order_events import LinkOrderEvent
from tsingma.journal.payment_events import PaymentEvent
from tsingma.journal.pool_events import PoolEvent
from tsingma.journal.swap_events import SwapEvent
from tsingma.journal.token_events import TokenEvent


class ReferenceLoaded(msgspec.Struct, frozen=True, tag="reference-loaded"):
    """The book is installed."""

    counters: int
    participants: int
    accounts: int


class DayOpened(msgspec.Struct, frozen=True, tag="day-opened"):
    """The business clock stands at ``day``; these due positions and open fails meet today."""

    day: int
    due_positions: int
    rolled_positions: int


class AssetsDeposited(msgspec.Struct, frozen=True, tag="assets-deposited"):
    """Deposits were booked, one per item."""

    count: int


class TransfersPosted(msgspec.Struct, frozen=True, tag="transfers-posted"):
    """Result code per transfer (i1 column; 0 is booked), see ``ledger``."""

    booked: int
    results: bytes


class TradesCaptured(msgspec.Struct, frozen=True, tag="trades-captured"):
    """Trades were novated; gross amounts are cents per house currency, one side."""

    trades: int
    continuous_net: int
    isolated: int
    real_time: int
    gross_amount_cents: tuple[int, ...]
    charges_cents: int


class PricesSet(msgspec.Struct, frozen=True, tag="prices-set"):
    """Closing prices are fixed."""

    counters: int


class StepRun(msgspec.Struct, frozen=True, tag="step-run"):
    """One timetable step ran; ``figures`` are named integers (positions, shares, cents)."""

    step: str
    figures: dict[str, int]


class InstructionChanged(msgspec.Struct, frozen=True, tag="instruction-changed"):
    """A gross instruction has a new status."""

    instruction: int
    status: str


class InstructionsSubmitted(msgspec.Struct, frozen=True, tag="instructions-submitted"):
    """What became of each order: ``results`` i1 (0 waits, 1 matched, else refused) and ``numbers`` i8, side by side.

    A number is an order's where it waits, an instruction's where it matched, -1 where it was refused; ``rejections``
    say why, the first hundred.
    """

    waiting: int
    matched: int
    refused: int
    allegements_removed: int
    late_matching_penalties: int
    results: bytes
    numbers: bytes
    rejections: tuple[Rejection, ...]


class OrderChanged(msgspec.Struct, frozen=True, tag="order-changed"):
    """An order that waits for its match was changed or cancelled."""

    order: int
    status: str


class InstructionsLinked(msgspec.Struct, frozen=True, tag="instructions-linked"):
    """These many instructions are linked."""

    kind: str
    count: int


class InstructionsSettled(msgspec.Struct, frozen=True, tag="instructions-settled"):
    """What a command made ready settled at once (continuous settlement); ``figures`` as those of a settlement run."""

    figures: dict[str, int]


class CreditLineSet(msgspec.Struct, frozen=True, tag="credit-line-set"):
    """How far the account's money may go now."""

    account: int
    currency: int
    floor_cents: int


class AssetsReserved(msgspec.Struct, frozen=True, tag="assets-reserved"):
    """An amount is set aside."""

    reservation: int


class ReservationEnded(msgspec.Struct, frozen=True, tag="reservation-ended"):
    """What was set aside is free again."""

    reservation: int


class ClaimsCollected(msgspec.Struct, frozen=True, tag="claims-collected"):
    """Claims were paid; ``figures`` are cents paid and still owed, per currency."""

    figures: dict[str, int]


class BuyInStarted(msgspec.Struct, frozen=True, tag="buy-in-started"):
    """An agent may report until ``last_day``."""

    buy_in: int
    instruction: int
    last_day: int


class BuyInReported(msgspec.Struct, frozen=True, tag="buy-in-reported"):
    """What was bought, what it cost and what the failing party owes."""

    instruction: int
    figures: dict[str, int]


class InstructionsCaptured(msgspec.Struct, frozen=True, tag="instructions-captured"):
    """Matched instructions are in the books, numbered from ``first``; amounts are cents per house currency."""

    first: int
    count: int
    amount_cents: tuple[int, ...]


class SettledTogether(msgspec.Struct, frozen=True, tag="settled-together", omit_defaults=True):
    """These many instructions settled at one instant; amounts are cents per house currency.

    ``parts`` settled beside them in part, ``loans`` were drawn against securities (``lent_cents`` a currency, empty
    when there are none).
    """

    settled: int
    shares: int
    amount_cents: tuple[int, ...]
    parts: int = 0
    loans: int = 0
    lent_cents: tuple[int, ...] = ()


class MarginCalled(msgspec.Struct, frozen=True, tag="margin-called"):
    """Requirements are set; what was not covered by money is the shortfall (HKD cents)."""

    accounts: int
    requirement_cents: int
    pledged_cents: int
    shortfall_cents: int


class SeriesListed(msgspec.Struct, frozen=True, tag="series-listed"):
    """Series may be traded; ``total`` counts all."""

    listed: int
    total: int


class DerivativesCaptured(msgspec.Struct, frozen=True, tag="derivatives-captured"):
    """Trades in futures and options were novated; ``positions`` are open (account, series) pairs."""

    trades: int
    contracts: int
    positions: int


class DerivativesMarked(msgspec.Struct, frozen=True, tag="derivatives-marked", omit_defaults=True):
    """Money of futures and options moved: cents paid by losers, received by winners, and still owed in all.

    These are HKD; ``other_cents`` has the same of other monies, as ``collected_CNY`` and so on.
    """

    positions: int
    collected_cents: int
    paid_cents: int
    owed_cents: int
    other_cents: dict[str, int] = {}


class DayClosed(msgspec.Struct, frozen=True, tag="day-closed"):
    """The day is closed and proved; ``figures`` are the day's totals, ``checked`` the invariants that held."""

    day: int
    figures: dict[str, int]
    checked: tuple[str, ...]


Event = (
    ReferenceLoaded
    | DayOpened
    | AssetsDeposited
    | TransfersPosted
    | TradesCaptured
    | PricesSet
    | StepRun
    | InstructionChanged
    | InstructionsSubmitted
    | OrderChanged
    | InstructionsLinked
    | InstructionsSettled
    | CreditLineSet
    | AssetsReserved
    | ReservationEnded
    | ClaimsCollected
    | BuyInStarted
    | BuyInReported
    | InstructionsCaptured
    | SettledTogether
    | MarginCalled
    | SeriesListed
    | DerivativesCaptured
    | DerivativesMarked
    | DayClosed
    | CustodyEvent
    | LinkOrderEvent
    | CorporateActionEvent
    | TokenEvent
    | PoolEvent
    | SwapEvent
    | PaymentEvent
    | LinkEvent
    | ActEvent
    | DefaultEvent
)


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The command was carried out."""

    events: tuple[Event, ...]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The command was refused and changed nothing."""

    rejections: tuple[Rejection, ...]


Answer = Accepted | Refused

_ENCODER = msgspec.msgpack.Encoder(order="sorted")
_DECODER: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encode_answer(answer: Answer) -> bytes:
    """Return the stored form of an answer."""
    return _ENCODER.encode(answer)


def decode_answer(data: bytes) -> Answer:
    """Return the answer of its stored form."""
    return _DECODER.decode(data)

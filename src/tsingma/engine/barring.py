"""What a suspended or defaulted participant may not do: nothing new, and nothing out of the house.

One table of commands: those that name who sends them, those that take something from an account, bulk columns of
accounts. What is due with the house, money and collateral that come in, and whatever the house does itself go on.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.clearing.default_book import Case, DefaultStatus
from tsingma.clearing.trades import Trades
from tsingma.engine.house import House
from tsingma.journal import act_commands as acts
from tsingma.journal import commands as do
from tsingma.journal import corporate_action_commands as events
from tsingma.journal import custody_commands as custody
from tsingma.journal import default_commands as default
from tsingma.journal import link_commands as links
from tsingma.journal import link_order_commands as link_orders
from tsingma.journal import payment_commands as payments
from tsingma.journal import pool_commands as pool
from tsingma.journal import swap_commands as swap
from tsingma.journal import token_commands as tokens
from tsingma.journal.link_order_commands import RouteOrders
from tsingma.journal.swap_commands import RegisterSwaps
from tsingma.settlement.instruction import BY_HOUSE
from tsingma.settlement.life import act

Int64 = npt.NDArray[np.int64]

HONG_KONG_S = 8 * 3_600  # Hong Kong time is eight hours ahead, without summer time since 1979 (Hong Kong Observatory)
DAY_S = 86_400
REJECTIONS_MAX = 100
REMEDY = "deal with another; the house says when a participant is reinstated"

# Commands that a participant sends in its own name; orders of one side are refused one by one (``submitting``).
_SENT: tuple[type, ...] = (
    do.ChangeInstruction, do.ChangeOrder, do.LinkInstructions, do.ReserveAssets,
    do.EndReservation, do.StartBuyIn, do.ReportBuyIn, payments.SubmitPayments, payments.ChangePayment,
    payments.DrawIntradayRepo, payments.RepayIntradayRepo, payments.EarmarkPaper, payments.WithdrawPaper,
    payments.PayReserved, payments.SetPaymentLimit,
)  # fmt: skip
# Fields that name an account whose assets would go, or which would enter into something.
_ACCOUNTS: dict[type, tuple[str, ...]] = {
    do.SetCreditLine: ("account",), do.StartBuyIn: ("agent",), do.BuyInShort: ("agent",),
    events.ElectOption: ("account",),
    custody.PlaceBid: ("account",), custody.OpenRepo: ("seller", "buyer"), custody.DealUnits: ("dealer",),
    custody.WithdrawBars: ("account",), custody.PlaceHolding: ("account",),
    custody.AllocateMetal: ("account",), custody.CancelUnits: ("account",),
    payments.MoveWallet: ("account",), payments.OpenWallet: ("operator",),
    pool.ReturnCollateral: ("account",), pool.ArrangePool: ("account",), pool.ProposeSubstitution: ("account",),
    pool.DrawPoolCredit: ("account",),
}  # fmt: skip
# Columns of accounts (i4) that give, or that trade.
_COLUMNS: dict[type, tuple[str, ...]] = {
    do.PostTransfers: ("debit",), do.CaptureInstructions: ("deliverer", "receiver"),
    do.CaptureDerivatives: ("buyer", "seller"), links.ConvertMoney: ("account",),
    payments.SendSmallPayments: ("payer",), RegisterSwaps: ("payer", "receiver"),
}  # fmt: skip

# Commands that name them otherwise: orders and trades answer one by one, the others are looked into here.
_OTHERWISE: tuple[type, ...] = (
    do.SubmitInstructions, do.CaptureTrades, RouteOrders, pool.ReleaseSubstituted, pool.DeliverSubstitute,
    custody.ChangeCollateral, custody.RollRepo, custody.MoveBars, tokens.ReserveLegs,
)  # fmt: skip
BARS = frozenset((*_SENT, *_ACCOUNTS, *_COLUMNS, *_OTHERWISE))
# Why every other command goes on while somebody is barred.
FREE: dict[str, tuple[type, ...]] = {
    "the house runs its day": (
        do.LoadReference, do.OpenDay, do.SetClosingPrices, do.RunStep, do.CloseDay, do.CallMargin, do.ListSeries,
        do.MarkDerivatives, swap.ListSwaps, swap.MarkSwaps, payments.RunPayments, pool.ListCollateral,
        pool.SetPoolCalls, pool.SetLodgement, pool.ReuseCollateral, pool.RecallCollateral,
    ),
    "it settles what is not held": (do.SettleTogether, payments.SettlePayments),
    "what is due is paid and delivered": (
        do.CollectClaims, custody.PayDue, custody.RecordNonPayment, custody.CloseRepo, custody.DeliverBonds,
        custody.SettleCurrencyFuture, pool.RepayPoolCredit, events.RunCorporateActions, tokens.DecideSettlement,
    ),
    "it comes in": (
        do.DepositAssets, pool.PledgeCollateral, custody.IssueUnits, custody.DepositBar,
        payments.ReceiveFromMainland, payments.AnswerFromMainland,
    ),
    "it takes back what is not done": (custody.WithdrawBid, pool.CancelSubstitution),
    "issuers, depositories and links tell it of all alike": (
        custody.RegisterSecurity, custody.OpenDepository, custody.ReportNominee, custody.AnnounceDistribution,
        custody.CallBonds, custody.OpenOffer, custody.AllotOffer, custody.SettleOffer, custody.CancelOffer,
        custody.AllocateProceeds, custody.PublishComposition, events.AnnounceCorporateAction,
        events.WithdrawCorporateAction, links.OpenLink, links.NameHolders, links.LodgeMargin,
        link_orders.OpenLinkOrders, link_orders.TakeHoldingsSnapshot, link_orders.UseQuota,
        link_orders.CloseLinkOrders,
    ),
    "it registers who somebody is; orders are refused": (
        events.DeclareTaxStatus, link_orders.MapClients, link_orders.RegisterInvestor,
    ),
    "its clock, or its hours": (tokens.TellTime, tokens.KeepMoneyHours),
    "the token ledger carries it out, where issuers freeze wallets": (
        tokens.CompleteLegs, tokens.OpenWallets, tokens.IssueToken, tokens.PermitWallets, tokens.TransferTokens,
        tokens.FreezeWallet, tokens.ForceTransfer, tokens.PayCoupon,
    ),
    "what an act carries out is asked for itself": (acts.ProposeAct, acts.DecideAct, acts.RunDayStep),
    "it is what is done about a default": (
        default.SuspendParticipant, default.ReinstateParticipant, default.DeclareDefault, default.CallFund,
        default.CloseOutPosition, default.CloseOutSeries, default.CloseOutSwap, default.SellCollateral,
        default.PortAccount, default.BookWaterfall, default.CollectAssessments, default.CloseDefault,
    ),
}  # fmt: skip


def require_active(house: House, command: do.Command) -> None:
    """Raise Rejected (suspended) when a barred participant would do something new by a command, or take something out.

    Orders of one side answer for themselves instead, as all they are refused for; trades are checked with their batch.
    """
    kind = type(command)
    if kind in _SENT:
        _require_participant(house, getattr(command, "participant"))  # noqa: B009 - a field of all of them
    for field in _ACCOUNTS.get(kind, ()):
        require_account_active(house, getattr(command, field), field)
    for field in _COLUMNS.get(kind, ()):
        _require_column(house, unpack(getattr(command, field), "i4", field=field).astype(np.int64), field)
    if isinstance(command, payments.SubmitPayments):
        _require_column(house, unpack(command.columns.get("payer", b""), "i4").astype(np.int64), "payer")
    elif isinstance(command, RouteOrders):
        _require_routed(house, command)
    elif isinstance(command, pool.ReleaseSubstituted | pool.DeliverSubstitute):
        found = house.pool.substitutions.get(command.substitution)
        if found is not None:
            require_account_active(house, found.account, "substitution")
    elif isinstance(command, tokens.ReserveLegs):
        for leg in command.agreement.book_legs:
            require_account_active(house, leg.debit, "book_legs")
            require_account_active(house, leg.credit, "book_legs")
    elif isinstance(command, custody.MoveBars):
        if not command.booked:  # the register of bars follows what was booked before
            require_account_active(house, command.giver, "giver")
    elif isinstance(command, custody.ChangeCollateral | custody.RollRepo):
        _require_repo(house, command)


def require_account_active(house: House, account: int, field: str) -> None:
    """Raise Rejected (suspended) when an account belongs to a barred participant; an unknown one passes."""
    owners = house.resolved.account_participant
    if 0 <= account < owners.size and int(owners[account]) in house.defaults.barred:
        raise suspended(house, int(owners[account]), field)


def suspended(house: House, participant: int, field: str, **where: object) -> Rejected:
    """Return the refusal of something that a barred participant may not do."""
    case = house.defaults.cases[house.defaults.barred[participant]]
    said = "is suspended" if case.status is DefaultStatus.SUSPENDED else "has defaulted"
    code = house.resolved.book.participants[participant].code
    return refuse(
        RejectionReason.SUSPENDED, f"{code} {said}", **{"field": field, "subject": code, "remedy": REMEDY, **where}
    )


def require_trades(house: House, trades: Trades) -> None:
    """Refuse trades of barred participants that were made after they were; what was made before is novated.

    Raises Rejected (suspended) with every such trade.
    """
    faults: dict[int, Rejection] = {}
    for field, account in (("buyer", trades.buyer), ("seller", trades.seller)):
        for place in np.flatnonzero(_barred(house, account.astype(np.int64))).tolist():
            owner = int(house.resolved.account_participant[int(account[place])])
            if _is_after(house, owner, trades.trade_day, int(trades.time_s[place])):
                subject = f"trade {int(trades.trade_id[place])}"
                refusal = suspended(house, owner, field, subject=subject, file=trades.source, line=place + 2)
                faults.setdefault(place, refusal.rejections[0])
    if faults:
        raise Rejected(*[faults[place] for place in sorted(faults)][:REJECTIONS_MAX])


def hold_back(house: House, first: int) -> None:
    """Hold new instructions, from ``first`` on, to which a suspended participant is party; one with a defaulter ends.

    They come of trades that were made before it was barred and that nobody guarantees.
    """
    instructions, links, day = house.settlement.instructions, house.settlement.links, house.position.day
    sides = [instructions.table[side][first:].astype(np.int64) for side in ("deliverer", "receiver")]
    for place in np.flatnonzero(_barred(house, sides[0]) | _barred(house, sides[1])).tolist():
        number = first + place
        cases = cases_of_parties(house, number)
        if any(case.status is not DefaultStatus.SUSPENDED for case in cases):
            act(instructions, links, number, "cancel", BY_HOUSE, day=day)
            continue
        act(instructions, links, number, "hold", BY_HOUSE, day=day)
        house.defaults.put(msgspec.structs.replace(cases[0], held=(*cases[0].held, number)))


def cases_of_parties(house: House, number: int) -> list[Case]:
    """Return the cases by which parties to an instruction are barred, that of the deliverer first."""
    table, owners = house.settlement.instructions.table, house.resolved.account_participant
    parties = dict.fromkeys(int(owners[int(table[side][number])]) for side in ("deliverer", "receiver"))
    found = (house.defaults.case_of(party) for party in parties)
    return [case for case in found if case is not None]


def barred_participants(house: House) -> npt.NDArray[np.bool_]:
    """Return for every participant whether it is barred."""
    barred = np.zeros(len(house.resolved.participant_index), np.bool_)
    barred[list(house.defaults.barred)] = True
    return barred


def _barred(house: House, account: Int64) -> npt.NDArray[np.bool_]:
    owners = house.resolved.account_participant
    known = (account >= 0) & (account < owners.size)
    owner = owners[np.where(known, account, 0)]
    found: npt.NDArray[np.bool_] = known & barred_participants(house)[owner]
    return found


def _require_participant(house: House, code: str) -> None:
    index = house.resolved.participant_index.get(code, -1)
    if index in house.defaults.barred:
        raise suspended(house, index, "participant")


def _require_column(house: House, account: Int64, field: str) -> None:
    bad = np.flatnonzero(_barred(house, account))
    if bad.size:
        place = int(bad[0])
        owner = int(house.resolved.account_participant[int(account[place])])
        raise suspended(house, owner, field, line=place + 2)  # the header is line 1


def _is_after(house: House, participant: int, day: int, time_s: int) -> bool:
    """Return whether a moment of a business day, by Hong Kong's clock, is after a participant was barred.

    A day after that of the first turn always is, however far ahead the clock of people was then.
    """
    turns = house.defaults.cases[house.defaults.barred[participant]].turns
    since_s = min(turn.at_s for turn in turns) + HONG_KONG_S
    return day > turns[0].day or day * DAY_S + time_s >= since_s


def _require_routed(house: House, command: RouteOrders) -> None:
    """Refuse new orders over a link of a barred participant; executions and cancellations go on."""
    kind = unpack(command.kind, "i1").astype(np.int64)
    participant = unpack(command.participant, "i4").astype(np.int64)
    if kind.size != participant.size:
        return
    fresh = np.flatnonzero((kind <= 1) & np.isin(participant, list(house.defaults.barred)))
    if fresh.size:
        place = int(fresh[0])
        raise suspended(house, int(participant[place]), "participant", line=place + 2)


def _require_repo(house: House, command: custody.ChangeCollateral | custody.RollRepo) -> None:
    """Refuse to change a repo of a barred participant, but for an end that comes sooner at the same rate."""
    if not 0 <= command.repo < len(house.custody.repos):
        return
    repo = house.custody.repos[command.repo]
    if isinstance(command, custody.RollRepo) and command.rate_e9 == repo.rate_e9:
        later = not command.end_day or 0 < repo.end_day < command.end_day
        if not later:
            return
    for field in ("seller", "buyer"):
        require_account_active(house, int(getattr(repo, field)), field)

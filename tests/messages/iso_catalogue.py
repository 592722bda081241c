"""One message of every kind that is spoken here, with how it is written and read: for tests, and for the benchmark.

Each has its usual fields and one entry of what it lists: one payment, one leg, one holding, one account. References,
quantities and amounts are as long as they are in use: nothing is left out for speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tsingma.messages.iso20022 import (
    account_statement,
    allegement,
    buy_in,
    collateral,
    confirmation,
    event_election,
    event_movements,
    event_notice,
    fund_report,
    holdings,
    instruction,
    margin_report,
    net_position,
    notice,
    obligation,
    payment,
    payment_status,
    pending_report,
    posting_report,
    recall,
    requests,
    static_data,
    status,
    trade_legs,
)
from tsingma.messages.iso20022.codes import State
from tsingma.messages.iso20022.leaves import Leaves
from tsingma.messages.iso20022.parties import Directory

DAY, NEXT = "2026-01-05", "2026-01-07"
MOMENT = datetime(2026, 1, 5, 8, tzinfo=UTC)
UNITS, CENTS = 12_500, 41_375_000
LEFT = 2_500


class Spoken(NamedTuple):
    """What a message says, and how it is written and read."""

    value: Any
    write: Callable[[Any], str]
    read: Callable[[Leaves], Any]

    @property
    def text(self) -> str:
        """The message as it is written."""
        return self.write(self.value)


class Catalogue:
    """Makes the messages of one member of a directory, and of another beside it."""

    def __init__(self, directory: Directory, mine: str, other: str) -> None:
        self.directory, self.mine, self.other = directory, mine, other
        self.account, self.theirs = f"{mine}/HOUSE", f"{other}/HOUSE"
        self.isin = next(iter(directory.book.securities))

    def all(self) -> dict[str, Spoken]:
        """Return every message by its identifier."""
        parts = (self.orders, self.requests, self.cash, self.recalls, self.collateral, self.trades, self.margin,
                 self.buy_ins, self.events, self.elections, self.balances, self.static_data)  # fmt: skip
        return {one.text.partition("xsd:")[2][:15]: one for part in parts for one in part()}

    def of_book(self, value: Any, write: Callable[..., str], read: Callable[..., Any], *more: Any) -> Spoken:
        """Return what is written and read with a directory; ``more`` comes before it."""
        return Spoken(
            value, lambda one: write(one, *more, self.directory), lambda leaves: read(leaves, *more, self.directory)
        )

    def orders(self) -> Iterator[Spoken]:
        """Yield an order, where it stands, what settled of it, and what another is told of it."""
        order = instruction.Instruction(
            reference="1201", account=self.account, side="deliver", counterparty=self.other, kind="dvp",
            quantity=str(UNITS), isin=self.isin, currency="HKD", amount="413750.00", trade_date=DAY,
            intended_date=NEXT,
        )  # fmt: skip
        settled = confirmation.Confirmation(
            reference="1201", number="I1201", delivers=True, account=self.account, counterparty=self.other,
            counterparty_account=self.theirs, settled_date=NEXT, intended_date=NEXT, trade_date=DAY, isin=self.isin,
            quantity=UNITS - LEFT, quantity_left=LEFT, currency="HKD", cents=CENTS, cents_left=CENTS // 4,
            credited=True,
        )  # fmt: skip
        alleged = allegement.Allegement(
            number="O1201", delivers=True, alleging=self.other, alleging_account=self.theirs, trade_date=DAY,
            intended_date=NEXT, isin=self.isin, quantity=UNITS, currency="HKD", cents=CENTS, credited=True,
            account=self.account,
        )  # fmt: skip
        removed = allegement.AllegementRemoval(number="O1201", delivers=True, free=False, account=self.account)
        states = (State("MtchgSts/Mtchd", ""), State("SttlmSts/Pdg", "LACK", "short of 2,500"))
        yield self.of_book(order, instruction.write_instruction, instruction.read_instruction)
        yield Spoken(status.StatusAdvice("1201", "I1201", states), status.write_advice, status.read_advice)
        yield self.of_book(settled, confirmation.write_confirmation, confirmation.read_confirmation)
        yield self.of_book(alleged, allegement.write_allegement, allegement.read_allegement)
        yield Spoken(removed, allegement.write_removal, allegement.read_removal)

    def requests(self) -> Iterator[Spoken]:
        """Yield what is asked of an order, and what became of it."""
        cancel = requests.Cancellation(
            reference="1201", delivers=True, free=False, account=self.account, number="I1201"
        )
        change = requests.Modification(
            reference="1201", account=self.account, hold=True, priority="high", partial=True, link="before",
            linked=("1202",),
        )  # fmt: skip
        done = status.RequestStatus(request="M1", reference="1201", number="I1201", state=State("PrcgSts/Cmpltd", ""))
        gone = status.RequestStatus(request="M1", reference="1201", number="I1201", state=State("PrcgSts/Canc", "CANI"))
        yield Spoken(cancel, requests.write_cancellation, requests.read_cancellation)
        yield Spoken(gone, status.write_cancellation_status, status.read_cancellation_status)
        yield Spoken((change,), lambda several: requests.write_modification(*several), requests.read_modification)
        yield Spoken(done, status.write_modification_status, status.read_modification_status)

    def cash(self) -> Iterator[Spoken]:
        """Yield payments, what became of them, and what an account is told."""
        paid = payment.Payment(
            reference="1", payer=self.account, payee=self.theirs, currency="HKD", amount="413750.00", due="09:30:00",
            date=DAY,
        )  # fmt: skip
        others = payment.Payment(
            reference="1", payer=self.account, payee=self.theirs, currency="HKD", amount="413750.00", due="09:30:00",
            date=DAY, on_behalf="yes", debtor="Ms Chan Tai Man", creditor="Mr Lee Siu Ming",
        )  # fmt: skip
        for one, message in ((paid, payment.MESSAGE), (others, payment.CUSTOMER_MESSAGE)):
            yield Spoken(
                (one,), lambda several: payment.write_payment_message(several, self.directory, "M1", MOMENT),
                lambda leaves, message=message: payment.read_payment_message(leaves, self.directory, message),
            )  # fmt: skip
        moved = payment.Payment(reference="1", payer=self.account, payee=self.theirs, currency="HKD",
                                amount="413750.00", date=DAY)  # fmt: skip
        yield Spoken(
            moved, lambda one: payment.write_liquidity_transfer(one, self.directory, MOMENT),
            lambda leaves: payment.read_liquidity_transfer(leaves, self.directory),
        )  # fmt: skip
        settled = (payment_status.PaymentStatus("1", "P1201", State("TxSts/ACSC", "")),)
        report = payment_status.StatusReport(
            identifier="S1", created=MOMENT, original="M1", message=payment.MESSAGE, payments=settled
        )
        entry = notice.Entry("P1201", CENTS, True, DAY, self.theirs)
        statement = account_statement.AccountStatement(
            identifier="S1", created=MOMENT, account=self.account, currency="HKD", date=DAY, opening=CENTS,
            closing=2 * CENTS, available=2 * CENTS, entries=(entry,),
        )  # fmt: skip
        told = notice.Notice("N1", MOMENT, self.account, "HKD", (entry,))
        yield Spoken(report, payment_status.write_status_report, payment_status.read_status_report)
        yield Spoken(statement, account_statement.write_statement, account_statement.read_statement)
        yield Spoken(told, notice.write_notice, notice.read_notice)

    def recalls(self) -> Iterator[Spoken]:
        """Yield a request to cancel a payment, and its answer."""
        asked = recall.RecallRequest(
            identifier="C1", created=MOMENT, assigner=self.mine,
            payments=(recall.Recalled(reference="1", number="P1201", cents=CENTS, currency="HKD"),),
        )  # fmt: skip
        resolved = recall.Resolution(
            identifier="R1", created=MOMENT, assignee=self.mine, request="C1", state=State("Conf/CNCL", ""),
            payments=(recall.Resolved("1", "P1201", State("TxCxlSts/ACCR", "")),),
        )  # fmt: skip
        yield self.of_book(asked, recall.write_recall, recall.read_recall)
        yield self.of_book(resolved, recall.write_resolution, recall.read_resolution)

    def collateral(self) -> Iterator[Spoken]:
        """Yield a margin call, what is agreed, what is proposed and what is taken."""
        about = collateral.Obligation("OTC Clear", self.mine, self.account, DAY)
        piece = collateral.Piece(identifier="a", asset="HKD", amount=CENTS, counts=CENTS)
        taken = collateral.PieceAnswer("a", True, State("RspnTp/PACK", ""))
        call = collateral.MarginCall(identifier="C1", about=about, required=2 * CENTS, lodged=CENTS, due=CENTS)
        agreed = collateral.CallResponse(identifier="A1", about=about, call="C1", agreed=CENTS)
        proposal = collateral.Proposal(identifier="P1", about=about, call="C1", agreed=CENTS, pieces=(piece,))
        answer = collateral.ProposalAnswer(identifier="T1", about=about, proposal="P1", pieces=(taken,))
        yield self.of_book(call, collateral.write_call, collateral.read_call)
        yield self.of_book(agreed, collateral.write_response, collateral.read_response)
        yield self.of_book(proposal, collateral.write_proposal, collateral.read_proposal)
        yield self.of_book(answer, collateral.write_answer, collateral.read_answer)

    def trades(self) -> Iterator[Spoken]:
        """Yield a leg of a trade, a statement of legs, and what is due."""
        leg = trade_legs.TradeLeg(
            execution="1201", account=self.account, bought=True, traded=MOMENT, settles=NEXT, isin=self.isin,
            market="XHKG", units=UNITS, price_e4=331_000, cents=CENTS, currency="HKD", netted=True,
        )  # fmt: skip
        position = net_position.NetPosition(
            account=self.account, isin=self.isin, market="XHKG", settles=NEXT, units=UNITS, currency="HKD", cents=CENTS
        )
        due = obligation.Obligation(
            number="I1201", account=self.account, isin=self.isin, market="XHKG", intended_date=NEXT, units=UNITS,
            currency="HKD", cents=CENTS,
        )  # fmt: skip
        legs = trade_legs.LegStatement("S1", DAY, self.mine, (leg,))
        positions = net_position.NetPositionReport("R1", DAY, self.mine, (position,))
        obligations = obligation.ObligationReport("R1", DAY, self.mine, (due,))
        yield self.of_book(leg, trade_legs.write_leg, trade_legs.read_leg)
        yield self.of_book(legs, trade_legs.write_legs, trade_legs.read_legs)
        yield self.of_book(positions, net_position.write_net_positions, net_position.read_net_positions)
        yield self.of_book(obligations, obligation.write_obligations, obligation.read_obligations)

    def margin(self) -> Iterator[Spoken]:
        """Yield the margin of a member, and its contribution to a fund."""
        margin = margin_report.AccountMargin(self.account, 2 * CENTS, CENTS)
        report = margin_report.MarginReport("R1", MOMENT, self.mine, (margin,))
        contribution = fund_report.FundContribution("R1", DAY, self.mine, "HKSCC", 2 * CENTS, CENTS)
        yield Spoken(report, margin_report.write_margin, margin_report.read_margin)
        yield Spoken(contribution, fund_report.write_contribution, fund_report.read_contribution)

    def buy_ins(self) -> Iterator[Spoken]:
        """Yield the notice of a buy-in, the answer to it and its result."""
        failed = buy_in.Failed(
            instruction="I1201", account=self.account, intended_date=DAY, isin=self.isin, units=UNITS, left=LEFT,
            currency="HKD", cents=CENTS,
        )  # fmt: skip
        told = buy_in.BuyInNotice(number="B1", member=self.mine, last_date=NEXT, failed=failed)
        answer = buy_in.BuyInAnswer("B1", 2, UNITS, LEFT)
        result = buy_in.BuyInResult(
            number="B1", member=self.mine, date=NEXT, failed=failed, bought=LEFT, difference_cents=1_000,
            costs_cents=2_000, compensation_cents=0,
        )  # fmt: skip
        yield self.of_book(told, buy_in.write_notice, buy_in.read_notice)
        yield self.of_book(answer, buy_in.write_answer, buy_in.read_answer, self.isin)
        yield self.of_book(result, buy_in.write_result, buy_in.read_result)

    def events(self) -> Iterator[Spoken]:
        """Yield a dividend with a choice as it is announced, what it will move and what it moved."""
        options = (
            event_notice.NoticeOption(code="CASH", is_default=True, cash=(event_notice.CashGiven("HKD", "0.3500"),)),
            event_notice.NoticeOption(
                code="SECU", is_default=False, shares=(event_notice.SharesGiven(self.isin, 1, 40),)),
        )  # fmt: skip
        told = event_notice.EventNotice(
            identifier="N1", reference="DIV/2026-1", kind="DVOP", choice="CHOS", isin=self.isin, announced=DAY,
            accounts=((self.account, UNITS),), options=options, ex=DAY, record=NEXT, deadline=NEXT, payment=NEXT,
        )  # fmt: skip
        moves = event_movements.Movements(
            identifier="M1", reference="DIV/2026-1", kind="DVOP", choice="CHOS", isin=self.isin, account=self.account,
            units=UNITS, option=0, code="CASH", date=NEXT, is_default=True,
            cash=(event_movements.CashMoved("HKD", 437_500),),
        )  # fmt: skip
        yield self.of_book(told, event_notice.write_notice, event_notice.read_notice)
        yield self.of_book(moves, event_movements.write_advice, event_movements.read_advice)
        yield self.of_book(moves, event_movements.write_confirmation, event_movements.read_confirmation)

    def elections(self) -> Iterator[Spoken]:
        """Yield a choice, and what became of it."""
        chosen = event_election.Election(
            reference="DIV/2026-1", kind="DVOP", account=self.account, option=1, code="SECU", units=UNITS
        )
        done = event_election.ElectionStatus("E1", chosen, State("InstrPrcgSts/AccptdForFrthrPrcg", "NORE"))
        yield self.of_book(chosen, event_election.write_election, event_election.read_election, self.isin)
        yield self.of_book(done, event_election.write_status, event_election.read_status, self.isin)

    def balances(self) -> Iterator[Spoken]:
        """Yield what an account holds, what was posted on it and what is pending."""
        held = holdings.HoldingStatement(
            "S1", self.account, DAY, True, (holdings.Holding(self.isin, UNITS, held=LEFT),)
        )
        posted = posting_report.Posting(
            reference="1201", number="I1201", activity="SETT", date=DAY, units=UNITS, currency="HKD", cents=-CENTS,
            counterparty=self.other,
        )  # fmt: skip
        postings = posting_report.SecurityPostings(self.isin, 0, UNITS, (posted,))
        waiting = pending_report.Pending(
            reference="1201", number="I1201", delivers=True, counterparty=self.other, intended_date=NEXT,
            trade_date=DAY, isin=self.isin, units=UNITS, currency="HKD", cents=CENTS, credited=True,
            states=(State("MtchgSts/Mtchd", ""), State("SttlmSts/Pdg", "LACK")),
        )  # fmt: skip
        report = posting_report.PostingReport("R1", DAY, DAY, self.account, (postings,))
        pending = pending_report.PendingReport("R1", DAY, self.account, (waiting,))
        yield self.of_book(held, holdings.write_holdings, holdings.read_holdings)
        yield self.of_book(report, posting_report.write_postings, posting_report.read_postings)
        yield self.of_book(pending, pending_report.write_pending, pending_report.read_pending)

    def static_data(self) -> Iterator[Spoken]:
        """Yield a participant, a security and an account."""
        book = self.directory.book.book
        yield Spoken(
            book.participants[-1:], lambda several: static_data.write_parties(several, "S1", {}),
            static_data.read_parties,
        )  # fmt: skip
        yield Spoken(
            book.counters[:1], lambda several: static_data.write_securities(several, "S1"), static_data.read_securities
        )
        yield Spoken(
            book.accounts[-1:], lambda several: static_data.write_accounts(several, "S1"), static_data.read_accounts
        )

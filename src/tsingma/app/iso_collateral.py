"""Collateral messages and a house: calls told, answers to them taken in, the cheapest pledge proposed, pledges made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import msgspec

from tsingma.app.iso_sending import Sending
from tsingma.app.pledge_proposals import proposals_of
from tsingma.app.standing_calls import StandingCall, fitted, standing_calls
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.engine.pooling import known_taker, valuation
from tsingma.journal.pool_commands import ArrangePool, PledgeCollateral, ReturnCollateral
from tsingma.messages.iso20022 import collateral
from tsingma.messages.iso20022.codes import State, refusal, state_of
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import Received

TAKEN = (collateral.RESPONSE, collateral.PROPOSAL)
_DIGEST = 5
_AGREED_CALL = "AgrdAmtDueToA/SgrtdIndpdntAmt/MrgnCallReqId"
_PROPOSED_CALL = "TpAndDtls/CollPrpsl/SgrtdIndpdntAmt/MvmntDrctn/CollMvmntDrctn/Dlvr/MrgnCallReqId"


@dataclass(frozen=True, slots=True)
class AgreedCall:
    """What a participant agrees to bring for a call."""

    asked: collateral.CallResponse

    def carry_out(self, sending: Sending, place: int) -> None:
        """Hold the answer against the call as it stands; nothing is booked by it, a dispute is counted as not done."""
        try:
            _require_sender(sending, self.asked.about)
            due = _called(sending.house, self.asked.about, self.asked.call, _AGREED_CALL).due
            if self.asked.agreed != due:
                raise refuse(RejectionReason.CONFLICT, f"agrees to {self.asked.agreed} of {due} cents: the call stands",
                             field="AgrdAmtDueToA", subject=self.asked.about.account)  # fmt: skip
        except Rejected as rejected:
            sending.counts["not_done"] += 1
            sending.rejections += rejected.rejections
        else:
            sending.counts["done"] += 1


@dataclass(frozen=True, slots=True)
class ProposedCollateral:
    """Collateral that a participant proposes."""

    asked: collateral.Proposal

    def carry_out(self, sending: Sending, place: int) -> None:
        """Pledge and allot piece by piece; a piece that the taker does not take goes back. A colr.008 tells of each.

        It is answered under the name of the call, so that call, proposal and answer are one story.
        """
        answers = tuple(
            collateral.PieceAnswer(
                piece.identifier, piece.asset in CURRENCIES, self._one(sending, f"{place}/{n}", piece)
            )
            for n, piece in enumerate(self.asked.pieces)
        )
        answer = collateral.ProposalAnswer(
            identifier=self.asked.call, about=self.asked.about, proposal=self.asked.identifier,
            pieces=answers,
        )  # fmt: skip
        sending.reply(collateral.write_answer(answer, sending.directory))

    def _one(self, sending: Sending, name: str, piece: collateral.Piece) -> State:
        day, house = to_date(sending.house.position.day), sending.house
        try:
            _require_sender(sending, self.asked.about)
            known_taker(self.asked.about.taker)
            _called(house, self.asked.about, self.asked.call, _PROPOSED_CALL)
            account, asset = _account(house, self.asked.about), _asset(house, piece.asset)
            sending.send(f"{name}/pledge", PledgeCollateral(account, asset, piece.amount))
            try:
                more = _arranged(house, account, self.asked.about.taker, asset, piece.amount, self.asked.identifier)
                sending.send(f"{name}/arrange", more)
            except Rejected:
                sending.send(f"{name}/return", ReturnCollateral(account, asset, piece.amount))
                raise
        except Rejected as rejected:
            sending.counts["not_done"] += 1
            sending.rejections += rejected.rejections
            found = refusal(collateral.SAID_IN, rejected.rejections[0], day)
            return State(found.at, found.code, rejected.rejections[0].message[: collateral.INFORMATION_MAX])
        sending.counts["done"] += 1
        return state_of(collateral.SAID_IN, "piece.accepted", day)


def read_collateral(one: Received, directory: Directory, _file: str) -> AgreedCall | ProposedCollateral:
    """Return what a collateral message asks for; raises Rejected with the path of what breaks a rule."""
    leaves = leaves_of(one)
    if one.message == collateral.RESPONSE:
        return AgreedCall(collateral.read_response(leaves, directory))
    return ProposedCollateral(collateral.read_proposal(leaves, directory))


def call_documents(house: House, account: int, directory: Directory) -> list[str]:
    """Return a colr.003 for each call on an account that is not covered, each under the name of the call."""
    return [
        collateral.write_call(_margin_call(one), directory) for one in standing_calls(house, account) if one.due
    ]  # fmt: skip


def proposal_documents(house: House, account: int, directory: Directory) -> list[str]:
    """Return a colr.007 for each call of an account: the cheapest pledges that cover all of them together.

    Each is named after its call and what it proposes. Raises Rejected (insufficient) where what is available does not
    cover them.
    """
    own = house.resolved.account_name(account)
    found = next((one for one in proposals_of(house, own.partition("/")[0]) if one.account == own), None)
    if found is None:
        return []
    if found.refused:
        raise refuse(RejectionReason.INSUFFICIENT, found.refused, subject=own, remedy="deposit more, or other assets")
    documents = []
    for number, (call, (taker, called)) in enumerate(zip(found.names, found.calls, strict=True)):
        pieces = tuple(
            collateral.Piece(
                identifier=f"{number}-{place}", asset=one.asset, amount=_amount(house, one.asset, one.value),
                counts=one.lendable * 100,
            )
            for place, one in enumerate(found.pledges)
            if one.call == call
        )  # fmt: skip
        digest = hashlib.sha256(msgspec.msgpack.encode(pieces)).hexdigest()[:_DIGEST]
        proposal = collateral.Proposal(
            identifier=fitted(f"{call}-{digest}"), about=_about(own, taker, to_date(house.position.day)), call=call,
            agreed=called * 100, pieces=pieces,
        )  # fmt: skip
        documents.append(collateral.write_proposal(proposal, directory))
    return documents


def _margin_call(one: StandingCall) -> collateral.MarginCall:
    return collateral.MarginCall(
        identifier=one.name, about=_about(one.account, one.taker, one.day), required=one.required, lodged=one.lodged,
        due=one.due,
    )  # fmt: skip


def _about(account: str, taker: str, day: date) -> collateral.Obligation:
    return collateral.Obligation(taker, account.partition("/")[0], account, str(day))


def _called(house: House, about: collateral.Obligation, name: str, field: str) -> StandingCall:
    """Return the call of the day that a message names, covered or not; raises Rejected: unknown, conflict."""
    day = str(to_date(house.position.day))
    if about.date not in ("", day):
        raise refuse(RejectionReason.CONFLICT, f"values it on {about.date}, the day is {day}", field="Oblgtn/ValtnDt",
                     remedy="answer the call of the open day")  # fmt: skip
    known = {one.name: one for one in standing_calls(house, _account(house, about))}
    if name not in known:
        raise refuse(RejectionReason.UNKNOWN, f"no call '{name}' on {about.account}", field=field,
                     remedy=f"name one that stands: {', '.join(known) or 'none does'}")  # fmt: skip
    if known[name].taker != about.taker:
        raise refuse(RejectionReason.CONFLICT, f"'{name}' is a call of {known[name].taker}", field="Oblgtn/PtyA",
                     remedy="name who calls")  # fmt: skip
    return known[name]


def _arranged(house: House, account: int, taker: str, asset: int, more: int, name: str) -> ArrangePool:
    """Return the command that leaves an account's allotments as they are, with more of an asset for a taker."""
    wanted = {
        (held.chain[0], held.asset): amount
        for held, amount in house.pool.allotted.items()
        if held.account == account and len(held.chain) == 1
    }
    wanted[taker, asset] = wanted.get((taker, asset), 0) + more
    rows = tuple((of, what, amount) for (of, what), amount in sorted(wanted.items()))
    return ArrangePool(f"{collateral.PROPOSAL} {name}", account, rows)


def _amount(house: House, name: str, value: int) -> int:
    """Return the least amount of an asset worth so many HKD: cents of a currency, units of a security."""
    asset, wanted = _asset(house, name), value * 100
    worth = valuation(house).market_cents
    low, high = 0, 1
    while worth(asset, high) < wanted:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if worth(asset, middle) >= wanted else (middle, high)
    return high


def _asset(house: House, name: str) -> int:
    if name in CURRENCIES:
        return CURRENCIES.index(name)
    if name not in house.resolved.securities:
        raise refuse(RejectionReason.UNKNOWN, f"no security {name}", field="security", subject=name)
    return int(house.resolved.asset_of_security(house.resolved.securities.index(name)))


def _account(house: House, about: collateral.Obligation) -> int:
    owner, _, kind = about.account.partition("/")
    for (participant, account_class), number in house.resolved.account_index.items():
        if (participant, str(account_class)) == (owner, kind):
            return number
    raise refuse(RejectionReason.UNKNOWN, f"no account {about.account}", field="Oblgtn/CollAcctId/Id")


def _require_sender(sending: Sending, about: collateral.Obligation) -> None:
    if sending.participant not in ("", about.participant):
        raise refuse(RejectionReason.NOT_ALLOWED, f"is of {about.participant}, {sending.participant} sends it",
                     field="Oblgtn/PtyB", remedy="send your own")  # fmt: skip

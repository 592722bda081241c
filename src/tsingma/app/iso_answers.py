"""What participants answer the house: to a buy-in (secl.008), and where a corporate action asks (seev.033)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tsingma.app.iso_sending import Errand, Sending
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.journal.corporate_action_commands import ElectOption
from tsingma.messages.iso20022 import buy_in, event_election
from tsingma.messages.iso20022.codes import refusal, state_of
from tsingma.messages.iso20022.header import read_header
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import Received

TAKEN = (buy_in.RESPONSE, event_election.INSTRUCTION)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a buy-in."""

    answer: buy_in.BuyInAnswer

    def carry_out(self, sending: Sending, place: int) -> None:
        """Take note of an answer that changes nothing; what it may not ask for is refused and counted as not done."""
        try:
            buy_in.check_answer(sending.house, self.answer, sending.participant)
        except Rejected as rejected:
            sending.counts["not_done"] += 1
            sending.rejections += rejected.rejections
        else:
            sending.counts["done"] += 1


@dataclass(frozen=True, slots=True)
class Elected:
    """A choice in a corporate action, with the identifier of its message ("" without a header)."""

    identifier: str
    election: event_election.Election

    def carry_out(self, sending: Sending, place: int) -> None:
        """Set the election, and reply with a seev.034 whether it stands."""
        house = sending.house
        day = to_date(house.position.day)
        try:
            sending.send(f"{place}/election", self._command(house, sending.participant))
        except Rejected as rejected:
            sending.counts["not_done"] += 1
            sending.rejections += rejected.rejections
            state = refusal("seev.034", rejected.rejections[0], day)
        else:
            sending.counts["done"] += 1
            state = state_of("seev.034", "done", day)
        status = event_election.ElectionStatus(self.identifier, self.election, state)
        isin = event_election.isin_of(house, self.election.reference)
        sending.reply(event_election.write_status(status, isin, sending.directory))

    def _command(self, house: House, participant: str) -> ElectOption:
        said, book = self.election, house.resolved
        option = event_election.option_of(house.corporate_actions.get(said.reference), said)
        accounts = (place for place in range(len(book.book.accounts)) if book.account_name(place) == said.account)
        account = next(accounts, -1)
        if account < 0 or (participant and book.book.accounts[account].participant != participant):
            raise refuse(RejectionReason.UNKNOWN, f"'{said.account}' is no account of yours", field="account",
                         subject=said.reference)  # fmt: skip
        return ElectOption(said.reference, account, option, said.units)


def readers(house: House) -> dict[str, Callable[[Received, Directory, str], Errand]]:
    """Return how each answer is read; quantities are of the security that the house knows the answer is about."""

    def answered(one: Received, directory: Directory, _file: str) -> Answered:
        leaves = leaves_of(one)
        isin = buy_in.isin_of(house, leaves["BuyInRspnDtls/BuyInNtfctnId"])
        return Answered(buy_in.read_answer(leaves, isin, directory))

    def elected(one: Received, directory: Directory, _file: str) -> Elected:
        header, leaves = read_header(one), leaves_of(one)
        isin = event_election.isin_of(house, leaves["CorpActnGnlInf/CorpActnEvtId"])
        identifier = "" if header is None else header.identifier
        return Elected(identifier, event_election.read_election(leaves, isin, directory))

    return {buy_in.RESPONSE: answered, event_election.INSTRUCTION: elected}

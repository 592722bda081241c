"""seev.033, the instruction of who has a choice in a corporate action; seev.034, what became of it.

An instruction sets how many units of an account take an option: it takes the place of what was chosen before for that
option, and a quantity of 0 takes the choice back.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.events.book import CorporateAction
from tsingma.custody.events.terms import ISO_CODES
from tsingma.engine.house import House
from tsingma.messages.iso20022 import event_words as words
from tsingma.messages.iso20022.codes import State
from tsingma.messages.iso20022.leaves import Leaves, document, tag, text
from tsingma.messages.iso20022.parties import Directory

INSTRUCTION, INSTRUCTION_BODY = "seev.033.001.12", "CorpActnInstr"
STATUS, STATUS_BODY = "seev.034.001.14", "CorpActnInstrStsAdvc"
_QUANTITY = "CorpActnInstr/SctiesQtyOrInstdAmt/SctiesQty/InstdQty"


class Election(msgspec.Struct, frozen=True, kw_only=True):
    """So many units of an account are to take an option (its place counts from 0) of an event."""

    reference: str
    kind: str  # CAEV
    account: str
    option: int
    code: str
    units: int


class ElectionStatus(msgspec.Struct, frozen=True):
    """What became of an election: its sender's identifier ("" without one), and one state."""

    instruction: str
    election: Election
    state: State


def isin_of(house: House, reference: str) -> str:
    """Return the security of an event by its reference, "" for none."""
    action = house.corporate_actions.events.get(reference)
    return "" if action is None else house.resolved.securities[action.terms.security]


def option_of(action: CorporateAction, election: Election) -> int:
    """Return the place of the option that is elected; raises Rejected when the event has another one at that number."""
    terms = action.terms
    if election.kind != ISO_CODES[terms.kind]:
        raise refuse(RejectionReason.CONFLICT, f"the event is {ISO_CODES[terms.kind]}", field="kind",
                     subject=terms.reference)  # fmt: skip
    if election.option >= len(terms.options) or words.told_type(terms.options[election.option].code) != election.code:
        known = ", ".join(f"{words.option_number(place)} {one.code}" for place, one in enumerate(terms.options))
        raise refuse(RejectionReason.UNKNOWN, f"no option {words.option_number(election.option)} {election.code}",
                     field="option", subject=terms.reference, remedy=f"one of {known}")  # fmt: skip
    return election.option


def write_election(one: Election, isin: str, directory: Directory) -> str:
    """Return a seev.033 Document."""
    quantity = tag("Qty", directory.write_quantity(one.units, isin))
    return document(
        INSTRUCTION, INSTRUCTION_BODY,
        tag("CorpActnGnlInf", text("CorpActnEvtId", one.reference), tag("EvtTp", text("Cd", one.kind))),
        tag("AcctDtls", text("SfkpgAcct", one.account)),
        tag("CorpActnInstr", tag("OptnNb", text("Nb", words.option_number(one.option))), words.option_type(one.code),
            tag("SctiesQtyOrInstdAmt", tag("SctiesQty", tag("InstdQty", quantity)))),
    )  # fmt: skip


def read_election(leaves: Leaves, isin: str, directory: Directory) -> Election:
    """Return an instruction about a security; raises Rejected for what is not acted on here."""
    known = ("CorpActnGnlInf/", "AcctDtls/SfkpgAcct", "AcctDtls/AcctOwnr/", "CorpActnInstr/OptnNb/Nb",
             "CorpActnInstr/OptnTp/", f"{_QUANTITY}/Qty/", "SplmtryData")  # fmt: skip
    for name in leaves:
        if not name.startswith(known):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=name,
                         remedy="an option by its number, and the units of an account that take it")  # fmt: skip
    if "AcctDtls/SfkpgAcct" not in leaves or "CorpActnInstr/OptnNb/Nb" not in leaves:
        raise refuse(RejectionReason.MISSING, "names no account, or no option", field="AcctDtls/SfkpgAcct")
    return Election(
        reference=leaves["CorpActnGnlInf/CorpActnEvtId"], kind=leaves.get("CorpActnGnlInf/EvtTp/Cd", ""),
        account=leaves["AcctDtls/SfkpgAcct"],
        option=words.read_option_number(leaves["CorpActnInstr/OptnNb/Nb"], "CorpActnInstr/OptnNb/Nb"),
        code=words.read_option_type(leaves, "CorpActnInstr/OptnTp"),
        units=int(directory.read_quantity(leaves, f"{_QUANTITY}/Qty", isin)),
    )  # fmt: skip


def write_status(one: ElectionStatus, isin: str, directory: Directory) -> str:
    """Return a seev.034 Document."""
    said, choice = one.election, one.state.at.partition("/")[2]
    reason = text("NoSpcfdRsn", "NORE")
    if one.state.code != "NORE":
        reason = tag("Rsn", tag("RsnCd", text("Cd", one.state.code)), text("AddtlRsnInf", one.state.text))
    quantity = tag("StsQty", tag("Qty", directory.write_quantity(said.units, isin)))
    return document(
        STATUS, STATUS_BODY, tag("InstrId", text("Id", one.instruction)),
        tag("CorpActnGnlInf", text("CorpActnEvtId", said.reference), tag("EvtTp", text("Cd", said.kind))),
        tag("InstrPrcgSts", tag(choice, reason)),
        tag("CorpActnInstr", tag("OptnNb", text("Nb", words.option_number(said.option))), words.option_type(said.code),
            text("SfkpgAcct", said.account), quantity),
    )  # fmt: skip


def read_status(leaves: Leaves, isin: str, directory: Directory) -> ElectionStatus:
    """Return what became of an election of a security; raises Rejected when it says no state or no election."""
    start = next((name for name in leaves if name.startswith("InstrPrcgSts/")), "")
    choice = start.split("/")[1] if start else ""
    code = leaves.get(f"InstrPrcgSts/{choice}/Rsn/RsnCd/Cd") or leaves.get(f"InstrPrcgSts/{choice}/NoSpcfdRsn", "")
    if not code or "CorpActnInstr/OptnNb/Nb" not in leaves:
        raise refuse(RejectionReason.MISSING, "names no status, or no election", field="InstrPrcgSts")
    state = State(f"InstrPrcgSts/{choice}", code, leaves.get(f"InstrPrcgSts/{choice}/Rsn/AddtlRsnInf", ""))
    return ElectionStatus(
        leaves.get("InstrId/Id", ""),
        Election(
            reference=leaves["CorpActnGnlInf/CorpActnEvtId"], kind=leaves.get("CorpActnGnlInf/EvtTp/Cd", ""),
            account=leaves.get("CorpActnInstr/SfkpgAcct", ""),
            option=words.read_option_number(leaves["CorpActnInstr/OptnNb/Nb"], "CorpActnInstr/OptnNb/Nb"),
            code=words.read_option_type(leaves, "CorpActnInstr/OptnTp"),
            units=int(directory.read_quantity(leaves, "CorpActnInstr/StsQty/Qty", isin)),
        ),
        state,
    )  # fmt: skip

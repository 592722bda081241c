"""What a file of reports says, as plain data: for who gets them, or to look before a file is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from tsingma.app.iso_files import directory_of
from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected, Rejection
from tsingma.engine.house import House
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
    margin_report,
    net_position,
    notice,
    obligation,
    payment_status,
    pending_report,
    posting_report,
    recall,
    static_data,
    status,
    trade_legs,
)
from tsingma.messages.iso20022.leaves import Leaves, leaves_of, located
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import FAULTS_MAX, read_messages
from tsingma.messages.rows import read_bytes

Reader = Callable[[Leaves, Directory], object]

READERS: dict[str, Reader] = {
    status.ADVICE: lambda leaves, _: status.read_advice(leaves),
    status.CANCELLATION: lambda leaves, _: status.read_cancellation_status(leaves),
    status.MODIFICATION: lambda leaves, _: status.read_modification_status(leaves),
    confirmation.MESSAGE: confirmation.read_confirmation,
    allegement.MESSAGE: allegement.read_allegement,
    allegement.REMOVAL: lambda leaves, _: allegement.read_removal(leaves),
    holdings.MESSAGE: holdings.read_holdings,
    notice.MESSAGE: lambda leaves, _: notice.read_notice(leaves),
    account_statement.MESSAGE: lambda leaves, _: account_statement.read_statement(leaves),
    payment_status.MESSAGE: lambda leaves, _: payment_status.read_status_report(leaves),
    recall.RESOLUTION: recall.read_resolution,
    collateral.CALL: collateral.read_call,
    collateral.ANSWER: collateral.read_answer,
    obligation.MESSAGE: obligation.read_obligations,
    trade_legs.NOTIFICATION: trade_legs.read_leg,
    trade_legs.STATEMENT: trade_legs.read_legs,
    net_position.MESSAGE: net_position.read_net_positions,
    margin_report.MESSAGE: lambda leaves, _: margin_report.read_margin(leaves),
    fund_report.MESSAGE: lambda leaves, _: fund_report.read_contribution(leaves),
    buy_in.NOTIFICATION: buy_in.read_notice,
    buy_in.CONFIRMATION: buy_in.read_result,
    pending_report.MESSAGE: pending_report.read_pending,
    posting_report.MESSAGE: posting_report.read_postings,
    static_data.PARTIES: lambda leaves, _: {"participants": static_data.read_parties(leaves)},
    static_data.SECURITIES: lambda leaves, _: {"counters": static_data.read_securities(leaves)},
    static_data.ACCOUNTS: lambda leaves, _: {"accounts": static_data.read_accounts(leaves)},
    event_notice.MESSAGE: event_notice.read_notice,
    event_movements.ADVICE: event_movements.read_advice,
    event_movements.CONFIRMATION: event_movements.read_confirmation,
}


def readers_of(house: House) -> dict[str, Reader]:
    """Return how each report is read, with those that need to know what the house knows of an event."""

    def elected(leaves: Leaves, directory: Directory) -> object:
        isin = event_election.isin_of(house, leaves["CorpActnGnlInf/CorpActnEvtId"])
        return event_election.read_status(leaves, isin, directory)

    return {**READERS, event_election.STATUS: elected}


def read_report_file(house: Path | str, path: Path, bics: Path | None = None) -> list[dict[str, object]]:
    """Return what each message of a file says: its identifier (``definition``) and its content by name.

    Only reports are read: what the house sends. Raises Rejected with file, line and element of every fault.
    """
    data = read_bytes(path)
    with Session.open(house, read_only=True) as session:
        directory, known = directory_of(session.house, bics), readers_of(session.house)
    faults: list[Rejection] = []
    found: list[dict[str, object]] = []
    for received in read_messages(data, file=str(path), accept=tuple(sorted(known))):
        try:
            content = known[received.message](leaves_of(received), directory)
        except Rejected as rejected:
            faults += located(rejected, received, str(path))
            continue
        found.append({"definition": received.message, **msgspec.to_builtins(content)})
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    return found

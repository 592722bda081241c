"""Reconciliation finds what is wrong, tells it from what is under way, and says what to do; and the commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from token_steps import opened, refusal

from tsingma.app.token_ledgers import compare, open_ledgers
from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.custody.tokens.ledger import asset_of
from tsingma.custody.tokens.protocol import Progress, Side
from tsingma.engine.two_ledgers import TwoLedgers
from tsingma.journal.commands import CloseDay, Command, DepositAssets, OpenDay, PostTransfers, RunStep
from tsingma.journal.events import Answer
from tsingma.journal.token_commands import Agreement, Leg, Receipt, TellTime
from tsingma.settlement.timetable import timetable
from tsingma.simulate.token_world import (
    ALPHA,
    BACKING,
    BETA,
    BOND,
    BOOK_BOND,
    DENOMINATION,
    HKD,
    MIRROR,
    START,
    account_of,
    mint,
)

FACE = 5 * DENOMINATION
DEAL = Agreement(
    "deal",
    (Leg(account_of(BETA), account_of(ALPHA), HKD, FACE),),
    (Leg(ALPHA, BETA, asset_of(BOND), FACE),),
    START + 100,
)


def moved(ledgers: TwoLedgers, debit: int, credit: int, asset: int, amount: int) -> None:
    """Move an asset on the book past every agreement, as an operator's mistake would."""
    columns = [pack(np.array([value], kind), kind) for value, kind in (
        (debit, "i4"), (credit, "i4"), (asset, "i4"), (amount, "i8"), (0, "i1"))]  # fmt: skip
    ledgers.require(Side.BOOK, f"mistake/{ledgers.book.sequence}", PostTransfers(*columns))


def backing_spent(ledgers: TwoLedgers) -> None:
    """Money that backs e-money is paid away."""
    moved(ledgers, BACKING, account_of(ALPHA), HKD, 1)


def mirror_spent(ledgers: TwoLedgers) -> None:
    """Bonds of the mirror are delivered on the book without their tokens."""
    moved(ledgers, MIRROR, account_of(ALPHA), BOOK_BOND, DENOMINATION)


def issued_again(ledgers: TwoLedgers) -> None:
    """The bond is deposited on the book although no contract issued it."""
    columns = [pack(np.array([value], kind), kind) for value, kind in (
        (account_of(ALPHA), "i4"), (BOOK_BOND, "i4"), (DENOMINATION, "i8"))]  # fmt: skip
    ledgers.require(Side.BOOK, "again", DepositAssets(*columns))


def parted(ledgers: TwoLedgers) -> None:
    """The token ledger delivers what the book has let go."""
    ledgers.settle(DEAL)
    ledgers.book.state.synchronised._entries["deal"].status = "released"


def forged_receipt(ledgers: TwoLedgers) -> None:
    """A receipt names a record that the other journal does not have."""
    ledgers.settle(DEAL)
    ledgers.tokens.state.legs._entries["deal"].receipt = Receipt(3, bytes(32))


@pytest.mark.parametrize(
    ("harm", "kinds"),
    [
        (backing_spent, ["backing"]),
        (mirror_spent, ["mirror"]),
        (issued_again, ["total"]),
        (parted, ["parted", "replay"]),
        (forged_receipt, ["receipt", "replay"]),
    ],
)
def test_every_break_is_found_and_has_a_remedy(harm: Callable[[TwoLedgers], None], kinds: list[str]) -> None:
    """Goal: nothing wrong goes unseen. Method: one harm at a time, each found as its kind and no other."""
    ledgers = opened()
    assert compare(ledgers).items == []
    harm(ledgers)
    found = compare(ledgers)
    assert [item.kind for item in found.breaks] == kinds
    assert all(item.remedy for item in found.items)


def test_what_is_under_way_is_no_break() -> None:
    """Goal: between decision and delivery the books differ, and that is told apart. Method: stop after each message."""
    ledgers = opened()
    progress, seen = Progress(mint("mint", ALPHA, 500, START + 100)), []
    while not progress.done:
        message = progress.messages()[0]
        progress.heard(message.side, *ledgers.tell(message.side, message.command_id, message.command))
        found = compare(ledgers)
        assert found.breaks == []
        money = found.statements[0]
        assert money.kept == money.issued - money.on_book + money.under_way
        seen.append((money.under_way, [item.kind for item in found.items]))
    assert seen == [(0, []), (0, []), (500, ["under way"]), (0, [])]


def test_what_is_overdue_is_told() -> None:
    """Goal: somebody is told to ask. Method: promise, and let the token ledger's clock alone pass the deadline."""
    ledgers = opened()
    progress = Progress(DEAL)
    message = progress.messages()[0]
    progress.heard(message.side, *ledgers.tell(message.side, message.command_id, message.command))
    ledgers.require(Side.TOKENS, "clock", TellTime(START + 100))
    found = compare(ledgers)
    assert [(item.kind, item.is_break) for item in found.items] == [("overdue", False)]
    assert [one.committed for one in ledgers.resolve()] == [True]  # by the book's clock there is still time
    assert compare(ledgers).items == []


def test_the_book_closes_its_day_over_what_is_promised() -> None:
    """Goal: a day's close counts what agreements hold. Method: promise stock of the mirror overnight, close, settle."""
    ledgers = opened()
    day = START // 86_400
    ledgers.require(Side.BOOK, "day", OpenDay(day))
    out = Agreement(
        "out",
        (Leg(MIRROR, account_of(ALPHA), BOOK_BOND, FACE),),
        (Leg(ALPHA, 1, asset_of(BOND), FACE),),
        START + 90_000,
        settle_from=START + 86_400,
    )
    assert ledgers.settle(out) is None
    for step in timetable():
        ledgers.require(Side.BOOK, f"day/{step.name}", RunStep(step.name))
    assert refusal(ledgers, Side.BOOK, CloseDay()) == ""
    ledgers.tell_time(START + 86_400)
    assert [one.committed for one in ledgers.resolve()] == [True]
    assert compare(ledgers).items == []


@pytest.mark.parametrize("messages", range(6))
def test_a_process_that_dies_between_messages_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], messages: int
) -> None:
    """Goal: the command is safe to cut off. Method: die after each message on journals in files, reopen, move on."""
    folder = str(tmp_path)
    assert main(["token", "issue", "--house", folder, "--until", "primary"]) == 0
    trade = ["token", "trade", "--house", folder, "--token", "HKGB-HKD-2027", "--seller", "BANK-A", "--buyer", "BANK-B",
             "--face", "1000000", "--reference", "cut-off"]  # fmt: skip
    usual, sent = TwoLedgers.tell, []

    def tell(ledgers: TwoLedgers, side: Side, command_id: str, command: Command) -> tuple[Answer, Receipt | None]:
        if len(sent) == messages:
            raise KeyboardInterrupt
        sent.append(command_id)
        return usual(ledgers, side, command_id, command)

    with monkeypatch.context() as patched:
        patched.setattr(TwoLedgers, "tell", tell)
        died = main(trade) == 1
    assert died == (messages < 4)
    with open_ledgers(tmp_path) as ledgers:
        ended = [one.settlement for one in ledgers.resolve()]
        assert ended == (["cut-off"] if 0 < messages < 4 else [])
        status = ledgers.tokens.state.legs.status("cut-off")
        assert status == ledgers.book.state.synchronised.status("cut-off") == ("committed" if messages else "none")
        assert compare(ledgers).items == []
    capsys.readouterr()


def test_commands_issue_trade_settle_and_reconcile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the whole from the command line. Method: issue into a folder, trade each way, move on, compare."""
    folder = str(tmp_path / "tokens")
    assert main(["token", "issue", "--house", folder, "--until", "trades", "--json"]) == 0
    issued = json.loads(capsys.readouterr().out)
    assert issued["breaks"] == 0
    assert len(issued["tranches"]) == 4
    assert main(["token", "issue", "--house", folder]) == 2
    assert "there already" in capsys.readouterr().err
    base = ["token", "trade", "--house", folder, "--token", "HKGB-HKD-2027", "--seller", "BANK-A", "--face", "1000000"]
    for more, status in (
        (["--buyer", "BANK-B", "--price", "100.04", "--reference", "mine"], "committed"),
        (["--buyer", "BANK-B", "--price", "100.04", "--reference", "mine"], "committed"),
        (["--buyer", "FUND-C", "--money", "tokens"], "committed"),
        (["--buyer", "BANK-B", "--settle", "next-day"], "reserved"),
    ):
        assert main([*base, *more, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["status"] == status
    assert main(["token", "settle", "--house", folder, "--at", "2025-11-14 09:00", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["settled"]) == 1
    assert main(["token", "reconcile", "--house", folder, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["at"]) == ([], "2025-11-14 09:00")
    register = tmp_path / "register.csv"
    register.write_text("token,wallet,face_cents\nHKGB-USD-2028,BANK-A,9000000000\nHKGB-USD-2028,BANK-B,7500000001\n")
    assert main(["token", "reconcile", "--house", folder, "--register", str(register), "--json"]) == 1
    apart = json.loads(capsys.readouterr().out)["items"]
    assert [(one["kind"], one["subject"]) for one in apart] == [
        ("register", f"HKGB-USD-2028, {name}") for name in ("BANK-B", "FUND-C", "FUND-D", "INSURER-E", "OFFICE-F")
    ]
    for text, told in (
        ("token,wallet,face_cents\nHKGB-USD-2028,A,1\nHKGB-USD-2028,A,2\n", ":3: wallet: A is listed twice"),
        ("token,wallet,face_cents\nHKGB-USD-2028,A,-1\n", ":2: face_cents: a holding is not negative"),
        ("token,wallet,face_cents\nOTHER,A,1\n", "no token 'OTHER'"),
    ):
        register.write_text(text)
        assert main(["token", "reconcile", "--house", folder, "--register", str(register)]) == 2
        assert told in capsys.readouterr().err
    for wrong, told in (
        (["--buyer", "NOBODY"], "no wallet 'NOBODY'"),
        (["--buyer", "BANK-B", "--price", "x"], "price: 'x' is not a number"),
        (["--buyer", "BANK-B", "--money", "tokens", "--settle", "next-day"], "settles at once"),
    ):
        assert main([*base, *wrong]) == 2
        assert told in capsys.readouterr().err
    with open_ledgers(Path(folder)) as ledgers:
        assert ledgers.tokens.state.balance(4, 2) == (675 + 2) * 100_000_000
        backing = next(one.terms for one in ledgers.tokens.state.contracts if one.terms.code == "E-HKD")
        moved(ledgers, backing.book_account, 8, HKD, 1)
    assert main(["token", "reconcile", "--house", folder]) == 1
    assert "BREAK: backing E-HKD" in capsys.readouterr().out
    with pytest.raises(Rejected, match="there is no token ledger"), open_ledgers(tmp_path / "none"):
        pass

"""Nothing to tell: every verb that writes messages says so, writes no file and ends well.

Goal: no command makes a file that `messages check` refuses, and a night of such commands stops at none of them.
Method: every verb of the group is found by its options and run in a house where it has nothing to tell, for a
member that did nothing; what is told all the same is checked.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from iso_samples import document
from story import Story

from tsingma.app.iso_reports import REPORTS
from tsingma.app.session import Session
from tsingma.basics.rejection import InvariantBroken
from tsingma.cli.iso import messages
from tsingma.cli.main import main
from tsingma.journal.payment_commands import RunPayments
from tsingma.messages.instruction_file import REQUIRED
from tsingma.messages.iso20022.header import write_file

VERBS = sorted(
    name for name, command in messages.commands.items()
    if {"house", "out"} <= {option.name for option in command.params} and not isinstance(command, click.Group)
)  # fmt: skip


def test_every_writing_verb_is_tried() -> None:
    """Goal: a verb added later is tried too. Method: the verbs there were, by name."""
    assert {"answer", "calls", "convert", "fund", "holdings", "notices", "obligations", "payments", "propose", "report",
            "statement"} <= set(VERBS)  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house that settles, whose money has begun its day, and a member, A, that has done nothing."""
    told, folder = Story(), tmp_path_factory.mktemp("quiet") / "house"
    told.run("continuous-settlement")
    told.tell(RunPayments(36_000))
    with Session.open(folder) as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    return folder


def arguments(verb: str, folder: Path) -> list[list[str]]:
    """Return what a verb asks for beside house, participant and file, once for each of its kinds."""
    if verb == "report":
        return [[kind] for kind in REPORTS]
    if verb == "obligations":
        return [["--date", "2026-01-07"]]
    if verb == "fund":
        exposures, keys = folder / "E.csv", folder / "K.csv"
        exposures.write_text("day,scenario,participant,group,loss,collateral\n2026-01-05,S,B,B,300000000,0\n", "utf-8")
        keys.write_text("day,participant,key\n2026-01-05,B,1\n", "utf-8")
        return [["--exposures", str(exposures), "--keys", str(keys)]]
    if verb == "convert":
        orders = folder / "orders.csv"
        orders.write_text(",".join(REQUIRED) + "\n", "utf-8")
        return [["--file", str(orders)]]
    return [[]]


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_said_and_not_written(
    verb: str, house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Goal: one rule for all verbs. Method: a member that did nothing; a file is written only with what checks."""
    who = [] if verb == "convert" else ["--participant", "A"]
    quiet = 0
    for number, more in enumerate(arguments(verb, tmp_path)):
        out = tmp_path / f"{number}.xml"
        asked = ["messages", verb, *more, *who, "--house", str(house), "--out", str(out)]
        assert main([*asked, "--json"]) == 0, more
        printed = capsys.readouterr()
        told = json.loads(printed.out)
        counted = next(name for name in told if name not in ("bytes", "file"))
        assert out.exists() == bool(told[counted])
        if out.exists():
            assert main(["messages", "check", "--file", str(out)]) == 0
            capsys.readouterr()
            continue
        quiet += 1
        assert told == {counted: 0, "bytes": 0, "file": None}
        assert printed.err == f"nothing to tell: {out} is not written\n"
        assert main(asked) == 0
        assert "none" in capsys.readouterr().out
    assert quiet or verb in ("holdings", "statement", "report"), "what a member without doings is told at all"


def test_mt_too(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the same of MT files. Method: answers of a house that says nothing, and orders of none."""
    bics, out = tmp_path / "bics.csv", tmp_path / "out.fin"
    bics.write_text("participant,bic\nA,ALPHHKHH\nHKSCC,TSNGHKHH\n", encoding="utf-8")
    named = ["--house", str(house), "--bics", str(bics), "--out", str(out)]
    for asked in (["answer", "--participant", "A"], ["convert", *arguments("convert", tmp_path)[0]]):
        assert main(["messages", *asked, *named]) == 0
        assert "nothing to tell" in capsys.readouterr().err
        assert not out.exists()


def test_replies_too(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the same of replies; a file without a message cannot be made. Method: orders that no reply is due for."""
    orders, replies = tmp_path / "orders.xml", tmp_path / "replies.xml"
    orders.write_bytes(document())
    sent = ["messages", "send", "--file", str(orders), "--house", str(house), "--replies", str(replies)]
    assert main(sent) == 0
    assert capsys.readouterr().err == f"nothing to tell: {replies} is not written\n"
    assert not replies.exists()
    with pytest.raises(InvariantBroken, match="without a message"):
        write_file([], "F", datetime(2026, 1, 5, tzinfo=UTC))

"""Official reports of a house that ran a small week: what they say is what books, journal and CSV statements say.

Goal: no figure of its own. Method: two days of a simulated market; statements beside the house's reads, the day report
read from the journal beside the one made while the day ran; the commands as typed.
"""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import msgspec
import pytest

from simulated_past import write_files
from tsingma.app.business_day import DayInput, DayRecord, run_day
from tsingma.app.day_figures import day_figures
from tsingma.app.day_journal import day_of_journal
from tsingma.app.house_margin import house_margin, with_flat_rates
from tsingma.app.house_reads import balances_of, calls_of, positions_of
from tsingma.app.obligation_reads import obligations_of
from tsingma.app.official_reports import KINDS, report_of
from tsingma.app.parameter_file import build_parameters
from tsingma.app.progress import Silent
from tsingma.app.session import Session
from tsingma.app.statement_figures import StatementFigures
from tsingma.app.statements import write_house_statements
from tsingma.basics.clock import FixedClock
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.journal.commands import LoadReference
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.messages.rpf01 import read_parameters, write_parameters
from tsingma.reference.book import AccountClass
from tsingma.reports.figures import DayFigures
from tsingma.reports.official.files import write_report
from tsingma.simulate.market import simulate_market

pytest.importorskip("typst")
Week = tuple[Path, list[DayFigures]]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Week:
    """The folder of a house that has run two days with margin, and the figures made while it ran."""
    folder = tmp_path_factory.mktemp("week")
    market = simulate_market(7, date(2026, 1, 5), 2, 600)
    parameters = build_parameters(market.history, FilterSettings())
    told: list[DayFigures] = []
    with Session.open(folder) as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("deposits", market.deposits)
        for day in market.days():
            given = DayInput(day.date, day.trades, day.close_e4, day.fx_e6)
            record, _ = run_day(session, given, parameters, FixedClock(), Silent())
            assert isinstance(record, DayRecord)
            told.append(day_figures(record, given, session.house.resolved))
            if day.date == market.dates[0]:
                code = session.house.resolved.book.accounts[int(session.house.margin.account[0])].participant
                record_number = session.sequencer.sequence
                figures = StatementFigures(session.house, record_number, code)
                for kind in KINDS:
                    one = report_of(figures, kind, code, "en")
                    write_report(one, folder / f"{record_number}-{code}-{kind}.pdf")
    complete = with_flat_rates(parameters, market.resolved, market.dates[0])
    (folder / "RPF01.csv").write_bytes(write_parameters(complete))
    return folder, told


def test_the_day_is_read_back_from_the_journal(week: Week) -> None:
    """Goal: a day report needs no more than the journal. Method: both days beside what was told while they ran."""
    folder, told = week
    with Session.open(folder, read_only=True) as session:
        for one in told:
            assert day_of_journal(session, one.day) == msgspec.structs.replace(one, stages=())
        assert day_of_journal(session).day == told[-1].day
        with pytest.raises(Rejected, match="2026-01-12 was closed"):
            day_of_journal(session, date(2026, 1, 12))


def test_statements_say_what_the_house_answers(week: Week) -> None:
    """Goal: every participant's figures are the books'. Method: statements beside balances, positions and calls."""
    folder, _ = week
    held = 0
    with Session.open(folder, read_only=True) as session:
        house, record = session.house, session.sequencer.sequence
        margin = house_margin(house, read_parameters((folder / "RPF01.csv").read_bytes()))
        for code in [one.code for one in house.resolved.book.participants][:12]:
            figures = StatementFigures(house, record, code, margin)
            found = figures.holdings_of(code).lines
            told = {(line.account, line.asset): (line.balance, line.on_hold, line.pledged) for line in found}
            books = {}
            for kind in AccountClass:
                if (code, kind) in house.resolved.account_index:
                    for one in balances_of(house, 0, code, kind, 0, 1_000).items:
                        if one.balance or one.held or one.pledged:
                            books[one.account, one.asset] = (one.balance, one.held, one.pledged)
            assert told == books
            held += len(told)
            settlement = figures.settlement_of(code)
            positions = settlement.positions
            left = {(line.account, line.currency): line.open for line in settlement.money}
            for owed in obligations_of(house, 0, code, 0, 100_000).items:
                if owed.basis == "net" and owed.day == str(to_date(house.position.day)) and owed.asset in CURRENCIES:
                    assert left.pop((owed.account, owed.asset)) == owed.to_receive - owed.to_deliver
            assert not any(left.values())
            lines = positions_of(house, 0, code, 0, 1_000).items
            assert sum(line.due for line in positions) == sum(line.due for line in lines)
            assert sum(line.open for line in positions) == sum(line.open for line in lines)
            calls = figures.margin_of(code)
            assert [(one.account, one.required, one.pledged) for one in calls.calls] == [
                (one.account, one.requirement_cents, one.pledged_cents)
                for one in calls_of(house, 0, code, 0, 1_000).items
            ]
            for part in calls.parts:
                called = {one.account: one.required for one in calls.calls}
                assert part.total_hkd * 100 == called.get(f"{code}/{part.account_class}", 0)
    assert held > 100


def test_one_pass_for_all_is_a_pass_for_each(week: Week, tmp_path: Path) -> None:
    """Goal: one gatherer. Method: everybody's figures gathered at once beside each participant's own; the CSV files of
    the day's end beside them, cell by cell.
    """
    folder, _ = week
    with Session.open(folder, read_only=True) as session:
        house, record = session.house, session.sequencer.sequence
        margin = house_margin(house, read_parameters((folder / "RPF01.csv").read_bytes()))
        everybody = StatementFigures(house, record, margin=margin)
        codes = [one.code for one in house.resolved.book.participants]
        for code in codes:
            own = StatementFigures(house, record, code, margin)
            assert everybody.settlement_of(code) == own.settlement_of(code)
            assert everybody.holdings_of(code) == own.holdings_of(code)
            assert everybody.margin_of(code) == own.margin_of(code)
        with pytest.raises(Rejected, match="no participant"):
            StatementFigures(house, record, codes[0]).holdings_of(codes[1])
        with pytest.raises(Rejected, match="no participant"):
            StatementFigures(house, record, "Z")
        files = write_house_statements(tmp_path, everybody, date(2026, 1, 6))
    assert files == len(list(tmp_path.rglob("*.csv"))) > 10
    for code in codes:
        found = {
            path.stem: list(csv.DictReader(path.open(encoding="utf-8"))) for path in tmp_path.glob(f"{code}/*.csv")
        }
        settlement = everybody.settlement_of(code)
        numbers = ("due", "settled", "open", "on_hold")
        told = [
            (f"{code}/{row['account']}", row["isin"], *(int(row[name]) for name in numbers))
            for row in found.get("settlement", [])
        ]
        assert told == [msgspec.structs.astuple(line) for line in settlement.positions]
        for line in settlement.money:
            rows = [
                row
                for row in found["money"]
                if (f"{code}/{row['account']}", row["currency"]) == (line.account, line.currency)
            ]
            sums = [-sum(int(row[name].replace(".", "")) for row in rows) for name in ("to_pay", "settled", "open")]
            assert sums == [line.due, line.settled, line.open]
        holdings = everybody.holdings_of(code).lines
        assert [row["asset"] for row in found.get("holdings", [])] == [line.asset for line in holdings]
        amounts = [int(row["balance"].replace(".", "")) for row in found.get("holdings", [])]
        assert amounts == [line.balance for line in holdings]
        totals = {row["account"]: int(row["total"]) for row in found.get("margin", [])}
        assert totals == {part.account_class: part.total_hkd for part in everybody.margin_of(code).parts}


def test_the_same_record_gives_the_same_statement(week: Week, tmp_path: Path) -> None:
    """Goal: a statement can be made again years later. Method: PDF files made when day one closed, beside those of the
    same record made after day two; a record that is not there.
    """
    folder, _ = week
    for path in sorted(folder.glob("*.pdf")):
        record, code, kind = path.stem.split("-")
        out = tmp_path / path.name
        asked = ["report", kind, "--house", str(folder), "--participant", code]
        assert main([*asked, "--at", record, "--out", str(out)]) == 0
        assert out.read_bytes() == path.read_bytes()
        assert main([*asked, "--out", str(out)]) == 0
        assert out.read_bytes() != path.read_bytes(), "a day later it says something else"
    assert main([*asked, "--at", "99999", "--out", str(out)]) == 2


def test_the_commands_as_typed(week: Week, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: reachable by hand. Method: one participant, all of them, the day; forms, languages, refusals."""
    folder, told = week
    own = ["--house", str(folder), "--json"]
    with Session.open(folder, read_only=True) as session:
        code = session.house.resolved.book.accounts[int(session.house.margin.account[0])].participant
    for kind, more in (("settlement", []), ("holdings", []), ("margin", ["--parameters", str(folder / "RPF01.csv")])):
        out = tmp_path / f"{kind}.csv"
        assert main(["report", kind, *own, "--participant", code, "--out", str(out), *more]) == 0
        files = json.loads(capsys.readouterr().out)["files"]
        rows = [list(csv.reader(Path(name).read_text(encoding="utf-8").splitlines())) for name in files]
        assert sum(map(len, rows)) > len(files)
    assert main(["report", "day", *own, "--date", str(told[0].day), "--out", str(tmp_path / "day.pdf")]) == 0
    assert (tmp_path / "day.pdf").read_bytes().startswith(b"%PDF")
    capsys.readouterr()
    assert main(["report", "holdings", *own, "--out", str(tmp_path / "all"), "--form", "html"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == len({Path(name).name for name in files}) > 10
    for wrong, says in (
        (["report", "holdings", "--participant", "Z", "--out", "x.pdf"], "no participant 'Z'"),
        (["report", "settlement", "--participant", code, "--out", "x.doc"], "is no form of a report"),
        (["report", "day", "--date", "2026-01-12", "--out", "x.pdf"], "was closed in this house"),
    ):
        assert main([*wrong, *own]) == 2
        assert says in capsys.readouterr().err


def test_margin_fund_disclosure_and_economy_write_theirs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Goal: the models' commands write official reports beside their answers. Method: each as typed, small."""
    write_files(tmp_path)
    for name in ("closes.csv", "index.csv"):  # rules of collateral begin in 2022
        text = (tmp_path / name).read_text(encoding="utf-8").replace("2019-", "2023-").replace("2020-", "2024-")
        (tmp_path / name).write_text(text, encoding="utf-8")
    header = "book,house,product,factor,notional,strike,days\n"
    (tmp_path / "books.csv").write_text(
        header + "A,HKSCC,stock,BASKET,100000000,,\nA,HKCC,future,INDEX,-90000000,,\n", encoding="utf-8"
    )
    market = ["--prices", str(tmp_path / "closes.csv"), "--index", str(tmp_path / "index.csv"), "--books",
              str(tmp_path / "books.csv")]  # fmt: skip
    (tmp_path / "E.csv").write_text("day,scenario,participant,group,loss,collateral\n2026-01-05,crash,B1,B1,900,100\n")
    (tmp_path / "K.csv").write_text("day,participant,key\n2026-01-05,B1,7\n")
    files = ["--exposures", str(tmp_path / "E.csv"), "--keys", str(tmp_path / "K.csv")]
    disclosed = [*files, "--every", "200", "--language", "zh", "--report", str(tmp_path / "zh.csv")]
    assert main(["margin", "disclosure", *market, *disclosed]) == 0
    names = [row["名稱"] for path in tmp_path.glob("zh-*.csv")
             for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]  # fmt: skip
    assert len(names) > 20
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in name) for name in names), "every field has its Chinese"
    folder = tmp_path / "all"
    assert main(["margin", "statements", *market, "--history-days", "5", "--form", "xlsx", "--out", str(folder)]) == 0
    assert [path.name for path in folder.iterdir()] == ["A.xlsx"]
    for name, asked in (
        ("margin", ["margin", "explain", *market, "--history-days", "5", "--report"]),
        ("fund", ["report", "fund", *files, "--participant", "B1", "--out"]),
        ("disclosure", ["margin", "disclosure", *market, *files, "--every", "200", "--report"]),
        ("chain", ["economy", "chain", "run", "--scenario", "hbm-stop", "--draws", "0", "--report"]),
        ("run", ["economy", "renminbi", "run", "--scenario", "renminbi-jump", "--replications", "20", "--report"]),
    ):
        out = tmp_path / f"{name}.pdf"
        assert main([*asked, str(out)]) == 0, capsys.readouterr().err
        assert out.read_bytes().startswith(b"%PDF")

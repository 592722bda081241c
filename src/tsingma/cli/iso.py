"""The ``messages`` commands: check ISO 20022 files, send them to a house, write its answers, change CSV to sese.023."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from tsingma.cli.hkex import hkex
from tsingma.cli.house import HOUSE
from tsingma.cli.iso_reports import COMMANDS as REPORT_COMMANDS
from tsingma.cli.output import say_nothing, write_told

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_BICS = click.option("--bics", type=_FILE, help="BICs of participants (CSV: participant,bic).")
SHOWN_MAX = 20


@click.group(epilog="\b\nExample:\n  tsingma messages send --file day.xml --house out/house --replies replies.xml\n")
def messages() -> None:
    """ISO 20022 files: sese, semt, secl, seev, reda, colr, pacs and camt, with head.001 and head.002."""


for _command in REPORT_COMMANDS:
    messages.add_command(_command)


@messages.command(epilog="\b\nExample:\n  tsingma messages check --file day.xml\n")
@click.option("--file", "path", required=True, type=_FILE, help="One Document, or a business file (Xchg).")
@_JSON
def check(path: Path, *, as_json: bool) -> None:
    """Check a file against the schemas of its messages and count them."""
    from tsingma.app.iso_files import check_file
    from tsingma.cli.output import print_figures

    print_figures(check_file(path), as_json=as_json)


@messages.command(epilog="\b\nExample:\n  tsingma messages send --file day.xml --house out/house --participant P01\n")
@click.option("--file", "path", required=True, type=_FILE, help="Instructions and requests (see docs).")
@HOUSE
@click.option("--participant", default="", help="Who sends them; left out, the house takes them in for all.")
@click.option("--at", metavar="HH:MM", default="", help="Time of day (default: the time the house stands at).")
@click.option(
    "--replies", type=_NEW, help="Write the replies: sese.024 of refused orders, .027, .031, seev.034, pacs.002 ..."
)
@_BICS
@_JSON
def send(
    path: Path, house: Path | str, participant: str, at: str, replies: Path | None, bics: Path | None, *, as_json: bool
) -> int:
    """Send a file to a house with an open day; it is read whole or refused whole, then each message answers."""
    from tsingma.app.iso_files import send_messages
    from tsingma.cli.main import EXIT_FINDINGS, EXIT_OK
    from tsingma.cli.output import print_figures
    from tsingma.cli.time_of_day import second_of_day

    sent, answered = send_messages(house, path, participant, second_of_day(at), bics)
    if replies is not None and answered:
        replies.parent.mkdir(parents=True, exist_ok=True)
        replies.write_bytes(answered)
    elif replies is not None:
        say_nothing(replies)
    figures = {
        **sent.messages, "waiting": sent.waiting, "matched": sent.matched, "refused": sent.refused,
        "requests done": sent.done, "requests not done": sent.not_done, "payments": sent.payments,
    }  # fmt: skip
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(sent).decode())
    else:
        print_figures(figures, as_json=False)
        for rejection in sent.rejections[:SHOWN_MAX]:
            click.echo(f"refused: {rejection}", err=True)
    return EXIT_FINDINGS if sent.refused or sent.not_done else EXIT_OK


@messages.command(epilog="\b\nExample:\n  tsingma messages answer --house out/house --participant P01 --out P01.xml\n")
@HOUSE
@click.option("--participant", required=True, help="Whose orders and instructions.")
@click.option("--since", type=click.IntRange(0), help="Only what changed after this record of the journal.")
@click.option("--out", required=True, type=_NEW, help="File to write: .xml, or .fin for MT.")
@_BICS
@_JSON
def answer(
    house: Path | str, participant: str, since: int | None, out: Path, bics: Path | None, *, as_json: bool
) -> None:
    """Write statuses, confirmations and allegements: sese.024, .025, .028, .029, or MT548, MT544 to MT547, MT578."""
    from tsingma.app.iso_files import answer_file

    write_told(out, "messages", answer_file(house, participant, since, bics, out.suffix.lower()), as_json=as_json)


@messages.command(
    epilog="\b\nExample:\n  tsingma messages holdings --house out/house --participant P01 --out P01.xml\n"
)
@HOUSE
@click.option("--participant", required=True, help="Whose accounts.")
@click.option("--out", required=True, type=_NEW, help="File to write (a business file).")
@_BICS
@_JSON
def holdings(house: Path | str, participant: str, out: Path, bics: Path | None, *, as_json: bool) -> None:
    """Write a statement of holdings (semt.002) for each account of a participant."""
    from tsingma.app.iso_files import holding_file

    write_told(out, "accounts", holding_file(house, participant, bics), as_json=as_json)


@messages.command(epilog="\b\nExample:\n  tsingma messages notices --house out/house --participant P01 --out P01.xml\n")
@HOUSE
@click.option("--participant", required=True, help="Whose accounts.")
@click.option("--out", required=True, type=_NEW, help="File to write (a business file).")
@_JSON
def notices(house: Path | str, participant: str, out: Path, *, as_json: bool) -> None:
    """Write what was credited and debited by settled payments of the open day (camt.054)."""
    from tsingma.app.iso_files import notice_file

    write_told(out, "notices", notice_file(house, participant), as_json=as_json)


@messages.command(epilog="\b\nExample:\n  tsingma messages calls --house out/house --participant P01 --out P01.xml\n")
@HOUSE
@click.option("--participant", required=True, help="Who is called.")
@click.option("--out", required=True, type=_NEW, help="File to write (a business file).")
@_BICS
@_JSON
def calls(house: Path | str, participant: str, out: Path, bics: Path | None, *, as_json: bool) -> None:
    """Write the margin calls that a participant has not covered (colr.003)."""
    from tsingma.app.iso_files import call_file

    write_told(out, "calls", call_file(house, participant, bics), as_json=as_json)


@messages.command(epilog="\b\nExample:\n  tsingma messages propose --house out/house --participant P01 --out P01.xml\n")
@HOUSE
@click.option("--participant", required=True, help="Whose calls are to be covered.")
@click.option("--out", required=True, type=_NEW, help="File to write; `tsingma messages send` takes it in.")
@_BICS
@_JSON
def propose(house: Path | str, participant: str, out: Path, bics: Path | None, *, as_json: bool) -> None:
    """Write the cheapest pledge that covers a participant's calls as proposals of collateral (colr.007)."""
    from tsingma.app.iso_files import proposal_file

    write_told(out, "proposals", proposal_file(house, participant, bics), as_json=as_json)


@messages.command(
    epilog="\b\nExample:\n  tsingma messages payments --house out/house --participant P01 --out P01.xml\n"
)
@HOUSE
@click.option("--participant", required=True, help="Who sent them.")
@click.option("--out", required=True, type=_NEW, help="File to write (a business file).")
@_JSON
def payments(house: Path | str, participant: str, out: Path, *, as_json: bool) -> None:
    """Write how the payments stand that a participant sent on the open day (pacs.002)."""
    from tsingma.app.iso_files import payment_status_file

    write_told(out, "reports", payment_status_file(house, participant), as_json=as_json)


@messages.command(
    epilog="\b\nExample:\n  tsingma messages statement --house out/house --participant P01 --out P01.xml\n"
)
@HOUSE
@click.option("--participant", required=True, help="Whose cash accounts.")
@click.option("--out", required=True, type=_NEW, help="File to write (a business file).")
@_JSON
def statement(house: Path | str, participant: str, out: Path, *, as_json: bool) -> None:
    """Write a statement of the open day for each cash account and currency (camt.053)."""
    from tsingma.app.iso_files import account_statement_file

    write_told(out, "statements", account_statement_file(house, participant), as_json=as_json)


@messages.command(
    epilog="\b\nExample:\n  tsingma messages obligations --house H --participant P01 --date 2026-01-07 --out P01.xml\n"
)
@HOUSE
@click.option("--participant", required=True, help="Whose net positions.")
@click.option("--date", "due", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day they are due.")
@click.option("--out", required=True, type=_NEW, help="File to write.")
@_BICS
@_JSON
def obligations(
    house: Path | str, participant: str, due: datetime, out: Path, bics: Path | None, *, as_json: bool
) -> None:
    """Write what a participant has to deliver, receive and pay after netting (secl.010)."""
    from tsingma.app.iso_files import obligation_file

    write_told(out, "obligations", obligation_file(house, participant, due.date(), bics), as_json=as_json)


@messages.command(
    epilog="\b\nExample:\n  tsingma messages convert --file orders.csv --house out/house --out orders.xml\n"
)
@click.option("--file", "path", required=True, type=_FILE, help="Orders: .csv, .xml or .fin.")
@HOUSE
@click.option("--out", required=True, type=_NEW, help="File to write: .csv, .xml or .fin.")
@_BICS
@_JSON
def convert(path: Path, house: Path | str, out: Path, bics: Path | None, *, as_json: bool) -> None:
    """Change orders between CSV, sese.023 (.xml) and MT540 to MT543 (.fin); the house only tells codes."""
    from tsingma.app.iso_convert import convert_file

    write_told(out, "orders", convert_file(house, path, out.suffix.lower(), bics), as_json=as_json)


@messages.command(epilog="\b\nExample:\n  tsingma messages codes\n")
@_JSON
def codes(*, as_json: bool) -> None:
    """List the codes the house says its statuses and refusals in, with their meaning and source."""
    import msgspec

    from tsingma.messages.iso20022.codes import code_table

    if as_json:
        click.echo(msgspec.json.encode(code_table()).decode())
        return
    for row in code_table():
        mark = " (assumed)" if row.assumed else ""
        click.echo(f"{row.message}  {row.our:<44} {row.at:<16} {row.code or '-':<5} {row.meaning}{mark}")


messages.add_command(hkex)

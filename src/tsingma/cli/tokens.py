"""``tsingma token``: a bond as tokens, trades against the book, reconciliation, and the protocol on trial."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tsingma.app.faults import Batch
    from tsingma.app.token_issue import IssueResult
    from tsingma.app.token_ledgers import Comparison

_FOLDER = click.Path(file_okay=False, path_type=Path)
_HOUSE = click.option("--house", "folder", required=True, type=_FOLDER, help="Folder of both journals.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
SEEDS_FOR_COVERAGE = 1_000


@click.group()
def token() -> None:
    """Issue, trade and reconcile tokens; try the settlement of two ledgers under faults."""


@token.command(epilog="\b\nExample:\n  tsingma token issue --house out/tokens --until trades\n")
@click.option("--issue", "name", default="HKSAR-2025", show_default=True, help="An issue of the table.")
@click.option("--house", "folder", type=_FOLDER, help="New folder for both journals (left out: in memory).")
@click.option("--any-hour", is_flag=True, help="Let money on the book move while its gross system is closed.")
@click.option("--until", default="maturity", show_default=True, type=click.Choice(["primary", "trades", "maturity"]))
@_JSON
def issue(name: str, folder: Path | None, until: str, *, any_hour: bool, as_json: bool) -> None:
    """Run a government issue as tokens: orders, settlement, trades, coupons, redemption, ledgers compared daily."""
    import msgspec

    from tsingma.app.token_issue import TokenIssue
    from tsingma.app.token_ledgers import open_ledgers
    from tsingma.custody.tokens.issues import issue_named

    terms = issue_named(name)
    with open_ledgers(folder, fresh=True) as ledgers:
        result = TokenIssue(ledgers, terms, any_hour=any_hour).run(until)
    if as_json:
        click.echo(msgspec.json.encode(result).decode())
    else:
        _tell_issue(result)


@token.command(
    epilog="\b\nExample:\n  tsingma token trade --house out/tokens --token HKGB-HKD-2027 --seller BANK-A \\\n"
    "    --buyer BANK-B --face 1000000 --price 100.04\n"
)
@_HOUSE
@click.option("--token", "code", required=True, help="Code of the bond.")
@click.option("--seller", required=True, help="Wallet that delivers.")
@click.option("--buyer", required=True, help="Wallet that pays.")
@click.option("--face", required=True, help="Face amount, in whole denominations.")
@click.option("--price", default="100", show_default=True, help="Dirty price per 100 of face.")
@click.option(
    "--money", default="book", show_default=True, type=click.Choice(["book", "tokens"]), help="What is paid in."
)
@click.option("--settle", "when", default="same-day", show_default=True, type=click.Choice(["same-day", "next-day"]))
@click.option("--reference", default="", help="Name of the trade; sent again under it, it is not done twice.")
@_JSON
def trade(
    folder: Path, code: str, seller: str, buyer: str, face: str, price: str, money: str, when: str, reference: str, *,
    as_json: bool,
) -> int:  # fmt: skip
    """Trade delivery against payment: across both ledgers, or in tokenised money on one; exit code 1 when let go."""
    from tsingma.app.token_ledgers import open_ledgers
    from tsingma.app.token_ledgers import trade as settle_trade
    from tsingma.basics.rounding import parse_scaled
    from tsingma.cli.output import print_figures

    amounts = parse_scaled(face, 2, field="face"), parse_scaled(price, 4, field="price")
    with open_ledgers(folder) as ledgers:
        done = settle_trade(
            ledgers, reference or f"trade/after-{ledgers.tokens.sequence}", code=code, seller=seller, buyer=buyer,
            face_cents=amounts[0], price_e4=amounts[1], in_tokens=money == "tokens", next_day=when == "next-day",
        )  # fmt: skip
    figures = {name: getattr(done, name) for name in done.__struct_fields__}
    print_figures(figures, as_json=as_json)
    return 1 if done.status == "released" else 0


@token.command(epilog="\b\nExample:\n  tsingma token settle --house out/tokens --at '2025-11-14 09:00'\n")
@_HOUSE
@click.option("--at", required=True, type=click.DateTime(["%Y-%m-%d %H:%M"]), help="Hong Kong time to move on to.")
@_JSON
def settle(folder: Path, at: datetime, *, as_json: bool) -> None:
    """Move both settlement clocks on and bring to an end what waits or is under way."""
    from tsingma.app.token_ledgers import move_on, open_ledgers
    from tsingma.cli.output import print_figures

    with open_ledgers(folder) as ledgers:
        figures = move_on(ledgers, at)
    print_figures(figures, as_json=as_json)


@token.command(epilog="\b\nExample:\n  tsingma token reconcile --house out/tokens\n")
@_HOUSE
@click.option("--register", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A custodian's register (CSV: token,wallet,face_cents) to compare as well.")  # fmt: skip
@_JSON
def reconcile(folder: Path, register: Path | None, *, as_json: bool) -> int:
    """Compare the token ledger with the book, the receipts and both journals; exit code 1 on a break."""
    import msgspec

    from tsingma.app.token_ledgers import compare, open_ledgers
    from tsingma.messages.register_file import read_register

    held = read_register(register.read_bytes(), file=str(register)) if register else None
    with open_ledgers(folder, read_only=True) as ledgers:
        found = compare(ledgers, held)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _tell_comparison(found)
    return 1 if found.breaks else 0


@token.command(epilog="\b\nExample:\n  tsingma token simulate --seeds 10000\n")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="First seed; same seed, same run.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1, 10_000_000), help="How many seeds.")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes side by side.")
@click.option("--disk", is_flag=True, help="Over SQLite on two disks that fail, instead of in memory (needs apsw).")
@click.option("--verbose", is_flag=True, help="Print parameters and every step of each seed.")
@_JSON
def simulate(seed: int, seeds: int, processes: int, *, disk: bool, verbose: bool, as_json: bool) -> int:
    """Settle between two ledgers that crash, over a bad network; exit code 1 when the legs part or hang."""
    import msgspec

    from tsingma.app.faults import Batch, commit
    from tsingma.app.token_faults import never_met, simulate_many

    source, total, where = commit(), Batch(seed, 0), " --disk" if disk else ""
    if verbose:
        for one in range(seed, seed + seeds):
            _tell_trace(one, disk=disk)
    for batch in simulate_many(seed, seeds, processes, disk=disk):
        total.add(batch)
        if not as_json:
            click.echo(_line(batch))
        for failed, what in batch.violations:
            click.echo(f"seed {failed} FAILED: {what}", err=as_json)
            click.echo(
                f"  commit {source}, replay: tsingma token simulate --seed {failed}{where} --verbose", err=as_json
            )
    if as_json:
        click.echo(msgspec.json.encode({"commit": source, **msgspec.to_builtins(total)}).decode())
        return 1 if total.violations else 0
    for name, count in sorted(total.marks.items()):
        click.echo(f"{count:>12,}  {name}")
    click.echo(f"commit {source}: {total.count:,} seeds, {len(total.violations)} failed, state {total.digest}")
    never = never_met(total)
    if never and total.count >= SEEDS_FOR_COVERAGE and not disk:
        click.echo(f"never met: {', '.join(never)}")
    return 1 if total.violations else 0


def _tell_trace(seed: int, *, disk: bool) -> None:
    import msgspec

    from tsingma.simulate.token_run import simulate as simulate_one

    outcome = simulate_one(seed, disk=disk)
    for name, value in msgspec.to_builtins(outcome.swarm).items():
        click.echo(f"  {name:<16} {value}")
    for line in outcome.trace:
        click.echo(line)


def _line(batch: Batch) -> str:
    settled = sum(count for name, count in batch.marks.items() if name.endswith(":committed"))
    crashes = batch.marks.get("recovered", 0)
    return (
        f"seeds {batch.first}-{batch.first + batch.count - 1}: "
        f"{f'{len(batch.violations)} FAILED' if batch.violations else 'green'}; {batch.records:,} records, "
        f"{settled:,} settled, {crashes:,} recoveries, state {batch.digest[:16]}"
    )


def _tell_issue(result: IssueResult) -> None:
    click.echo(f"{result.name}: sizes, coupons and tenors as announced; orders and holders are made up")
    click.echo(f"source: {result.source}\n")
    click.echo(
        f"{'tranche':<15}{'size':>18}{'coupon':>9}{'in RTGS money':>18}{'in tokens':>18}{'coupons':>16}  redeemed"
    )
    for one in result.tranches:
        redeemed = one.maturity if one.redeemed_cents == one.size_cents else "not yet"
        click.echo(
            f"{one.code:<15}{one.size_cents / 100:>18,.2f}{one.coupon_e9 / 1e7:>8.3f}%"
            f"{one.settled_on_book_cents / 100:>18,.2f}{one.settled_in_tokens_cents / 100:>18,.2f}"
            f"{one.coupons_cents / 100:>16,.2f}  {redeemed}"
        )
    click.echo("")
    for line in result.lines:
        click.echo(f"{line.day}  {line.what}")
    click.echo(
        f"\n{result.days_reconciled:,} days compared, {result.breaks} breaks; {result.agreements} agreements across "
        f"the ledgers; {result.book_records:,} records on the book, {result.token_records:,} on the token ledger"
    )
    click.echo(f"state: book {result.book_state[:32]}, tokens {result.token_state[:32]}")


def _tell_comparison(found: Comparison) -> None:
    click.echo(
        f"at {found.at}: {found.book_records:,} records on the book, {found.token_records:,} on the token ledger"
    )
    click.echo(f"{'token':<15}{'issued':>20}{'on the book':>20}{'kept by the book':>20}{'under way':>16}")
    for one in found.statements:
        amounts = (one.issued, one.on_book, one.kept, one.under_way)
        widths = (20, 20, 20, 16)
        told = "".join(f"{cents / 100:>{width},.2f}" for cents, width in zip(amounts, widths, strict=True))
        click.echo(f"{one.code:<15}{told}")
    for item in found.items:
        kind = "BREAK" if item.is_break else "under way"
        click.echo(f"{kind}: {item.kind} {item.subject}: {item.expected} expected, {item.found} found ({item.remedy})")
    click.echo("clean" if not found.breaks else f"{len(found.breaks)} breaks")

"""The ``money`` commands: systems and hours, payments in and out, queues, proposals, intraday liquidity."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from tsingma.cli.house import HOUSE

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_DAY = click.option("--day", default="2026-01-05", show_default=True, type=click.DateTime(["%Y-%m-%d"]))
_PARTICIPANT = click.option("--participant", default="", help="Only this participant's accounts.")


@click.group(epilog="\b\nExample:\n  tsingma money day --payments 10000 --seed 1 --house out/money\n")
def money() -> None:
    """Payments in four currencies: gross, in pairs, on their net; the liquidity each bank used."""


@money.command(epilog="\b\nExample:\n  tsingma money systems --day 2026-01-05\n")
@_DAY
@_JSON
def systems(day: datetime, *, as_json: bool) -> None:
    """List the systems of a day: settlement institution, hours, whether they work, and what the row rests on."""
    import msgspec

    from tsingma.app.payments import systems as lines

    rows = lines(day.date())
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        works = f"{row.opens[:5]} to {row.closes[:5]}" if row.works else "closed"
        said = " (assumed)" if row.assumed else ""
        click.echo(f"{row.name:<10} {row.currency}  {works:<15} {row.settlement_institution}{said}")


@money.command(epilog="\b\nExample:\n  tsingma money day --payments 10000 --seed 1 --house out/money\n")
@HOUSE
@_DAY
@click.option("--payments", default=10_000, show_default=True, type=click.IntRange(1, 20_000_000))
@click.option("--banks", default=50, show_default=True, type=click.IntRange(2, 5_000))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same day.")
@click.option("--alpha", default=0.25, show_default=True, type=click.FloatRange(0, 1),
              help="Funding from the net need (0) to the worst running overdraft (1).")  # fmt: skip
@click.option("--short", default=0.0, show_default=True, type=click.FloatRange(0, 1),
              help="Part of the accounts that get half of it.")  # fmt: skip
@_JSON
def day(
    house: Path | str, day: datetime, payments: int, banks: int, seed: int, alpha: float, short: float, *, as_json: bool
) -> None:  # fmt: skip
    """Run a simulated payment day into a new house and leave the day open."""
    from tsingma.app.payments import simulate_day
    from tsingma.cli.output import print_figures

    figures = simulate_day(house, day.date(), payments, seed=seed, banks=banks, alpha=alpha, short=short)
    print_figures(figures, as_json=as_json)


@money.command(epilog="\b\nExample:\n  tsingma money submit --file payments.csv --house out/money --at 10:30\n")
@click.option("--file", "path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Payments (CSV, see docs/money.md).")  # fmt: skip
@HOUSE
@click.option("--participant", default="", help="Who sends them; left out, the house takes them in for all.")
@click.option("--at", metavar="HH:MM", default="", help="Time of day (default: the time the house stands at).")
@_JSON
def submit(path: Path, house: Path | str, participant: str, at: str, *, as_json: bool) -> None:
    """Send payments to a house with an open day: they settle at once, with others, or wait; a bad file is refused."""
    import msgspec

    from tsingma.app.payments import send_payments
    from tsingma.cli.time_of_day import NIGHT, second_of_day

    sent = send_payments(house, path, participant, second_of_day(at, NIGHT))
    if as_json:
        click.echo(msgspec.json.encode(sent).decode())
        return
    click.echo(f"{sent.payments:,} payments: {sent.settled:,} settled, {sent.waiting:,} wait")


@money.command(epilog="\b\nExample:\n  tsingma money run --house out/money --at 17:00 --offset\n")
@HOUSE
@click.option("--at", metavar="HH:MM", required=True, help="Time of day to move to.")
@click.option("--offset", is_flag=True, help="Then settle what settles on its net, in order.")
@_JSON
def run(house: Path | str, at: str, *, offset: bool, as_json: bool) -> None:
    """Move the time of day on: systems open and close, what waits at a close is cancelled."""
    from tsingma.app.payments import run_to
    from tsingma.cli.output import print_figures
    from tsingma.cli.time_of_day import NIGHT, second_of_day

    second = second_of_day(at, NIGHT)
    print_figures(run_to(house, second or 0, offset=offset), as_json=as_json)


@money.command(epilog="\b\nExample:\n  tsingma money queue --house out/money --participant BANK001\n")
@HOUSE
@_PARTICIPANT
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="Lines.")
@_JSON
def queue(house: Path | str, participant: str, limit: int, *, as_json: bool) -> None:
    """List what waits, in the order in which each payer's payments settle, and why."""
    import msgspec

    from tsingma.app.payments import payments_queue

    count, rows = payments_queue(house, participant, limit)
    if as_json:
        click.echo(msgspec.json.encode({"waiting": count, "queue": rows}).decode())
        return
    click.echo(f"{count:,} wait, {len(rows):,} shown")
    for row in rows:
        click.echo(f"{row.number:>8} {row.payer} to {row.payee} {row.currency} {row.amount}, {row.priority} "
                   f"{row.place}: {row.reason}")  # fmt: skip


@money.command(
    epilog="\b\nExample:\n  tsingma money change 17 --action cancel --participant BANK001 --house out/money\n"
)
@click.argument("payment", type=int)
@HOUSE
@click.option("--action", required=True, type=click.Choice(["cancel", "first", "last"]))
@click.option("--participant", required=True, help="The payer: nobody else may.")
@click.option("--priority", default="normal", show_default=True, type=click.Choice(["urgent", "high", "normal"]),
              help="Queue to put it in, with first and last.")  # fmt: skip
@_JSON
def change(
    payment: int, house: Path | str, action: str, participant: str, priority: str, *, as_json: bool
) -> None:  # fmt: skip
    """Cancel a queued payment, or put it first or last of a priority's queue."""
    from tsingma.app.payments import change_payment
    from tsingma.cli.output import print_figures

    print_figures({"payment": payment, "is": change_payment(house, payment, action, participant, priority)},
                  as_json=as_json)  # fmt: skip


@money.command(
    epilog="\b\nExample:\n  tsingma money limit BANK001/HOUSE HKD 500000000 --payee BANK002/HOUSE "
    "--participant BANK001 --house out/money\n"
)
@click.argument("account")
@click.argument("currency")
@click.argument("cents", type=click.IntRange(-1))
@HOUSE
@click.option("--payee", default="", help="To whom; without it to all that have no limit of their own.")
@click.option("--participant", required=True, help="The payer: nobody else may.")
@_JSON
def limit(
    account: str, currency: str, cents: int, house: Path | str, payee: str, participant: str, *, as_json: bool
) -> None:  # fmt: skip
    """Bound the CENTS that an account sends net by normal payments; -1 (after --) takes the limit away."""
    from tsingma.app.payment_limits import set_limit
    from tsingma.cli.output import print_figures

    found = set_limit(house, account, currency, payee, cents, participant)
    print_figures({"limit_cents": found.cents, "used_cents": found.used_cents}, as_json=as_json)


@money.command(epilog="\b\nExample:\n  tsingma money limits --payments 20000 --banks 20 --seed 1\n")
@_DAY
@click.option("--payments", default=20_000, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--banks", default=20, show_default=True, type=click.IntRange(2, 1_000))
@click.option("--alpha", default=0.25, show_default=True, type=click.FloatRange(0, 1), help="Funding, as of a day.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same day.")
@click.option("--multiple", "multiples", multiple=True, type=click.FloatRange(0), help="Of opening money: a limit.",
              default=(1.0, 0.5, 0.25, 0.1), show_default=True)  # fmt: skip
@_JSON
def limits(
    day: datetime, payments: int, banks: int, alpha: float, seed: int, multiples: tuple[float, ...], *, as_json: bool
) -> None:  # fmt: skip
    """Run a simulated day without limits, and with each account bounded to a multiple of its opening money."""
    import msgspec

    from tsingma.app.payment_limits import limit_effects

    found = limit_effects(day.date(), payments, multiples, seed=seed, banks=banks, alpha=alpha)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    click.echo(f"{'limit':<14}{'settled':>10}{'of value':>10}{'liquidity used':>22}{'mean wait':>12}")
    for one in found:
        name = "none" if one.multiple is None else f"{one.multiple:g} x opening"
        click.echo(
            f"{name:<14}{one.settled_e4 / 100:>9.2f}%{one.settled_value_e4 / 100:>9.2f}%{one.usage_cents:>22,}"
            f"{one.waited_s:>10,} s"
        )


@money.command(epilog="\b\nExample:\n  tsingma money propose --house out/money --objective value --book\n")
@HOUSE
@click.option("--objective", default="number", show_default=True, type=click.Choice(["number", "value"]))
@click.option("--time-limit", default=0.0, show_default=True, type=click.FloatRange(0, 3_600),
              help="Seconds for a linear bound and an exact search; 0: the stages that no clock cuts.")  # fmt: skip
@click.option("--book", is_flag=True, help="Have the house verify and book it.")
@_JSON
def propose(house: Path | str, objective: str, time_limit: float, *, book: bool, as_json: bool) -> None:
    """Find what settles at one instant out of order, within each payer's most urgent class."""
    import msgspec

    from tsingma.app.payments import propose as find
    from tsingma.basics.clock import SystemClock
    from tsingma.settlement.proposal import Objective

    found = find(house, Objective(objective), time_limit=time_limit, clock=SystemClock(), book=book)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    said = "booked" if found.booked else "not booked"
    click.echo(f"{found.settles:,} of {found.waiting:,} that wait settle together, {said}")


@money.command(epilog="\b\nExample:\n  tsingma money export --house out/money --out payments-out.csv\n")
@HOUSE
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@_JSON
def export(house: Path | str, out: Path, *, as_json: bool) -> None:
    """Write the day's payments, what became of each, how and when."""
    from tsingma.app.payments import export as write
    from tsingma.cli.output import print_figures

    print_figures({"payments": write(house, out)}, as_json=as_json)


@money.command(epilog="\b\nExample:\n  tsingma money liquidity --house out/money --participant BANK001 --json\n")
@HOUSE
@_PARTICIPANT
@_JSON
def liquidity(house: Path | str, participant: str, *, as_json: bool) -> None:
    """Print the Basel monitoring tools of the day: usage, opening, totals, timed payments, throughput by hour."""
    import msgspec

    from tsingma.app.payments import liquidity_lines

    day, lines = liquidity_lines(house, participant)
    if as_json:
        click.echo(msgspec.json.encode({"day": day, "liquidity": lines}).decode())
        return
    click.echo(f"{day}, cents; usage is the largest net amount out, met and missed are payments with a time")
    click.echo(
        f"{'account':<16} {'':<3} {'usage':>16} {'opening':>16} {'sent':>18} {'received':>18}  met/missed  half by"
    )
    for line in lines:
        half = next((hour for hour, share in line.throughput_e4.items() if share >= 5_000), "")
        click.echo(
            f"{line.account:<16} {line.currency} {line.usage:>16,} {line.opening:>16,} {line.sent:>18,} "
            f"{line.received:>18,}  {line.timed - line.missed:>5}/{line.missed:<5} {half:>6}"
        )

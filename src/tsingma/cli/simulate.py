"""``tsingma simulate``: seeded, labelled simulated markets as files, and days on a failing disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tsingma.app.faults import Batch
    from tsingma.simulate.run import Outcome

SEEDS_FOR_COVERAGE = 1_000


@click.group()
def simulate() -> None:
    """Write seeded, labelled simulated markets and settlement instances; run days with faults."""


@simulate.command(epilog="\b\nExample:\n  tsingma simulate market --trades 200000 --days 5 --seed 1 --out out/market\n")
@click.option("--trades", default=200_000, show_default=True, type=click.IntRange(1_000, 10_000_000), help="A day.")
@click.option("--days", default=5, show_default=True, type=click.IntRange(1, 60), help="Trading days.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same market.")
@click.option("--start", default="2026-01-05", show_default=True, type=click.DateTime(["%Y-%m-%d"]), help="First day.")
@click.option(
    "--prices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Real closes to trade at (wide CSV); the last days of the file are the days traded.",
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write.")
@click.option("--plain", is_flag=True, help="Do not compress the trade files.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def market(
    trades: int, days: int, seed: int, start: datetime, prices: Path | None, out: Path, *, plain: bool, as_json: bool
) -> int:
    """Write a market: reference book, opening deposits, price history, trades and closes of each day."""
    import msgspec

    from tsingma.app.market_folder import write_market
    from tsingma.cli.progress import progress_bar
    from tsingma.messages.prices import read_prices
    from tsingma.simulate.market import market_on_closes, simulate_market

    with progress_bar(quiet=as_json) as progress:
        progress.stage("making the market", 0, 1)
        made = (
            simulate_market(seed, start.date(), days, trades)
            if prices is None
            else market_on_closes(seed, read_prices(prices), days, trades)
        )
        figures = write_market(out, made, progress, plain=plain)
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        for name, value in figures.items():
            click.echo(f"{name:<15} {value}")
    return 0


@simulate.command(epilog="\b\nExample:\n  tsingma simulate settlement --n 10000 --beta 0.5 --short 0.1 --out I.jsonl\n")
@click.option(
    "--n", "count", default=10_000, show_default=True, type=click.IntRange(1, 10_000_000), help="Instructions."
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same instance.")
@click.option("--beta", default=1.0, show_default=True, type=click.FloatRange(0, 1), help="Funding of short accounts.")
@click.option(
    "--alpha", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="From net need to gross need."
)
@click.option("--short", default=1.0, show_default=True, type=click.FloatRange(0, 1), help="Share of short accounts.")
@click.option("--linked", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="Share of linked ones.")
@click.option("--credit", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="Share of parties with it.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write (JSON lines)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def settlement(
    count: int, seed: int, beta: float, alpha: float, short: float, linked: float, credit: float, out: Path, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Write a settlement instance and print its fingerprint."""
    import json

    from tsingma.app.settle import make_instance

    found = make_instance(out, count, seed=seed, beta=beta, alpha=alpha, short=short, linked=linked, credit=credit)
    click.echo(json.dumps({"fingerprint": found, "instructions": count, "file": str(out)}) if as_json else found)


@simulate.command(epilog="\b\nExample:\n  tsingma simulate curves --days 1300 --seed 1 --out curves.csv\n")
@click.option("--days", default=1_300, show_default=True, type=click.IntRange(2, 20_000), help="Weekdays.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same curves.")
@click.option("--start", default="2021-01-04", show_default=True, type=click.DateTime(["%Y-%m-%d"]), help="First day.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write (CSV).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def curves(days: int, seed: int, start: datetime, out: Path, *, as_json: bool) -> None:
    """Write simulated zero curves by day, as ``tsingma margin house`` reads them."""
    import json

    from tsingma.app.simulated_curves import make_curves

    label = make_curves(out, seed, start.date(), days)
    click.echo(json.dumps(label) if as_json else f"SIMULATED: {', '.join(label['curves'])}, {days} days, in {out}")


@simulate.command(epilog="\b\nExample:\n  tsingma simulate night --n 3619467 --seed 1 --out out/night\n")
@click.option("--n", "count", default=100_000, show_default=True, type=click.IntRange(1, 10_000_000),
              help="Instructions.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same night.")
@click.option("--beta", default=0.5, show_default=True, type=click.FloatRange(0, 1), help="Funding of short accounts.")
@click.option(
    "--alpha", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="From net need to gross need."
)
@click.option("--short", default=0.1, show_default=True, type=click.FloatRange(0, 1), help="Share of short accounts.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write.")
@click.option("--csv", is_flag=True, help="Write instructions.csv instead of instructions.parquet.")
def night(count: int, seed: int, beta: float, alpha: float, short: float, out: Path, *, csv: bool) -> None:
    """Write a night batch of the shape of T2S: reference book, deposits and matched instructions."""
    from tsingma.app.night_files import write_night

    suffix = "csv" if csv else "parquet"
    for name in write_night(out, count, seed=seed, beta=beta, alpha=alpha, short=short, suffix=suffix):
        click.echo(str(name))


@simulate.command(epilog="\b\nExample:\n  tsingma simulate faults --seed 1 --seeds 200\n")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="First seed; same seed, same run.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1, 10_000_000), help="How many seeds.")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes side by side.")
@click.option("--verbose", is_flag=True, help="Print the parameters and the result of every seed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every count.")
def faults(seed: int, seeds: int, processes: int, *, verbose: bool, as_json: bool) -> int:
    """Run days on a disk that fails, with an auditor beside (needs apsw); exit code 1 when the house was wrong."""
    import msgspec

    from tsingma.app.faults import Batch, batch_of, commit, simulate_many

    source, total = commit(), Batch(seed, 0)
    if verbose:
        from tsingma.simulate.run import simulate as simulate_one
        from tsingma.simulate.world import WORLDS

        batches: Iterator[Batch] = (
            _told(simulate_one(one, world), batch_of, world.name)
            for one in range(seed, seed + seeds)
            for world in WORLDS
        )
    else:
        batches = simulate_many(seed, seeds, processes)
    for batch in batches:
        total.add(batch)
        if not as_json:
            click.echo(_batch_line(batch))
        for failed, what in batch.violations:
            click.echo(f"seed {failed} FAILED: {what}", err=as_json)
            click.echo(f"  commit {source}, replay: tsingma simulate faults --seed {failed} --verbose", err=as_json)
    if as_json:
        found = {"commit": source, **msgspec.to_builtins(total), "coverage": msgspec.to_builtins(total.coverage())}
        click.echo(msgspec.json.encode(found).decode())
    else:
        _say_total(total, source)
    return 1 if total.violations else 0


def _told(outcome: Outcome, batch_of: Callable[[Outcome], Batch], world: str) -> Batch:
    """Print the parameters a seed drew in a world."""
    import msgspec

    click.echo(f"  {'world':<24} {world}")
    for name, value in msgspec.to_builtins(outcome.swarm).items():
        click.echo(f"  {name:<24} {value}")
    return batch_of(outcome)


def _batch_line(batch: Batch) -> str:
    last = batch.first + batch.count - 1
    verdict = f"{len(batch.violations)} FAILED" if batch.violations else "green"
    return (
        f"seeds {batch.first}-{last}: {verdict}; {batch.total('command:')} commands, {batch.total('fault:')} faults, "
        f"{batch.marks.get('recoveries', 0)} recoveries, {batch.total('flip:')} flips, state {batch.digest[:16]}"
    )


def _say_total(total: Batch, source: str) -> None:
    for name, count in sorted(total.marks.items()):
        click.echo(f"{count:>12,}  {name}")
    click.echo(f"commit {source}: {total.count:,} seeds, {len(total.violations)} failed, state {total.digest}")
    click.echo(
        f"{total.total('command:'):,} commands, {total.records:,} records, {total.total('fault:'):,} faults, "
        f"{total.marks.get('recoveries', 0):,} recoveries, {total.simulated_ns / 1e9:,.0f} simulated seconds of disk"
    )
    kinds = total.coverage()
    click.echo(
        f"kinds of commands: {kinds.carried_out} of {kinds.commands} carried out, {kinds.refused} refused; "
        f"kinds of events: {kinds.events_met} of {kinds.events}"
    )
    for what, names in (
        ("never carried out", kinds.never_carried_out),
        ("never refused", kinds.never_refused),
        ("events never met", kinds.events_never_met),
        ("not drawn", kinds.not_drawn),
    ):
        if names:
            click.echo(f"{what}: {', '.join(names)}")
    never = total.never()
    if never and total.count >= SEEDS_FOR_COVERAGE:
        click.echo(f"never met: {', '.join(never)}")

"""``tsingma simulate``: seeded, labelled simulated markets as files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click


@click.group()
def simulate() -> None:
    """Write seeded, labelled simulated markets and settlement instances."""


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
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write (JSON lines)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def settlement(count: int, seed: int, beta: float, alpha: float, short: float, out: Path, *, as_json: bool) -> None:
    """Write a settlement instance and print its fingerprint."""
    import json

    from tsingma.app.settle import make_instance

    found = make_instance(out, count, seed=seed, beta=beta, alpha=alpha, short=short)
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

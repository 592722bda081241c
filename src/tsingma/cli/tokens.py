"""``tsingma token``: a bond as tokens, trades against the book, reconciliation, and the protocol on trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tsingma.app.faults import Batch

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
SEEDS_FOR_COVERAGE = 1_000


@click.group()
def token() -> None:
    """Issue, trade and reconcile tokens; try the settlement of two ledgers under faults."""


@token.command(epilog="\b\nExample:\n  tsingma token simulate --seeds 10000\n")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="First seed; same seed, same run.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1, 10_000_000), help="How many seeds.")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes side by side.")
@click.option("--verbose", is_flag=True, help="Print parameters and every step of each seed.")
@_JSON
def simulate(seed: int, seeds: int, processes: int, *, verbose: bool, as_json: bool) -> int:
    """Settle between two ledgers that crash, over a bad network; exit code 1 when the legs part or hang."""
    import msgspec

    from tsingma.app.faults import Batch, commit
    from tsingma.app.token_faults import never_met, simulate_many

    source, total = commit(), Batch(seed, 0)
    if verbose:
        for one in range(seed, seed + seeds):
            _tell_trace(one)
    for batch in simulate_many(seed, seeds, processes):
        total.add(batch)
        if not as_json:
            click.echo(_line(batch))
        for failed, what in batch.violations:
            click.echo(f"seed {failed} FAILED: {what}", err=as_json)
            click.echo(f"  commit {source}, replay: tsingma token simulate --seed {failed} --verbose", err=as_json)
    if as_json:
        click.echo(msgspec.json.encode({"commit": source, **msgspec.to_builtins(total)}).decode())
        return 1 if total.violations else 0
    for name, count in sorted(total.marks.items()):
        click.echo(f"{count:>12,}  {name}")
    click.echo(f"commit {source}: {total.count:,} seeds, {len(total.violations)} failed, state {total.digest}")
    never = never_met(total)
    if never and total.count >= SEEDS_FOR_COVERAGE:
        click.echo(f"never met: {', '.join(never)}")
    return 1 if total.violations else 0


def _tell_trace(seed: int) -> None:
    import msgspec

    from tsingma.simulate.token_run import simulate as simulate_one

    outcome = simulate_one(seed)
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

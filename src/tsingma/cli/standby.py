"""``tsingma standby``: a process that follows a house on PostgreSQL and takes over when its writer is gone."""

from __future__ import annotations

from pathlib import Path

import click

from tsingma.cli.house import HOUSE


@click.command(
    epilog="\b\nExample:\n  tsingma standby --house postgresql://clearing@db/house --market out/market --acknowledge\n"
)
@HOUSE
@click.option(
    "--market",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="After taking over, go on with the business days of this folder; without it the house is held open.",
)
@click.option("--parameters", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="RPF01 file.")
@click.option("--lease-seconds", type=click.FloatRange(0.5, 3_600), default=10.0, show_default=True, help="Own lease.")
@click.option("--poll-ms", type=click.IntRange(1, 60_000), default=100, show_default=True, help="How often to look.")
@click.option("--acknowledge", is_flag=True, help="Print a line for every command that became durable.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per event.")
def standby(
    house: Path | str,
    market: Path | None,
    parameters: Path | None,
    lease_seconds: float,
    poll_ms: int,
    *,
    acknowledge: bool,
    as_json: bool,
) -> int:
    """Follow a house, keep its state warm, and take over when the writer's lease lapses."""
    import msgspec

    from tsingma.app.market_folder import run_days
    from tsingma.app.standby import open_standby, stand_by
    from tsingma.basics.clock import SystemClock
    from tsingma.cli.progress import progress_bar

    def tell(command_id: str, sequence: int) -> None:
        if acknowledge:
            click.echo(f"ack {sequence} {command_id}")

    clock = SystemClock()
    with open_standby(house, tell, lease_seconds) as session:
        click.echo(f"standby at record {session.sequencer.sequence}", err=as_json)
        taken = stand_by(session, clock, poll_seconds=poll_ms / 1_000)
        click.echo(
            msgspec.json.encode(taken).decode()
            if as_json
            else f"took over as writer {taken.epoch} at record {taken.sequence} in {taken.milliseconds} ms"
        )
        if market is None:
            session.hold()
            return 1  # the lease was lost
        with progress_bar(quiet=as_json or acknowledge) as progress:
            days = run_days(session, market, [], parameters, clock, progress)
    for figures in days:
        click.echo(msgspec.json.encode(figures).decode() if as_json else f"{figures.date}: state {figures.state_hash}")
    return 0

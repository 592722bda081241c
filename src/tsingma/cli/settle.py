"""The ``settle`` commands: propose what settles together, settle a night in the books, explain what waits."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tsingma.cli.house import HOUSE, HOUSE_INSTEAD
from tsingma.cli.settle_house import queue, show, submit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tsingma.app.night_batch import NightResult
    from tsingma.settlement.proposal import Blocking, Proposal

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OBJECTIVE = click.option(
    "--objective", default="number", show_default=True,
    type=click.Choice(["number", "value", "priority", "lexicographic"]),
)  # fmt: skip
_LIMIT = click.option(
    "--time-limit", type=click.FloatRange(0.001, 86_400), default=5.0, show_default=True, help="Seconds."
)


@click.group(epilog="\b\nExample:\n  tsingma settle run --instance I.jsonl --objective value --time-limit 5 --json\n")
def settle() -> None:
    """Which instructions settle together, and what would free the others."""


@settle.command(epilog="\b\nExample:\n  tsingma settle run --instance I.jsonl --objective number --out result.json\n")
@click.option("--instance", required=True, type=_FILE, help="Settlement instance (JSON lines).")
@_OBJECTIVE
@_LIMIT
@click.option("--partial", is_flag=True, help="Allow parts of every instruction, money in proportion.")
@click.option("--least-share", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Smallest part.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the proposal with what settles.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (without the list of what settles).")
def run(
    instance: Path, objective: str, time_limit: float, out: Path | None, least_share: float, *, partial: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Propose the best set that may settle at once, verified in integers."""
    import msgspec

    from tsingma.app.settle import propose, propose_parts
    from tsingma.basics.clock import SystemClock
    from tsingma.settlement.proposal import Objective

    if partial:
        least_e4 = round(least_share * 10_000)
        found = propose_parts(instance, Objective(objective), time_limit, SystemClock(), least_e4)
    else:
        found = propose(instance, Objective(objective), time_limit, SystemClock())
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(msgspec.json.encode(found))
    if as_json:
        click.echo(json.dumps(found.figures(), indent=2))
    else:
        _print_proposal(found)


@settle.command(epilog="\b\nExample:\n  tsingma settle frontier --instance I.jsonl --time-limit 2\n")
@click.option("--instance", required=True, type=_FILE, help="Settlement instance (JSON lines).")
@_LIMIT
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a point.")
def frontier(instance: Path, time_limit: float, *, as_json: bool) -> None:
    """Show what settles as the weight moves from number to value; the time limit is for each point."""
    import msgspec

    from tsingma.app.settle import number_against_value
    from tsingma.basics.clock import SystemClock

    for point in number_against_value(instance, time_limit, SystemClock()):
        if as_json:
            click.echo(msgspec.json.encode(point).decode())
        else:
            click.echo(f"value weighs {point.value_share:4.0%}  {point.settled:>12,}  {point.settled_value:>22,}")


@settle.command(epilog="\b\nExample:\n  tsingma settle night --file out/night/instructions.parquet --house out/house\n")
@click.option("--file", "path", required=True, type=_FILE, help="Instructions (Parquet or CSV), see docs/night.md.")
@HOUSE
@click.option("--date", "day", default="2026-01-05", show_default=True, type=click.DateTime(["%Y-%m-%d"]),
              help="Business day.")  # fmt: skip
@_OBJECTIVE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def night(path: Path, house: Path | str, day: datetime, objective: str, *, as_json: bool) -> None:
    """Take a night's instructions into the books and settle what settles together, durably.

    A night that was cut off is run again with the same file: it goes on where it stopped.
    """
    import msgspec

    from tsingma.app.night_batch import run_night
    from tsingma.basics.clock import SystemClock
    from tsingma.settlement.proposal import Objective

    done = run_night(path, house, day.date(), Objective(objective), SystemClock())
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        _print_night(done)


@settle.command(epilog="\b\nExample:\n  tsingma settle explain 17 --instance I.jsonl --result result.json\n")
@click.argument("instruction", type=int)
@click.option("--instance", type=_FILE, help="Settlement instance (JSON lines).")
@click.option("--result", type=_FILE, help="What `settle run --out` wrote for it.")
@HOUSE_INSTEAD
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(
    instruction: int, instance: Path | None, result: Path | None, house: Path | str | None, *, as_json: bool
) -> None:
    """Say why an instruction is not settled, and what would free it."""
    import msgspec

    from tsingma.app.explain import explain_in_house
    from tsingma.app.settle import explain_waiting

    if house is not None and instance is None and result is None:
        remedy = explain_in_house(house, instruction)
    elif house is None and instance is not None and result is not None:
        remedy = explain_waiting(instance, result, instruction)
    else:
        raise click.UsageError("give --house, or --instance and --result")
    click.echo(msgspec.json.encode(remedy).decode() if as_json else remedy.sentence)


for _command in (submit, queue, show):
    settle.add_command(_command)


def _print_proposal(found: Proposal) -> None:
    click.echo(
        f"{found.settled:,} of {found.submitted:,} settle ({found.settled / found.submitted:.2%}), "
        f"{len(found.parts):,} more in part, money {found.settled_value:,} of {found.submitted_value:,}"
    )
    for stage in found.by_stage:
        click.echo(f"  {stage.stage:<12}{stage.settled:>12,}{stage.settled_value:>22,}{stage.seconds:>10.3f} s")
    if found.lp_bound is not None:
        click.echo(f"  no set settles more than {found.lp_bound:,.1f}; gap {found.gap:.3%}")
    _print_blocking(found.blocking)


def _print_blocking(found: Sequence[Blocking]) -> None:
    for one in found[:5]:
        click.echo(
            f"  {one.waiting:>6,} wait on {one.account}: the nearest lacks {one.shortage:,}, "
            f"one more is worth {one.worth:.3g}"
        )


def _print_night(done: NightResult) -> None:
    for stage in done.by_stage:
        click.echo(f"  {stage.stage:<28}{stage.settled:>12,}{stage.seconds:>10.3f} s{stage.memory_mb:>8,} MB")
    click.echo(
        f"{done.settled:,} of {done.submitted:,} settled ({done.settled / done.submitted:.3%}), money "
        f"{done.settled_value / max(done.submitted_value, 1):.2%}, in {done.seconds:.1f} s and {done.memory_mb:,} MB"
    )
    if done.lp_bound is not None:
        click.echo(f"  no set settles more than {done.lp_bound:,.1f}; gap {done.gap:.3%}")
    _print_blocking(done.blocking)
    click.echo(f"journal at {done.sequence}, state {done.state_hash[:16]}")

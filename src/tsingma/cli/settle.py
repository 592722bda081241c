"""The ``settle`` commands: propose what settles together, and explain what waits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from tsingma.settlement.optimise import PartialProposal

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(epilog="\b\nExample:\n  tsingma settle run --instance I.jsonl --objective value --time-limit 5 --json\n")
def settle() -> None:
    """Which instructions settle together, and what would free the others."""


@settle.command(epilog="\b\nExample:\n  tsingma settle run --instance I.jsonl --objective number --out result.json\n")
@click.option("--instance", required=True, type=_FILE, help="Settlement instance (JSON lines).")
@click.option("--objective", default="number", show_default=True,
              type=click.Choice(["number", "value", "priority", "lexicographic"]))  # fmt: skip
@click.option("--time-limit", type=click.FloatRange(0.01, 86_400), default=5.0, show_default=True, help="Seconds.")
@click.option("--partial", is_flag=True, help="Allow parts of every instruction, money in proportion.")
@click.option("--least-share", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Smallest part.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the proposal with what settles.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (without the list of what settles).")
def run(
    instance: Path, objective: str, time_limit: float, out: Path | None, least_share: float, *, partial: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Propose the best set that may settle at once, verified in integers."""
    from tsingma.app.settle import propose, propose_parts
    from tsingma.basics.clock import SystemClock
    from tsingma.settlement.optimise import Objective

    if partial:
        least_e4 = round(least_share * 10_000)
        parts = propose_parts(instance, Objective(objective), time_limit, SystemClock(), least_e4)
        _print_parts(parts, out, as_json=as_json)
        return
    found = propose(instance, Objective(objective), time_limit, SystemClock())
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(msgspec.json.encode(found))
    if as_json:
        figures = msgspec.to_builtins(found)
        del figures["chosen"]
        click.echo(json.dumps(figures, indent=2))
        return
    share = found.settled / found.submitted
    worth = found.settled_value / found.submitted_value if found.submitted_value else 1.0
    gap = "unknown" if found.gap is None else f"{found.gap:.2%}"
    click.echo(f"{found.settled:,} of {found.submitted:,} settle ({share:.2%}), {worth:.2%} of the money")
    click.echo(f"{found.seconds:.2f} s; gap to the bound {gap}")
    for stage in found.by_stage:
        click.echo(f"  after {stage.stage:<12}{stage.settled:>12,}{stage.settled_value:>22,}{stage.seconds:>9.3f} s")
    for one in found.blocking[:10]:
        click.echo(f"  {one.account:<16}{one.waiting:>6,} wait, the nearest lacks {one.shortage:,}")


def _print_parts(parts: PartialProposal, out: Path | None, *, as_json: bool) -> None:
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(msgspec.json.encode(parts))
    if as_json:
        figures = msgspec.to_builtins(parts)
        del figures["parts"]
        click.echo(json.dumps(figures, indent=2))
        return
    worth = parts.settled_value / parts.submitted_value if parts.submitted_value else 1.0
    click.echo(f"{parts.settled_whole:,} settle whole and {parts.settled_in_part:,} in part, {worth:.2%} of the money")
    click.echo(f"{parts.seconds:.2f} s; gap to the bound {parts.gap:.3%}")


@settle.command(epilog="\b\nExample:\n  tsingma settle explain 17 --instance I.jsonl --result result.json\n")
@click.argument("instruction", type=int)
@click.option("--instance", required=True, type=_FILE, help="Settlement instance (JSON lines).")
@click.option("--result", required=True, type=_FILE, help="Proposal written by `settle run --out`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(instruction: int, instance: Path, result: Path, *, as_json: bool) -> None:
    """Say why an instruction does not settle and what would free it."""
    from tsingma.app.settle import explain_waiting

    found = explain_waiting(instance, result, instruction)
    click.echo(json.dumps(msgspec.to_builtins(found), indent=2) if as_json else found.sentence)

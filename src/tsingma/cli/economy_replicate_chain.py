"""``tsingma economy replicate cp2015|decompr|exvatools``: published tables of the value chain beside ours."""

from __future__ import annotations

from pathlib import Path

import click

from tsingma.cli.economy_replicate import AS_JSON, DATA


@click.command(epilog="\b\nExample:\n  tsingma economy replicate cp2015 --data DIR --json\n")
@DATA
@AS_JSON
def cp2015(data: Path, *, as_json: bool) -> int:
    """Welfare effects of NAFTA's tariffs in 31 countries (Caliendo-Parro 2015, table 2); DIR/cp2015/*.txt."""
    return _replicate("cp2015", data, as_json=as_json)


@click.command(epilog="\b\nExample:\n  tsingma economy replicate decompr --data DIR --json\n")
@DATA
@AS_JSON
def decompr(data: Path, *, as_json: bool) -> int:
    """Value added by origin in exports, output and demand (decompr's tests); DIR/gvc_tests/leather.csv."""
    return _replicate("decompr", data, as_json=as_json)


@click.command(epilog="\b\nExample:\n  tsingma economy replicate exvatools --data DIR --json\n")
@DATA
@AS_JSON
def exvatools(data: Path, *, as_json: bool) -> int:
    """What is in exports by four published methods (exvatools' tests); DIR/gvc_tests/iciotest_data.csv."""
    return _replicate("exvatools", data, as_json=as_json)


def _replicate(paper: str, data: Path, *, as_json: bool) -> int:
    """Print a paper's figures beside ours; exit code 1 when one is further off than its stated tolerance."""
    import msgspec

    from tsingma.app.chain_replicate import replicate_chain

    found = replicate_chain(paper, data)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return 0 if found.agrees else 1
    for one in found.figures:
        if one.printed is not None:
            verdict = "" if one.agrees else "  DIFFERS"
            click.echo(f"{one.of:<44} {one.variable:<40}{one.value:>12.4f}{one.printed:>12.4f}{verdict}")
    for note in found.notes:
        click.echo(note)
    click.echo(
        f"{found.checked} printed figures, largest gap {found.largest_gap_over_tolerance:.2f} of its tolerance: "
        f"{'agrees' if found.agrees else 'DIFFERS'}; {len(found.figures)} figures with --json; {found.source}"
    )
    return 0 if found.agrees else 1

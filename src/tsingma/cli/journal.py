"""``tsingma verify``, ``backup`` and ``restore``: the journal of a house proved, copied and installed."""

from __future__ import annotations

from pathlib import Path

import click

from tsingma.cli.house import HOUSE
from tsingma.cli.output import print_figures

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command(epilog="\b\nExample:\n  tsingma verify --house out/house\n")
@HOUSE
@_JSON
def verify(house: Path | str, *, as_json: bool) -> int:
    """Prove the whole journal: chain, replayed answers, snapshots, books.

    It may run while another process writes. Exit code 1 when something is wrong; every fault names its record.
    """
    import msgspec

    from tsingma.app.inspect import journal_version, verify_house

    version, proof = journal_version(house), verify_house(house)
    print_figures({"version": version, **msgspec.structs.asdict(proof)}, as_json=as_json)
    return 1 if proof.faults else 0


@click.command(epilog="\b\nExample:\n  tsingma backup --house out/house --out out/house-2026-01-05.backup\n")
@HOUSE
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="New file to write.")
@_JSON
def backup(house: Path | str, out: Path, *, as_json: bool) -> int:
    """Write the house as it stands into one file, while its writer runs."""
    import msgspec

    from tsingma.app.backup import back_up

    print_figures(msgspec.structs.asdict(back_up(house, out)), as_json=as_json)
    return 0


@click.command(epilog="\b\nExample:\n  tsingma restore --file out/house-2026-01-05.backup --house out/restored\n")
@click.option("--file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Backup to install.")
@HOUSE
@_JSON
def restore(file: Path, house: Path | str, *, as_json: bool) -> int:
    """Prove a backup and install it as a new house, in a folder or in an empty PostgreSQL database."""
    import msgspec

    from tsingma.app.backup import restore as install

    print_figures(msgspec.structs.asdict(install(file, house)), as_json=as_json)
    return 0

"""``tsingma serve config``: the settings a house would be served with, checked, each with the source of its value."""

from __future__ import annotations

import os
from pathlib import Path

import click

CONFIG = click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path),
    help="Configuration file (TOML); TSINGMA_CONFIG names it too.",
)  # fmt: skip


@click.command(epilog="\b\nExample:\n  TSINGMA_LISTEN_PORT=9000 tsingma serve config --file tsingma.toml\n")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="Configuration file (TOML).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def config(file: Path | None, *, as_json: bool) -> int:
    """Print every setting in force and where it comes from; secrets are masked, nothing is served."""
    import msgspec

    from tsingma.app.serve_config import read_config

    told = read_config(file, os.environ).told()
    if as_json:
        click.echo(msgspec.json.encode(told).decode())
        return 0
    shown = [(one.field, _written(one.value), one.source) for one in told]
    widths = [max(len(row[place]) for row in shown) for place in (0, 1)]
    for name, value, source in shown:
        click.echo(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}")
    return 0


def _written(value: object) -> str:
    """Return a value as the file would have it."""
    import msgspec

    return msgspec.json.encode(value).decode()

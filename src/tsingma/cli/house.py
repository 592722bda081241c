"""The ``--house`` option: a folder, or a PostgreSQL URL."""

from __future__ import annotations

from pathlib import Path

import click


def _place(ctx: click.Context, param: click.Parameter, value: str | None) -> Path | str | None:
    """Return a folder as Path and a URL as str; refuses a path that is a file."""
    if value is None or value.startswith(("postgresql://", "postgres://")):
        return value
    if Path(value).is_file():
        raise click.BadParameter(f"{value!r} is a file; a house is a folder or a postgresql:// URL", ctx, param)
    return Path(value)


_HELP = "Folder of the house's journal, or a postgresql:// URL"
HOUSE = click.option("--house", required=True, metavar="FOLDER|URL", callback=_place, help=f"{_HELP}.")
HOUSE_INSTEAD = click.option("--house", metavar="FOLDER|URL", callback=_place, help=f"{_HELP}, instead of files.")
HOUSE_SERVED = click.option("--house", metavar="FOLDER|URL", callback=_place, help=f"{_HELP}.")

"""Figures on the terminal: aligned names and values, or one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click


def print_figures(figures: Mapping[str, object], *, as_json: bool) -> None:
    """Print a mapping; a list or tuple takes one line per item, and reads "none" when it is empty."""
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(figures).decode())
        return
    width = max(len(name) for name in figures)
    for name, value in figures.items():
        items = value if isinstance(value, list | tuple) else [value]
        for place, item in enumerate(items or ["none"]):
            click.echo(f"{name if not place else '':<{width}}  {item}")


def write_told(out: Path, counted: str, made: tuple[int, bytes], *, as_json: bool) -> None:
    """Write a file of so many things (named by ``counted``), and print what it is.

    Nothing to tell is no fault: it is said (of JSON in ``file``, which is null), no file is written, and one that
    stands there already is left.
    """
    count, data = made
    if not data:
        print_figures({counted: count, "bytes": 0, "file": None if as_json else "none"}, as_json=as_json)
        say_nothing(out)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(data)
    print_figures({counted: count, "bytes": len(data), "file": str(out)}, as_json=as_json)


def say_nothing(out: Path) -> None:
    """Say on the error stream that a file is not written, because there is nothing to tell in it."""
    click.echo(f"nothing to tell: {out} is not written", err=True)

"""Figures on the terminal: aligned names and values, or one JSON object."""

from __future__ import annotations

from collections.abc import Mapping

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

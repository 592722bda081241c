"""The options of every command that can write an illustrated brief, and the writing of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tsingma.basics.rejection import RejectionReason, refuse

LANGUAGES = ("en", "zh")


def brief_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--html FILE`` and ``--language en|zh`` to a command."""
    language = click.option(
        "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the brief."
    )
    html = click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write an illustrated brief.")
    return html(language(command))


def report_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--report FILE`` to a command: its official report, in the form that the file ends in."""
    text = "Write an official report as well (.pdf, .xlsx, .csv, .html)."
    return click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help=text)(command)


def language_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--language en|zh`` to a command."""
    text = "Of what is written."
    return click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help=text)(command)


def write_brief(html: Path, page: str, *, quiet: bool) -> None:
    """Write a brief and say where, unless ``quiet`` (JSON goes out); raises Rejected where it cannot be written."""
    try:
        html.write_text(page, encoding="utf-8")
    except OSError as error:
        message = f"cannot be written: {error.strerror}"
        raise refuse(RejectionReason.NOT_ALLOWED, message, file=str(html), remedy="check --html") from None
    if not quiet:
        click.echo(f"brief: {html}")

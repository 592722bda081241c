"""``tsingma serve trial``: the demo's house in a browser and over HTTP, with somebody of every role to sign in as."""

from __future__ import annotations

import os
from pathlib import Path

import click

ADDRESS = "127.0.0.1"


@click.command(epilog="\b\nExample:\n  tsingma demo --trades 20000 && tsingma serve trial\n")
@click.option("--demo", default=Path("out/demo"), show_default=True, type=click.Path(file_okay=False, path_type=Path),
              help="Folder that tsingma demo wrote.")  # fmt: skip
@click.option("--out", default=Path("out/trial"), show_default=True, type=click.Path(file_okay=False, path_type=Path),
              help="Folder for people and keys; those of the last trial are replaced.")  # fmt: skip
@click.option("--port", type=click.IntRange(1, 65_535), default=8080, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print who may sign in as one JSON object.")
def trial(demo: Path, out: Path, port: int, *, as_json: bool) -> None:
    """Serve the demo's house on this machine, its next day open, and say who may sign in with which password."""
    import msgspec

    from tsingma.cli.serve import require_extra

    require_extra()
    if not (demo / "house").is_dir():
        raise click.UsageError(f"{demo} has no house: run tsingma demo first, or name its folder with --demo")
    from tsingma.api.server import serve as serve_house
    from tsingma.api.trial import make_trial
    from tsingma.app.serve_config import read_config
    from tsingma.app.trial import day_and_book
    from tsingma.basics.clock import SystemClock
    from tsingma.console.routes import ROUTES

    day, book = day_and_book(demo / "house")
    made = make_trial(out, book, SystemClock())
    options = {
        "house.place": str(demo / "house"), "market.folder": str(demo), "keys.file": made.keys_file,
        "people.file": made.people_file, "listen.address": ADDRESS, "listen.port": port,
    }  # fmt: skip
    settings = read_config(None, os.environ, options).settings
    if as_json:
        click.echo(msgspec.json.encode(made).decode())
    else:
        click.echo(f"console: http://{ADDRESS}:{port}/console; end with Ctrl-C\n")
        for one in made.people:
            click.echo(f"  {one.id:<13} {one.password}   {one.role} {one.participant}".rstrip())
        click.echo(f"\ntoken of {made.people[4].participant} for HTTP: "
                   f"tsingma serve token --keys {made.keys_file} --private {made.private_file}")  # fmt: skip
    serve_house(settings, day, more_routes=ROUTES)

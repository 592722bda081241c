"""``tsingma serve``: answer HTTP for a house, and make keys and tokens to try it."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import click

from tsingma.cli.house import HOUSE_SERVED
from tsingma.cli.lazy import LazyGroup
from tsingma.cli.serve_config import CONFIG

_KEYS = click.option("--keys", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Keys file (TOML).")
_PRIVATE = click.option("--private", required=True, type=click.Path(dir_okay=False, path_type=Path),
                        help="File of the private key.")  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_ROLES = ("operator", "participant", "custodian", "regulator", "auditor")


@click.group(
    invoke_without_command=True,
    cls=LazyGroup,
    lazy={
        "config": ("tsingma.cli.serve_config", "config", "Print the settings in force, checked, with their source."),
        "trial": ("tsingma.cli.serve_trial", "trial", "Serve the demo's house, with people of every role to sign in."),
    },
    epilog="\b\nExample:\n"
    "  tsingma serve key --keys keys.toml --private b1.json --id b1 --role participant --participant B00001\n"
    "  tsingma serve --house out/house --keys keys.toml --port 8080\n"
    '  curl -H "Authorization: Bearer $(tsingma serve token --keys keys.toml --private b1.json)" \\\n'
    "       http://127.0.0.1:8080/instructions\n",
)
@CONFIG
@HOUSE_SERVED
@click.option("--keys", type=click.Path(dir_okay=False, path_type=Path), help="Keys file (TOML).")
@click.option("--host", help="Address; others than this machine's need TLS.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65_535), help="[default: 8080]")
@click.option("--standby", is_flag=True, help="Follow the writer of a house on PostgreSQL; serve when it is gone.")
@click.option("--people", type=click.Path(dir_okay=False, path_type=Path), help="People file (TOML): who may sign in.")
@click.option("--open-day", type=click.DateTime(["%Y-%m-%d"]), help="Open this business day first.")
@click.option("--tls-certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM file.")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM file.")
@click.option(
    "--tls-client-ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file of who signs clients' certificates.",
)
@click.option(
    "--market",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with prices.csv: margin, what-if and stress need it.",
)
@click.pass_context
def serve(
    ctx: click.Context,
    config: Path | None,
    house: Path | str | None,
    keys: Path | None,
    host: str | None,
    port: int | None,
    standby: bool,
    people: Path | None,
    open_day: datetime | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    market: Path | None,
) -> None:
    """Answer HTTP for a house until interrupted; the process is the house's writer meanwhile.

    What the options leave out comes from the configuration file and from TSINGMA_ variables.
    """
    if ctx.invoked_subcommand is not None:
        return
    require_extra()
    from tsingma.api.server import serve as serve_house
    from tsingma.app.serve_config import read_config
    from tsingma.console.routes import ROUTES

    options = {
        "house.place": house, "keys.file": keys, "listen.address": host, "listen.port": port,
        "tls.certificate": tls_certificate, "tls.private_key": tls_key, "tls.client_ca": tls_client_ca,
        "market.folder": market,
        "people.file": people, "standby.enabled": standby,
    }  # fmt: skip
    given = {name: value if isinstance(value, int) else str(value) for name, value in options.items() if value}
    settings = read_config(config, os.environ, given).settings
    at = f"{'https' if settings.tls.certificate else 'http'}://{settings.listen.address}:{settings.listen.port}"
    click.echo(f"serving on {at}", err=True)
    serve_house(settings, open_day.date() if open_day else None, more_routes=ROUTES)


@serve.command(
    epilog="\b\nExample:\n  tsingma serve key --keys keys.toml --private audit.json --id audit --role auditor\n"
)
@_KEYS
@_PRIVATE
@click.option("--id", "name", required=True, help="Name of the key, unique in the keys file.")
@click.option("--role", required=True, type=click.Choice(_ROLES))
@click.option("--participant", default="", help="Whose key it is: of participants and custodians only.")
@click.option("--person", "who", default="", help="Who answers for it (an id of the people file): operators need one.")
@click.option("--certificate", default="", help="SHA-256 of the client certificate it is bound to, hexadecimal.")
@_JSON
def key(
    keys: Path, private: Path, name: str, role: str, participant: str, who: str, certificate: str, *, as_json: bool
) -> None:
    """Make a key pair: the private part into a file only you read, the public one into the keys file."""
    require_extra()
    import msgspec

    from tsingma.api.permissions import Role
    from tsingma.api.trying import new_key
    from tsingma.basics.clock import SystemClock

    more = {"person": who, "certificate": certificate.replace(":", "").lower()}
    made = new_key(keys, private, name, Role(role), participant, SystemClock(), **more)
    click.echo(
        msgspec.json.encode(made).decode()
        if as_json
        else f"private key in {made.private_file} (keep it); added to {made.keys_file}:\n{made.stanza}".rstrip()
    )


@serve.command(epilog="\b\nExample:\n  tsingma serve token --keys keys.toml --private audit.json --seconds 60\n")
@_KEYS
@_PRIVATE
@click.option("--seconds", type=click.IntRange(1, 300), default=60, show_default=True, help="How long it is good.")
def token(keys: Path, private: Path, seconds: int) -> None:
    """Print a new token of a key; a change needs a new one each time."""
    require_extra()
    from tsingma.api.trying import new_token
    from tsingma.basics.clock import SystemClock

    click.echo(new_token(keys, private, seconds, SystemClock()))


@serve.command(
    epilog="\b\nExample:\n  tsingma serve person --people people.toml --id chan --name 'Chan Tai Man' --role operator\n"
)
@click.option("--people", required=True, type=click.Path(dir_okay=False, path_type=Path), help="People file (TOML).")
@click.option("--id", "person_id", required=True, help="What the person signs in as: a-z, 0-9 and . _ -")
@click.option("--name", required=True, help="The person's name, as others see it.")
@click.option("--role", required=True, type=click.Choice(_ROLES))
@click.option("--participant", default="", help="Whose person it is: of participants and custodians only.")
@click.option("--issuer", default="", help="OpenID Connect provider that knows the person; no password is asked.")
@click.option("--subject", default="", help="Who the person is to that provider.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@_JSON
def person(
    people: Path, person_id: str, name: str, role: str, participant: str, issuer: str, subject: str,
    *, password_stdin: bool, as_json: bool,
) -> None:  # fmt: skip
    """Add a person to the people file, with a password asked for on the terminal."""
    require_extra()
    import msgspec

    from tsingma.api.people import new_person
    from tsingma.api.permissions import Role
    from tsingma.basics.clock import SystemClock

    password = ""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif not subject:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    if not password and not subject:
        raise click.UsageError("the password is empty")
    made = new_person(
        people, person_id, name, Role(role), participant, password, SystemClock(), issuer=issuer, subject=subject
    )
    row = {field: told for field, told in msgspec.to_builtins(made).items() if field != "password"}
    added = f"{made.id} may sign in as {made.role} until {made.valid_to:%Y-%m-%d}; added to {people}"
    click.echo(msgspec.json.encode(row).decode() if as_json else added)


def require_extra() -> None:
    """Raise click.UsageError, with what to install, where the extra of the service is not there."""
    missing = [name for name in ("litestar", "uvicorn", "joserfc", "jinja2", "argon2") if find_spec(name) is None]
    if missing:
        raise click.UsageError(f"{', '.join(missing)} is not installed: pip install 'tsingma[service]'")

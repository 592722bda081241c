"""``tsingma default``: suspend, declare, close out, port, run the waterfall and close, in a house that nobody serves.

In a served house the same are acts of two people (``POST /acts``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tsingma.cli.house import HOUSE

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_PARTICIPANT = click.option("--participant", required=True, help="Code of the participant.")
_REASON = click.option("--reason", required=True, help="Why: it is kept in the journal.")
_AT = click.option("--at", metavar="UTC", type=click.DateTime(["%Y-%m-%dT%H:%M:%S"]), help="When (default: now).")
_NUMBER = click.option("--default", "number", required=True, type=click.IntRange(1), help="Number of the default.")
_ACCOUNT = click.option("--account", required=True, help="The defaulter's account, PARTICIPANT/CLASS.")
_PRICE = click.option("--price", required=True, help="In the security's currency, up to four decimals.")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_FUND = click.option(
    "--fund", type=click.Choice(["HKSCC", "HKCC", "SEOCH", "OTC Clear"]), default="HKSCC", show_default=True
)


def _command(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator with the house, options and the form of the answer."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed((HOUSE, *options, _JSON)):
            function = option(function)
        return function

    return decorate


@click.group(epilog="\b\nExample:\n  tsingma default list --house out/house\n")
def default() -> None:
    """Suspend a participant, declare its default, close it out, run the loss through the waterfall, end it."""


@default.command("list", epilog="\b\nExample:\n  tsingma default list --house out/house --json\n")
@_command(click.option("--participant", default="", help="Only this participant's."))
def list_defaults(house: Path | str, participant: str, *, as_json: bool) -> None:
    """List cases: how each stands since when and why, what is open and owed, which layer bore what (HKD cents)."""
    import msgspec

    from tsingma.app.default_desk import cases_of

    lines = cases_of(house, participant)
    if as_json:
        click.echo(msgspec.json.encode({"defaults": lines}).decode())
        return
    for line in lines:
        click.echo(
            f"{line.number:>3} {line.participant:<16} {line.status:<10} {line.since} {line.ground} {line.reason}"
        )
        click.echo(
            f"    open {line.open_positions} lines, {line.open_series} series; owed {line.owed_cents:,}; borne by "
            f"collateral {line.collateral_cents:,}, contribution {line.contribution_cents:,}, house "
            f"{line.house_cents:,}, survivors {line.survivors_cents:,}, assessments {line.assessments_cents:,}"
        )
    if not lines:
        click.echo("no participant is suspended or has defaulted")


@default.command(
    epilog="\b\nExample:\n  tsingma default suspend --house out/house --participant B00001 --reason late\n"
)
@_command(_PARTICIPANT, _REASON, _AT)
def suspend(house: Path | str, participant: str, reason: str, at: datetime | None, *, as_json: bool) -> None:
    """Take nothing new from a participant; its open instructions are held, what is due goes on."""
    from tsingma.app.default_acts import SuspendAct

    _tell(house, SuspendAct(participant, reason), at, as_json=as_json)


@default.command(
    epilog="\b\nExample:\n  tsingma default reinstate --house out/house --participant B00001 --reason paid\n"
)
@_command(_PARTICIPANT, _REASON, _AT)
def reinstate(house: Path | str, participant: str, reason: str, at: datetime | None, *, as_json: bool) -> None:
    """End a suspension and release what it held."""
    from tsingma.app.default_acts import ReinstateAct

    _tell(house, ReinstateAct(participant, reason), at, as_json=as_json)


@default.command(
    epilog="\b\nExample:\n  tsingma default declare --house out/house --participant B00001 --ground insolvency "
    "--reason 'wound up'\n"
)
@_command(
    _PARTICIPANT,
    click.option("--ground", default="decision", show_default=True,
                 type=click.Choice(["failure-to-pay", "failure-of-margin", "insolvency", "decision"]),
                 help="The first two only where the books show it."),
    _REASON, _AT,
)  # fmt: skip
def declare(
    house: Path | str, participant: str, ground: str, reason: str, at: datetime | None, *, as_json: bool
) -> None:  # fmt: skip
    """Declare a default; what nobody guarantees is taken out of the books."""
    from tsingma.app.default_acts import DeclareAct

    _tell(house, DeclareAct(participant, ground, reason), at, as_json=as_json)


@default.command(epilog="\b\nExample:\n  tsingma default open --house out/house --default 1\n")
@_command(
    _NUMBER,
    click.option("--out", type=_OUT, help="Write it as a file for 'close-out --file', at the last prices."),
    click.option("--taker", default="", help="Account that takes all of it, with --out."),
)
def open(house: Path | str, number: int, out: Path | None, taker: str, *, as_json: bool) -> None:  # noqa: A001
    """Show what is open of a default: lines and series to close out with their last price, and what is owed."""
    import msgspec

    from tsingma.app.default_desk import open_of, write_close_outs

    if out is not None:
        if not taker:
            raise click.BadParameter("say who takes it; lines can be changed", param_hint="--taker")
        write_close_outs(house, number, taker, out)
    found = open_of(house, number)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for one in found.positions:
        click.echo(f"{one.account:<18} {one.asset:<14} {one.units:>14,} last {one.price}")
    for fund, account, currency, cents in found.owed:
        click.echo(f"{account:<18} owes {fund} {currency} {cents:,} cents")
    if not found.positions and not found.owed:
        click.echo("nothing is open or owed")


@default.command(
    "close-out",
    epilog="\b\nExamples:\n  tsingma default close-out --house out/house --default 1 --file close-outs.csv\n"
    "  tsingma default close-out --house out/house --default 1 --account B00001/HOUSE --security 700 "
    "--taker B00002/HOUSE --price 310\n",
)
@_command(
    _NUMBER,
    click.option("--file", "path", type=_FILE, help="account,asset,taker,price (CSV): all of them or none."),
    click.option("--account", default="", help="The defaulter's account, PARTICIPANT/CLASS."),
    click.option("--security", default="", help="ISIN, code of a counter, or id of a series."),
    click.option("--taker", default="", help="Account that takes the position."),
    click.option("--price", default="", help="In the security's currency, up to four decimals."),
)
def close_out(
    house: Path | str, number: int, path: Path | None, account: str, security: str, taker: str, price: str, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Give takers all that accounts have open in securities and series, at prices."""
    from tsingma.app.default_desk import close_out as act_of
    from tsingma.app.default_desk import close_out_file
    from tsingma.cli.output import print_figures

    if path is not None:
        print_figures(close_out_file(house, number, path), as_json=as_json)
    elif account and security and taker and price:
        _tell(house, act_of(house, number, account, security, taker, price), None, as_json=as_json)
    else:
        raise click.BadParameter("give a file, or account, security, taker and price", param_hint="--file")


@default.command(
    "swap",
    epilog="\b\nExample:\n  tsingma default swap --house out/house --default 1 --account B00001/HOUSE --series IRS1 "
    "--taker B00002/HOUSE --amount -250000\n",
)
@_command(
    _NUMBER, _ACCOUNT, click.option("--series", required=True, help="Id of the series of swaps."),
    click.option("--taker", required=True, help="Account that takes the position."),
    click.option("--amount", required=True, type=int, help="Cents that it pays, or asks below zero."),
)  # fmt: skip
def swap(
    house: Path | str, number: int, account: str, series: str, taker: str, amount: int, *, as_json: bool
) -> None:  # fmt: skip
    """Give a taker a position in swaps as it stands, for what it bid."""
    from tsingma.app.default_desk import swap_act

    _tell(house, swap_act(house, number, account, series, taker, amount), None, as_json=as_json)


@default.command(
    epilog="\b\nExample:\n  tsingma default sell --house out/house --default 1 --account B00001/HOUSE "
    "--asset HK2800008867 --amount 500 --buyer B00002/HOUSE --price 20\n"
)
@_command(
    _NUMBER, _FUND, _ACCOUNT, click.option("--asset", required=True, help="ISIN."),
    click.option("--amount", required=True, type=click.IntRange(1), help="Units."),
    click.option("--buyer", required=True, help="Account that buys."), _PRICE,
)  # fmt: skip
def sell(
    house: Path | str, number: int, fund: str, account: str, asset: str, amount: int, buyer: str, price: str, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Sell securities of a defaulter for what it owes: pledged ones first."""
    from tsingma.app.default_acts import SellCollateralAct
    from tsingma.app.default_desk import price_e4

    _tell(
        house, SellCollateralAct(number, fund, account, asset, amount, buyer, price_e4(price)), None, as_json=as_json
    )  # fmt: skip


@default.command(
    epilog="\b\nExample:\n  tsingma default port --house out/house --default 1 --account B00001/CLIENT "
    "--to B00002/CLIENT\n"
)
@_command(_NUMBER, _ACCOUNT, click.option("--to", required=True, help="Client account of a survivor."))
def port(house: Path | str, number: int, account: str, to: str, *, as_json: bool) -> None:
    """Move a client account with everything that is its to a survivor."""
    from tsingma.app.default_acts import PortAct

    _tell(house, PortAct(number, account, to), None, as_json=as_json)


@default.command(
    "fund",
    epilog="\b\nExamples:\n  tsingma default fund --house out/house --contribution B00001/HOUSE=5000000\n"
    "  tsingma default fund --house out/house --exposures E.csv --keys K.csv\n",
)
@_command(
    _FUND,
    click.option("--basis", default="by hand", show_default=True, help="How it was sized."),
    click.option("--contribution", "contributions", multiple=True, metavar="ACCOUNT=HKD",
                 help="Whole HKD; the account HKSCC/HOUSE holds the house's own part."),
    click.option("--exposures", type=_FILE, help="Stress losses: size it as 'margin fund' does, for house accounts."),
    click.option("--keys", type=_FILE, help="Allocation keys, with --exposures."),
)  # fmt: skip
def call_fund(
    house: Path | str, fund: str, basis: str, contributions: tuple[str, ...], exposures: Path | None,
    keys: Path | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Call contributions to a default fund, by hand or as it is sized: money is pledged up to them."""
    from tsingma.app.default_acts import CallFundAct, ContributionOf
    from tsingma.app.default_desk import sized_fund

    if exposures is not None and keys is not None:
        _tell(house, sized_fund(fund, exposures, keys), None, as_json=as_json)
        return
    parts = []
    for text in contributions:
        account, _, amount = text.partition("=")
        if not account or not amount.isdigit():
            raise click.BadParameter(f"'{text}': write ACCOUNT=HKD in whole HKD", param_hint="--contribution")
        parts.append(ContributionOf(account, int(amount) * 100))
    if not parts:
        raise click.BadParameter("give contributions, or exposures and keys", param_hint="--contribution")
    _tell(house, CallFundAct(fund, basis, tuple(parts)), None, as_json=as_json)


@default.command(epilog="\b\nExample:\n  tsingma default waterfall --house out/house --default 1\n")
@_command(_NUMBER, _FUND)
def waterfall(house: Path | str, number: int, fund: str, *, as_json: bool) -> None:
    """Let the layers of a fund bear the loss, in the order of its rules; once, when all is closed out."""
    from tsingma.app.default_acts import WaterfallAct

    _tell(house, WaterfallAct(number, fund), None, as_json=as_json)


@default.command(epilog="\b\nExample:\n  tsingma default collect --house out/house --default 1\n")
@_command(_NUMBER)
def collect(house: Path | str, number: int, *, as_json: bool) -> None:
    """Take assessments that are not paid yet, from who has the money now."""
    from tsingma.app.default_acts import CollectAct

    _tell(house, CollectAct(number), None, as_json=as_json)


@default.command(epilog="\b\nExample:\n  tsingma default close --house out/house --default 1 --reason 'all is borne'\n")
@_command(_NUMBER, _REASON, click.option("--write-off", is_flag=True, help="The house bears what nobody bore."), _AT)
def close(
    house: Path | str, number: int, reason: str, at: datetime | None, *, write_off: bool, as_json: bool
) -> None:  # fmt: skip
    """Close a default when nothing of it is open: what is left over goes back."""
    from tsingma.app.default_acts import CloseDefaultAct

    _tell(house, CloseDefaultAct(number, reason, write_off), at, as_json=as_json)


def _tell(house: Path | str, act: Any, at: datetime | None, *, as_json: bool) -> None:
    from tsingma.app.default_desk import carry_out
    from tsingma.basics.clock import SystemClock
    from tsingma.cli.output import print_figures

    print_figures(carry_out(house, act, at, SystemClock()), as_json=as_json)

"""The root command: a lazy group, so that ``--help`` loads no subcommand and answers at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.cli.lazy import LazyGroup

EXIT_OK = 0
EXIT_FINDINGS = 1  # the command ran and found something wrong: a broken chain, an open day
EXIT_REFUSED = 2  # the input or the command line was refused; nothing was changed
EXIT_DEFECT = 3  # an invariant of the house broke: stop and call the operator

_SUBCOMMANDS: dict[str, tuple[str, str, str]] = {
    "custody": ("tsingma.cli.custody", "custody", "Who holds what, what is issued, what falls due."),
    "day": ("tsingma.cli.day", "day", "Run, inspect, verify and replay business days."),
    "default": ("tsingma.cli.default", "default", "Suspend, declare, close out, port: a participant's default."),
    "demo": ("tsingma.cli.demo", "demo", "Run a whole week through the house and write a report."),
    "economy": ("tsingma.cli.economy", "economy", "Models of the economy around the house, and claims tested."),
    "fees": ("tsingma.cli.fees", "fees", "Charge lines of one trade, by date."),
    "links": ("tsingma.cli.links", "links", "Links between markets: rule files, calendars, quota through a day."),
    "margin": ("tsingma.cli.margin", "margin", "Margin of a portfolio, and parameter files from prices."),
    "messages": ("tsingma.cli.iso", "messages", "ISO 20022 files: check, send, answer, change to and from CSV."),
    "money": ("tsingma.cli.money", "money", "Payments in four currencies, queues, and the liquidity each bank used."),
    "report": ("tsingma.cli.report", "report", "Official reports as PDF, XLSX, CSV or HTML, in two languages."),
    "settle": ("tsingma.cli.settle", "settle", "Which instructions settle together, and what frees the others."),
    "stress": ("tsingma.cli.stress", "stress", "Scenarios through the house, and the path that empties its fund."),
    "serve": ("tsingma.cli.serve", "serve", "Answer HTTP for a house, and make keys and tokens to try it."),
    "simulate": ("tsingma.cli.simulate", "simulate", "Write seeded, labelled simulated markets and instances."),
    "standby": (
        "tsingma.cli.standby",
        "standby",
        "Follow a house on PostgreSQL and take over when its writer is gone.",
    ),
    "token": ("tsingma.cli.tokens", "token", "A bond as tokens: issue, trade, reconcile, and the protocol on trial."),
    "verify": (
        "tsingma.cli.journal",
        "verify",
        "Prove the whole journal of a house: chain, answers, snapshots, books.",
    ),
    "backup": ("tsingma.cli.journal", "backup", "Write a house into one file, while its writer runs."),
    "restore": ("tsingma.cli.journal", "restore", "Prove a backup and install it as a new house."),
    "view": ("tsingma.cli.view", "view", "Balances, positions, instructions and statements, as of any record."),
}

_EPILOG = """\b
Exit codes: 0 done; 1 done, and something is wrong (a broken chain, an open day);
2 input refused, nothing changed; 3 an invariant broke.
\b
Example:
  tsingma demo --trades 200000 --days 5 --seed 1
"""


@click.group(cls=LazyGroup, lazy=_SUBCOMMANDS, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tsingma")
def root() -> None:
    """Tsingma: an open post-trade house for Hong Kong."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (see the constants of this module)."""
    try:
        code = root.main(args=arguments, standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        click.echo("aborted", err=True)
        return EXIT_FINDINGS
    except click.ClickException as error:
        error.show()
        return EXIT_REFUSED
    except Rejected as rejected:
        for rejection in rejected.rejections:
            click.echo(f"refused: {rejection}", err=True)
        return EXIT_REFUSED
    except InvariantBroken as broken:
        click.echo(f"invariant broken: {broken}", err=True)
        return EXIT_DEFECT
    return code if isinstance(code, int) else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())

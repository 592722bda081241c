"""The ``economy`` commands: models of the economy around the house, and what became of every claim."""

from __future__ import annotations

import click

from tsingma.cli.lazy import LazyGroup

_SUBCOMMANDS: dict[str, tuple[str, str, str]] = {
    "claims": ("tsingma.cli.economy_claims", "claims", "Every claim with its test, result, figure and reason."),
    "chain": ("tsingma.cli.economy_chain", "chain", "The AI value chain: scenarios and levers."),
    "duty": ("tsingma.cli.economy_duty", "duty", "Stamp duty on a property, to the dollar, by date."),
    "property": ("tsingma.cli.economy_run", "property_", "Run scenarios of stocks and homes."),
    "renminbi": ("tsingma.cli.economy_run", "renminbi", "Run scenarios of the renminbi abroad."),
    "replicate": ("tsingma.cli.economy_replicate", "replicate", "Published tables computed again from their data."),
}


@click.group(
    cls=LazyGroup,
    lazy=_SUBCOMMANDS,
    epilog="\b\nExample:\n  tsingma economy duty --price 12000000 --date 2026-03-01 --kind residential",
)
def economy() -> None:
    """Models of the economy around the house: the renminbi abroad, stocks and homes, value chains."""

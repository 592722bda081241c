"""``tsingma economy replicate``: published tables computed again from their own data, beside what was printed."""

from __future__ import annotations

from pathlib import Path

import click

from tsingma.cli.brief import brief_options, write_brief
from tsingma.cli.lazy import LazyGroup

DATA = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the published data.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every cell.")

_CHAIN = "tsingma.cli.economy_replicate_chain"
_SUBCOMMANDS: dict[str, tuple[str, str, str]] = {
    "cp2015": (_CHAIN, "cp2015", "Caliendo-Parro 2015: welfare effects of NAFTA."),
    "decompr": (_CHAIN, "decompr", "decompr: value added by origin in its leather table."),
    "exvatools": (_CHAIN, "exvatools", "exvatools: what is in exports, by four methods."),
    "dy2009": ("tsingma.cli.economy_replicate", "dy2009", "Diebold-Yilmaz 2009: spillovers of 19 stock markets."),
    "dy2012": ("tsingma.cli.economy_replicate", "dy2012", "Diebold-Yilmaz 2012: spillovers of four US markets."),
}


@click.group(
    cls=LazyGroup, lazy=_SUBCOMMANDS, epilog="\b\nExample:\n  tsingma economy replicate dy2012 --data DIR --json\n"
)
def replicate() -> None:
    """Compute a published table again from its own data and show both."""


@click.command(epilog="\b\nExample:\n  tsingma economy replicate dy2009 --data DIR --json\n")
@DATA
@brief_options
@AS_JSON
def dy2009(data: Path, html: Path | None, language: str, *, as_json: bool) -> int:
    """Spillovers of weekly returns of 19 stock markets (Diebold-Yilmaz 2009, table 3); DIR/spillover/dy2009.csv.gz."""
    return _spillovers("dy2009", data, html, language, as_json=as_json)


@click.command(epilog="\b\nExample:\n  tsingma economy replicate dy2012 --data DIR --json\n")
@DATA
@brief_options
@AS_JSON
def dy2012(data: Path, html: Path | None, language: str, *, as_json: bool) -> int:
    """Spillovers of volatility of four US markets (Diebold-Yilmaz 2012, table 2); DIR/spillover/dy2012.csv.gz."""
    return _spillovers("dy2012", data, html, language, as_json=as_json)


def _spillovers(paper: str, data: Path, html: Path | None, language: str, *, as_json: bool) -> int:
    """Print one table; exit code 1 when it is further from the paper than the stated tolerance."""
    import msgspec

    from tsingma.app.economy_replicate import replicate_spillovers

    found = replicate_spillovers(paper, data)
    if html is not None:
        from tsingma.app.economy_briefs import spillover_figures
        from tsingma.reports.economy_spillover_brief import render_spillover_brief

        write_brief(html, render_spillover_brief(spillover_figures(found), language), quiet=as_json)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return 0 if found.agrees else 1
    width = max(map(len, found.names)) + 1
    click.echo(f"{'from':>{width}}" + "".join(f"{name:>{max(8, width)}}" for name in (*found.names, "others")))
    for name, row, others in zip(found.names, found.table, found.from_others, strict=True):
        click.echo(f"{name:<{width}}" + "".join(f"{cell:>{max(8, width)}.2f}" for cell in (*row, others)))
    for label, cells in (("to", found.to_others), ("net", found.net)):
        click.echo(f"{label:<{width}}" + "".join(f"{cell:>{max(8, width)}.2f}" for cell in cells))
    verdict = "agrees" if found.agrees else "DIFFERS"
    click.echo(
        f"total {found.total:.4f}, published {found.published_total}; largest gap {found.largest_gap:.4f}, "
        f"tolerance {found.tolerance}: {verdict}\n{found.observations} rows, {found.lags} lags, horizon "
        f"{found.horizon}, {found.decomposition}; {found.source}"
    )
    return 0 if found.agrees else 1

"""The statement of holdings of a participant: securities with their value, and cash, on hold, pledged and available."""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import InvariantBroken
from tsingma.reports.official.books import Addressee, books_report
from tsingma.reports.official.model import Bar, Chart, Column, Figure, Kind, Report, Section, Table, cell_text
from tsingma.reports.official.words import Speaker, speaker

E4 = 10_000
BARS_MAX = 8


class HoldingLine(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has of an asset: units of a security, cents of a currency.

    ``price_e4`` (ten-thousandths of ``currency``) and ``value_cents`` (HKD) are None where no price is known.
    """

    account: str
    asset: str
    name: str = ""
    is_cash: bool
    balance: int
    on_hold: int
    pledged: int
    currency: str = ""
    price_e4: int | None = None
    value_cents: int | None = None


class HoldingFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a statement of holdings shows."""

    whose: Addressee
    lines: tuple[HoldingLine, ...]


def holdings_report(figures: HoldingFigures, language: str) -> Report:
    """Return the statement; raises InvariantBroken where more is held and pledged than there is of a security."""
    for line in figures.lines:
        if not line.is_cash and line.on_hold + line.pledged > max(line.balance, 0):
            raise InvariantBroken(f"{line.account} {line.asset}: more on hold and pledged than there is")
    say = speaker(language)
    stock = [line for line in figures.lines if not line.is_cash]
    cash = [line for line in figures.lines if line.is_cash]
    sections = (
        Section(
            heading=say("holdings.securities"),
            lead=say("holdings.securities_lead"),
            tables=(_securities(stock, say),),
            chart=_chart(stock, say),
        ),
        Section(heading=say("holdings.cash"), tables=(_cash(cash, say),)),
    )
    return books_report(
        "holdings", say("holdings.title"), figures.whose, say, language, _figures(stock, cash, say), sections,
        (say("holdings.note"),),
    )  # fmt: skip


def _figures(stock: list[HoldingLine], cash: list[HoldingLine], say: Speaker) -> tuple[Figure, ...]:
    priced = [line.value_cents for line in stock if line.value_cents is not None]
    note = say("holdings.priced").format(count=f"{len(priced):,}", all=f"{len(stock):,}")
    found = [
        Figure(say("holdings.lines"), f"{len({line.asset for line in stock}):,}"),
        Figure(say("holdings.total_value"), cell_text(Kind.MONEY, sum(priced)), note),
    ]
    for currency in dict.fromkeys(line.asset for line in cash):
        lines = [line for line in cash if line.asset == currency]
        pledged = say("holdings.pledged_of").format(amount=cell_text(Kind.MONEY, sum(line.pledged for line in lines)))
        label = say("holdings.cash_in").format(currency=currency)
        found.append(Figure(label, cell_text(Kind.MONEY, sum(line.balance for line in lines)), pledged))
    return tuple(found[:4])


def _chart(lines: list[HoldingLine], say: Speaker) -> Chart:
    """Return the securities of the highest value over all accounts, HKD."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.asset] = sums.get(line.asset, 0) + max(line.value_cents or 0, 0)
    largest = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:BARS_MAX]
    bars = tuple(Bar(asset, (cents,), cell_text(Kind.MONEY, cents)) for asset, cents in largest if cents)
    return Chart((say("holdings.market_value"),), bars)


def _securities(lines: list[HoldingLine], say: Speaker) -> Table:
    columns = (
        Column(say("frame.account")), Column(say("frame.security"), Kind.CODE), Column(say("frame.name")),
        *(Column(say(f"holdings.{name}"), Kind.WHOLE) for name in ("balance",)),
        Column(say("settlement.on_hold"), Kind.WHOLE),
        *(Column(say(f"holdings.{name}"), Kind.WHOLE) for name in ("pledged", "available")),
        Column(say("holdings.price"), Kind.FIGURE), Column(say("holdings.market_value"), Kind.MONEY),
    )  # fmt: skip
    rows = tuple(
        (line.account, line.asset, line.name, line.balance, line.on_hold, line.pledged, _free(line), _price(line),
         line.value_cents)
        for line in lines
    )  # fmt: skip
    total = sum(line.value_cents or 0 for line in lines)
    foot = ((say("frame.total"), "", "", None, None, None, None, "", total),) if lines else ()
    return Table(name="securities", caption="", columns=columns, rows=rows, foot=foot)


def _cash(lines: list[HoldingLine], say: Speaker) -> Table:
    columns = (
        Column(say("frame.account")), Column(say("frame.currency"), Kind.CODE),
        Column(say("holdings.balance"), Kind.MONEY), Column(say("settlement.on_hold"), Kind.MONEY),
        Column(say("holdings.pledged"), Kind.MONEY), Column(say("holdings.available"), Kind.MONEY),
    )  # fmt: skip
    rows = tuple((line.account, line.asset, line.balance, line.on_hold, line.pledged, _free(line)) for line in lines)
    return Table(name="cash", caption="", columns=columns, rows=rows)


def _free(line: HoldingLine) -> int:
    return line.balance - line.on_hold - line.pledged


def _price(line: HoldingLine) -> str:
    if line.price_e4 is None:
        return ""
    whole, part = divmod(line.price_e4, E4)
    return f"{line.currency}\u00a0{whole:,}.{part:04d}"

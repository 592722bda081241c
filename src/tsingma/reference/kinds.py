"""What an instrument can be, and a row of a tariff that charges trades in it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from tsingma.basics.money import INT64_MAX


class InstrumentKind(StrEnum):
    """What an instrument is; decides duties, margin tier and settlement mode."""

    EQUITY = "equity"
    ETF = "etf"
    REIT = "reit"
    WARRANT = "warrant"
    CBBC = "cbbc"
    RIGHT = "right"
    BOND = "bond"
    FUND = "fund"
    FUTURE = "future"
    OPTION = "option"
    SWAP = "swap"
    BILL = "bill"
    CERTIFICATE = "certificate"
    GOLD = "gold"
    COMMODITY = "commodity"  # a lot of goods in a warehouse, held as its warrant


class TariffLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One dated row of a tariff (see the head of ``reference/data/fees.toml`` for the fields)."""

    name: str
    market: str
    kinds: tuple[InstrumentKind, ...]
    valid_from: date
    valid_to: date = date.max
    rate_e9: int
    maker_rate_e9: int | None = None
    crossed_rate_e9: int | None = None
    crossed_maker_rate_e9: int | None = None
    minimum_cents: int = 0
    maximum_cents: int = INT64_MAX
    rounding: str
    currency: str
    side: str
    exempt_maker: bool = False
    source: str

    def rate(self, kind: InstrumentKind, *, market_maker: bool, crossed: bool) -> int:
        """Return the rate x 10^9 of a trade: reduced for ETF market makers and crossed trades where the row says so."""
        if market_maker and self.exempt_maker:
            return 0
        maker = market_maker and kind is InstrumentKind.ETF
        chosen = {
            (True, True): self.crossed_maker_rate_e9,
            (True, False): self.maker_rate_e9,
            (False, True): self.crossed_rate_e9,
        }.get((maker, crossed))
        return self.rate_e9 if chosen is None else chosen

    def applies(self, kind: InstrumentKind, side: str, day: date) -> bool:
        """Return whether the row charges a kind of instrument, a side ("buy", "sell") and a day."""
        return kind in self.kinds and self.side in ("both", side) and self.valid_from <= day <= self.valid_to

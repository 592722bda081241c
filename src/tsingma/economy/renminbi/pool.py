"""The offshore renminbi pool in double entry: who holds what, and flows whose legs sum to zero for every instrument.

Balances are whole millions of yuan, int64 [batch, sectors, instruments]; an asset is positive with its holder, the same
amount negative with who owes it. Every flow has at least two legs; the sum over sectors of each instrument is zero at
each step, exactly. Flows that need money at the clearing bank stop where it, the facility and saleable bonds end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.economy.renminbi.parameters import PoolParameters

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

SECTORS = ("residents", "offshore", "banks", "hkma", "pboc", "mainland")
INSTRUMENTS = ("deposits", "loans", "bonds", "clearing", "facility", "swap", "securities", "foreign")
MILLIONS = 1_000.0  # of yuan in a billion
RESIDENTS_PART = 0.8  # of flows of non-banks that are those of Hong Kong; the rest is of other offshore holders

_Legs = tuple[tuple[str, str, int], ...]
# A non-bank's leg is shared between residents and other offshore holders.
FLOWS: dict[str, _Legs] = {
    "trade_in": (
        ("nonbank", "deposits", 1), ("banks", "deposits", -1), ("banks", "clearing", 1), ("mainland", "clearing", -1)),
    "trade_out": (
        ("nonbank", "deposits", -1), ("banks", "deposits", 1), ("banks", "clearing", -1), ("mainland", "clearing", 1)),
    "lending": (("nonbank", "deposits", 1), ("banks", "deposits", -1), ("banks", "loans", 1), ("nonbank", "loans", -1)),
    "repayment": (
        ("nonbank", "deposits", -1), ("banks", "deposits", 1), ("banks", "loans", -1), ("nonbank", "loans", 1)),
    "remittance": (
        ("nonbank", "deposits", -1), ("banks", "deposits", 1), ("banks", "clearing", -1), ("mainland", "clearing", 1)),
    "southbound": (
        ("nonbank", "deposits", 1), ("banks", "deposits", -1), ("banks", "clearing", 1), ("mainland", "clearing", -1),
        ("mainland", "securities", 1), ("nonbank", "securities", -1)),
    "northbound": (
        ("nonbank", "deposits", -1), ("banks", "deposits", 1), ("banks", "clearing", -1), ("mainland", "clearing", 1),
        ("nonbank", "securities", 1), ("mainland", "securities", -1)),
    "bond_purchase": (
        ("nonbank", "deposits", -1), ("banks", "deposits", 1), ("banks", "clearing", -1), ("mainland", "clearing", 1),
        ("nonbank", "bonds", 1), ("mainland", "bonds", -1)),
    "proceeds_kept": (
        ("mainland", "deposits", 1), ("banks", "deposits", -1), ("banks", "bonds", 1), ("mainland", "bonds", -1)),
    "interest": (("nonbank", "deposits", 1), ("banks", "deposits", -1)),
    "conversion_in": (
        ("nonbank", "deposits", 1), ("banks", "deposits", -1), ("banks", "clearing", 1), ("mainland", "clearing", -1),
        ("nonbank", "foreign", -1), ("mainland", "foreign", 1)),
    "conversion_out": (
        ("nonbank", "deposits", -1), ("banks", "deposits", 1), ("banks", "clearing", -1), ("mainland", "clearing", 1),
        ("nonbank", "foreign", 1), ("mainland", "foreign", -1)),
    "facility_draw": (
        ("banks", "facility", -1), ("hkma", "facility", 1), ("banks", "clearing", 1), ("pboc", "clearing", -1),
        ("hkma", "swap", -1), ("pboc", "swap", 1)),
    "facility_repaid": (
        ("banks", "facility", 1), ("hkma", "facility", -1), ("banks", "clearing", -1), ("pboc", "clearing", 1),
        ("hkma", "swap", 1), ("pboc", "swap", -1)),
    "bond_sale": (
        ("banks", "bonds", -1), ("mainland", "bonds", 1), ("banks", "clearing", 1), ("mainland", "clearing", -1)),
}  # fmt: skip
_OUT = ("trade_out", "remittance", "northbound", "bond_purchase", "conversion_out")
_IN = ("trade_in", "southbound", "conversion_in")


@dataclass(frozen=True, slots=True)
class Month:
    """What a month did: balances after it, what was refused for want of money, and the part of deposits unfunded."""

    balances: Int64
    refused: Int64
    unfunded: Floats


def of(balances: Int64, sector: str, instrument: str) -> Int64:
    """Return one balance of each replication, int64 [batch]."""
    return np.asarray(balances[:, SECTORS.index(sector), INSTRUMENTS.index(instrument)])


def opening(given: PoolParameters, batch: int) -> Int64:
    """Return the opening balances of ``batch`` replications; owners' equity of the banks closes nothing, money does.

    Raises Rejected for a negative stock.
    """
    if min(given.deposits, given.loan_to_deposit, given.bonds_to_deposit, given.liquid_part) < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, "a stock of the pool is negative", field="pool")
    balances = np.zeros((batch, len(SECTORS), len(INSTRUMENTS)), np.int64)
    total = np.full(batch, round(given.deposits * MILLIONS), np.int64)

    def part(share: float) -> Int64:
        return np.full(batch, round(given.deposits * share * MILLIONS), np.int64)

    _apply(balances, _split((("nonbank", "deposits", 1), ("banks", "deposits", -1))), total)
    _apply(balances, _split((("banks", "loans", 1), ("nonbank", "loans", -1))), part(given.loan_to_deposit))
    _apply(balances, (("banks", "bonds", 1), ("mainland", "bonds", -1)), part(given.bonds_to_deposit))
    _apply(balances, (("banks", "clearing", 1), ("mainland", "clearing", -1)), part(given.liquid_part))
    return balances


def post(balances: Int64, flow: str, amount: Int64) -> None:
    """Book a flow of ``amount`` (millions of yuan, not negative) in place; raises Rejected for an unknown flow."""
    if flow not in FLOWS:
        raise refuse(RejectionReason.UNKNOWN, f"no flow '{flow}'", remedy=f"there are: {', '.join(FLOWS)}")
    if (amount < 0).any():
        raise refuse(RejectionReason.OUT_OF_RANGE, f"a flow of {int(amount.min())} is negative", field=flow)
    _apply(balances, _split(FLOWS[flow]), amount)


def _split(legs: _Legs) -> _Legs:
    """Return the legs with a non-bank's written twice: of residents, and of other offshore holders."""
    found: list[tuple[str, str, int]] = []
    for sector, instrument, sign in legs:
        names = ("residents", "offshore") if sector == "nonbank" else (sector,)
        found.extend((name, instrument, sign) for name in names)
    return tuple(found)


def _apply(balances: Int64, legs: _Legs, amount: Int64) -> None:
    resident = np.rint(amount * RESIDENTS_PART).astype(np.int64)
    for sector, instrument, sign in legs:
        moved = {"residents": resident, "offshore": amount - resident}.get(sector, amount)
        balances[:, SECTORS.index(sector), INSTRUMENTS.index(instrument)] += sign * moved


def require_balanced(balances: Int64) -> None:
    """Raise InvariantBroken when an instrument does not sum to zero over sectors, or a bank owes the clearing bank."""
    gap = balances.sum(1)
    if gap.any():
        row, column = np.argwhere(gap)[0]
        raise InvariantBroken(f"{INSTRUMENTS[column]} of replication {row} sum to {gap[row, column]}, not zero")
    if (of(balances, "banks", "clearing") < 0).any():
        raise InvariantBroken("a balance at the clearing bank is below zero")


def month(balances: Int64, flows: dict[str, Floats], *, quota: float, liquid_least: float) -> Month:
    """Return the balances after a month of desired ``flows`` (CNY bn [batch], not negative), which are not changed.

    Inflows and lending come first; outflows are cut by one factor where the clearing balance, the unused quota of the
    facility (CNY bn) and bonds for sale do not carry them, and deposits never fall below zero. Banks then draw the
    facility up to ``liquid_least`` of deposits, or repay it with what they have above. The sums are checked before the
    month is returned.
    """
    after = balances.copy()
    amount = {name: np.rint(value * MILLIONS).astype(np.int64) for name, value in flows.items()}
    for name in sorted(amount, key=lambda one: one in _OUT):
        if name not in _OUT and name != "repayment":
            post(after, name, amount[name])
    if "repayment" in amount:
        post(after, "repayment", np.minimum(amount["repayment"], _payable(after)))
    limit = round(quota * MILLIONS)
    _outflows(after, amount, limit, refused := np.zeros(len(after), np.int64))
    unfunded = _fund(after, limit, liquid_least)
    require_balanced(after)
    return Month(after, refused, unfunded)


def _payable(balances: Int64) -> Int64:
    """Return what non-banks can pay, each holder its part; ten millions stay for the rounding of the parts."""
    residents = of(balances, "residents", "deposits") / RESIDENTS_PART
    offshore = of(balances, "offshore", "deposits") / (1.0 - RESIDENTS_PART)
    return np.asarray(np.maximum(np.floor(np.minimum(residents, offshore)) - 10, 0), np.int64)


def _outflows(after: Int64, amount: dict[str, Int64], quota: int, refused: Int64) -> None:
    """Book the outflows as far as money goes; the rest is added to ``refused``."""
    wanted = sum((amount[name] for name in _OUT if name in amount), np.zeros(len(after), np.int64))
    spare = np.maximum(quota - of(after, "hkma", "facility"), 0)
    bonds = np.maximum(of(after, "banks", "bonds"), 0)
    carried = np.minimum(of(after, "banks", "clearing") + spare + bonds, _payable(after))
    factor = np.minimum(1.0, carried / np.maximum(wanted, 1))
    paid = {name: np.floor(amount[name] * factor).astype(np.int64) for name in _OUT if name in amount}
    total = sum(paid.values(), np.zeros(len(after), np.int64))
    short = np.maximum(total - of(after, "banks", "clearing"), 0)
    drawn = np.minimum(short, spare)
    post(after, "facility_draw", drawn)
    post(after, "bond_sale", short - drawn)
    for name, value in paid.items():
        post(after, name, value)
    refused += wanted - total


def _fund(after: Int64, quota: int, liquid_least: float) -> Floats:
    """Draw or repay the facility; return the part of deposits that still lacks liquid money."""
    deposits = np.maximum(-of(after, "banks", "deposits"), 1)
    needed = np.rint(liquid_least * deposits).astype(np.int64)
    lacking = np.maximum(needed - of(after, "banks", "clearing"), 0)
    drawn = np.minimum(lacking, np.maximum(quota - of(after, "hkma", "facility"), 0))
    post(after, "facility_draw", drawn)
    above = np.maximum(of(after, "banks", "clearing") - 2 * needed, 0)
    post(after, "facility_repaid", np.minimum(above, of(after, "hkma", "facility")))
    return np.asarray((lacking - drawn) / deposits, np.float64)

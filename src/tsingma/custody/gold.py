"""Gold: bars by serial number, allocated to whom they belong to, and metal that a vault owes unallocated.

An allocated bar is one unit of its security and one line of the bar list; the two are compared every day. Unallocated
metal is counted in milligrams of fine gold, and never exceeds what the vault's own bars contain. Fine weight is gross
weight x fineness, half a milligram away from zero (LBMA Good Delivery Rules: fine weight from gross weight and assay;
the milligram is the house's own). What a kilobar is stands in ``reference/data/custody_products.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.holdings import Line
from tsingma.custody.limits import require_items, require_text
from tsingma.custody.numbered import Numbered

FINENESS_ONE_E4 = 10_000
IN_VAULT, WITHDRAWN = "in vault", "withdrawn"


class Bar(msgspec.Struct, frozen=True):
    """One bar: security (asset), serial and refiner, weight and fineness, and whose it is (account)."""

    asset: int
    serial: str
    refiner: str
    gross_mg: int
    fineness_e4: int
    owner: int
    status: str = IN_VAULT

    @property
    def fine_mg(self) -> int:
        """Milligrams of fine gold in it."""
        return divide_half_away(self.gross_mg * self.fineness_e4, FINENESS_ONE_E4)


class Bars(Numbered[Bar]):
    """The bar list; a bar that was withdrawn keeps its line, and may come back as a new one."""

    def __init__(self) -> None:
        """Start with an empty vault; ``backing`` is the bars' security by that of the metal they back."""
        super().__init__(Bar, subject="bar")
        self.backing: dict[int, int] = {}

    def deposit(self, bar: Bar, gross_mg: int, fineness_e4: int) -> int:
        """Add a bar that has the weight and at least the fineness wanted; raises Rejected (out-of-range, duplicate)."""
        if bar.gross_mg != gross_mg or not fineness_e4 <= bar.fineness_e4 <= FINENESS_ONE_E4:
            raise refuse(
                RejectionReason.OUT_OF_RANGE,
                f"{bar.gross_mg} mg of fineness {bar.fineness_e4}",
                field="gross_mg, fineness_e4",
                subject=bar.serial,
                remedy=f"{gross_mg} mg, fineness {fineness_e4} or more",
            )
        require_text(serial=bar.serial, refiner=bar.refiner)
        if any(one.status == IN_VAULT and (one.serial, one.refiner) == (bar.serial, bar.refiner) for one in self.rows):
            raise refuse(RejectionReason.DUPLICATE, "it is in the vault already", subject=bar.serial)
        return self.add(bar)

    def of(self, asset: int, owner: int, serials: tuple[str, ...]) -> list[int]:
        """Return the numbers of an account's bars by serial; raises Rejected (missing, duplicate, unknown)."""
        require_items("serials", len(serials))
        if not serials or len(set(serials)) != len(serials):
            raise refuse(RejectionReason.DUPLICATE, "name each bar once, and one at least", field="serials")
        mine = {
            bar.serial: number
            for number, bar in enumerate(self.rows)
            if bar.status == IN_VAULT and (bar.asset, bar.owner) == (asset, owner)
        }
        unknown = [serial for serial in serials if serial not in mine]
        if unknown:
            raise refuse(RejectionReason.UNKNOWN, "no such bar of this account", field="serials", subject=unknown[0])
        return [mine[serial] for serial in serials]

    def fine_mg(self, numbers: list[int]) -> int:
        """Return the fine weight of bars, milligrams."""
        return sum(self[number].fine_mg for number in numbers)

    def owned_fine_mg(self, asset: int, owner: int) -> int:
        """Return the fine weight of all bars of an account in the vault, milligrams."""
        return sum(bar.fine_mg for bar in self.rows if (bar.asset, bar.owner, bar.status) == (asset, owner, IN_VAULT))

    def differences(self, lines: Iterable[Line]) -> list[tuple[int, int, int, int]]:
        """Return (asset, account, units, bars) where an account's units are not the bars on its list."""
        listed, securities = self.counts(), {bar.asset for bar in self.rows}
        held = {(line.asset, line.account): line.units for line in lines if line.asset in securities}
        return [
            (*key, held.get(key, 0), listed.get(key, 0))
            for key in sorted({*held, *listed})
            if held.get(key, 0) != listed.get(key, 0)
        ]

    def dump(self) -> dict[str, bytes]:
        """Return bars and backing, nothing when there are none."""
        parts = super().dump()
        return {**parts, "backing": msgspec.msgpack.encode(sorted(self.backing.items()))} if parts else {}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; a missing one is an empty vault."""
        super().load(parts)
        self.backing = dict(msgspec.msgpack.decode(parts["backing"], type=list[tuple[int, int]])) if parts else {}

    def counts(self) -> dict[tuple[int, int], int]:
        """Return bars in the vault by (asset, owner)."""
        found: dict[tuple[int, int], int] = {}
        for bar in self.rows:
            if bar.status == IN_VAULT:
                found[bar.asset, bar.owner] = found.get((bar.asset, bar.owner), 0) + 1
        return found

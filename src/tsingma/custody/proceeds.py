"""What green securities raised and what it was spent on: allocated + unallocated = raised, in every report.

Source: ICMA Green Bond Principles, June 2021, components 1 and 4: net proceeds are tracked, and the report says what
was allocated to which project until all is. What is raised here is the clean price of settled allotments.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.issuance import Register
from tsingma.custody.limits import require_text
from tsingma.reference.terms import Product


class Use(msgspec.Struct, frozen=True):
    """Proceeds given to one project on a day, cents."""

    project: str
    cents: int
    day: int


class Proceeds:
    """Raised cents and uses by asset."""

    def __init__(self) -> None:
        """Start without proceeds."""
        self.raised: dict[int, int] = {}
        self.uses: dict[int, tuple[Use, ...]] = {}

    def raise_(self, register: Register, asset: int, cents: int) -> None:
        """Count what a green security raised; other securities are not tracked."""
        if register.of(asset).terms.product is Product.GREEN:
            self.raised[asset] = self.raised.get(asset, 0) + cents

    def use(self, register: Register, asset: int, use: Use) -> int:
        """Allocate proceeds and return what is left; raises Rejected (not-allowed, out-of-range, missing)."""
        terms = register.of(asset).terms
        if terms.product is not Product.GREEN:
            raise refuse(RejectionReason.NOT_ALLOWED, f"a {terms.product} security is not tracked", subject=terms.isin)
        left = self.left(asset)
        require_text(project=use.project)
        if not 0 < use.cents <= left:
            raise refuse(
                RejectionReason.OUT_OF_RANGE,
                f"{use.cents} cents of {left} not yet allocated",
                field="cents",
                subject=terms.isin,
            )
        self.uses[asset] = (*self.uses.get(asset, ()), use)
        return left - use.cents

    def left(self, asset: int) -> int:
        """Return the cents raised and not yet allocated."""
        return self.raised.get(asset, 0) - sum(use.cents for use in self.uses.get(asset, ()))

    def dump(self) -> dict[str, bytes]:
        """Return raised amounts and uses, nothing when there are none."""
        if not self.raised:
            return {}
        encode = msgspec.msgpack.encode
        return {"raised": encode(sorted(self.raised.items())), "uses": encode(sorted(self.uses.items()))}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; a missing one is empty."""
        decode = msgspec.msgpack.decode
        self.raised = dict(decode(parts["raised"], type=list[tuple[int, int]])) if parts else {}
        self.uses = dict(decode(parts["uses"], type=list[tuple[int, tuple[Use, ...]]])) if parts else {}

"""Who holds what at which depository: statements of holdings, and the chain of nominees up to the register.

Every security has a home depository that keeps its register. A depository below it holds through a nominee account
there (the CMU at the CCDC and the Shanghai Clearing House, HKSCC at ChinaClear); its own accounts share what the
nominee holds. What the depository above reports for the nominee is kept beside the books, and compared every day.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.issuance import Register
from tsingma.custody.limits import UNITS_MAX, require_text
from tsingma.ledger.ledger import Ledger


class Depository(msgspec.Struct, frozen=True):
    """A central securities depository or vault; ``upper`` is where its nominee holds ("" for a home of registers)."""

    code: str
    name: str
    upper: str = ""


class Line(msgspec.Struct, frozen=True):
    """One line of a statement of holdings (ISO 20022 semt.002): units of an account in a security."""

    depository: str
    account: int
    asset: int
    units: int
    on_hold: int
    pledged: int


class Difference(msgspec.Struct, frozen=True):
    """A nominee whose depository shares out more or less than the one above reports for it."""

    depository: str
    asset: int
    held: int
    reported: int


class Holdings:
    """Depositories, where accounts keep what they hold, and what is reported for nominees."""

    def __init__(self) -> None:
        """Start with no depository: everything is held at home."""
        self.depositories: dict[str, Depository] = {}
        self.places: dict[tuple[int, int], str] = {}  # (account, asset) kept elsewhere than at home
        self.reported: dict[tuple[str, int], int] = {}  # units of a depository's nominee, as the one above says

    def open(self, depository: Depository) -> None:
        """Add a depository; raises Rejected (duplicate, unknown)."""
        require_text(code=depository.code, name=depository.name)
        if depository.code in self.depositories:
            raise refuse(RejectionReason.DUPLICATE, "the depository is known already", subject=depository.code)
        if depository.upper and depository.upper not in self.depositories:
            message = f"no depository '{depository.upper}'"
            raise refuse(RejectionReason.UNKNOWN, message, field="upper", subject=depository.code)
        self.depositories[depository.code] = depository

    def place(self, register: Register, account: int, asset: int, depository: str) -> None:
        """Keep an account's holding of a registered security at a depository; raises Rejected (unknown, not-allowed).

        The depository must be the security's home or hold through nominees there.
        """
        home = register.of(asset).terms.depository
        if home not in self.chain(depository):
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"{depository} has no nominee that leads to {home}",
                field="depository",
                remedy="open the depositories between them",
            )
        if depository == home:
            self.places.pop((account, asset), None)
        else:
            self.places[account, asset] = depository

    def report(self, register: Register, depository: str, asset: int, units: int) -> None:
        """Keep what the depository above says its nominee holds; raises Rejected (unknown, out-of-range)."""
        home = register.of(asset).terms.depository
        if home not in self.chain(depository)[1:] or not 0 <= units <= UNITS_MAX:
            raise refuse(
                RejectionReason.OUT_OF_RANGE,
                f"{units} units of a nominee under {home}",
                field="units",
                subject=depository,
            )
        self.reported[depository, asset] = units

    def chain(self, depository: str) -> list[str]:
        """Return a depository and those above it, home last; raises Rejected (unknown)."""
        chain = [depository]
        while upper := self._known(chain[-1]).upper:
            chain.append(upper)
        return chain

    def where(self, register: Register, account: int, asset: int) -> str:
        """Return the depository at which an account keeps a security."""
        return self.places.get((account, asset)) or register.of(asset).terms.depository

    def statement(self, register: Register, ledger: Ledger, depository: str = "", account: int = -1) -> list[Line]:
        """Return what accounts hold of registered securities, by depository, asset and account; "" and -1 are all."""
        known = np.array(sorted(register.issues), np.int64)
        rows = np.flatnonzero(np.isin(ledger.asset, known) & (ledger.balance > 0))
        if account >= 0:
            rows = rows[ledger.owner[rows] == account]
        lines = []
        for row in rows.tolist():
            owner, asset = int(ledger.owner[row]), int(ledger.asset[row])
            place = self.where(register, owner, asset)
            if depository in ("", place):
                figures = (int(ledger.balance[row]), int(ledger.held[row]), int(ledger.pledged[row]))
                lines.append(Line(place, owner, asset, *figures))
        return sorted(lines, key=lambda line: (line.depository, line.asset, line.account))

    def differences(self, register: Register, ledger: Ledger) -> list[Difference]:
        """Return every nominee that does not hold exactly what its depository shares out, per security."""
        shared = dict.fromkeys(self.reported, 0)
        lower = {code for code, one in self.depositories.items() if one.upper}
        for line in self.statement(register, ledger) if lower else []:
            if line.depository in lower and line.depository != register.of(line.asset).terms.depository:
                key = line.depository, line.asset
                shared[key] = shared.get(key, 0) + line.units
        for (code, asset), units in sorted(self.reported.items()):  # a nominee's nominee is an account like others
            upper = self.depositories[code].upper
            if upper != register.of(asset).terms.depository:
                shared[upper, asset] = shared.get((upper, asset), 0) + units
        return [
            Difference(code, asset, held, self.reported.get((code, asset), 0))
            for (code, asset), held in sorted(shared.items())
            if held != self.reported.get((code, asset), 0)
        ]

    def dump(self) -> dict[str, bytes]:
        """Return depositories, places and reports as named byte strings, nothing when there are none."""
        if not self.depositories:
            return {}
        return {
            "depositories": msgspec.msgpack.encode(list(self.depositories.values())),
            "places": msgspec.msgpack.encode(sorted((*key, code) for key, code in self.places.items())),
            "reported": msgspec.msgpack.encode(sorted((*key, units) for key, units in self.reported.items())),
        }

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; a missing one is a house where everything is held at home."""
        self.__init__()  # type: ignore[misc]
        if not parts:
            return
        decode = msgspec.msgpack.decode
        self.depositories = {one.code: one for one in decode(parts["depositories"], type=list[Depository])}
        self.places = {(a, b): code for a, b, code in decode(parts["places"], type=list[tuple[int, int, str]])}
        self.reported = {
            (code, b): units for code, b, units in decode(parts["reported"], type=list[tuple[str, int, int]])
        }

    def _known(self, code: str) -> Depository:
        depository = self.depositories.get(code)
        if depository is None:
            raise refuse(RejectionReason.UNKNOWN, f"no depository '{code}'", field="depository")
        return depository

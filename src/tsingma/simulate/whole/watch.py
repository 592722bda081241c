"""Plain checks beside the whole house, after every command that was carried out.

They share nothing with the rules they watch: amounts are added up in Python's integers from the rows of the books as
they were before and after. Conservation: what an asset has lost in one row it has gained in another. Effect: a command
that only holds, pledges or decides moves no balance, and one whose figures say what it moves moves exactly that
(``effects``). Money: what payments settled is what their accounts lost and gained. Once: what was settled stays so, and
nothing ends twice (``once``). A taker of collateral is never covered less but by a call, a price, or a new day. Quotas
are never overdrawn by flows. No act is carried out by one person, with one key, twice, late, or changed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tsingma.basics.rejection import Rejected
from tsingma.engine.house import House
from tsingma.engine.pooling import valuation
from tsingma.journal.act_commands import DecideAct, ProposeAct
from tsingma.journal.act_events import ActDecided, ActProposed
from tsingma.journal.commands import Command, decode
from tsingma.journal.events import Accepted
from tsingma.kernels.payments import SETTLED as PAID
from tsingma.settlement.instruction import CANCELLED, SETTLED
from tsingma.simulate.auditor import Violation
from tsingma.simulate.whole.effects import Moved, expected
from tsingma.simulate.whole.once import ended

_FINAL = (SETTLED, CANCELLED)
# What may not leave a taker of collateral less covered than its call and than it was.
_KEEPS_COVER = frozenset({
    "pledge-collateral", "return-collateral", "arrange-pool", "propose-substitution", "deliver-substitute",
    "release-substituted", "cancel-substitution", "reuse-collateral", "recall-collateral", "draw-pool-credit",
    "repay-pool-credit",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Books:
    """The rows of the books before a command, and what of other rooms is compared."""

    balance: np.ndarray
    held: np.ndarray
    pledged: np.ndarray
    paid: np.ndarray
    final: np.ndarray
    day: int
    plain: dict[str, Any]


@dataclass(slots=True)
class Watch:
    """What is remembered from command to command: who proposed which act, and which acts ended."""

    proposed: dict[int, ProposeAct] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    gone: set[tuple[Any, ...]] = field(default_factory=set)

    def copy(self) -> Watch:
        """Return an independent copy."""
        return Watch(dict(self.proposed), set(self.ended), set(self.gone))

    def before(self, house: House) -> Books:
        """Keep what a command may change."""
        ledger, status = house.ledger, house.settlement.instructions.table["status"]
        payments = house.money.payments.table["status"]
        return Books(
            ledger.balance.copy(), ledger.held.copy(), ledger.pledged.copy(), payments == PAID, np.isin(status, _FINAL),
            house.money.day, _plain(house),
        )  # fmt: skip

    def after(self, house: House, command: Command, answer: Accepted, books: Books) -> None:
        """Compare with what a command may have changed; raises Violation."""
        tag = str(command.__struct_config__.tag)
        moved = moves(house, books)
        _conserved(tag, moved)
        if isinstance(command, ProposeAct):
            self._propose(command, answer)
        if isinstance(command, DecideAct):
            command = self._decide(command, answer) or command
            answer = Accepted(answer.events[1:]) if len(answer.events) > 1 else answer
        wanted = expected(house, command, answer, books.plain)
        if wanted is not None and wanted != moved:
            raise Violation(f"{tag} moved {_apart(moved, wanted)}")
        for name in ended(command, answer, house.position.day):
            if name in self.gone:
                raise Violation(f"{tag}: {name} ended twice")
            self.gone.add(name)
        if tag in _KEEPS_COVER:
            _covered(house, tag, books)
        _payments(house, tag, books, moved)
        _settled_once(house, tag, books)
        _standing(house, tag)

    def _propose(self, command: ProposeAct, answer: Accepted) -> None:
        event = answer.events[0]
        if isinstance(event, ActProposed):
            self.proposed[event.act] = command

    def _decide(self, command: DecideAct, answer: Accepted) -> Command | None:
        """Check a decision against its proposal; returns the act that was carried out."""
        event, asked = answer.events[0], self.proposed[command.act]
        if not isinstance(event, ActDecided) or command.act in self.ended:
            raise Violation(f"act {command.act} was decided twice")
        self.ended.add(command.act)
        alone = command.person == asked.person or command.key == asked.key
        if command.decision == "withdraw":
            if command.person != asked.person:
                raise Violation(f"act {command.act} was withdrawn by another")
            return None
        if alone or command.at_s >= asked.until_s:
            raise Violation(f"act {command.act} was decided by who proposed it, with the same key, or too late")
        if command.decision != "approve":
            return None
        if event.body != asked.body:
            raise Violation(f"act {command.act}: another command was carried out than was proposed")
        return decode(asked.body)


def _plain(house: House) -> dict[str, Any]:
    """Return what effects need to know of the state before a command."""
    return {
        "repos": list(house.custody.repos.rows), "bars": list(house.custody.bars.rows),
        "offers": list(house.custody.offers.rows), "funds": dict(house.custody.funds.compositions),
        "loans": dict(house.pool.loans), "substitutions": dict(house.pool.substitutions),
        "lodged": dict(house.chains.lodged),
        "agreements": {name: entry.terms for name, entry in house.synchronised.reserved()},
        "reservations": {name: column.tolist() for name, column in house.settlement.reservations.table.items()},
        "intraday": {name: column.tolist() for name, column in house.money.repos.table.items()},
        "lines": {name: column.tolist() for name, column in house.money.repos.lines.table.items()},
        "wallets": house.money.wallets.table["operator"].tolist(),
        "transfers": {name: column.tolist() for name, column in house.money.mainland.table.items()},
        "instructions": {name: house.settlement.instructions.table[name].tolist() for name in
                         ("deliverer", "receiver", "asset", "against", "amount_cents", "open_quantity", "quantity")},
        "short": _short(house),
    }  # fmt: skip


def _short(house: House) -> dict[tuple[int, str], int]:
    """Return what calls are not covered, HKD cents; nothing where it cannot be told (no price yet)."""
    if not house.pool.required and not house.pool.loans:
        return {}
    with suppress(Rejected):
        return house.pool.shortfalls(valuation(house))
    return {}


def _covered(house: House, tag: str, books: Books) -> None:
    before: dict[tuple[int, str], int] = books.plain["short"]
    for key, cents in _short(house).items():
        if cents > before.get(key, 0):
            raise Violation(f"{tag}: {key} lacks {cents} HKD cents, before it {before.get(key, 0)}")


def moves(house: House, books: Books) -> Moved:
    """Return (balance, held, pledged) by which each (account, asset) has changed, none that has not."""
    ledger, known = house.ledger, books.balance.size
    if ledger.count < known:
        raise Violation("rows of the books went away")
    change = np.stack([ledger.balance, ledger.held, ledger.pledged]).copy()
    change[:, :known] -= np.stack([books.balance, books.held, books.pledged])
    rows = np.flatnonzero(change.any(axis=0))
    keys = zip(ledger.owner[rows].tolist(), ledger.asset[rows].tolist(), strict=True)
    found: Moved = dict(zip(keys, map(tuple, change[:, rows].T.tolist()), strict=True))
    return found


def _conserved(tag: str, moved: Moved) -> None:
    total: dict[int, int] = {}
    for (_, asset), (balance, _, _) in moved.items():
        total[asset] = total.get(asset, 0) + balance
    wrong = {asset: change for asset, change in total.items() if change}
    if wrong:
        raise Violation(f"{tag} made or lost {wrong}")


def _apart(moved: Moved, wanted: Moved) -> str:
    keys = sorted(key for key in {*moved, *wanted} if moved.get(key) != wanted.get(key))
    key = keys[0]
    return f"{moved.get(key)} of {key} (balance, held, pledged), not {wanted.get(key)}; {len(keys)} differ"


def _payments(house: House, tag: str, books: Books, moved: Moved) -> None:
    """Compare what payment commands moved with the payments that settled; nothing paid is taken back within the day."""
    table, known = house.money.payments.table, books.paid.size
    if house.money.day != books.day:
        return
    now = table["status"] == PAID
    if (books.paid & ~now[:known]).any():
        raise Violation(f"{tag}: a settled payment is not settled any more")
    if tag not in ("submit-payments", "settle-payments", "change-payment") or _others_moved(house, books):
        return
    fresh = np.flatnonzero(now & ~np.concatenate([books.paid, np.zeros(now.size - known, np.bool_)]))
    wanted: dict[tuple[int, int], int] = {}
    ledger = house.ledger
    for number in fresh.tolist():
        for side, sign in (("debit", -1), ("credit", 1)):
            row = int(table[side][number])
            key = (int(ledger.owner[row]), int(ledger.asset[row]))
            wanted[key] = wanted.get(key, 0) + sign * int(table["amount"][number])
    found = {key: change[0] for key, change in moved.items() if change[0]}
    if found != {key: change for key, change in wanted.items() if change}:
        raise Violation(f"{tag}: what payments settled is not what accounts paid and received")


def _others_moved(house: House, books: Books) -> bool:
    """Return whether something but payments may have moved money: repo, the mainland, deliveries that were woken."""
    money, plain = house.money, books.plain
    repo = {name: column.tolist() for name, column in money.repos.table.items()} != plain["intraday"]
    mainland = money.mainland.table["status"].tolist()[: len(plain["transfers"]["status"])]
    arrived = mainland != plain["transfers"]["status"]
    status = house.settlement.instructions.table["status"]
    left = house.settlement.instructions.table["open_quantity"].tolist()
    woken = left != plain["instructions"]["open_quantity"] or bool(np.isin(status, _FINAL).sum() != books.final.sum())
    return repo or arrived or woken


def _settled_once(house: House, tag: str, books: Books) -> None:
    """Raise Violation when an instruction that was settled or cancelled is not final any more."""
    status = house.settlement.instructions.table["status"][: books.final.size]
    if (books.final & ~np.isin(status, _FINAL)).any():
        raise Violation(f"{tag}: an instruction that had ended is open again")
    left = house.settlement.instructions.table["open_quantity"]
    if (left < 0).any() or (left > house.settlement.instructions.table["quantity"]).any():
        raise Violation(f"{tag}: an instruction has more open than was ever instructed, or less than nothing")


def _standing(house: House, tag: str) -> None:
    """Check what must hold at any moment: holds, floors, the register, the pool, quotas."""
    ledger = house.ledger
    free = ledger.balance - ledger.held - ledger.pledged
    if (ledger.held < 0).any() or (ledger.pledged < 0).any():
        raise Violation(f"{tag}: a hold or a pledge is below nothing")
    outside = (
        np.isin(ledger.owner, [house.internal.issuer, house.internal.bank, house.internal.cns]) if house.book else free
    )
    lined = {(int(a), int(c)) for a, c in zip(house.settlement.credit_lines.table["account"].tolist(),
             house.settlement.credit_lines.table["currency"].tolist(), strict=True)}  # fmt: skip
    for row in np.flatnonzero(~np.asarray(outside, np.bool_) & (free < 0)).tolist():
        key = (int(ledger.owner[row]), int(ledger.asset[row]))
        if key not in lined:
            raise Violation(f"{tag}: account and asset {key} are below nothing without credit")
    for asset, issue in house.custody.register.issues.items():
        row = ledger.find(house.internal.issuer, asset)
        if issue.issued != (0 if row < 0 else -int(ledger.balance[row])):
            raise Violation(f"{tag}: {issue.terms.isin} has {issue.issued} issued by its register, not by the books")
    _pool_standing(house, tag)
    for direction, day in house.link_orders.days.items():
        flows = house.link_orders.flows[direction]
        if day.is_open and day.terms.day == house.position.day and min(flows.left_cents().values(), default=0) < 0:
            raise Violation(f"{tag}: a quota of {direction} is overdrawn")


def _pool_standing(house: House, tag: str) -> None:
    """Raise Violation when the pool holds what is not pledged, or allots or reuses more than there is."""
    given: dict[tuple[Any, ...], int] = {}
    for held, amount in house.pool.allotted.items():
        above = (held.account, held.asset, held.chain[:-1])
        given[above] = given.get(above, 0) + amount
    for (account, asset, chain), amount in given.items():
        there = house.pool.pledged.get((account, asset), 0)
        if chain:
            there = next((n for held, n in house.pool.allotted.items() if held == (account, asset, chain)), 0)
        if amount > there:
            raise Violation(
                f"{tag}: {amount} of asset {asset} of account {account} lent on from {chain}, {there} there"
            )
    for (account, asset), amount in house.pool.pledged.items():
        row = house.ledger.find(account, asset)
        if row < 0 or int(house.ledger.pledged[row]) < amount:
            raise Violation(f"{tag}: the pool has {amount} of asset {asset} that account {account} has not pledged")

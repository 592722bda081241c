"""Settlement instances as JSON lines, the format anyone can write.

The first line is a header: ``{"format": "tsingma-settlement-1", "instructions": N, "accounts": M}``. Then one line an
account, ``{"account": ["s", party, isin] or ["c", party], "balance": B}``, then one line an instruction,
``{"seller": P, "buyer": P, "isin": I, "quantity": Q, "cash": C, "priority": R}``, numbered from 0 in order.

Optional: on an account of money ``"line": L``, what it may draw against securities; on one of securities
``"collateral": W``, the credit for one unit; on an instruction ``"together": G``, a group (from 1) that settles whole
or not at all, and ``"after": [K, ...]``, the instructions without which it does not settle.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.settlement.instance import Account, Instance

FORMAT = "tsingma-settlement-1"
LINES_MAX = 20_000_000
T = TypeVar("T")


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    instructions: int
    accounts: int


class _Balance(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    account: list[str | int]
    balance: int
    line: int | None = None
    collateral: int | None = None


class _Order(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    seller: int
    buyer: int
    isin: int
    quantity: int
    cash: int
    priority: int
    together: int = 0
    after: tuple[int, ...] = ()


def write_instance(path: Path, instance: Instance) -> None:
    """Write an instance; the same instance gives the same bytes."""
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as out:
        out.write(encode(_Header(FORMAT, len(instance.orders), len(instance.balances))) + b"\n")
        for account, balance in instance.balances.items():
            line, worth = instance.lines.get(account), instance.worth.get(account)
            out.write(encode(_Balance(list(account), balance, line, worth)) + b"\n")
        after: dict[int, list[int]] = {}
        for earlier, later in instance.after:
            after.setdefault(later, []).append(earlier)
        for k, order in enumerate(instance.orders):
            links = (instance.together.get(k, 0), tuple(sorted(after.get(k, ()))))
            out.write(encode(_Order(*order, *links)) + b"\n")


def read_instance(path: Path) -> Instance:
    """Return an instance; raises Rejected with file and line: no JSON, other format, account twice, cut short."""
    lines = path.read_bytes().split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) > LINES_MAX:
        raise refuse(RejectionReason.LIMIT, f"more than {LINES_MAX} lines", file=str(path))
    header = _decode(_Header, lines[0] if lines else b"", path, 1)
    if header.format != FORMAT:
        raise refuse(
            RejectionReason.UNKNOWN, f"'{header.format}' is not {FORMAT}", file=str(path), line=1, field="format"
        )
    if len(lines) != 1 + header.accounts + header.instructions:
        message = f"{len(lines)} lines, {1 + header.accounts + header.instructions} promised: the file is cut short"
        raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=len(lines))
    instance = Instance(orders=[], balances={})
    for line in range(2, header.accounts + 2):
        found = _decode(_Balance, lines[line - 1], path, line)
        account = _account(found.account, path, line)
        if account in instance.balances:
            raise refuse(
                RejectionReason.DUPLICATE, f"{account} stands twice", file=str(path), line=line, field="account"
            )
        instance.balances[account] = found.balance
        if found.line is not None:
            instance.lines[account] = found.line
        if found.collateral is not None:
            instance.worth[account] = found.collateral
    decoder = msgspec.json.Decoder(_Order)
    for line in range(header.accounts + 2, len(lines) + 1):
        try:
            one = decoder.decode(lines[line - 1])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise refuse(RejectionReason.MALFORMED, str(error), file=str(path), line=line) from None
        k = len(instance.orders)
        instance.orders.append((one.seller, one.buyer, one.isin, one.quantity, one.cash, one.priority))
        if one.together:
            instance.together[k] = one.together
        instance.after.extend((earlier, k) for earlier in one.after)
    return instance


def _account(parts: list[str | int], path: Path, line: int) -> Account:
    match parts:
        case ["s", int(party), int(isin)]:
            return ("s", party, isin)
        case ["c", int(party)]:
            return ("c", party)
    message = f'{parts} is neither ["s", party, isin] nor ["c", party]'
    raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=line, field="account")


def _decode(kind: type[T], data: bytes, path: Path, line: int) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=str(path), line=line) from None

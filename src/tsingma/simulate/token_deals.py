"""What simulated parties agree: trades, primary settlement, minting, burning, bridging, coupons; and mistakes."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.columns import pack
from tsingma.custody.tokens.ledger import BRIDGE, ISSUANCE, asset_of
from tsingma.custody.tokens.protocol import Side
from tsingma.journal.commands import Command, DepositAssets
from tsingma.journal.token_commands import (
    Agreement,
    ForceTransfer,
    FreezeWallet,
    Leg,
    PayCoupon,
    PermitWallets,
    TransferTokens,
)
from tsingma.simulate.token_world import (
    BACKING,
    BOND,
    BOOK_BOND,
    DENOMINATION,
    GOV,
    GOV_ACCOUNT,
    HKD,
    HOLDERS,
    MIRROR,
    MONEY,
    account_of,
    issue,
    mint,
)

KINDS = ("trade", "issue", "mint", "burn", "to-book", "from-book", "coupon", "primary-in-tokens")


def draw_deal(chance: np.random.Generator, name: str, decide_by: int, now: int) -> Agreement:
    """Return an agreement of a kind that the name begins with; amounts are sometimes more than there is.

    One in six settles only from some time between now and its deadline on.
    """
    deal = _draw_legs(chance, name, decide_by)
    late = chance.random() < 1 / 6
    return msgspec.structs.replace(deal, settle_from=int(chance.integers(now, decide_by))) if late else deal


def _draw_legs(chance: np.random.Generator, name: str, decide_by: int) -> Agreement:
    kind = name.split("/")[0]
    seller, buyer = (int(one) for one in chance.permutation(HOLDERS)[:2])
    units = int(chance.integers(1, 7 if chance.random() < 0.8 else 30))  # the last of these is mostly too much
    face = DENOMINATION * units
    money = int(chance.integers(1, 300_000))
    bond = asset_of(BOND)
    if kind == "issue":
        return issue(name, buyer, face, decide_by)
    if kind == "mint":
        return mint(name, buyer, money, decide_by)
    book: tuple[Leg, ...]
    tokens: tuple[Leg, ...]
    if kind == "trade":
        book, tokens = (Leg(account_of(buyer), account_of(seller), HKD, face),), (Leg(seller, buyer, bond, face),)
    elif kind == "burn":
        book = (Leg(BACKING, account_of(seller), HKD, money),)
        tokens = (Leg(seller, ISSUANCE, asset_of(MONEY), money),)
    elif kind == "to-book":
        book, tokens = (Leg(MIRROR, account_of(seller), BOOK_BOND, face),), (Leg(seller, BRIDGE, bond, face),)
    elif kind == "from-book":
        book, tokens = (Leg(account_of(buyer), MIRROR, BOOK_BOND, face),), (Leg(BRIDGE, buyer, bond, face),)
    elif kind == "coupon":
        cents = 201 * units  # 4 % on 100.00 for 183 of 365 days, to the cent
        book = (Leg(GOV_ACCOUNT, account_of(seller), HKD, cents),)
        tokens = (Leg(seller, ISSUANCE, asset_of(BOND, 0), cents),)
    else:
        book = (Leg(2, MIRROR, BOOK_BOND, face),)
        tokens = (Leg(buyer, GOV, asset_of(MONEY), face), Leg(ISSUANCE, buyer, bond, face))
    return Agreement(name, book, tokens, decide_by)


def draw_own_command(chance: np.random.Generator) -> tuple[Side, Command]:
    """Return a command that one ledger carries out by itself, in between agreements."""
    seller, buyer = (int(one) for one in chance.permutation(HOLDERS)[:2])
    face = DENOMINATION * int(chance.integers(1, 10))
    what = int(chance.integers(7))
    if what == 0:
        columns = (account_of(buyer), "i4"), (HKD, "i4"), (face, "i8")
        return Side.BOOK, DepositAssets(*(pack(np.array([value], kind), kind) for value, kind in columns))
    if what == 1:
        return Side.TOKENS, FreezeWallet(BOND, seller, bool(chance.random() < 0.2), "order of a court")
    if what == 2:
        return Side.TOKENS, ForceTransfer(Leg(seller, buyer, asset_of(BOND), DENOMINATION), "order of a court")
    if what == 3:
        return Side.TOKENS, PermitWallets(BOND, (buyer,), permitted=bool(chance.random() < 0.85))
    if what == 4:
        return Side.TOKENS, PayCoupon(BOND, 0)
    money = Leg(buyer, seller, asset_of(MONEY), face)
    free = (Leg(seller, buyer, asset_of(BOND), face),)
    return Side.TOKENS, TransferTokens((*free, money) if what == 5 else free)

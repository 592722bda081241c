"""The token ledger: wallets, contracts, permissions, freezes and balances, behind a journal of its own.

Two wallets are the ledger's own: what a contract has issued stands as a negative balance in ``ISSUANCE``, and tokens
whose bond lives on the book lie in ``BRIDGE``. A coupon is an entitlement: an asset of its own, in cents, issued to who
holds at the record date and handed back when it is paid.
"""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.tokens.deciding import TokenLegs
from tsingma.custody.tokens.terms import check_terms
from tsingma.journal.token_commands import IssueToken, TokenTerms, Wallet
from tsingma.ledger.ledger import NO_FLOOR, Ledger

ISSUANCE, BRIDGE = 0, 1
ASSETS_A_TOKEN = 1_024  # the token itself, then its coupons
WALLETS_MAX = 1_000_000
TOKENS_MAX = 100_000
WALLET_NAME_LENGTH_MAX = 50


class Contract(msgspec.Struct):
    """A token on the ledger: its terms, and what its issuer's operator has set."""

    terms: TokenTerms
    issuer_wallet: int
    permitted: list[int]  # sorted
    frozen: list[int]  # sorted
    snapshots: int = 0  # coupons whose record date is over


def asset_of(token: int, coupon: int = -1) -> int:
    """Return the ledger asset of a token, or of the entitlement to one of its coupons (numbered from 0)."""
    return token * ASSETS_A_TOKEN + 1 + coupon


def token_of(asset: int) -> tuple[int, int]:
    """Return token and coupon (-1: the token itself) of a ledger asset."""
    token, part = divmod(asset, ASSETS_A_TOKEN)
    return token, part - 1


class TokenLedger:
    """All state behind the token ledger's one writer; only ``engine.tokens.step`` changes it."""

    def __init__(self) -> None:
        """Start with the ledger's own two wallets."""
        self.ledger = Ledger()
        self.legs = TokenLegs()
        self.wallets: list[Wallet] = [Wallet("ISSUANCE", -1), Wallet("BRIDGE", -1)]
        self.contracts: list[Contract] = []
        self._kept_at: dict[tuple[int, int], int] = {}

    @property
    def at(self) -> int:
        """The ledger's clock: seconds since 1970-01-01, Hong Kong time."""
        return self.legs.at

    def open_wallets(self, wallets: tuple[Wallet, ...]) -> int:
        """Open wallets and return the number of the first; raises Rejected (duplicate, limit, malformed)."""
        names = {wallet.name for wallet in self.wallets}
        if len(self.wallets) + len(wallets) > WALLETS_MAX:
            raise refuse(RejectionReason.LIMIT, f"{WALLETS_MAX} wallets at most", field="wallets")
        for wallet in wallets:
            if not 1 <= len(wallet.name) <= WALLET_NAME_LENGTH_MAX or wallet.book_account < 0:
                message = f"a name has 1 to {WALLET_NAME_LENGTH_MAX} characters, and an account on the book"
                raise refuse(RejectionReason.MALFORMED, message, field="wallets", subject=wallet.name)
            if wallet.name in names:
                raise refuse(RejectionReason.DUPLICATE, "the wallet is there already", subject=wallet.name)
            names.add(wallet.name)
        first = len(self.wallets)
        self.wallets.extend(wallets)
        return first

    def issue(self, command: IssueToken) -> int:
        """Put a contract on the ledger and return the token's number; raises Rejected with every fault."""
        if len(self.contracts) >= TOKENS_MAX:
            raise refuse(RejectionReason.LIMIT, f"{TOKENS_MAX} tokens at most", field="terms")
        check_terms(command.terms, [contract.terms for contract in self.contracts])
        for wallet in (command.issuer_wallet, *command.permitted):
            self.require_holder(wallet)
        token = len(self.contracts)
        self._kept_at[command.terms.book_account, command.terms.book_asset] = token
        self.contracts.append(Contract(command.terms, command.issuer_wallet, sorted(set(command.permitted)), frozen=[]))
        floor = -command.terms.size_cents if command.terms.size_cents else NO_FLOOR
        self.ledger.row(ISSUANCE, asset_of(token), floor=floor)
        return token

    def kept_at(self, place: tuple[int, int]) -> int | None:
        """Return the token that an account of the book keeps an asset for, or None."""
        return self._kept_at.get(place)

    def contract(self, token: int) -> Contract:
        """Return a contract; raises Rejected (unknown)."""
        if not 0 <= token < len(self.contracts):
            raise refuse(RejectionReason.UNKNOWN, f"there is no token {token}", field="token")
        return self.contracts[token]

    def require_holder(self, wallet: int) -> None:
        """Raise Rejected (unknown) unless it is a wallet that somebody holds."""
        if not BRIDGE < wallet < len(self.wallets):
            raise refuse(RejectionReason.UNKNOWN, f"there is no wallet {wallet}", field="wallet")

    def balance(self, wallet: int, token: int, coupon: int = -1) -> int:
        """Return what a wallet holds of a token, or of the entitlement to a coupon, in cents."""
        row = self.ledger.find(wallet, asset_of(token, coupon))
        return 0 if row < 0 else int(self.ledger.balance[row])

    def issued(self, token: int) -> int:
        """Return what the contract has issued and not taken back, in cents."""
        return -self.balance(ISSUANCE, token)

    def holders(self, asset: int) -> list[tuple[int, int]]:
        """Return (wallet, balance) of every wallet with some of an asset, by wallet; ``ISSUANCE`` is left out."""
        ledger = self.ledger
        rows = np.flatnonzero((ledger.asset == asset) & (ledger.balance > 0))
        found = [(int(ledger.owner[row]), int(ledger.balance[row])) for row in rows]
        return sorted(one for one in found if one[0] != ISSUANCE)

    def check(self) -> None:
        """Raise InvariantBroken unless the books add up; a contract's size is the floor of what it has issued."""
        self.ledger.check()

    def dump(self) -> dict[str, bytes]:
        """Return the whole state as named byte strings; ``load`` takes them back."""
        parts = {
            "wallets": msgspec.msgpack.encode(self.wallets),
            "contracts": msgspec.msgpack.encode(self.contracts),
        }
        parts.update({f"ledger.{key}": value for key, value in self.ledger.dump().items()})
        parts.update({f"legs.{key}": value for key, value in self.legs.dump().items()})
        return parts

    @classmethod
    def load(cls, parts: dict[str, bytes]) -> TokenLedger:
        """Return the token ledger of a dump; raises InvariantBroken when it is not whole."""
        state = cls()
        state.wallets = msgspec.msgpack.decode(parts["wallets"], type=list[Wallet])
        state.contracts = msgspec.msgpack.decode(parts["contracts"], type=list[Contract])
        for token, contract in enumerate(state.contracts):
            state._kept_at[contract.terms.book_account, contract.terms.book_asset] = token
        state.ledger.load(_of(parts, "ledger."))
        state.legs.load(_of(parts, "legs."))
        return state

    def digest(self) -> bytes:
        """Return the state hash: SHA-256 over the dump, parts in name order (32 bytes)."""
        total = hashlib.sha256()
        for name, value in sorted(self.dump().items()):
            total.update(name.encode() + len(value).to_bytes(8, "little"))
            total.update(value)
        return total.digest()


def _of(parts: dict[str, bytes], prefix: str) -> dict[str, bytes]:
    return {key[len(prefix) :]: value for key, value in parts.items() if key.startswith(prefix)}

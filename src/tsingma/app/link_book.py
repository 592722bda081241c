"""A fresh house for one link: invented participants and securities on the markets that the link's rule file brings.

Who is there follows from the nominee chain: a role (participant, investor) is played by a few invented firms, an
institution by itself. The members of the other market stand behind its clearing house, or are invented where the
market's own depository is this house.
"""

from __future__ import annotations

from dataclasses import dataclass

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.link_commands import ChainHolder, ChainLevel, Lodging, OpenLink
from tsingma.links.machine import KIND_OF, DirectionPlan, LinkPlan, participant_code
from tsingma.links.rule_rows import LinkRules, Product, RiskRow
from tsingma.reference.book import (
    Account,
    AccountClass,
    Counter,
    Participant,
    ParticipantKind,
    ReferenceBook,
    ResolvedBook,
    resolve,
)
from tsingma.reference.markets import shipped_markets
from tsingma.simulate.universe import invented_isin

FIRMS_OF_A_ROLE = 3  # under one institution
CLIENTS_OF_A_FIRM = 2
SECURITIES_OF_A_PRODUCT = 2
FIRST_ISIN = 700_000
DIRECTIONS_MAX = 9  # a figure of the invented codes
HOUSE_CODE = "HKSCC"
_CLASS = {"own": AccountClass.HOUSE, "omnibus": AccountClass.OMNIBUS, "segregated": AccountClass.SEGREGATED}
_LOT = {Product.BOND: 10_000, Product.COMMODITY: 1, Product.SWAP: 10_000, Product.FUTURE: 1}


@dataclass(frozen=True, slots=True)
class DirectionBook:
    """One direction in the book: its number, what opens it, its counters by product, and who trades for whom.

    ``home`` are ledger accounts of the investors' side, ``other`` those across; ``under`` gives the lowest holders
    (places in ``opens.holders``) under each home account.
    """

    number: int
    plan: DirectionPlan
    opens: OpenLink
    counters: dict[Product, tuple[int, ...]]
    home: tuple[int, ...]
    other: tuple[int, ...]
    under: dict[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class LinkBook:
    """The reference book of a link's day and its directions."""

    plan: LinkPlan
    resolved: ResolvedBook
    directions: tuple[DirectionBook, ...]


class _Desk:
    """Collects participants, accounts and counters; an account is asked for by participant and class."""

    def __init__(self) -> None:
        self.participants: dict[str, Participant] = {}
        self.accounts: dict[tuple[str, AccountClass], str] = {}
        self.counters: list[Counter] = []
        for code, kind, classes in (
            (HOUSE_CODE, ParticipantKind.HOUSE, (AccountClass.CNS, AccountClass.HOUSE)),
            ("ISSUER", ParticipantKind.ISSUER, (AccountClass.ISSUANCE,)),
            ("BANK", ParticipantKind.SETTLEMENT_BANK, (AccountClass.ISSUANCE,)),
        ):
            for account_class in classes:
                self.account(code, kind, account_class, code.capitalize())

    def account(self, code: str, kind: ParticipantKind, account_class: AccountClass, name: str) -> int:
        self.participants.setdefault(code, Participant(code=code, name=name, kind=kind))
        self.accounts.setdefault((code, account_class), name)
        return list(self.accounts).index((code, account_class))


def link_book(rules: LinkRules, plan: LinkPlan) -> LinkBook:
    """Return the book of a fresh house for the link; raises Rejected when the rules do not make a valid one."""
    if len(plan.directions) > DIRECTIONS_MAX:
        message = f"{len(plan.directions)} directions, {DIRECTIONS_MAX} at most in one simulated house"
        raise refuse(RejectionReason.LIMIT, message, field="direction", subject=plan.name)
    desk = _Desk()
    directions = tuple(_direction(desk, rules, plan, number) for number in range(len(plan.directions)))
    book = ReferenceBook(
        counters=tuple(desk.counters),
        participants=tuple(desk.participants.values()),
        accounts=tuple(
            Account(participant=code, account_class=account_class, name=name)
            for (code, account_class), name in desk.accounts.items()
        ),
        markets=plan.markets,
        calendars=plan.calendars,
    )
    return LinkBook(plan, resolve(book), directions)


def _direction(desk: _Desk, rules: LinkRules, plan: LinkPlan, number: int) -> DirectionBook:
    one = plan.directions[number]
    holders = _holders(desk, rules, one, number)
    places = [place for place, holder in enumerate(holders) if holder.account >= 0]
    lodgings = tuple(_lodging(desk, rules, row, number, place) for place, row in enumerate(one.lodgings))
    opens = OpenLink(
        link=plan.name, direction=one.name, market=one.rule.code, levels=one.levels, holders=tuple(holders),
        lodgings=lodgings,
    )  # fmt: skip
    return DirectionBook(
        number=number,
        plan=one,
        opens=opens,
        counters={product: _counters(desk, one, product, number) for product in one.products},
        home=tuple(holders[place].account for place in places),
        other=_other_side(desk, one, number),
        under={holders[place].account: _lowest(holders, place) for place in places},
    )


def _holders(desk: _Desk, rules: LinkRules, one: DirectionPlan, number: int) -> list[ChainHolder]:
    """Return the holders of every level, the top first: one for an institution, a few for a role below one."""
    known = {name for market in rules.markets for name in (market.clearing_house, market.depository)}
    holders: list[ChainHolder] = []
    above = [-1]
    for level in range(len(one.levels) - 1, -1, -1):
        terms = one.levels[level]
        single = terms.holder in known or level > one.ledger_level
        count = 1 if single else FIRMS_OF_A_ROLE if len(above) == 1 else CLIENTS_OF_A_FIRM
        fresh: list[int] = []
        for parent in above:
            for _ in range(count):
                mark = f"-{number + 1}{len(fresh) + 1}"
                code = participant_code(terms.holder)
                name = code if single else f"{code[: 16 - len(mark)]}{mark}"
                account = _ledger_account(desk, one, terms, name, single=single) if level == one.ledger_level else -1
                holders.append(ChainHolder(level, name, parent, account))
                fresh.append(len(holders) - 1)
        above = fresh
    return holders


def _ledger_account(desk: _Desk, one: DirectionPlan, terms: ChainLevel, name: str, *, single: bool) -> int:
    clearing = ParticipantKind.DIRECT_CLEARING if one.cleared else ParticipantKind.CUSTODIAN
    kind = ParticipantKind.LINK if single else clearing
    return desk.account(name, kind, _CLASS[terms.account], f"{name} for others" if single else f"Invented firm {name}")


def _lowest(holders: list[ChainHolder], place: int) -> tuple[int, ...]:
    below = [child for child, one in enumerate(holders) if one.parent == place]
    return tuple(leaf for child in below for leaf in _lowest(holders, child)) if below else (place,)


def _other_side(desk: _Desk, one: DirectionPlan, number: int) -> tuple[int, ...]:
    if not one.local:
        name = f"{one.market_house}, for its members"
        return (desk.account(participant_code(one.market_house), ParticipantKind.LINK, AccountClass.CLIENT, name),)
    kind = ParticipantKind.DIRECT_CLEARING if one.cleared else ParticipantKind.CUSTODIAN
    return tuple(
        desk.account(f"LOCAL-{number + 1}{rank}", kind, AccountClass.CLIENT, f"Invented member {rank}")
        for rank in (1, 2)
    )


def _lodging(desk: _Desk, rules: LinkRules, row: RiskRow, number: int, place: int) -> Lodging:
    """Return one arrangement between the houses: the lodger's own account, and where the other keeps what is lodged."""
    ours = {one.clearing_house for one in rules.markets if one.place == shipped_markets().place}
    code, kind = (HOUSE_CODE, ParticipantKind.HOUSE) if row.lodger in ours else (row.lodger, ParticipantKind.LINK)
    source = desk.account(participant_code(code), kind, AccountClass.HOUSE, row.lodger)
    name = f"{row.lodger}'s margin with {row.holder}: {row.form}"
    account = desk.account(f"LODGED-{number + 1}{place + 1}", ParticipantKind.LINK, AccountClass.SEGREGATED, name)
    return Lodging(row.lodger, row.holder, CURRENCIES.index(row.currency), source, account, row.outside_default_fund)


def _counters(desk: _Desk, one: DirectionPlan, product: Product, number: int) -> tuple[int, ...]:
    """List invented securities of a product; a future's is what it is on, priced and never traded itself."""
    count = 1 if product in (Product.FUTURE, Product.SWAP) else SECURITIES_OF_A_PRODUCT
    if product is Product.SWAP and one.swaps is not None:
        count = len(one.swaps.months)
    first = len(desk.counters)
    for place in range(first, first + count):
        code = f"9{number + 1}{place + 1:03d}"  # five figures, as parameter files have them
        desk.counters.append(
            Counter(
                code=code,
                isin=invented_isin(FIRST_ISIN + place),
                currency=one.currency,
                kind=KIND_OF[product],
                market=one.rule.code,
                lot=_LOT.get(product, 100),
                tick_e4=100,
                settlement_counter=True,
                name=f"Invented {product} {code}",
            )
        )
    return tuple(range(first, first + count))

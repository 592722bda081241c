"""Commands on units of funds, gold, and the delivery of bond and currency futures."""

from __future__ import annotations

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.bond_futures import TABLE, accrued_e7, bond_future, factor_of, invoice_cents, invoice_e7
from tsingma.custody.currency_futures import CNY, CONTRACTS_MAX, USD, currency_future, settlement_legs
from tsingma.custody.funds import composition, dealing_legs
from tsingma.custody.gold import WITHDRAWN, Bar
from tsingma.custody.legs import Leg
from tsingma.custody.limits import PRICE_MAX_E4, require_between
from tsingma.custody.repo import basket
from tsingma.engine.custody import asset_of, issue_of, post, require_account, require_open
from tsingma.engine.custody_values import value_of
from tsingma.engine.house import Handlers, House
from tsingma.journal.custody_commands import (
    AllocateMetal,
    DealUnits,
    DeliverBonds,
    DepositBar,
    MoveBars,
    PublishComposition,
    SettleCurrencyFuture,
    WithdrawBars,
)
from tsingma.journal.custody_events import BarsMoved, CompositionPublished, FutureDelivered, UnitsDealt
from tsingma.reference.tables import read_table, row_on
from tsingma.reference.terms import Product

_FUNDS = (Product.FUND, Product.ETF)


def publish_composition(house: House, command: PublishComposition) -> CompositionPublished:
    """Publish the composition of the open day; its cash component balances basket and net asset value."""
    day = require_open(house)
    fund, issue = issue_of(house, command.isin)
    if issue.terms.product not in _FUNDS:
        raise refuse(RejectionReason.NOT_ALLOWED, f"a {issue.terms.product} is no fund", subject=command.isin)
    lines = basket(tuple(asset_of(house, isin) for isin in command.isins), command.units)
    currency, worth = CURRENCIES.index(issue.terms.currency), 0
    for asset, units in lines:
        cents = value_of(house, asset, units, currency)
        if cents is None or asset == fund:
            raise refuse(
                RejectionReason.MISSING,
                f"{house.resolved.asset_name(asset)} has no price, or is the fund itself",
                field="isins",
                subject=command.isin,
            )
        worth += cents
    one = composition(day, command.size, lines, command.nav_e4, worth)
    house.custody.funds.compositions[fund] = one
    return CompositionPublished(command.isin, worth, one.cash_cents)


def deal_units(house: House, command: DealUnits) -> UnitsDealt:
    """Create or redeem whole applications: assets and units change hands at one instant."""
    day = require_open(house)
    require_account(house, command.dealer, "dealer")
    fund, issue = issue_of(house, command.isin)
    one, register = house.custody.funds.on(fund, day), house.custody.register
    units = command.applications * one.size
    currency = CURRENCIES.index(issue.terms.currency)
    legs = dealing_legs(
        one, fund, command.dealer, issue.terms.payer, house.internal.issuer, currency, command.applications,
        in_cash=command.in_cash,
    )  # fmt: skip
    if units > 0:
        register.require_room(fund, units)
    post(house, legs, command.isin)
    register.add(fund, units)
    cash = sum(leg.amount if leg.taker == issue.terms.payer else -leg.amount for leg in legs if leg.asset == currency)
    return UnitsDealt(command.isin, units, register.of(fund).issued, cash)


def deposit_bar(house: House, command: DepositBar) -> BarsMoved:
    """Take a bar into the vault and allocate it to an account."""
    day = require_open(house)
    require_account(house, command.account)
    asset = _gold(house, command.isin)
    row = row_on(read_table(TABLE)["kilobar"], to_date(day), table="kilobar")
    bar = Bar(asset, command.serial, command.refiner, command.gross_mg, command.fineness_e4, command.account)
    house.custody.register.require_room(asset, 1)
    number = house.custody.bars.deposit(bar, row["gross_mg"], row["fineness_e4"])
    post(house, [Leg(house.internal.issuer, command.account, asset, 1)], command.isin)
    house.custody.register.add(asset, 1)
    return BarsMoved(command.isin, "deposited", 1, house.custody.bars.fine_mg([number]))


def withdraw_bars(house: House, command: WithdrawBars) -> BarsMoved:
    """Take bars out of the vault; refused for bars that back unallocated metal."""
    require_open(house)
    require_account(house, command.account)
    asset = _gold(house, command.isin)
    bars = house.custody.bars
    numbers = bars.of(asset, command.account, command.serials)
    _still_backed(house, asset, command.account, bars.fine_mg(numbers))
    post(house, [Leg(command.account, house.internal.issuer, asset, len(numbers))], command.isin)
    house.custody.register.add(asset, -len(numbers))
    for number in numbers:
        bars.change(number, status=WITHDRAWN)
    return BarsMoved(command.isin, "withdrawn", len(numbers), bars.fine_mg(numbers))


def move_bars(house: House, command: MoveBars) -> BarsMoved:
    """Give bars by serial, units with them unless an instruction has settled those before."""
    require_open(house)
    require_account(house, command.giver, "giver")
    require_account(house, command.taker, "taker")
    asset = _gold(house, command.isin)
    bars = house.custody.bars
    numbers = bars.of(asset, command.giver, command.serials)
    _still_backed(house, asset, command.giver, bars.fine_mg(numbers))
    if not command.booked:
        post(house, [Leg(command.giver, command.taker, asset, len(numbers))], command.isin)
    for number in numbers:
        bars.change(number, owner=command.taker)
    return BarsMoved(command.isin, "moved", len(numbers), bars.fine_mg(numbers))


def allocate_metal(house: House, command: AllocateMetal) -> BarsMoved:
    """Exchange metal for the vault's bars or back; the vault is the payer of the metal's terms."""
    require_open(house)
    require_account(house, command.account)
    bars_asset, metal = _gold(house, command.bars), _gold(house, command.metal)
    vault, issuer = house.custody.register.of(metal).terms.payer, house.internal.issuer
    if bars_asset == metal or command.account == vault:
        raise refuse(RejectionReason.CONFLICT, "bars and metal, an account and the vault are different", field="metal")
    owner, taker = (command.account, vault) if command.back else (vault, command.account)
    bars, register = house.custody.bars, house.custody.register
    if bars.backing.get(metal, bars_asset) != bars_asset:
        raise refuse(RejectionReason.CONFLICT, "other bars back this metal", field="bars", subject=command.metal)
    numbers = bars.of(bars_asset, owner, command.serials)
    fine = bars.fine_mg(numbers)
    bar_leg = Leg(owner, taker, bars_asset, len(numbers))
    if command.back:
        register.require_room(metal, fine)
        post(house, [bar_leg, Leg(issuer, command.account, metal, fine)], command.metal)
    else:
        post(house, [Leg(command.account, issuer, metal, fine), bar_leg], command.metal)
    register.add(metal, fine if command.back else -fine)
    bars.backing[metal] = bars_asset
    for number in numbers:
        bars.change(number, owner=taker)
    return BarsMoved(command.bars, "unallocated" if command.back else "allocated", len(numbers), fine)


def deliver_bonds(house: House, command: DeliverBonds) -> FutureDelivered:
    """Deliver bonds against the invoice amount; refused for bonds outside the basket of the delivery month."""
    day = require_open(house)
    require_account(house, command.seller, "seller")
    require_account(house, command.buyer, "buyer")
    asset, issue = issue_of(house, command.isin)
    today = to_date(day)
    contract = bond_future(command.contract, today)
    factor = factor_of(issue.terms, contract, today.replace(day=1))
    face = command.contracts * contract.face_cents
    require_between("contracts", command.contracts, 1, CONTRACTS_MAX)
    require_between("settlement_e4", command.settlement_e4, 1, PRICE_MAX_E4)
    if face % issue.terms.face_cents:
        raise refuse(RejectionReason.OUT_OF_RANGE, "a contract is no whole number of units", field="contracts")
    accrued = accrued_e7(issue.terms, day)
    cents = invoice_cents(contract, command.contracts, invoice_e7(command.settlement_e4, factor, accrued))
    units = face // issue.terms.face_cents
    legs = [Leg(command.seller, command.buyer, asset, units), Leg(command.buyer, command.seller, CNY, cents)]
    post(house, legs, f"{command.contract} {command.isin}")
    figures = {"units": units, "factor_e4": factor, "accrued_e7": accrued, "invoice_CNY_cents": cents}
    return FutureDelivered(command.contract, figures)


def settle_currency_future(house: House, command: SettleCurrencyFuture) -> FutureDelivered:
    """End a future on dollars against renminbi: both currencies at one instant, or the difference."""
    day = require_open(house)
    require_account(house, command.seller, "seller")
    require_account(house, command.buyer, "buyer")
    contract = currency_future(command.contract, to_date(day))
    legs = settlement_legs(
        contract, command.seller, command.buyer, command.contracts, command.final_e4, command.last_e4
    )
    post(house, legs, command.contract)
    paid = {CNY: "CNY", USD: "USD"}
    figures = {f"to_buyer_{name}_cents": 0 for name in paid.values()}
    for leg in legs:
        figures[f"to_buyer_{paid[leg.asset]}_cents"] += leg.amount if leg.taker == command.buyer else -leg.amount
    return FutureDelivered(command.contract, figures)


def _gold(house: House, isin: str) -> int:
    asset, issue = issue_of(house, isin)
    if issue.terms.product is not Product.GOLD:
        raise refuse(RejectionReason.NOT_ALLOWED, f"a {issue.terms.product} is no gold", field="isin", subject=isin)
    return asset


def _still_backed(house: House, asset: int, owner: int, fine_mg: int) -> None:
    """Refuse to take bars from a vault that would then owe more metal than its bars contain."""
    register = house.custody.register
    for metal, bars_asset in house.custody.bars.backing.items():
        issue = register.of(metal)
        left = house.custody.bars.owned_fine_mg(asset, owner) - fine_mg
        if bars_asset == asset and issue.terms.payer == owner and left < issue.issued:
            raise refuse(
                RejectionReason.INSUFFICIENT,
                f"{left} mg would back {issue.issued} mg of unallocated metal",
                field="serials",
                subject=issue.terms.isin,
            )


HANDLERS: Handlers = {
    PublishComposition: publish_composition,
    DealUnits: deal_units,
    DepositBar: deposit_bar,
    WithdrawBars: withdraw_bars,
    MoveBars: move_bars,
    AllocateMetal: allocate_metal,
    DeliverBonds: deliver_bonds,
    SettleCurrencyFuture: settle_currency_future,
}

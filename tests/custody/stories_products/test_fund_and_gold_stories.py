"""Stories of exchange-traded funds, unlisted funds and gold.

Goal: whole lives with books at every step. Method: production step; every story names its rule's source.
"""

from __future__ import annotations

from custody_story import ISIN, CustodyStory, day

from tsingma.basics.columns import pack
from tsingma.clearing.trades import COLUMN_TYPES
from tsingma.journal import commands as do
from tsingma.journal import custody_commands as custody
from tsingma.reference.terms import Product


def test_an_etf_is_created_and_redeemed_in_kind(story: CustodyStory) -> None:
    """Two baskets and their cash component make units; units make baskets; what one lacks stops everything.

    Source: TWSE, ETF creation and redemption: multiples of the basket of the day's portfolio composition file for
    units, and back; Hong Kong: application units through participating dealers. Cash component: net asset value of an
    application less its basket.
    """
    story.register("ETF", Product.ETF, payer="TRUST", depository="CCASS")
    story.give("A", "SHARE", 5_000)
    story.give("A", "SHARE2", 2_000)
    story.give("A", "HKD", 1_000_000)
    names = (ISIN["SHARE"], ISIN["SHARE2"])
    publish = custody.PublishComposition(ISIN["ETF"], 10_000, names, (2_000, 900), 251_000)
    assert "no price" in story.refuse(publish)
    story.price({"SHARE": 800_000, "SHARE2": 1_000_000})  # 80 and 100: 160,000 + 90,000 = 250,000 a basket
    published = story.tell(publish)
    assert (published.basket_cents, published.cash_cents) == (25_000_000, 100_000)  # 10,000 units at 25.10
    story.tell(custody.DealUnits(ISIN["ETF"], story.account("A"), 2))
    assert story.books("SHARE", "A", "TRUST") == (1_000, 4_000)
    assert story.books("SHARE2", "A", "TRUST") == (200, 1_800)
    assert story.books("HKD", "A", "TRUST") == (800_000, 200_000)
    assert (story.has("A", "ETF"), story.issued("ETF")) == (20_000, 20_000)
    assert "insufficient" in story.refuse(custody.DealUnits(ISIN["ETF"], story.account("A"), 1))  # 1,000 of 2,000
    story.move("A", "B", "ETF", 10_000)
    dealt = story.tell(custody.DealUnits(ISIN["ETF"], story.account("B"), -1))
    assert (dealt.units, dealt.issued, dealt.cash_cents) == (-10_000, 10_000, -100_000)
    assert (story.has("B", "SHARE"), story.has("B", "SHARE2"), story.has("B", "HKD")) == (2_000, 900, 100_000)
    story.next_day()
    stale = custody.DealUnits(ISIN["ETF"], story.account("A"), -1)
    assert "published today" in story.refuse(stale)


def test_a_fund_is_dealt_in_money_and_distributes(story: CustodyStory) -> None:
    """Cash creation at net asset value, a distribution to who holds on record, cash redemption.

    Source: TWSE, cash creation and redemption; SFC Code on Unit Trusts, chapter 6 (dealing at net asset value); the
    distribution of 0.1234567 a unit is rounded to the cent holding by holding.
    """
    story.register("FUND", Product.FUND, payer="TRUST", depository="CCASS")
    for who in "AB":
        story.give(who, "CNY", 10_000_000)
    story.tell(custody.PublishComposition(ISIN["FUND"], 1_000, (), (), 105_000))
    story.tell(custody.DealUnits(ISIN["FUND"], story.account("A"), 5, in_cash=True))
    story.tell(custody.DealUnits(ISIN["FUND"], story.account("B"), 3, in_cash=True))
    assert story.books("CNY", "A", "B", "TRUST") == (10_000_000 - 5_250_000, 10_000_000 - 3_150_000, 8_400_000)
    story.tell(custody.AnnounceDistribution(ISIN["FUND"], 123_456_700, day(2026, 1, 6), day(2026, 1, 8)))
    story.next_day()
    story.next_day()
    story.move("A", "C", "FUND", 2_000)  # sold after the record day: the distribution stays with A
    assert "it is recorded" in story.refuse(custody.PayDue(0))
    story.next_day()
    story.tell(custody.PayDue(0))
    assert story.books("CNY", "A", "B", "C") == (4_750_000 + 61_728, 6_850_000 + 37_037, 0)  # 617.28 and 370.37
    story.tell(custody.PublishComposition(ISIN["FUND"], 1_000, (), (), 104_000))
    story.tell(custody.DealUnits(ISIN["FUND"], story.account("C"), -2, in_cash=True))
    assert (story.has("C", "CNY"), story.issued("FUND")) == (2_080_000, 6_000)
    assert story.has("TRUST", "CNY") == 8_400_000 - 61_728 - 37_037 - 2_080_000
    story.end_day()


def test_a_failed_net_position_carries_its_distribution(story: CustodyStory) -> None:
    """Sellers of the exchange are short on the record day; what they owe reaches the buyers to the cent.

    Source: T2S corporate actions standards, market claims 3, applied to net positions: due by the record day and open
    at its close. The central counterparty between short and long passes the same amount on and stays flat.
    """
    story.register("ETF", Product.ETF, payer="TRUST", depository="CCASS")
    story.issue("ETF", C=500)
    for who in "ABD":
        story.give(who, "HKD", 50_000_000)
    story.price({"ETF": 250_000})
    rows = (("A", "B", 70), ("A", "D", 31), ("C", "D", 20))  # seller, buyer, units: A has none of them
    columns = {
        "trade_id": [1, 2, 3], "time_s": [36_000] * 3, "counter": [story.book.counter_index["ETF"]] * 3,
        "buyer": [story.account(buyer) for _, buyer, _ in rows], "seller": [story.account(one) for one, _, _ in rows],
        "quantity": [units for _, _, units in rows], "price_e4": [250_000] * 3, "mode": [0] * 3, "maker": [0] * 3,
    }  # fmt: skip
    packed = {name: pack(values, COLUMN_TYPES[name]) for name, values in columns.items()}
    story.tell(do.CaptureTrades("late", story.house.position.day, **packed))
    story.tell(custody.AnnounceDistribution(ISIN["ETF"], 1_234_500_000, day(2026, 1, 7), day(2026, 1, 8)))
    story.next_day()
    story.next_day()  # the record day, on which the trades are due
    story.next_day()
    story.give("TRUST", "HKD", 1_000_000)
    before = story.books("HKD", "A", "B", "D")
    paid = story.tell(custody.PayDue(0))
    due = story.house.custody.dues[0]
    assert sum(units for _, _, units in due.lent) == 101
    assert {giver for giver, _, _ in due.lent} == {story.account("A")}
    got = [now - then for now, then in zip(story.books("HKD", "A", "B", "D"), before, strict=True)]
    assert paid.figures["owed_cents"] == 0
    assert -got[0] == paid.figures["passed_on_cents"] == sum(due.money(units) for _, _, units in due.lent)
    held = {account: units for account, units in due.holders if account != story.account("C")}
    assert sum(held.values()) == 20  # what C delivered
    for bought, received in ((70, got[1]), (51, got[2])):
        assert abs(received - due.money(bought)) <= 1  # in up to two amounts, each rounded
    story.end_day()


def deposit(
    story: CustodyStory, who: str, serial: str, *, mg: int = 1_000_000, fine: int = 9_999
) -> custody.DepositBar:
    """Return the deposit of a kilobar."""
    return custody.DepositBar(ISIN["BARS"], story.account(who), serial, "REFINER", mg, fine)


def test_kilobars_are_allocated_by_serial_number(story: CustodyStory) -> None:
    """Bars come in, change hands by serial and go out; the bar list and the units always agree.

    Source: HKEX, USD gold futures: 1 kilogram, fineness 0.9999 or more, serial number and stamp of a recognised
    refiner, transferred between accounts at an approved depository on final settlement.
    """
    story.register("BARS", Product.GOLD, payer="VAULT", depository="VAULT")
    assert "9995" in story.refuse(deposit(story, "A", "R1", fine=9_995))
    assert "12500000" in story.refuse(deposit(story, "A", "R1", mg=12_500_000))
    for serial in ("R1", "R2", "R3"):
        assert story.tell(deposit(story, "A", serial)).fine_mg == 999_900
    assert "already" in story.refuse(deposit(story, "B", "R2"))
    assert "gold moves" in story.refuse(custody.IssueUnits(ISIN["BARS"], (story.account("A"),), (1,)))
    story.tell(custody.MoveBars(ISIN["BARS"], story.account("A"), story.account("B"), ("R1", "R3")))
    assert (story.books("BARS", "A", "B"), story.issued("BARS")) == ((1, 2), 3)
    assert "no such bar" in story.refuse(
        custody.MoveBars(ISIN["BARS"], story.account("A"), story.account("B"), ("R1",))
    )
    story.move("B", "C", "BARS", 1)  # delivered by book entry: which bar was it?
    story.run_timetable()
    assert "which bars moved" in story.refuse(do.CloseDay())
    story.tell(custody.MoveBars(ISIN["BARS"], story.account("B"), story.account("C"), ("R3",), booked=True))
    story.next_day()
    story.tell(custody.WithdrawBars(ISIN["BARS"], story.account("C"), ("R3",)))
    assert (story.books("BARS", "A", "B", "C"), story.issued("BARS")) == ((1, 1, 0), 2)
    story.tell(deposit(story, "D", "R3"))  # the same bar may come back
    story.end_day()


def test_unallocated_metal_is_backed_by_the_vaults_bars(story: CustodyStory) -> None:
    """A bar becomes metal owed by the vault, metal is split, and enough of it becomes a bar again.

    Source: LBMA, allocated and unallocated accounts: an unallocated balance is a claim on the vault in fine weight, an
    allocated one a bar list. That it is fully backed is the house's own rule.
    """
    story.register("BARS", Product.GOLD, payer="VAULT", depository="VAULT")
    story.register("GOLD", Product.GOLD, payer="VAULT", depository="VAULT")
    for serial in ("R1", "R2"):
        story.tell(deposit(story, "A", serial))
    swap = custody.AllocateMetal(ISIN["BARS"], ISIN["GOLD"], story.account("A"), ("R1", "R2"), back=True)
    assert story.tell(swap).fine_mg == 1_999_800
    assert (story.books("BARS", "A", "VAULT"), story.has("A", "GOLD")) == ((0, 2), 1_999_800)
    story.move("A", "B", "GOLD", 999_900)
    out = custody.WithdrawBars(ISIN["BARS"], story.account("VAULT"), ("R1",))
    assert "would back" in story.refuse(out)
    story.tell(custody.AllocateMetal(ISIN["BARS"], ISIN["GOLD"], story.account("B"), ("R2",)))
    assert (story.has("B", "GOLD"), story.books("BARS", "B", "VAULT"), story.issued("GOLD")) == (0, (1, 1), 999_900)
    story.move("A", "B", "GOLD", 1)
    short = custody.AllocateMetal(ISIN["BARS"], ISIN["GOLD"], story.account("A"), ("R1",))
    assert "insufficient" in story.refuse(short)
    assert "would back" in story.refuse(out)
    story.end_day()

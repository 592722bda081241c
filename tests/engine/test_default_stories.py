"""A participant's default told as a story on a real house: doors that close, close-outs, layers, porting, the end.

After every command the state comes back from its dump with the same hash; at the end the journal gives it again.
"""

from __future__ import annotations

from default_story import MILLION, PRICE, DefaultStory, short_story
from story import FUND, MONDAY, SHARE

from tsingma.basics.columns import pack
from tsingma.journal import commands as do
from tsingma.journal import default_commands as default
from tsingma.journal import payment_commands as payments
from tsingma.journal import pool_commands as pool
from tsingma.journal.swap_commands import ListSwaps, MarkSwaps, RegisterSwaps, SwapTerms

E4 = 10_000


def test_what_is_short_is_bought_in_and_the_loss_runs_through_the_layers() -> None:
    """Goal: the money of a whole default. Method: 1,000 short at 300, bought at 420; every figure by hand."""
    told = short_story()
    told.fund(A=MILLION // 50, B=MILLION // 20, C=MILLION // 20)
    told.margin(A=4 * MILLION // 100)
    free_before = told.free("A", "HKD")
    number = told.declare("A")
    lost = told.close_out(number, "A", "C", 42 * 100_000)
    assert lost == {"HKD": 12_000_000}  # 1,000 x (420 - 300)
    assert told.owed(number) == 12_000_000
    has = told.has("A", "HKD")
    borne = told.waterfall(number)
    assert borne["defaulter-collateral"] == 12_000_000  # margin of 4,000,000, and 8,000,000 of what it has besides
    assert borne["uncovered"] == borne["assessed"] == borne["survivor-contributions"] == 0
    assert told.has("A", "HKD") == has - 12_000_000
    assert free_before > 8_000_000
    assert told.owed(number) == 0
    told.run("batch-settlement-run-1")
    assert told.has("B", SHARE) == 1_000  # C delivered in A's place
    told.close(number)
    told.close_books()
    assert told.has("C", SHARE) == 4_000
    told.end()


def test_every_layer_bears_what_the_one_before_could_not() -> None:
    """Goal: order and caps of the layers, postings, what stays owed. Method: a loss larger than all of them."""
    told = short_story()
    told.fund(A=1_000_000, B=2_000_000, C=4_000_000)
    told.give("HKSCC", "HKD", 600_000)
    told.fund(HKSCC=500_000)
    told.margin(A=3_000_000)
    told.tell(do.PostTransfers(*[pack([one], "i4") for one in (told.account("A"), told.account("B"), 0)],
                               pack([told.free("A", "HKD")], "i8"), pack([0], "i1")))  # fmt: skip
    b, c, central = told.has("B", "HKD"), told.has("C", "HKD"), told.central()
    number = told.declare("A")
    told.close_out(number, "A", "C", 480 * E4)  # 1,000 x 180 = 18,000,000 cents
    borne = told.waterfall(number)
    assert borne == {
        "defaulter-collateral": 3_000_000, "defaulter-contribution": 1_000_000, "house": 500_000,
        "survivor-contributions": 6_000_000, "assessments": 6_000_000, "assessed": 0, "uncovered": 1_500_000,
    }  # fmt: skip
    assert (told.has("B", "HKD"), told.has("C", "HKD")) == (b - 4_000_000, c - 8_000_000)
    assert told.central() == central + 16_500_000
    assert told.owed(number) == 1_500_000
    assert "borne by nobody" in told.refuse(default.CloseDefault(number, "done", told.now_s))
    event = told.close(number, write_off=True)
    assert event.written_off_cents == 1_500_000  # type: ignore[attr-defined]
    for _ in range(3):  # the house goes on for days with what it bore
        told.close_books()
    told.end()


def test_an_assessment_that_is_not_paid_stays_owed_and_is_collected_later() -> None:
    """Goal: caps and collection. Method: survivors without money when assessed; then one gets some."""
    told = short_story()
    told.fund(B=2_000_000, C=2_000_000)
    for who in ("A", "B", "C"):
        told.tell(do.PostTransfers(*[pack([one], "i4") for one in (told.account(who), told.account("D"), 0)],
                                   pack([told.free(who, "HKD")], "i8"), pack([0], "i1")))  # fmt: skip
    number = told.declare("A", "insolvency", "a court wound it up")
    told.close_out(number, "A", "C", 400 * E4)  # 10,000,000 cents
    borne = told.waterfall(number)
    assert (borne["assessments"], borne["assessed"], borne["uncovered"]) == (4_000_000, 4_000_000, 2_000_000)
    told.give("B", "HKD", 1_500_000)
    event = told.tell(default.CollectAssessments(number))
    assert (event.paid_cents, event.open_cents) == (1_500_000, 2_500_000)  # type: ignore[attr-defined]
    told.give("B", "HKD", 9_000_000)
    event = told.tell(default.CollectAssessments(number))
    assert (event.paid_cents, event.open_cents) == (500_000, 2_000_000)  # type: ignore[attr-defined]
    assert told.has("B", "HKD") == 8_500_000  # never beyond its cap
    told.close(number, write_off=True)
    told.close_books()
    told.end()


def test_what_is_long_is_sold_with_stock_that_was_not_paid_for() -> None:
    """Goal: allocated and unpaid stock is the house's to sell. Method: A receives 600 of 1,000 it cannot pay."""
    told = DefaultStory()
    told.give("B", SHARE, 600)
    told.give("C", "HKD", 100 * MILLION)
    told.bargain("A", "B", 1_000, PRICE)
    told.next_day(2)
    told.run("money-settlement")
    table = told.house.settlement.positions
    assert table.on_hold.max() == 600
    number = told.declare("A", "failure-to-pay", "money of Monday's trades")
    paid = told.has("C", "HKD")
    lost = told.close_out(number, "A", "C", 250 * E4)
    assert lost == {"HKD": 5_000_000}  # 1,000 x 50
    assert told.has("C", "HKD") == paid - 600 * 25_000
    assert told.has("C", SHARE) == 600
    assert told.has("A", SHARE) == 0
    assert told.waterfall(number)["uncovered"] == 5_000_000
    told.close(number, write_off=True)
    told.close_books()
    told.give("B", SHARE, 400)
    told.run("batch-settlement-run-1")
    assert told.has("C", SHARE) == 1_000
    told.next_day(2)
    told.end()


def test_what_is_due_later_is_closed_out_too() -> None:
    """Goal: contracts of days to come, a loss and a gain. Method: trades of today closed out before they are due."""
    told = DefaultStory()
    told.give("C", "HKD", 100 * MILLION)
    told.bargain("B", "A", 100, PRICE)
    told.bargain("A/CLIENT", "B", 300, 20 * E4, counter=2)
    number = told.declare("A")
    assert told.close_out(number, "A", "C", 310 * E4) == {"HKD": 100_000}
    assert told.close_out(number, "A/CLIENT", "C", 21 * E4, FUND) == {"HKD": -30_000}
    assert told.owed(number) == 70_000
    borne = told.waterfall(number)
    assert borne["uncovered"] == 100_000  # a client's gain is the client's
    event = told.close(number, write_off=True)
    assert (event.returned_cents, event.written_off_cents) == (30_000, 100_000)  # type: ignore[attr-defined]
    assert told.has("A/CLIENT", "HKD") == 30_000
    told.next_day(4)
    assert "closed already" in told.refuse(default.DeclareDefault("A", "decision", "again", told.now_s))
    told.end()


def test_clients_collateral_bears_no_loss_of_the_participants_own() -> None:
    """Goal: segregation both ways. Method: a house loss beside client money, a client loss beside house money."""
    for loser, bears in (("A", False), ("A/CLIENT", True)):
        told = DefaultStory()
        told.give("C", "HKD", 100 * MILLION)
        other = "A/CLIENT" if loser == "A" else "A"
        told.give(other, "HKD", 50_000_000)
        told.margin(**{other.replace("/", "_"): 20_000_000})
        told.bargain("B", loser, 100, PRICE)
        number = told.declare("A")
        told.close_out(number, loser, "C", 400 * E4)  # 1,000,000 cents
        assert told.waterfall(number)["defaulter-collateral"] == (1_000_000 if bears else 0)
        assert told.has(other, "HKD") == 50_000_000 - (1_000_000 if bears else 0)
        told.close(number, write_off=True)
        told.close_books()


def test_a_client_account_is_ported_with_all_that_is_its() -> None:
    """Goal: porting re-prices nothing and loses nothing. Method: a client line, margin, stock and money, to B's."""
    told = DefaultStory()
    told.give("A/CLIENT", "HKD", 50_000_000)
    told.give("A/CLIENT", FUND, 700)
    told.give("C", SHARE, 60)
    told.bargain("A/CLIENT", "C", 100, PRICE)
    told.next_day(1)
    told.bargain("A/CLIENT", "C", 10, PRICE)
    told.margin(A_CLIENT=10_000_000, B_CLIENT=0)
    told.next_day(1)
    told.run("batch-settlement-run-1")
    number = told.declare("A")
    account, to = told.account("A/CLIENT"), told.account("B/CLIENT")
    money = told.has("A/CLIENT", "HKD")
    event = told.tell(default.PortAccount(number, account, to))
    assert (event.positions, event.series) == (2, 0)  # type: ignore[attr-defined]
    assert (told.has("B/CLIENT", FUND), told.has("B/CLIENT", SHARE)) == (700, 60)
    assert told.has("B/CLIENT", "HKD") == money
    assert told.free("B/CLIENT", "HKD") == money - 10_000_000
    assert told.free("B/CLIENT", SHARE) == 0  # not paid for yet
    told.close(number)
    told.give("C", SHARE, 50)
    told.next_day(2)
    assert told.has("B/CLIENT", "HKD") == money - 110 * 30_000
    assert told.free("B/CLIENT", SHARE) == 110
    told.end()
    for wrong in (default.PortAccount(number, told.account("A"), to), default.PortAccount(9, account, to)):
        told.refuse(wrong)


def test_a_participants_own_account_is_not_ported() -> None:
    """Goal: clients alone. Method: own account, to an own account, to somebody barred, and what binds an account."""
    told = DefaultStory()
    told.give("A/CLIENT", SHARE, 100)
    number = told.declare("A")
    client, own = told.account("A/CLIENT"), told.account("A")
    b, d = told.account("B/CLIENT"), told.account("D")
    assert "no account of clients" in told.refuse(default.PortAccount(number, own, b))
    assert "no account of clients" in told.refuse(default.PortAccount(number, client, d))
    assert "A has defaulted" in told.refuse(default.PortAccount(number, client, client))
    told.suspend("B")
    assert "suspended" in told.refuse(default.PortAccount(number, client, b))
    told.end()


def test_a_suspended_participants_instructions_are_held_and_released() -> None:
    """Goal: nothing of it settles, and reinstatement restores it. Method: matched, waiting, at once, with a hold."""
    told = DefaultStory()
    told.give("A", SHARE, 1_000)
    told.give("B", "HKD", MILLION * 10)
    free, held = told.agree("A", "B"), told.agree("A", "B", amount_cents=77)
    told.act("A", held, "hold")
    _, waiting = told.send("A", "delivers", "B")
    told.suspend("A")
    assert (told.status(free), told.status(held)) == ("on-hold", "on-hold")
    result, _ = told.send("B", "receives", "A")
    assert result == "counterparty is suspended or in default"
    assert told.order_status(waiting) == "waiting"
    told.run("batch-settlement-run-1")
    assert told.has("B", SHARE) == 0
    assert told.tell(default.ReinstateParticipant("A", "paid", told.now_s)).default == 1  # type: ignore[attr-defined]
    assert told.status(held) == "on-hold"  # its own hold
    told.run("batch-settlement-run-2")
    assert told.status(free) == "settled"
    told.suspend("A")
    assert told.house.defaults.barred == {told.book.participant_index["A"]: 2}
    told.end()


def test_a_suspension_ends_credit_and_a_reinstatement_does_not_bring_it_back() -> None:
    """Goal: no credit to who fails. Method: a line in part drawn; suspended, reinstated, granted anew."""
    told = DefaultStory()
    told.give("A", "HKD", 1_000)
    told.line("A", credit=5_000)
    told.tell(do.PostTransfers(*[pack([one], "i4") for one in (told.account("A"), told.account("B"), 0)],
                               pack([3_000], "i8"), pack([0], "i1")))  # fmt: skip
    assert (told.has("A", "HKD"), told.free("A", "HKD")) == (-2_000, 3_000)
    told.suspend("A")
    assert (told.has("A", "HKD"), told.free("A", "HKD")) == (-2_000, 0)
    told.give("A", "HKD", 2_500)
    assert told.free("A", "HKD") == 2_500
    told.next_day()
    assert told.free("A", "HKD") == 500
    told.tell(default.ReinstateParticipant("A", "it paid", told.now_s))
    assert told.line("A", credit=5_000) == -5_000
    told.end()


def test_a_declaration_takes_out_what_nobody_guarantees() -> None:
    """Goal: orders, instructions, reservations and payments end; net positions stay. Method: one of each."""
    told = DefaultStory()
    told.give("A", SHARE, 1_000)
    told.give("A", "HKD", 1_000)
    told.bargain("B", "A", 100, PRICE, mode=1)
    told.bargain("B", "A", 100, PRICE)
    _, waiting = told.send("A", "delivers", "B")
    told.tell(do.ReserveAssets("A", told.account("A"), told.asset(SHARE), 10, MONDAY + 9))
    accounts = {name: pack([told.account(who)], "i4") for name, who in (("payer", "A"), ("payee", "B"))}
    columns = {**accounts, "asset": pack([0], "i4"), "amount": pack([10_000], "i8")}
    told.tell(payments.SubmitPayments("test", "", 0, columns))
    told.suspend("A")
    assert told.house.money.payments.waiting == 0
    event = told.tell(default.DeclareDefault("A", "decision", "it cannot pay", told.now_s))
    assert (event.positions, event.orders_withdrawn, event.instructions_cancelled) == (1, 1, 1)  # type: ignore[attr-defined]
    assert told.order_status(waiting) == "cancelled"
    assert told.status(0) == "cancelled"
    assert told.free("A", SHARE) == 1_000
    told.end()


def test_derivatives_are_closed_out_and_what_is_not_paid_is_borne_by_their_fund() -> None:
    """Goal: futures and options, at the next mark. Method: two houses' series, losses by hand, funds apart."""
    told = DefaultStory()
    told.give("B", "HKD", 100 * MILLION)
    told.give("C", "HKD", 100 * MILLION)
    expiry = MONDAY + 200
    told.tell(do.ListSeries((("F", "HKCC", "future", "INDEX", 50, 0, expiry),
                             ("P", "SEOCH", "put", "700", 100, 300 * E4, expiry))))  # fmt: skip
    rows = ((1, 0, "A", "B", 4, 20_000 * E4), (2, 1, "B", "A", 10, 5 * E4))  # A is long 4 futures, short 10 puts
    names = ("trade_id", "series", "buyer", "seller", "quantity", "price_e4")
    lines = [[identity, series, told.account(buyer), told.account(seller), units, price]
             for identity, series, buyer, seller, units, price in rows]  # fmt: skip
    packed = [pack([line[k] for line in lines], "i4" if name in names[1:4] else "i8") for k, name in enumerate(names)]
    told.tell(do.CaptureDerivatives("x", *packed))
    mark = lambda future, put: do.MarkDerivatives(  # noqa: E731 - two prices, one line
        pack([0, 1], "i4"), pack([future * E4, put * E4], "i8"), 20_000 * E4
    )
    told.tell(mark(20_000, 5))
    assert told.has("A", "HKD") == 500_000  # its premium
    told.fund("HKCC", B=10_000_000, C=20_000_000)
    told.fund("SEOCH", B=1_000_000)
    number = told.declare("A")
    a, b, c = told.account("A"), told.account("B"), told.account("C")
    assert "no price" in told.refuse(default.CloseOutSeries(number, a, 0, c, 0))
    lost = told.tell(default.CloseOutSeries(number, a, 0, c, 19_000 * E4)).lost_cents  # type: ignore[attr-defined]
    assert lost == {"HKD": 20_000_000}  # 4 x 50 x 1,000
    told.tell(default.CloseOutSeries(number, a, 1, b, 12 * E4))  # 10 x 100 x 12 = 1,200,000 cents
    assert "are open" in told.refuse(default.BookWaterfall(number, "HKCC"))
    told.tell(mark(19_000, 12))
    assert told.has("A", "HKD") == 0
    owed = told.house.derivatives.owed[a]
    assert owed == 20_000_000 + 1_200_000 - 500_000
    futures, options = told.waterfall(number, "HKCC"), told.waterfall(number, "SEOCH")
    part = owed * 20_000_000 // 21_200_000
    assert futures["survivor-contributions"] == part
    assert options["survivor-contributions"] == 1_000_000
    assert options["assessments"] == owed - part - 1_000_000
    assert futures["uncovered"] == options["uncovered"] == 0
    told.close(number)
    told.close_books()
    told.end()


def test_securities_of_a_defaulter_are_sold_for_what_it_owes() -> None:
    """Goal: collateral that is not money. Method: stock in the pool and free, sold in part; the rest stays its own."""
    told = DefaultStory()
    told.give("A", FUND, 1_000)
    told.give("C", "HKD", 100 * MILLION)
    told.tell(pool.ListCollateral(((told.asset(FUND), "equity", "CCASS"),)))
    told.tell(pool.PledgeCollateral(told.account("A"), told.asset(FUND), 600))
    told.bargain("B", "A", 100, PRICE)
    number = told.declare("A")
    told.close_out(number, "A", "C", 310 * E4)  # 100,000 cents
    sale = default.SellCollateral(number, "HKSCC", told.account("A"), told.asset(FUND), 700, told.account("C"), 20 * E4)
    told.refuse(default.SellCollateral(*(getattr(sale, f) for f in sale.__struct_fields__[:4]), 1_001, *(
        getattr(sale, f) for f in sale.__struct_fields__[5:])))  # fmt: skip
    event = told.tell(sale)
    assert event.proceeds_cents == 1_400_000  # type: ignore[attr-defined]
    assert told.house.pool.pledged == {}
    assert told.free("A", FUND) == 300
    told.waterfall(number)
    closed = told.close(number)
    assert closed.returned_cents == 1_300_000  # type: ignore[attr-defined]
    assert told.has("A", "HKD") == 1_300_000
    told.close_books()
    told.end()


def test_swaps_go_to_who_bids_for_them_and_clients_swaps_are_ported() -> None:
    """Goal: the third house of contracts. Method: A pays fixed and loses; C takes it for 3,000; a client's go over."""
    told = DefaultStory()
    for who in ("B", "C"):
        told.give(who, "HKD", MILLION)
    terms = SwapTerms("IRS", "OTC Clear", "HKD.SWAP", "HKD", MONDAY, MONDAY + 365, 6, 3)
    told.tell(ListSwaps((terms,)))
    payers, receivers = [told.account("A"), told.account("A/CLIENT")], [told.account("B")] * 2
    told.tell(RegisterSwaps("x", pack([1, 2], "i8"), pack([0, 0], "i4"), pack(payers, "i4"), pack(receivers, "i4"),
                            pack([MILLION, MILLION // 2], "i8"), pack([20_000, 20_000], "i8")))  # fmt: skip
    one = pack([0], "i4")
    told.tell(MarkSwaps("x", one, pack([10**10], "i8"), pack([10**12], "i8"), *[pack([0], "i8")] * 3, one))
    assert told.house.swaps.owed_in(0) == {told.account("A"): 1_000_000, told.account("A/CLIENT"): 500_000}
    told.fund("OTC Clear", B=600_000, C=600_000)
    number = told.declare("A", "failure-to-pay", "the evening's margin")
    a, c, client = told.account("A"), told.account("C"), told.account("A/CLIENT")
    assert "no series 1" in told.refuse(default.CloseOutSwap(number, a, 1, c, 1))
    assert "are open" in told.refuse(default.BookWaterfall(number, "OTC Clear"))
    assert "not there" in told.refuse(default.CloseOutSwap(number, a, 0, c, 10**12))
    had = told.has("C", "HKD")
    event = told.tell(default.CloseOutSwap(number, a, 0, c, -300_000))
    assert (event.units, event.lost_cents) == (MILLION, {"HKD": 300_000})  # type: ignore[attr-defined]
    assert told.has("C", "HKD") == had + 300_000
    ported = told.tell(default.PortAccount(number, client, told.account("B/CLIENT")))
    assert ported.series == 1  # type: ignore[attr-defined]
    assert told.house.swaps.owed_in(0) == {a: 1_000_000, told.account("B/CLIENT"): 500_000}
    borne = told.waterfall(number, "OTC Clear")
    assert (borne["survivor-contributions"], borne["assessments"]) == (1_200_000, 100_000)
    assert borne["uncovered"] == borne["assessed"] == 0
    told.close(number)
    told.close_books()
    told.end()

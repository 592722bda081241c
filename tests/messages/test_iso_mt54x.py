"""MT540 to MT548 and MT578: plain orders both ways, answers out, and nothing that is not acted on comes in.

Goal: a custodian on ISO 15022 says and hears the same. Method: drawn orders written and read back; fields of statuses
and confirmations read off; one breach a message; stretches of good messages cut and replaced.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))

from clearing_book import resolved

from tsingma.basics.rejection import Rejected
from tsingma.messages.iso20022.allegement import Allegement
from tsingma.messages.iso20022.codes import State, code_table
from tsingma.messages.iso20022.confirmation import Confirmation
from tsingma.messages.iso20022.instruction import Instruction
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.requests import Cancellation
from tsingma.messages.iso20022.status import StatusAdvice
from tsingma.messages.mt54x import (
    fields_of,
    read_orders,
    read_requests,
    write_advice,
    write_allegement,
    write_confirmation,
    write_order,
)

BOND = "HK0000096088"
PLAIN = Directory(resolved())
NAMED = Directory(resolved(), bics={"B": "BETAHKHHXXX"}, face_cents={BOND: 100_000})
OURS, THEIRS = "ALPHHKHH", "TSNGHKHH"
TEXT = st.text("ABCabc019.,'+ ?()", min_size=1, max_size=16).filter(lambda text: text == text.strip())
ORDER = Instruction(
    reference="17", account="A/HOUSE", side="deliver", counterparty="B", kind="dvp", quantity="100",
    isin="KYG875721634", currency="HKD", amount="30000.00", trade_date="2026-01-02", intended_date="2026-01-05",
)  # fmt: skip


@st.composite
def orders(draw: st.DrawFn) -> Instruction:
    """Return a plain order."""
    free, cents = draw(st.booleans()), draw(st.integers(0, 10**15 - 1))
    return msgspec.structs.replace(
        ORDER, reference=str(draw(st.integers(1, 10**12))), side=draw(st.sampled_from(["deliver", "receive"])),
        kind="fop" if free else "dvp", quantity=str(draw(st.integers(1, 10**9))),
        isin=draw(st.sampled_from(["KYG875721634", BOND])), currency="" if free else "CNY",
        amount="" if free else f"{cents // 100}.{cents % 100:02d}",
        counterparty_account=draw(st.sampled_from(["", "B/HOUSE"])), hold=draw(st.sampled_from(["", "yes"])),
        priority=draw(st.sampled_from(["", "high", "normal"])), partial=draw(st.sampled_from(["", "yes", "no"])),
        common_reference=draw(st.just("") | TEXT),
    )  # fmt: skip


@given(st.lists(orders(), min_size=1, max_size=4), st.sampled_from([PLAIN, NAMED]))
@settings(max_examples=80, deadline=None)
def test_orders_go_out_and_come_back(several: list[Instruction], directory: Directory) -> None:
    """Goal: MT540 to MT543 both ways. Method: several in a file, with either line end."""
    text = "\n".join(write_order(one, directory, OURS, THEIRS) for one in several)
    assert [one for _, one in read_orders(text, directory)] == several
    assert [one for _, one in read_orders(text.replace("\n", "\r\n"), directory)] == several


def test_an_order_reads_as_the_guide_has_it() -> None:
    """Goal: field by field. Method: one MT543 written out."""
    assert write_order(ORDER, NAMED, OURS, THEIRS) == (
        "{1:F01ALPHHKHHAXXX0000000000}{2:I543TSNGHKHHAXXXN}{4:\n:16R:GENL\n:20C::SEME//17\n:23G:NEWM\n:16S:GENL\n"
        ":16R:TRADDET\n:98A::SETT//20260105\n:98A::TRAD//20260102\n:35B:ISIN KYG875721634\n:16S:TRADDET\n:16R:FIAC\n"
        ":36B::SETT//UNIT/100,\n:97A::SAFE//A/HOUSE\n:16S:FIAC\n:16R:SETDET\n:22F::SETR//TRAD\n:16R:SETPRTY\n"
        ":95P::REAG//BETAHKHHXXX\n:16S:SETPRTY\n:16R:AMT\n:19A::SETT//HKD30000,00\n:16S:AMT\n:16S:SETDET\n-}"
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("I543", "I547", "MT547 is not taken"), (":23G:NEWM", ":23G:COPY", "'COPY' is not acted on"),
        ("KYG875721634", "KYG875721635", "no ISIN"), ("UNIT/100,", "AMOR/100,", "no quantity"),
        ("UNIT/100,", "UNIT/100,5", "more than 0 decimals"), ("HKD30000,00", "GBP30000,00", "no amount"),
        ("HKD30000,00", "HKD30000.00", "no amount"), ("20260105", "260105", "no date"),
        ("REAG/TSINGMA/B", "REAG/DTCC/B", "not known here"),
        (":97A::SAFE//A/HOUSE\n", "", "FIAC/97A:SAFE: is not there"),
        (":22F::SETR//TRAD", ":22F::SETR//TRAD\n:22F::RTGS//YRTG", "SETDET/22F:RTGS: is not acted on"),
        (":22F::SETR//TRAD", ":22F::SETR//TRAD\n:22F::SETR//TRAD", "stands twice"),
        (":16S:FIAC\n", "", "FIAC is not closed"), (":16S:FIAC\n", ":16S:FIAC\n" * 2, "ends and was not open"),
        (":16S:SETDET\n", "", "SETDET is not closed"),
        (":20C::SEME//17", ":20C:17", "no qualifier"), (":20C::SEME//17", "hello", "ends and was not open"),
        ("{4:", "{5:", "no message"), ("\n-}", "\n-}junk", "no message"),
    ],
)  # fmt: skip
def test_what_is_not_acted_on_is_refused(old: str, new: str, says: str) -> None:
    """Goal: nothing is passed over. Method: one breach a message."""
    text = write_order(ORDER, PLAIN, OURS, THEIRS)
    assert old in text
    with pytest.raises(Rejected) as caught:
        read_orders(text.replace(old, new, 1), PLAIN, file="day.fin")
    assert says in str(caught.value)
    assert caught.value.rejections[0].file == "day.fin"


def test_cancellations_come_in_and_are_no_orders() -> None:
    """Goal: CANC cancels what it refers to. Method: an order with another function and a link; one without the link."""
    link = "\n:16R:LINK\n:20C::PREV//17\n:16S:LINK"
    text = (
        write_order(ORDER, PLAIN, OURS, THEIRS).replace(":23G:NEWM", f":23G:CANC{link}").replace("SEME//17", "SEME//99")
    )
    ((line, one),) = read_requests(text, PLAIN)
    assert (line, one) == (1, Cancellation(reference="17", delivers=True, free=False, account="A/HOUSE"))
    with pytest.raises(Rejected, match="'CANC' is no order"):
        read_orders(text, PLAIN)
    with pytest.raises(Rejected, match="GENL/LINK/20C:PREV"):
        read_requests(text.replace(link, ""), PLAIN)


def test_statuses_carry_the_codes_of_the_table() -> None:
    """Goal: sese.024 and MT548 say the same. Method: every row of the table for sese.024."""
    for row in code_table():
        if row.message == "sese.024":
            fields = fields_of(write_advice(StatusAdvice("17", "I3", (State(row.at, row.code),)), THEIRS, OURS))
            assert ("20C", ":RELA//17") in fields
            reasons = [value for tag, value in fields if tag == "24B"]
            assert [value[-4:] for value in reasons] == ([row.code] if row.code not in ("", "NORE") else [])


def test_confirmations_say_part_and_rest() -> None:
    """Goal: MT544 to MT547. Method: a part of a delivery; a free receipt; a payment alone has none."""
    one = Confirmation(
        reference="17", number="I3", delivers=True, account="A/HOUSE", counterparty="B", counterparty_account="B/HOUSE",
        settled_date="2026-01-06", intended_date="2026-01-05", trade_date="2026-01-02", isin="KYG875721634",
        quantity=60, quantity_before=10, quantity_left=30, currency="HKD", cents=1_800_000, credited=True,
    )  # fmt: skip
    text = write_confirmation(one, PLAIN, THEIRS, OURS)
    assert "{2:I547" in text
    for field in (("22F", ":PARS//PAIN"), ("98A", ":ESET//20260106"), ("36B", ":ESTT//UNIT/60,"),
                  ("36B", ":PSTT//UNIT/10,"), ("36B", ":RSTT//UNIT/30,"), ("19A", ":ESTT//HKD18000,00")):  # fmt: skip
        assert field in fields_of(text)
    free = msgspec.structs.replace(one, delivers=False, currency="", cents=0)
    assert "{2:I544" in write_confirmation(free, PLAIN, THEIRS, OURS)
    with pytest.raises(Rejected, match="no MT544"):
        write_confirmation(msgspec.structs.replace(one, isin=""), PLAIN, THEIRS, OURS)


def test_allegements_say_what_is_to_be_instructed() -> None:
    """Goal: MT578, and that it stands no more. Method: a delivery of the other side; a payment alone."""
    one = Allegement(
        number="O5", delivers=False, alleging="B", alleging_account="B/HOUSE", trade_date="2026-01-02",
        intended_date="2026-01-05", isin=BOND, quantity=7, currency="CNY", cents=700_000, account="A/HOUSE",
    )  # fmt: skip
    text = write_allegement(one, NAMED, THEIRS, OURS)
    assert "{2:I578" in text
    for field in (("20C", ":SEME//O5"), ("23G", "NEWM"), ("98A", ":SETT//20260105"), ("35B", f"ISIN {BOND}"),
                  ("36B", ":SETT//FAMT/7000,00"), ("22H", ":REDE//RECE"), ("22H", ":PAYM//APMT"),
                  ("95P", ":DEAG//BETAHKHHXXX"), ("19A", ":SETT//CNY7000,00")):  # fmt: skip
        assert field in fields_of(text)
    gone = fields_of(write_allegement(one, PLAIN, THEIRS, OURS, removed=True))
    assert {("23G", "REMO"), ("20C", ":PREV//O5"), ("95R", ":DEAG/TSINGMA/B")} <= set(gone)
    free = fields_of(write_allegement(msgspec.structs.replace(one, currency="", cents=0), PLAIN, THEIRS, OURS))
    assert ("22H", ":PAYM//FREE") in free
    assert "19A" not in dict(free)
    with pytest.raises(Rejected, match="no MT578"):
        write_allegement(msgspec.structs.replace(one, isin=""), PLAIN, THEIRS, OURS)


def test_what_has_no_field_is_not_written() -> None:
    """Goal: nothing is lost on the way. Method: kinds and fields that MT540 to MT543 do not carry here, odd letters."""
    for change in ({"kind": "pvp"}, {"pool": "P", "pool_size": "2"}, {"conditions": "ex"}, {"common_reference": "a=b"}):
        with pytest.raises(Rejected):
            write_order(msgspec.structs.replace(ORDER, **change), PLAIN, OURS, THEIRS)


def test_many_beginnings_without_end_take_no_time() -> None:
    """Goal: no file makes reading quadratic. Method: 100,000 heads of messages without an end."""
    with pytest.raises(Rejected):
        read_orders("{1:F01ALPHHKHHAXXX0000000000}{2:I543TSNGHKHHAXXXN}{4:\n" * 100_000, PLAIN)
    with pytest.raises(Rejected, match="at most"):
        read_orders("\n-}" * 100_001, PLAIN)


SCRAPS = st.sampled_from(
    ["", "\n", ":", "//", "{4:", "-}", ":16R:GENL\n", ":20C::SEME//", "9" * 40, "é", ",", "$", "\x00"]
)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 20), SCRAPS), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_whatever_comes_is_read_or_refused(edits: list[tuple[int, int, str]]) -> None:
    """Goal: never a traceback. Method: a good file with stretches cut out and scraps put in."""
    text = write_order(ORDER, PLAIN, OURS, THEIRS)
    for place, cut, scrap in edits:
        text = text[:place] + scrap + text[place + cut :]
    try:
        found = [str(one.reference) for _, one in read_orders(text, PLAIN)]
    except Rejected as rejected:
        found = [str(one) for one in rejected.rejections]
    assert found

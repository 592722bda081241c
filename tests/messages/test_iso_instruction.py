"""sese.023 both ways: orders out and back, through the oracle's classes, and the usage rules on top of the schema.

Goal: an order says the same as a line of an instruction file and as a sese.023. Method: drawn orders written, parsed
and written by the oracle's classes, canonical XML compared, read back; each usage rule broken alone.
"""

from __future__ import annotations

import dataclasses
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import canonical, through_oracle
from iso_samples import DVP, INSTRUCTION, business_file, document

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))

from clearing_book import book

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.messages.instruction_file import resolve_rows
from tsingma.messages.iso20022.header import Header, read_header, write_file
from tsingma.messages.iso20022.instruction import CONDITION_CODES, KINDS_SPOKEN, Instruction, write_instruction
from tsingma.messages.iso20022.orders import read_all, read_orders, write_orders
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages
from tsingma.reference.book import ReferenceBook, resolve

LEI = "213800D1EI4B9WTWWD28"  # check digits by ISO 17442
MOMENT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
BOND = "HK0000096088"


def _book() -> ReferenceBook:
    plain = book()
    members = tuple(msgspec.structs.replace(one, lei=LEI) if one.code == "B" else one for one in plain.participants)
    return msgspec.structs.replace(plain, participants=members)


PLAIN = Directory(resolve(_book()))
NAMED = dataclasses.replace(PLAIN, bics={"A": "ALPHHKHH", "B": "BETAHKHHXXX"}, face_cents={BOND: 1_000_00})

TEXT = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1, max_size=35).filter(
    lambda text: text == text.strip()
)


@st.composite
def orders(draw: st.DrawFn) -> Instruction:
    """Return an order of a kind that sese.023 has, any field set or not."""
    kind = draw(st.sampled_from(KINDS_SPOKEN))
    money = kind != "fop"
    pool = draw(st.one_of(st.just(""), TEXT))
    cents = draw(st.integers(1, 10**15 - 1))
    chosen = [name for name in CONDITION_CODES if draw(st.booleans())]
    if "cum" in chosen and "ex" in chosen:
        chosen.remove("ex")
    return Instruction(
        reference=str(draw(st.integers(1, 2**40 - 1))),
        account=draw(st.sampled_from(["A/HOUSE", "A/CLIENT"])),
        side=draw(st.sampled_from(["deliver", "receive"])),
        counterparty="B",
        kind=kind,
        quantity="0" if kind == "pfod" else str(draw(st.integers(1, 10**12))),
        trade_date="2026-01-02",
        intended_date=str(draw(st.dates(datetime(2026, 1, 2).date(), datetime(2027, 1, 2).date()))),  # noqa: DTZ001
        isin="" if kind == "pfod" else draw(st.sampled_from(["KYG875721634", BOND])),
        currency=draw(st.sampled_from(["HKD", "CNY", "USD", "EUR"])) if money else "",
        amount=f"{cents // 100}.{cents % 100:02d}" if money else "",
        counterparty_account=draw(st.sampled_from(["", "B/HOUSE", "B/OMNIBUS"])),
        priority=draw(st.sampled_from(["", "reserved", "top", "high", "normal"])),
        partial=draw(st.sampled_from(["", "yes", "no"])),
        hold=draw(st.sampled_from(["", "yes"])),
        conditions=" ".join(chosen),
        common_reference=draw(st.one_of(st.just(""), TEXT)),
        client=draw(st.one_of(st.just(""), TEXT)),
        counterparty_client=draw(st.one_of(st.just(""), TEXT)),
        pool=pool,
        pool_size=str(draw(st.integers(2, 1_000))) if pool else "",
        matched=draw(st.sampled_from(["", "yes"])),
    )


@given(orders(), st.sampled_from([PLAIN, NAMED]))
@settings(max_examples=120, deadline=None)
def test_every_order_goes_out_and_comes_back_the_same(order: Instruction, directory: Directory) -> None:
    """Goal: nothing is lost. Method: ours, then the oracle's classes and their writer, then ours; canonical XML."""
    ours = write_instruction(order, directory).encode()
    theirs = through_oracle(ours, INSTRUCTION)
    assert canonical(theirs) == canonical(ours)
    (back,) = read_all(read_messages(theirs), directory)
    assert back == order
    assert write_instruction(back, directory).encode() == ours


@given(st.lists(orders(), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_a_file_gives_the_columns_of_its_lines(several: list[Instruction]) -> None:
    """Goal: sese.023 and CSV are one way in. Method: the same text as a file of messages and as lines."""
    data = write_orders(several, PLAIN, "F1", MOMENT)
    rows = ((0, msgspec.structs.asdict(one)) for one in several)
    expected = resolve_rows(rows, PLAIN.book, "rows")
    found = read_orders(data, PLAIN)
    assert found.keys() == expected.keys()
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column)


def changed(*pairs: tuple[str, str]) -> bytes:
    """Return the sample with stretches replaced, each of which must be there."""
    body = DVP
    for old, new in pairs:
        assert old in body
        body = body.replace(old, new)
    return document(body)


COUNTERPARTY = "<PrtryId><Id>B</Id><Issr>TSINGMA</Issr></PrtryId></Id>"


@pytest.mark.parametrize(
    ("data", "reason", "field"),
    [
        (changed((">1<", ">A-1<")), "malformed", "TxId"),
        (changed((">1<", ">01<")), "malformed", "TxId"),
        (changed(("KYG875721634", "KYG875721635")), "malformed", "FinInstrmId/ISIN"),
        (changed(("<ISIN>KYG875721634</ISIN>", "<Desc>Tencent</Desc>")), "missing", "FinInstrmId"),
        (changed(("30000.00", "30000.001")), "malformed", "SttlmAmt/Amt"),
        (changed(("'HKD'", "'GBP'")), "unknown", "SttlmAmt/Amt"),
        (changed(("<Unit>100<", "<Unit>100.5<")), "malformed", "QtyAndAcctDtls/SttlmQty/Qty/Unit"),
        (changed(("Unit>", "FaceAmt>")), "not-allowed", "QtyAndAcctDtls/SttlmQty/Qty/FaceAmt"),
        (changed(("Unit>", "AmtsdVal>")), "not-allowed", "QtyAndAcctDtls/SttlmQty/Qty/AmtsdVal"),
        (changed(("<Pmt>APMT", "<Pmt>FREE")), "conflict", "SttlmAmt/Amt"),
        (changed((DVP[DVP.index("<SttlmAmt>"):DVP.index("</SctiesSttlmTxInstr>")], "")), "missing",
         "SttlmTpAndAddtlParams/Pmt"),
        (changed(("<SfkpgAcct><Id>A/HOUSE</Id></SfkpgAcct>", "")), "missing", "QtyAndAcctDtls"),
        (changed(("<TradDt><Dt><Dt>2026-01-02</Dt></Dt></TradDt>", "")), "missing", "TradDtls/TradDt"),
        (changed(("<SttlmDt><Dt><Dt>2026-01-05</Dt></Dt>", "<SttlmDt><DtCd><Cd>WISS</Cd></DtCd>")), "not-allowed",
         "TradDtls/SttlmDt/DtCd/Cd"),
        (changed((COUNTERPARTY, "<NmAndAdr><Nm>Beta</Nm></NmAndAdr></Id>")), "not-allowed",
         "RcvgSttlmPties/Pty1/Id/NmAndAdr/Nm"),
        (changed((COUNTERPARTY, "<AnyBIC>NOBOHKHH</AnyBIC></Id>")), "unknown", "RcvgSttlmPties/Pty1/Id/AnyBIC"),
        (changed(("<Issr>TSINGMA", "<Issr>DTCC")), "unknown", "RcvgSttlmPties/Pty1/Id"),
        (changed(("<Id>B</Id>", "<Id>Z</Id>")), "unknown", "RcvgSttlmPties/Pty1/Id"),
        (changed((COUNTERPARTY, COUNTERPARTY + f"<LEI>{LEI[:-1]}9</LEI>")), "malformed", "RcvgSttlmPties/Pty1/LEI"),
        (changed((COUNTERPARTY, COUNTERPARTY + "<LEI>529900T8BM49AURSDO55</LEI>")), "conflict",
         "RcvgSttlmPties/Pty1/LEI"),
        (changed(("<RcvgSttlmPties>", "<DlvrgSttlmPties><Pty1><Id><PrtryId><Id>B</Id><Issr>TSINGMA</Issr></PrtryId>"
                  "</Id></Pty1></DlvrgSttlmPties><RcvgSttlmPties>")), "conflict", "DlvrgSttlmPties/Pty1/Id"),
        (changed(("<SttlmParams>", "<SttlmParams><Prty><Nmrc>0009</Nmrc></Prty>")), "not-allowed",
         "SttlmParams/Prty/Nmrc"),
        (changed(("</SttlmParams>", "<PrtlSttlmInd>PARQ</PrtlSttlmInd></SttlmParams>")), "not-allowed",
         "SttlmParams/PrtlSttlmInd"),
        (changed(("</SttlmParams>", "<AutomtcBrrwg><Cd>YBOR</Cd></AutomtcBrrwg></SttlmParams>")), "not-allowed",
         "SttlmParams/AutomtcBrrwg/Cd"),
        (changed(("<TradDtls>", "<Lnkgs><Ref><PoolId>P</PoolId></Ref></Lnkgs><TradDtls>")), "conflict", "Lnkgs"),
        (changed(("<TradDtls>", "<Lnkgs><PrcgPos><Cd>AFTE</Cd></PrcgPos><Ref><SctiesSttlmTxId>7</SctiesSttlmTxId></Ref>"
                  "</Lnkgs><TradDtls>")), "not-allowed", "Lnkgs/Ref/SctiesSttlmTxId"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_each_usage_rule_is_refused_with_its_element(data: bytes, reason: str, field: str) -> None:
    """Goal: what the schema lets pass and the house does not take is named. Method: one breach a message."""
    with pytest.raises(Rejected) as caught:
        read_orders(data, PLAIN, file="day.xml")
    found = caught.value.rejections[0]
    assert (found.reason, found.field, found.file) == (RejectionReason(reason), field, "day.xml")
    assert found.line == 1
    assert found.remedy or reason in ("conflict", "malformed", "unknown")


def test_quantity_is_in_face_where_the_face_of_a_unit_is_known() -> None:
    """Goal: bonds are instructed by face. Method: 3 units of 1,000; a unit count and an odd face are refused."""
    order = Instruction(
        reference="1", account="A/HOUSE", side="deliver", counterparty="B", kind="fop", quantity="3", isin=BOND,
        trade_date="2026-01-02", intended_date="2026-01-05",
    )  # fmt: skip
    text = write_instruction(order, NAMED)
    assert "<FaceAmt>3000.00</FaceAmt>" in text
    for old, new, reason in (
        ("<FaceAmt>3000.00</FaceAmt>", "<Unit>3</Unit>", RejectionReason.NOT_ALLOWED),
        ("3000.00", "3000.50", RejectionReason.OUT_OF_RANGE),
    ):
        with pytest.raises(Rejected) as caught:
            read_orders(text.replace(old, new).encode(), NAMED)
        assert caught.value.rejections[0].reason is reason


def test_every_bad_message_of_a_file_is_told_and_none_is_taken() -> None:
    """Goal: one round of repair. Method: two breaches among three messages, then an account the book does not have."""
    bad = changed(("'HKD'", "'GBP'"))
    with pytest.raises(Rejected) as caught:
        read_orders(business_file(bad, document(), bad), PLAIN)
    assert [one.subject for one in caught.value.rejections] == [f"{INSTRUCTION} 1", f"{INSTRUCTION} 3"]
    with pytest.raises(Rejected) as caught:
        read_orders(changed(("A/HOUSE", "A/OMNIBUS")), PLAIN)
    assert (caught.value.rejections[0].field, caught.value.rejections[0].subject) == ("account", "order 1")


@pytest.mark.parametrize("kind", ["pvp", "dvd"])
def test_kinds_without_a_form_are_not_written(kind: str) -> None:
    """Goal: nothing is sent as what it is not. Method: the two kinds that sese.023 does not have."""
    order = Instruction(
        reference="1", account="A/HOUSE", side="deliver", counterparty="B", kind=kind, quantity="3",
        trade_date="2026-01-02", intended_date="2026-01-05",
    )  # fmt: skip
    with pytest.raises(Rejected, match="no form"):
        write_instruction(order, PLAIN)


def test_what_would_not_be_taken_back_is_not_written() -> None:
    """Goal: we send only what is valid. Method: a common reference of 36 characters, and one with a line break."""
    order = read_all(read_messages(document()), PLAIN)[0]
    for text in ("x" * 36, "a\nb"):
        with pytest.raises(Rejected):
            write_orders([msgspec.structs.replace(order, common_reference=text)], PLAIN, "F", MOMENT)


def test_headers_travel_with_their_messages() -> None:
    """Goal: head.001 both ways. Method: two messages with headers in a file; one header that names another message."""
    one = write_instruction(read_all(read_messages(document()), PLAIN)[0], PLAIN)
    headers = [Header("A", "HKSCC", f"M{place}", INSTRUCTION, MOMENT) for place in (1, 2)]
    data = write_file([one, one], "F1", MOMENT, headers)
    assert [read_header(received) for received in read_messages(data)] == headers
    wrong = data.replace(f"<MsgDefIdr>{INSTRUCTION}".encode(), b"<MsgDefIdr>sese.020.001.07")
    with pytest.raises(Rejected, match="the header names"):
        read_header(read_messages(wrong)[0])


def test_the_book_refuses_directories_that_lie() -> None:
    """Goal: BICs are checked once. Method: a form that is none, an unknown participant, one BIC twice."""
    for bics in ({"A": "alphhkhh"}, {"Z": "ALPHHKHH"}, {"A": "ALPHHKHH", "B": "ALPHHKHH"}):
        with pytest.raises(Rejected):
            Directory(PLAIN.book, bics=bics)

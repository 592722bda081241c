"""The border of XML: shipped schemas are what the script makes, and nothing hostile or wrong gets past.

Goal: whatever comes in, it is read as a message or refused with line, element and remedy; nothing outside the bytes is
opened. Method: attacks written out, faults one by one, and schemas made anew beside the shipped ones.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_samples import DVP, INSTRUCTION, SPACE, business_file, document
from iso_schemas import MESSAGES, SCHEMAS, rebuild
from lxml import etree

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.messages.iso20022 import schema
from tsingma.messages.iso20022.schema import read_messages


def refused(data: bytes, **settings: object) -> Rejected:
    """Return the refusal of a file."""
    with pytest.raises(Rejected) as caught:
        read_messages(data, file="day.xml", **settings)  # type: ignore[arg-type]
    assert all(one.file == "day.xml" and one.message for one in caught.value.rejections)
    return caught.value


@pytest.mark.parametrize("message", sorted(MESSAGES))
def test_shipped_schemas_are_what_the_script_makes(message: str) -> None:
    """Goal: no schema is edited by hand. Method: make each anew and compare bytes; libxml2 compiles it."""
    shipped = (SCHEMAS / f"{message}.xsd").read_bytes()
    assert rebuild(message) == shipped
    etree.XMLSchema(etree.fromstring(shipped))


def test_a_rebuilt_schema_says_what_its_classes_say() -> None:
    """Goal: order, occurrence, choice and facets are kept. Method: facts of sese.023.001.11 read off its classes."""
    text = (SCHEMAS / f"{INSTRUCTION}.xsd").read_text(encoding="utf-8")
    assert re.search(r'<xs:complexType name="NumberCount2Choice">\s*<xs:choice>', text)
    root = etree.fromstring(text.encode())
    amount = root.find(".//{*}complexType[@name='ActiveCurrencyAndAmount']")
    currency = amount.find(".//{*}attribute")
    assert (currency.get("name"), currency.get("use")) == ("Ccy", "required")
    body = root.find(".//{*}complexType[@name='SecuritiesSettlementTransactionInstructionV11']/{*}sequence")
    assert [one.get("name") for one in body][:4] == ["TxId", "SttlmTpAndAddtlParams", "NbCounts", "Lnkgs"]
    assert (body[0].get("minOccurs"), body[2].get("minOccurs"), body[3].get("maxOccurs")) == (None, "0", "unbounded")


def test_one_message_and_a_file_of_many_are_read() -> None:
    """Goal: both forms come in, in order. Method: one Document, and a business file of three."""
    assert [one.message for one in read_messages(document())] == [INSTRUCTION]
    many = read_messages(business_file(document(), document(DVP.replace(">1<", ">2<")), document()))
    assert [one.place for one in many] == [1, 2, 3]
    assert many[1].document.findtext("{*}SctiesSttlmTxInstr/{*}TxId") == "2"


def test_no_outside_file_is_read(tmp_path: Path) -> None:
    """Goal: XXE is dead. Method: external general and parameter entities, an external subset, XInclude."""
    secret = tmp_path / "secret"
    secret.write_text("S3CRET", encoding="utf-8")
    link = secret.as_uri()
    for before in (
        f"<!DOCTYPE Document [<!ENTITY x SYSTEM '{link}'>]>",
        f"<!DOCTYPE Document [<!ENTITY % x SYSTEM '{link}'> %x;]>",
        f"<!DOCTYPE Document SYSTEM '{link}'>",
    ):
        found = refused(document(DVP.replace(">1<", ">&x;<"), before=before))
        assert found.rejections[0].field == "DOCTYPE"
        assert "S3CRET" not in str(found)
    include = f"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{link}' parse='text'/>"
    assert "S3CRET" not in str(refused(document(DVP.replace(">1<", f">{include}<"))))


def test_a_schema_the_sender_names_is_not_opened(tmp_path: Path) -> None:
    """Goal: no schemaLocation of a sender is followed. Method: one that names a schema in which all is forbidden."""
    (tmp_path / "evil.xsd").write_text("<not-a-schema/>", encoding="utf-8")
    where = (tmp_path / "evil.xsd").as_uri()
    extra = (
        f"<SplmtryData><Envlp><e:x xmlns:e='urn:evil' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
        f"xsi:schemaLocation='urn:evil {where}' xsi:noNamespaceSchemaLocation='{where}'/></Envlp></SplmtryData>"
        "</SctiesSttlmTxInstr>"
    )
    body = DVP.replace("</SctiesSttlmTxInstr>", extra)
    (found,) = read_messages(document(body))
    assert found.document.find(".//{urn:evil}x").attrib == {}


def test_an_entity_bomb_is_refused_before_it_is_read() -> None:
    """Goal: no expansion. Method: a billion laughs, and a quadratic one in an attribute."""
    lines = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
    bomb = f"<!DOCTYPE Document [<!ENTITY e0 'ha'>{lines}]>"
    assert refused(document(DVP.replace(">1<", ">&e9;<"), before=bomb)).rejections[0].line == 1
    assert refused(document(DVP.replace("'HKD'", "'&e9;'"), before=bomb)).rejections[0].field == "DOCTYPE"
    assert refused(document(DVP.replace(">1<", ">&nothing;<"))).rejections[0].reason is RejectionReason.MALFORMED


def test_size_depth_and_number_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: memory is bounded. Method: past each limit by one; and 100,000 levels, which libxml2 itself refuses."""
    deep = "<SplmtryData><Envlp>" + "<x>" * schema.DEPTH_MAX + "</x>" * schema.DEPTH_MAX + "</Envlp></SplmtryData>"
    body = DVP.replace("</SctiesSttlmTxInstr>", deep + "</SctiesSttlmTxInstr>")
    assert refused(document(body)).rejections[0].reason is RejectionReason.LIMIT
    assert refused(b"<x>" * 100_000).rejections[0].reason in (RejectionReason.MALFORMED, RejectionReason.LIMIT)
    monkeypatch.setattr(schema, "MESSAGES_MAX", 2)
    assert refused(business_file(*[document()] * 3)).rejections[0].reason is RejectionReason.LIMIT
    monkeypatch.setattr(schema, "BYTES_MAX", 100)
    found = refused(document()).rejections[0]
    assert (found.reason, found.remedy) == (RejectionReason.LIMIT, "send several files")


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        (b"", "", "no XML"),
        (b"not xml", "", "no XML"),
        (document()[:-20], "", "no XML"),
        (document().decode().encode("utf-16"), "", "UTF-8"),
        (document(DVP.replace("A/HOUSE", "\xff")).replace("\xff".encode(), b"\xff"), "", "no XML"),
        (b"<Document/>", "Document", "no ISO 20022 message"),
        (document(message="sese.023.001.01"), "Document", "not taken here"),
        (document().replace(b"iso:20022", b"iso:20023"), "Document", "no ISO 20022 message"),
        (document(DVP.replace("<TxId>1</TxId>", "")), "SttlmTpAndAddtlParams", "TxId"),
        (document(DVP.replace(">1<", ">" + "9" * 36 + "<")), "TxId", "maxLength"),
        (document(DVP.replace("DELI", "GIVE")), "SctiesMvmntTp", "GIVE"),
        (document(DVP.replace("KYG875721634", "KYG87572163X")), "ISIN", "pattern"),
        (document(DVP.replace("2026-01-05", "2026-02-30")), "Dt", "2026-02-30"),
        (document(DVP.replace("30000.00", "-1")), "Amt", "minInclusive"),
        (document(DVP.replace("<SctiesSttlmTxInstr>", "<SctiesSttlmTxInstr><New/>")), "New", "not expected"),
        (business_file(), "Pyld", "no message"),
        (business_file(b"<Document xmlns=''/>"), "Document", "no ISO 20022 message"),
    ],
    ids=lambda value: value if isinstance(value, str) and value else None,
)
def test_faults_are_named_by_element(data: bytes, field: str, says: str) -> None:
    """Goal: a sender finds the fault. Method: one fault a file; the refusal names element, value or facet, remedy."""
    found = refused(data).rejections[0]
    assert found.field == field
    assert says in found.message
    assert found.remedy or found.reason is RejectionReason.MISSING


def test_every_fault_of_a_file_is_told_with_its_line() -> None:
    """Goal: one round of repair. Method: two bad messages of three, each on a line of its own."""
    bad = b"\n" + document(DVP.replace("DELI", "GIVE"))
    found = refused(business_file(bad, document(), bad)).rejections
    assert [one.line for one in found if one.field == "SctiesMvmntTp"] == sorted({one.line for one in found})
    assert len({one.line for one in found}) == 2


def test_only_what_a_border_speaks_is_taken() -> None:
    """Goal: a border takes its own messages. Method: a cancellation's border is sent an instruction."""
    found = refused(document(), accept=("sese.020.001.07",)).rejections[0]
    assert (found.reason, found.remedy) == (RejectionReason.UNKNOWN, "one of sese.020.001.07")


SCRAPS = st.sampled_from(
    ["<", ">", "</", "&", "&#x0;", "&amp;", "<![CDATA[", "]]>", "<?x?>", "<!--", "xmlns='", SPACE, "Document", "\x00",
     "é", "<!DOCTYPE", "Xchg", "2026-01-05", "-1", "9" * 40, "Ccy='HKD'"]
)  # fmt: skip


EDITS = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 30), SCRAPS), max_size=6)


def read_or_refuse(edits: list[tuple[int, int, str]], many: bool) -> None:
    """Cut stretches out of a good file, put scraps in, and read it: messages or refusals come out."""
    data = business_file(document(), document()) if many else document()
    for place, cut, scrap in edits:
        data = data[:place] + scrap.encode() + data[place + cut :]
    try:
        assert read_messages(data, file="fuzz.xml")
    except Rejected as rejected:
        found = rejected.rejections
    else:
        found = ()
    assert all(one.file == "fuzz.xml" and one.message for one in found)


@given(EDITS, st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_comes_is_read_or_refused(edits: list[tuple[int, int, str]], many: bool) -> None:
    """Goal: never a traceback. Method: a good file with stretches cut out and scraps of markup put in."""
    read_or_refuse(edits, many)


@pytest.mark.soak
@given(EDITS, st.booleans())
@settings(max_examples=200_000, deadline=None)
def test_whatever_comes_for_long_is_read_or_refused(edits: list[tuple[int, int, str]], many: bool) -> None:
    """Goal: never a traceback in ten minutes. Method: the same, 200,000 files."""
    read_or_refuse(edits, many)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_bytes_of_any_kind_are_refused(data: bytes) -> None:
    """Goal: never a traceback. Method: bytes of any kind."""
    with pytest.raises(Rejected):
        read_messages(data)

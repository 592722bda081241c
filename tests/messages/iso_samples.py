"""ISO 20022 messages in bytes that several tests send."""

from __future__ import annotations

SPACE = "urn:iso:std:iso:20022:tech:xsd:"
INSTRUCTION = "sese.023.001.11"
DVP = (
    "<SctiesSttlmTxInstr><TxId>1</TxId><SttlmTpAndAddtlParams><SctiesMvmntTp>DELI</SctiesMvmntTp><Pmt>APMT</Pmt>"
    "</SttlmTpAndAddtlParams><TradDtls><TradDt><Dt><Dt>2026-01-02</Dt></Dt></TradDt><SttlmDt><Dt><Dt>2026-01-05</Dt>"
    "</Dt></SttlmDt></TradDtls><FinInstrmId><ISIN>KYG875721634</ISIN></FinInstrmId><QtyAndAcctDtls><SttlmQty><Qty>"
    "<Unit>100</Unit></Qty></SttlmQty><SfkpgAcct><Id>A/HOUSE</Id></SfkpgAcct></QtyAndAcctDtls><SttlmParams><SctiesTxTp>"
    "<Cd>TRAD</Cd></SctiesTxTp></SttlmParams><RcvgSttlmPties><Pty1><Id><PrtryId><Id>B</Id><Issr>TSINGMA</Issr>"
    "</PrtryId></Id></Pty1></RcvgSttlmPties><SttlmAmt><Amt Ccy='HKD'>30000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>"
    "</SttlmAmt></SctiesSttlmTxInstr>"
)


def document(body: str = DVP, message: str = INSTRUCTION, before: str = "") -> bytes:
    """Return a Document of a message with a body, after what is to come before it."""
    return f"{before}<Document xmlns='{SPACE}{message}'>{body}</Document>".encode()


def business_file(*documents: bytes) -> bytes:
    """Return documents in a business file, one payload each."""
    inner = b"".join(b"<Pyld>" + one + b"</Pyld>" for one in documents)
    described = (
        "<PyldDesc><PyldData><PyldIdr>F1</PyldIdr><CreDtAndTm>2026-01-05T08:00:00</CreDtAndTm></PyldData>"
        "<PyldTp>sese</PyldTp></PyldDesc>"
    )
    return f"<Xchg xmlns='{SPACE}head.002.001.01'>{described}".encode() + inner + b"</Xchg>"

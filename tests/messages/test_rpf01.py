"""RPF01, position and participant files: the published sample, round trips, and every way a file can be wrong."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import pytest

from hkscc_example import PARAMETERS, PARTICIPANT, POSITIONS
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.margin.hkscc.parameters import BetaHedge, CorporateAction, Parameters, PriceThreshold, StructuredProduct
from tsingma.messages import positions as position_files
from tsingma.messages import rpf01
from tsingma.messages.participant_file import read_participant
from tsingma.messages.positions import (
    read_dated_positions,
    read_positions,
    write_dated_positions,
    write_positions,
)
from tsingma.messages.rpf01 import read_parameters, write_parameters

WHOLE = PARAMETERS.replace(b"HVaR_Scen_Count,1000", b"HVaR_Scen_Count,10").replace(b"Count,1018", b"Count,10")
DATED = b"""instrument,quantity,contract_value,market_value,currency,trade_date,settlement_date,market
80737,-5000,-15000,-17500,CNY,2019-11-04,2019-11-06,CHINACLEAR
5,400,24000,25000,HKD,2019-11-04,2019-11-06,HK
"""


def _same(left: Parameters, right: Parameters) -> bool:
    for field in msgspec.structs.fields(Parameters):
        one, two = getattr(left, field.name), getattr(right, field.name)
        equal = np.array_equal(one, two) if isinstance(one, np.ndarray) else one == two
        if not equal:
            return False
    return True


def test_sample_of_the_guide() -> None:
    """Goal: every field type of the published sample. Method: read it and look at one value of each kind."""
    sample = read_parameters(PARAMETERS, file="RPF01.csv", partial=True)
    assert sample.valuation_date == date(2019, 4, 1)
    assert (sample.hvar_weight_e10, sample.svar_weight_e10) == (7_500_000_000, 2_500_000_000)
    assert (sample.hvar_count, sample.svar_count, sample.stress_count) == (1_000, 1_018, 200)
    assert (sample.rounding, sample.holiday_factor_e10) == (10_000, 7_320_508_075)
    assert sample.instruments == ("700", "1299", "1876", "2823", "3690", "26883", "60954")
    assert sample.hvar_returns_e10.shape == sample.svar_returns_e10.shape == (7, 10)
    assert int(sample.hvar_returns_e10[0, 0]) == 139_100_000
    assert int(sample.svar_returns_e10[0, 5]) == 406_715_000
    assert sample.flat_rates_e10["3457"] == 5_500_000_000
    assert sample.beta_hedges["700"] == BetaHedge(22_000_000, 9_000_000_000, 300_000_000, 400 * 10**10)
    assert sample.structured_products["60954"] == StructuredProduct("1299", -7_895_880_000, 10**12, -6_316_700_000)
    assert sample.price_thresholds["26883"] == PriceThreshold(200_000_000, 5_000_000_000)
    assert sample.corporate_actions["700", 1] == CorporateAction(1, 4 * 10**10, -5 * 10**9, 5 * 10**9)


def test_round_trip() -> None:
    """Goal: what is written reads back equal. Method: sample, random ten-decimal returns, and no scenarios at all."""
    sample = read_parameters(PARAMETERS, partial=True)
    assert _same(read_parameters(write_parameters(sample), partial=True, file="RPF01.csv"), sample)
    rng = np.random.default_rng(2)
    returns = rng.integers(-(10**11), 10**11, (7, 10))
    random = msgspec.structs.replace(
        sample, hvar_returns_e10=returns, svar_returns_e10=-returns, hvar_declared=10, svar_declared=10
    )
    assert _same(read_parameters(write_parameters(random), file="RPF01.csv"), random)
    none = np.zeros((0, 0), dtype=np.int64)
    bare = msgspec.structs.replace(
        sample, instruments=(), hvar_returns_e10=none, svar_returns_e10=none, structured_products={}
    )
    assert _same(read_parameters(write_parameters(bare), file="RPF01.csv"), bare)
    assert not _same(bare, sample)


def test_spreadsheet_habits_are_read() -> None:
    """Goal: byte-order mark, CRLF, trailing commas, blanks and exponents read alike. Method: rewrite the sample so."""
    tidy = read_parameters(WHOLE, file="R")
    odd = b"\xef\xbb\xbf" + WHOLE.replace(b"\n", b",,\r\n").replace(b"0.01391,", b" 1.391E-2,")
    odd = odd.replace(b"8,9,10,,", b"8,9,10")
    assert _same(read_parameters(odd, file="R"), tidy)


@pytest.mark.parametrize(
    ("before", "after", "line", "field", "words"),
    [
        (b"Valuation_DT,1/4/2019", b"Valuation_DT,2019-04-01", 1, "Valuation_DT", "DD/MM/YYYY"),
        (b"HVaR_WGT,0.75", b"HVaR_WEIGHT,0.75", 2, "HVaR_WEIGHT", "unknown header row"),
        (b"HVaR_WGT,0.75", b"HVaR_WGT,0.7", 0, "HVaR_WGT", "sum to 0.95"),
        (b"HVaR_WGT,0.75", b"HVaR_WGT,three", 2, "HVaR_WGT", "'three' is not a number"),
        (b"SVaR_WGT,0.25", b"HVaR_WGT,0.25", 3, "HVaR_WGT", "stands twice"),
        (b"Rounding,10000\n", b"", 12, "Rounding", "no header row Rounding"),
        (b"Rounding,10000", b"Rounding,1e4", 11, "Rounding", "no whole number"),
        (b"HVaR_Measure,4", b"HVaR_Measure,1", 0, "HVaR_Measure", "not supported"),
        (b"InstrumentId,FieldType,", b"Instrument,Type,", 13, "Instrument", "unknown header row"),
        (b"658,3,0.12", b"658,8,0.12", 28, "FieldType", "field types are 1 to 7"),
        (b"658,3,0.12", b"658,3,x", 28, "column 1", "not a number"),
        (b"658,3,0.12", b"658,3,", 28, "FieldType", "has 1 values"),
        (b"658,3,0.12", b"658,3,-0.12", 0, "FieldType 3", "negative flat rate"),
        (b"658,3,0.12", b"6 58,3,0.12", 28, "InstrumentId", "is no code"),
        (b"3456,3,0.3", b"658,3,0.3", 29, "FieldType", "already stands on line 28"),
        (b"26883,5,700,", b"26883,5,7 0,", 38, "", "is no code"),
        (b"26883,5,700,", b"26883,5,999,", 0, "FieldType 5", "has no FieldType 4 row"),
        (b"300000000,400", b"300000000,-400", 0, "FieldType 4", "negative bucket rate, threshold or price"),
        (b"700,7,1,4,", b"700,7,9,4,", 0, "FieldType 7", "entitlement type 9"),
        (b"700,1,0.01391", b"700,1,nan", 14, "column 1", "not a finite number"),
        (b"700,1,0.01391", b"700,1,0.012345678901", 14, "column 1", "more than 10 decimals"),
        (b"700,1,0.01391", b"700,1,9999999999", 14, "", "too large"),
        (b"700,1,0.01391,", b"700,1,", 14, "FieldType 1", "9 scenarios where the header declares 10"),
        (b"700,2,", b"701,2,", 0, "FieldType", "none of field type"),
        (b"658,3,0.12", b"700,3,0.12", 0, "FieldType", "one tier"),
    ],
)
def test_wrong_files_are_refused(before: bytes, after: bytes, line: int, field: str, words: str) -> None:
    """Goal: file, line, field and cause of every fault. Method: break the sample in one place."""
    assert before in WHOLE
    with pytest.raises(Rejected, match=words) as refused:
        read_parameters(WHOLE.replace(before, after, 1), file="R.csv")
    found = refused.value.rejections[0]
    assert (found.file, found.field) == ("R.csv", field)
    assert found.remedy
    assert line in (0, found.line)


def test_files_that_are_no_files() -> None:
    """Goal: empty, cut, binary and oversized files are refused. Method: one of each; and rows of unequal length."""
    for data, words in ((b"", "empty"), (b"Rounding,1\n", "never starts"), (b"HVaR_WGT,\xff\n", "not UTF-8")):
        with pytest.raises(Rejected, match=words):
            read_parameters(data)
    with pytest.raises(Rejected, match="declares 1000"):
        read_parameters(PARAMETERS)
    with pytest.raises(Rejected, match="9 scenarios where 700 has 10"):
        read_parameters(PARAMETERS.replace(b"1299,1,0.01125,", b"1299,1,", 1), partial=True)
    cut = WHOLE[: WHOLE.index(b"2823,2") + 20]
    with pytest.raises(Rejected, match="the header declares 10"):
        read_parameters(cut)


def test_size_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: everything has a limit. Method: lower both bounds and pass them."""
    monkeypatch.setattr(rpf01, "FILE_SIZE_MAX", 10)
    with pytest.raises(Rejected, match="too large"):
        read_parameters(PARAMETERS)
    monkeypatch.setattr(position_files, "ROWS_MAX", 3)
    with pytest.raises(Rejected, match="more than 3 rows"):
        read_positions(POSITIONS)


def test_positions_round_trip() -> None:
    """Goal: both layouts write and read back equal. Method: the sample, and dated lines of two markets."""
    held = read_positions(POSITIONS)
    assert len(held) == 14
    assert sum(one.market_value for one in held) == -300_550_000
    assert sum(one.contract_value for one in held) == -287_850_000
    assert read_positions(write_positions(held)) == held
    dated = read_dated_positions(DATED)
    assert dated[0].market == "CHINACLEAR"
    assert write_dated_positions(dated) == DATED
    assert read_dated_positions(write_dated_positions(dated)) == dated


@pytest.mark.parametrize(
    ("before", "after", "line", "field", "words"),
    [
        (b"instrument,quantity", b"code,quantity", 1, "", "the header is"),
        (b"658,-10000000", b"658,-10,000,000", 2, "", "6 values where the header has 4"),
        (b"658,-10000000", b"658,many", 2, "quantity", "no whole number"),
        (b"-62000000", b"-62000000.5", 2, "contract_value", "no whole number"),
        (b"1299,1000000,", b"700,1000000,", 4, "instrument", "already stands on line 3"),
        (b"1299,", b",", 4, "instrument", "is no code"),
        (b"1299,", b"\xff,", 4, "", "not UTF-8"),
        (b"1299,", b"\n1299,", 4, "", "0 values where the header has 4"),
    ],
)
def test_wrong_positions_are_refused(before: bytes, after: bytes, line: int, field: str, words: str) -> None:
    """Goal: file, line, field and cause. Method: break the netted sample in one place."""
    with pytest.raises(Rejected, match=words) as refused:
        read_positions(POSITIONS.replace(before, after, 1), file="P.csv")
    found = refused.value.rejections[0]
    assert (found.file, found.line, found.field) == ("P.csv", line, field)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b"CNY", b"JPY", "'JPY' is not known"),
        (b"CHINACLEAR", b"SZ", "'SZ' is not known"),
        (b"2019-11-04", b"04/11/2019", "is not a date"),
        (b"2019-11-06", b"2019-11-01", "before its trade date"),
        (b"80737,-5000", b'"80737\n,-5000', "values where the header has 8"),
    ],
)
def test_wrong_dated_positions_are_refused(before: bytes, after: bytes, words: str) -> None:
    """Goal: dates, currencies and markets are checked. Method: break the dated sample in one place."""
    with pytest.raises(Rejected, match=words):
        read_dated_positions(DATED.replace(before, after, 1), file="D.csv")


def test_csv_syntax_is_checked() -> None:
    """Goal: what the csv reader cannot take is refused, not raised. Method: a field beyond its size limit."""
    with pytest.raises(Rejected, match="not CSV"):
        read_positions(POSITIONS + b"x" * 200_000)


def test_participant_file() -> None:
    """Goal: exact numbers and every table. Method: the sample; then the same without its optional parts."""
    terms = read_participant(PARTICIPANT)
    assert terms.tier_p_floor_e10 == 250_000_000
    assert terms.ipo == ("1876", "3690")
    assert terms.position_limit is not None
    assert terms.position_limit.cap == 280_000_000
    assert str(terms.tail_means_hvar["rest"]) == "-4793885.67"
    assert terms.has_tail_means
    bare = read_participant(PARTICIPANT[: PARTICIPANT.index(b"ipo")])
    assert bare.position_limit is None
    assert not bare.has_tail_means
    uncapped = read_participant(PARTICIPANT.replace(b"cap = 280000000\n", b""))
    assert uncapped.position_limit is not None
    assert uncapped.position_limit.cap is None


@pytest.mark.parametrize(
    ("before", "after", "field", "reason"),
    [
        (b"min_tick", b"minimum_tick", "minimum_tick", RejectionReason.UNKNOWN),
        (b"min_tick = 0.001\n", b"", "min_tick", RejectionReason.MISSING),
        (b"cap =", b"ceiling =", "position_limit.ceiling", RejectionReason.UNKNOWN),
        (b"[tail_means.hvar]", b"[tail_means.var]", "tail_means.var", RejectionReason.UNKNOWN),
        (b"margin_credit = 5000000", b"margin_credit = 0.5", "margin_credit", RejectionReason.MALFORMED),
        (b"margin_credit = 5000000", b"margin_credit = true", "margin_credit", RejectionReason.MALFORMED),
        (b"margin_credit = 5000000", b"margin_credit = -5", "margin_credit", RejectionReason.OUT_OF_RANGE),
        (b"0.025", b"0.02500000000001", "tier_p_floor", RejectionReason.MALFORMED),
        (b"0.025", b"nan", "tier_p_floor", RejectionReason.MALFORMED),
        (b'"2800"', b"2800", "hedge_instrument", RejectionReason.MALFORMED),
        (b'["1876", "3690"]', b'"1876"', "ipo", RejectionReason.MALFORMED),
        (b'["1876", "3690"]', b"[1876]", "ipo", RejectionReason.MALFORMED),
        (b'"3456" = "2"', b'"3456" = 2', "flat_rate_groups.3456", RejectionReason.MALFORMED),
        (b"ipo =", b"tail_means = 1 #", "tail_means", RejectionReason.MALFORMED),
        (b"rest = -4793885.67", b"other = -1", "tail_means.hvar", RejectionReason.UNKNOWN),
        (b"margin_credit", b"= =", "", RejectionReason.MALFORMED),
        (b"margin_credit", b"\xff", "", RejectionReason.MALFORMED),
    ],
)
def test_wrong_participants_are_refused(before: bytes, after: bytes, field: str, reason: RejectionReason) -> None:
    """Goal: unknown, missing and malformed keys are named. Method: break the sample in one place."""
    data = PARTICIPANT.replace(before, after, 1)
    if field == "tail_means":
        data = data[: data.index(b"[position_limit]")]
    with pytest.raises(Rejected) as refused:
        read_participant(data, file="C.toml")
    found = refused.value.rejections[0]
    assert (found.file, found.field, found.reason) == ("C.toml", field, reason)

"""Paths: what is refused, what is the same after JSON and TOML, and what a path says of itself."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.economy.claims import Claim, Kind, Result, count
from tsingma.economy.path import (
    HSI,
    Indicator,
    Likelihood,
    LikelihoodKind,
    Path,
    Provenance,
    Shock,
    Unit,
    from_json,
    from_toml,
    to_json,
    to_toml,
)

DAYS = (date(2026, 6, 30), date(2026, 7, 31), date(2026, 8, 31))


def _path(**changes: object) -> Path:
    fields = {
        "name": "squeeze",
        "dates": DAYS,
        "indicators": (
            Indicator(HSI, Unit.INDEX, (22881.02, 20000.0, 21000.5)),
            Indicator("share.payments", Unit.SHARE, (0.0275, 0.02, 0.0)),
        ),
        "likelihood": Likelihood(kind=LikelihoodKind.PLAUSIBILITY, value=0.01, basis="six-month falls since 1986"),
        "provenance": Provenance(model="renminbi", scenario="squeeze", calibration="cited", uncertainty="fan", seed=7),
        "shocks": (
            Shock(name="rate.CNH", day=DAYS[1], size=4.5, unit="percent a year", why='a "squeeze"', source="assumed"),
        ),
    }
    return Path(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_path_survives_json_and_toml() -> None:
    """Goal: no loss. Method: a path with quotes, dates, a seed and shocks goes through both forms and back."""
    path = _path()
    assert from_json(to_json(path)) == path
    assert from_toml(to_toml(path)) == path
    unseeded = _path(provenance=msgspec.structs.replace(path.provenance, seed=None), shocks=())
    assert from_toml(to_toml(unseeded)) == unseeded


@given(
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    text=st.text(max_size=40),
)
def test_any_finite_numbers_and_words_survive(values: list[float], text: str) -> None:
    """Goal: exact round trip. Method: arbitrary finite floats and unicode words through TOML and JSON."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    path = _path(
        name=text,
        dates=tuple(DAYS[0] + timedelta(n) for n in range(len(values))),
        indicators=(Indicator("rate.x", Unit.PERCENT, tuple(values)),),
    )
    assert from_toml(to_toml(path)) == path
    assert from_json(to_json(path)) == path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dates": (DAYS[0], DAYS[0], DAYS[2])}, "follows"),
        ({"dates": DAYS[:2]}, "3 numbers for 2 dates"),
        ({"dates": ()}, "needs dates"),
        ({"indicators": (Indicator(HSI, Unit.INDEX, (1.0, 2.0, 3.0)),) * 2}, "twice"),
    ],
)
def test_wrong_paths_are_refused(changes: dict[str, object], words: str) -> None:
    """Goal: refused whole, saying why. Method: one fault at a time."""
    with pytest.raises(Rejected, match=words):
        _path(**changes)


@pytest.mark.parametrize(
    ("name", "unit", "value"),
    [
        (HSI, Unit.INDEX, 0.0),
        (HSI, Unit.INDEX, float("nan")),
        ("share.payments", Unit.SHARE, -0.01),
        ("share.payments", Unit.SHARE, 1.01),
        ("volume.sales", Unit.COUNT, -1.0),
        ("HSI", Unit.INDEX, 1.0),
    ],
)
def test_impossible_numbers_are_refused(name: str, unit: Unit, value: float) -> None:
    """Goal: a negative share or a level of zero never enters. Method: one impossible number a unit."""
    with pytest.raises(Rejected):
        Indicator(name, unit, (value,))


@pytest.mark.parametrize("text", ["name = 1", "name = ", '{"name": 3}'])
def test_malformed_documents_are_refused(text: str) -> None:
    """Goal: a readable refusal. Method: broken documents in both forms."""
    with pytest.raises(Rejected):
        from_toml(text, file="p.toml")
    with pytest.raises(Rejected):
        from_json(text, file="p.json")


def test_what_a_path_says_of_itself() -> None:
    """Goal: the readings the stress side takes. Method: hand-worked changes and falls."""
    path = _path()
    assert path.names() == (HSI, "share.payments")
    assert path.worst_fall(HSI) == pytest.approx(20000 / 22881.02 - 1)
    assert path.log_change(HSI).sum() == pytest.approx(-0.08578, abs=1e-4)
    with pytest.raises(Rejected, match="there are: equity"):
        path.values("equity.N225")
    with pytest.raises(Rejected, match="no logarithm"):
        path.log_change("share.payments")
    with pytest.raises(Rejected, match="between 0 and 1"):
        Likelihood(kind=LikelihoodKind.PROBABILITY, value=1.2, basis="x")


def test_claims_are_whole_and_counted() -> None:
    """Goal: no claim without its reason. Method: an empty field is refused; the count names all three results."""
    claim = Claim(
        id="F1", english="a", chinese="甲", kind=Kind.SIGN, test="t", result=Result.SUPPORTED, figure="1", why="w",
        source="s",
    )  # fmt: skip
    assert count([claim, claim]) == {Result.SUPPORTED: 2, Result.NOT_SUPPORTED: 0, Result.NOT_TESTABLE: 0}
    with pytest.raises(Rejected, match="why"):
        msgspec.convert({**msgspec.to_builtins(claim), "why": ""}, Claim)

"""Margin of an account over HTTP: figures are those of the model asked directly, parts add up, what if moves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from api_house import Served, served

from tsingma.api.bench import Bench
from tsingma.app.house_market import HouseMarket
from tsingma.margin.house.holdings import Book, Holding, House, Product
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.explain import margin_on, row_of
from tsingma.margin.joint.requirement import JointSettings

PATH = "/accounts/A/HOUSE/margin"
FUTURE = {"house": "HKCC", "product": "future", "factor": "2800", "notional": -20_000}
PUT = {"house": "SEOCH", "product": "put", "factor": "700", "notional": 25_000, "strike_e4": 9_500, "days": 60}


@pytest.fixture(scope="module")
def prices(market_folder: Path) -> HouseMarket:
    """The market asked directly."""
    return HouseMarket(market_folder)


def holding(house: House, product: Product, factor: str, notional: int, **more: int) -> Holding:
    return Holding(house=house, product=product, factor=factor, notional=notional, **more)


def test_an_account_at_one_house_has_its_figure(shown: Served, prices: HouseMarket) -> None:
    """Goal: GET margin. Method: A bought 100 shares at 300: one line, the house's own figure, model and data named."""
    found = shown.get("participant", PATH).json()
    margin = found["margin"]
    assert (margin["lines"], margin["alone"], margin["called"]) == (1, margin["called"], margin["one_pot"])
    assert margin["called"] == sum(one["called"] for one in margin["houses"]) > 0
    assert [sum(one["components"].values()) for one in found["figures"]] == [one["alone"] for one in margin["houses"]]
    assert (found["at"], found["date"], found["last_called_cents"]) == (shown.service.length(), "2026-01-05", 10_000)
    basis = found["basis"]
    assert (basis["day"], set(basis["market"]["files"])) == ("2026-01-02", {"prices.csv"})
    assert basis["market"]["files"] == prices.data().files
    assert basis["settings"]["level"] == "0.01"


def test_an_explanation_reaches_the_scenarios_of_the_tail(shown: Served) -> None:
    """Goal: attribution. Method: components of positions add up to the house's, a tail of days, worst first."""
    found = shown.get("auditor", f"{PATH}/explanation").json()
    assert [one["factor"] for one in found["positions"]] == ["00700"]
    assert sum(one["component"] for one in found["positions"]) == sum(one["component"] for one in found["houses"])
    losses = [one["profit"] for one in found["tail"]]
    assert losses == sorted(losses)
    assert losses[0] < 0
    assert all(sum(one["by_house"].values()) == one["profit"] for one in found["tail"])
    assert len({one["day"] for one in found["tail"]}) == len(losses)


def test_what_if_is_the_model_asked_directly(shown: Served, prices: HouseMarket) -> None:
    """Goal: each house and the joint figure, before and after. Method: against ``margin_on`` of the same lines."""
    answer = shown.call("participant", "POST", f"{PATH}/what-if", json={"holdings": [FUTURE, PUT]})
    assert answer.status_code == 200, answer.text
    found, past = answer.json(), prices.past()
    lines = (
        holding(House.HKSCC, Product.STOCK, "00700", 30_000, days=0),
        holding(House.HKCC, Product.FUTURE, "02800", -20_000),
        holding(House.SEOCH, Product.PUT, "00700", 25_000, strike_e4=9_500, days=60),
    )
    wanted = margin_on(Book("A/HOUSE", lines), past, row_of(past, None), JointSettings())
    shares = wanted.by(Allocation.EULER)
    after = found["after"]
    assert (after["alone"], after["saving"], after["called"]) == (wanted.standalone, wanted.saving, shares.called)
    assert [(one["house"], one["called"]) for one in after["houses"]] == [(x.house, x.called) for x in shares.houses]
    assert found["called_change"] == after["called"] - found["before"]["called"]
    assert found["before"] == shown.get("participant", PATH).json()["margin"]


def test_trades_are_valued_at_the_close_and_alone_leaves_the_account_out(shown: Served) -> None:
    """Goal: trades. Method: selling what was bought leaves less; alone is the lines by themselves."""
    sold = {"trades": [{"counter": "700", "side": "sell", "quantity": 100}]}
    found = shown.call("participant", "POST", f"{PATH}/what-if", json=sold).json()
    assert found["after"]["called"] <= found["before"]["called"]
    assert found["after"]["lines"] == 2
    bought = {"trades": [{"counter": "700", "side": "buy", "quantity": 100}], "alone": True}
    found = shown.call("participant", "POST", f"{PATH}/what-if", json=bought).json()
    assert found["after"] == found["before"]
    nothing = shown.call("participant", "POST", f"{PATH}/what-if", json={"alone": True}).json()
    assert (nothing["after"]["called"], nothing["after"]["houses"]) == (0, [])


def test_a_question_changes_nothing(shown: Served) -> None:
    """Goal: what if books nothing, and needs no new token. Method: the journal's length; one token used twice."""
    before, token = shown.service.length(), shown.token("participant")
    for _ in range(2):
        answer = shown.call("participant", "POST", f"{PATH}/what-if", json={"holdings": [FUTURE]}, token=token)
        assert answer.status_code == 200
    assert shown.service.length() == before


@pytest.mark.parametrize(("body", "status", "field"), [
    ({"holdings": [{**FUTURE, "factor": "9999"}]}, 422, "factor"),
    ({"holdings": [{**FUTURE, "product": "stock"}]}, 409, "product"),
    ({"trades": [{"counter": "1", "side": "buy", "quantity": 1}]}, 422, "counter"),
    ({"holdings": [FUTURE] * 501}, 400, ""),
    ({"holdings": [{**FUTURE, "notional": 10**16}]}, 400, ""),
    ({"unknown": 1}, 400, ""),
])  # fmt: skip
def test_lines_that_cannot_be_margined_are_refused(shown: Served, body: Any, status: int, field: str) -> None:
    """Goal: faults named. Method: no such factor, a product no house clears, no counter, too many, too large."""
    answer = shown.call("participant", "POST", f"{PATH}/what-if", json=body)
    assert (answer.status_code, answer.json().get("field", "")) == (status, field), answer.text


def test_a_line_without_a_history_is_left_out_and_said(shown: Served) -> None:
    """Goal: nothing is hidden. Method: the accounts of everybody: whatever is open is a line or left out with why."""
    for account in ("A", "B", "C", "D"):
        found = shown.get("operator", f"/accounts/{account}/HOUSE/margin").json()
        assert all(one["reason"] for one in found["left_out"])
    assert shown.get("operator", "/accounts/A/OMNIBUS/margin").status_code == 404


def test_without_a_market_margin_says_so(house: Served) -> None:
    """Goal: a problem with its remedy. Method: a house served without prices; then one whose prices are wrong."""
    answer = house.get("participant", PATH).json()
    assert (answer["status"], answer["reason"], answer["field"]) == (422, "missing", "market")


def test_prices_that_cannot_be_read_are_told(folder: Path, tmp_path: Path) -> None:
    """Goal: bad data is a problem, no defect. Method: a file that is no price file."""
    (tmp_path / "prices.csv").write_text("nothing\n", encoding="ascii")
    with served(folder, market=HouseMarket(tmp_path)) as house:
        assert house.get("participant", PATH).status_code == 400


def test_a_full_bench_asks_to_come_again() -> None:
    """Goal: bounded concurrency. Method: a bench that holds one and lets none wait."""
    from litestar.exceptions import TooManyRequestsException

    bench = Bench(at_once=1, waiting_max=0)
    with pytest.raises(TooManyRequestsException), bench.place():
        raise AssertionError("there was no place")
    free = Bench(at_once=1, waiting_max=1)
    with free.place():
        assert free._waiting == 0
    with free.place():
        pass

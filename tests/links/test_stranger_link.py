"""A link nobody proposed, from the example's rule file; and what any cycle, rate or seed makes of it."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.app.link_run import run_link
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.links.machine import plan_link
from tsingma.links.rule_file import read_rules
from tsingma.links.rule_rows import LinkRules

FILE = Path(__file__).parents[2] / "examples" / "hong-kong-asean.toml"
DAY = date(2026, 3, 2)


def rules() -> LinkRules:
    """Return the rules of the example."""
    return read_rules(FILE.read_bytes(), file=FILE.name)


def test_the_strangers_day_by_its_own_rules() -> None:
    """Goal: money, cycle, charges, quota and margin are the file's. Method: recompute them from the day's figures."""
    found = run_link(rules(), day=DAY)
    outbound, inbound = found.directions
    assert found.faults == []
    assert outbound.quota_left_cents == {"daily-net-buy": 500_000_000_00 - outbound.net_buy_cents}
    assert {step["day"] for step in outbound.steps} == {"2026-03-03"}, "T+1"
    assert {step["day"] for step in inbound.steps} == {"2026-03-04"}, "T+2"
    charged = found.days[0]["charges_cents"]
    turnover = outbound.bought_cents + outbound.sold_cents
    fee, tax = charged["charge|ASEAN clearing fee|USD"], charged["charge|ASEAN sales tax|USD"]
    assert outbound.charges_cents == {"USD": fee + tax}
    assert abs(fee - turnover * 2 * 325_000 // 10**9) <= outbound.trades, "both sides, half a cent each for rounding"
    assert 0 < tax < turnover // 1_000, "one side, and not on funds"
    assert outbound.converted_cents["bought USD"] > 0
    assert inbound.converted_cents["sold HKD"] > 0
    assert found.lodged_at_close_cents.keys() == {"HKSCC with ASEAN-CLEAR", "ASEAN-CLEAR with HKSCC"}
    assert all(cents > 0 for cents in found.lodged_at_close_cents.values())
    assert set(found.days[-1]["lodged_cents"].values()) == {0}


def test_the_strangers_holidays_come_with_the_file() -> None:
    """Goal: an exchange the house does not know has its own calendar. Method: a trade before its closure; on it."""
    found = run_link(rules(), day=date(2026, 3, 19))
    assert {step["day"] for step in found.directions[0].steps} == {"2026-03-23"}, "20 March is closed there"
    with pytest.raises(Rejected, match="outbound, inbound does not trade on 2026-03-20"):
        run_link(rules(), day=date(2026, 3, 20))
    with pytest.raises(Rejected, match="opens on 2026-01-01"):
        plan_link(rules(), date(2025, 12, 31))


def test_buys_beyond_the_strangers_quota_are_refused_and_sells_are_not() -> None:
    """Goal: the quota of the file holds back the trades of the day. Method: a small quota; the formula by hand."""
    asked = rules()
    quota = msgspec.structs.replace(asked.directions[0].quotas[0], amount=300_000)
    first = msgspec.structs.replace(asked.directions[0], quotas=(quota,))
    found = run_link(msgspec.structs.replace(asked, directions=(first, *asked.directions[1:])), day=DAY)
    whole, held_back = run_link(asked, day=DAY).directions[0], found.directions[0]
    assert held_back.refused["quota-closed"] == whole.trades - held_back.trades > 0
    assert held_back.sold_cents == whole.sold_cents, "selling is always allowed"
    left = 300_000_00 - held_back.bought_cents + held_back.sold_cents
    assert held_back.quota_left_cents == {"daily-net-buy": left}
    assert found.faults == []


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 1_000), stock=st.integers(0, 3), money=st.integers(0, 3), stock_hour=st.integers(9, 17),
    money_hour=st.integers(9, 17), rate=st.integers(1, 400), fail=st.booleans(),
)  # fmt: skip
def test_any_cycle_is_either_refused_or_proved(
    seed: int, stock: int, money: int, stock_hour: int, money_hour: int, rate: int, fail: bool
) -> None:
    """Goal: no rule file can break the house. Method: random cycles, rates, seeds, sellers short; refuse or prove."""
    asked = rules()
    first = asked.directions[0]
    cycle = msgspec.structs.replace(
        first.cycles[0],
        stock_days=stock,
        money_days=money,
        stock_time=time(stock_hour),
        money_time=time(money_hour, 30),
    )
    margin = msgspec.structs.replace(first.margins[0], rate_e9=rate * 1_000_000)
    changed = msgspec.structs.replace(first, cycles=(cycle,), margins=(margin,))
    asked = msgspec.structs.replace(asked, directions=(changed, asked.directions[1]))
    lag = money - stock
    possible = (lag == 0 and money_hour >= stock_hour) or (lag == 1 and money_hour < stock_hour)
    possible = possible and (stock > 0 or stock_hour >= 15)  # stock of the trade date, when trading ends at 15:00
    if not possible:
        with pytest.raises(Rejected, match="cycle: "):
            run_link(asked, day=DAY, seed=seed, orders=6)
        return
    found = run_link(asked, day=DAY, seed=seed, orders=6, fail=fail)
    assert found.faults == []
    for direction in ("outbound", "inbound"):
        assert len({row["units"] for row in found.chains if row["direction"] == direction}) == 1
    if not fail:
        assert found.days[-1]["stock_open"] == 0


def test_the_command_runs_checks_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the command shows the day, keeps its journal, and refuses with file and line. Method: run each."""
    house = tmp_path / "house"
    assert main(["links", "run", str(FILE), "--orders", "5", "--house", str(house)]) == 0
    shown = capsys.readouterr().out
    assert "records proved" in shown
    assert main(["verify", "--house", str(house)]) == 0
    capsys.readouterr()
    assert main(["links", "run", str(FILE), "--orders", "5", "--json"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out)
    assert found["state_hash"][:16] in shown
    spoiled = tmp_path / "spoiled.toml"
    spoiled.write_text(
        FILE.read_text(encoding="utf-8").replace('currency = "USD"', 'currency = "XAU"'), encoding="utf-8"
    )
    assert main(["links", "run", str(spoiled)]) == 2
    assert "spoiled.toml:" in capsys.readouterr().err
    assert main(["links", "run", str(FILE), "--orders", "0"]) == 2
    assert main(["links", "run", str(FILE), "--house", str(house)]) == 2
    assert "a link's day needs a new one" in capsys.readouterr().err


def test_more_directions_than_a_simulated_house_has_codes_for_are_refused() -> None:
    """Goal: a limit is said, not met half-way. Method: the same direction ten times under other names."""
    asked = rules()
    many = tuple(msgspec.structs.replace(asked.directions[0], name=f"way-{number}") for number in range(10))
    with pytest.raises(Rejected, match="10 directions, 9 at most"):
        run_link(msgspec.structs.replace(asked, directions=many), day=DAY)
    nine = run_link(msgspec.structs.replace(asked, directions=many[:9]), day=DAY, orders=2)
    assert nine.faults == []
    assert len(nine.directions) == 9

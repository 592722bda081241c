"""Margin and what if on pages: the figures of the interface, moved by trades, refused where they are wrong."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from console_house import Served, served

from tsingma.console.language import Language, words_in
from tsingma.console.routes import ROUTES
from tsingma.reports.numbers import whole

WHAT_IF = "/console/margin/what-if"
FUTURE = {"house": "HKCC", "product": "future", "factor": "2800", "notional": "-20,000"}


def test_margin_is_what_the_interface_answers(console: Served) -> None:
    """Goal: one figure wherever it is asked. Method: the page of A against the interface's margin and explanation."""
    told = console.get("participant", "/accounts/A/HOUSE/margin").json()
    why = console.get("participant", "/accounts/A/HOUSE/margin/explanation").json()
    text = unescape(console.get("participant", "/console/margin").text)
    margin = told["margin"]
    assert margin["called"] > 0
    for amount in (margin["called"], margin["alone"], told["rules"]["total"]):
        assert f"HK${whole(amount)}.00" in text
    assert f"HK${told['last_called_cents'] / 100:.2f}" in text
    assert told["rules"]["refused"] == ""
    assert sum(one["amount"] for one in told["rules"]["terms"]) == told["rules"]["total"]
    rows = re.findall(r'<td class="number">([^<]*)</td></tr>', text.partition('id="rules"')[2].partition("</table>")[0])
    amounts = [int(one.replace(",", "").replace("\N{MINUS SIGN}", "-")) for one in rows]
    count = len(told["rules"]["terms"])
    assert amounts[count] == sum(amounts[:count]) == told["rules"]["total"]
    assert amounts[count] + amounts[count + 1] == amounts[count + 2] == told["last_called_cents"] // 100
    for position in why["positions"]:
        assert whole(position["component"]) in text
    assert text.count('<th scope="row" class="number">') == len(why["tail"]) > 0
    assert (
        told["basis"]["scenarios"] == told["rules"]["scenarios"] == 1_000
    )  # the study explains with those of the call
    assert "It rests on 1,000 ordinary scenarios. They are those of the call." in text
    for name, digest in told["basis"]["market"]["files"].items():
        assert name in text
        assert digest in text


def test_what_if_moves_each_house_and_the_joint_figure(console: Served) -> None:
    """Goal: before, after and difference of each. Method: the page against the interface's what-if."""
    body = {
        "holdings": [{**FUTURE, "notional": -20_000}],
        "trades": [{"counter": "700", "side": "buy", "quantity": 200}],
    }
    told = console.call("participant", "POST", "/accounts/A/HOUSE/margin/what-if", json=body).json()
    query = {"counter": ["700", ""], "side": ["buy", "buy"], "quantity": ["200", ""], **FUTURE}
    answer = console.client.get(WHAT_IF, params=query, headers={"Cookie": f"tsingma={console.cookie('participant')}"})
    text = unescape(answer.text)
    assert answer.status_code == 200
    for figure in ("before", "after"):
        for house in told[figure]["houses"]:
            assert whole(house["alone"]) in text
            assert whole(house["called"]) in text
    change = told["called_change"]
    assert ("+" if change > 0 else "") + whole(change) in text
    assert 'value="-20,000"' in text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"counter": "700", "side": "buy", "quantity": "many"}, 400, "is no whole number"),
        ({"counter": "nonsense!", "side": "buy", "quantity": "1"}, 400, "counter"),
        ({"counter": "99999", "side": "buy", "quantity": "1"}, 422, "99999"),
        ({"counter": "700", "side": "give", "quantity": "1"}, 400, "give"),
        ({**FUTURE, "house": "HKSCC"}, 409, "HKSCC clears no future"),
        ({**FUTURE, "notional": "1e9"}, 400, "is no whole number"),
        ({"counter": "700", "side": "buy", "quantity": "0"}, 400, "quantity"),
        ({"counter": "", "side": "", "quantity": "  "}, 200, "Nothing is filled in yet."),
    ],
)
def test_wrong_lines_are_told_where_they_were_written(
    console: Served, query: dict[str, str], status: int, said: str
) -> None:
    """Goal: a typing error costs nothing but a look. Method: one wrong line each; what was typed is still there."""
    answer = console.client.get(WHAT_IF, params=query, headers={"Cookie": f"tsingma={console.cookie('participant')}"})
    assert answer.status_code == status, answer.text
    text = unescape(answer.text)
    assert said in text
    if status != 200:
        assert 'id="refused"' in text
        assert all(value in text for value in query.values())


def test_without_a_market_the_pages_say_so(written_console: Path, tmp_path: Path) -> None:
    """Goal: no figure is made up. Method: a house served without prices."""
    with served(Path(shutil.copytree(written_console, tmp_path / "house")), more_routes=ROUTES) as bare:
        answer: Any = bare.get("participant", "/console/margin")
        assert answer.status_code == 200
        assert "the house is served without a market" in answer.text
        assert bare.get("participant", f"{WHAT_IF}?counter=700&side=buy&quantity=5").status_code == 422


def test_what_offsets_save_is_the_difference_beside_it(console: Served) -> None:
    """Goal: figures add up. Method: the tiles and the foot of the table of every account that has a margin."""
    for account in ("A", "B", "C", "D"):
        told = console.get("operator", f"/accounts/{account}/HOUSE/margin").json()["margin"]
        text = unescape(console.get("operator", f"/console/margin?participant={account}&account_class=HOUSE").text)
        tiles = text.partition('<ul class="figures">')[2].partition("</ul>")[0]
        amounts = [int(one.replace(",", "")) for one in re.findall(r"HK\$([\d,]+)\.00", tiles)]
        assert amounts[-3:] == [told["called"], told["alone"] - told["called"], told["alone"]]


def test_the_attribution_adds_up_to_the_call(console: Served) -> None:
    """Goal: a called figure is explained to the cent. Method: the rows of the page of every account in both ways of
    showing them, columns too, against the interface's call.
    """
    for account in ("A", "B", "C", "D"):
        total = console.get("operator", f"/accounts/{account}/HOUSE/margin").json()["rules"]["total"]
        for lines in ("", "&lines=all"):
            path = f"/console/margin?participant={account}&account_class=HOUSE{lines}&lang=en"
            table = unescape(console.get("operator", path).text).partition('id="call-positions"')[2]
            body, _, foot = table.partition("</tbody>")
            rows = [re.findall(r'<td class="number">([^<]*)</td>', row) for row in body.split("<tr>")[2:]]
            cents = [[_cents(cell) for cell in row] for row in rows if row]
            assert sum(row[-1] for row in cents) == 100 * total
            for row in cents:
                assert len(row) == 1 or sum(row[1:-1]) == row[-1]
            assert _cents(re.findall(r'<td class="number">([^<]*)</td>', foot)[0]) == 100 * total


def _cents(text: str) -> int:
    return int(text.replace(",", "").replace(".", "").replace("\N{MINUS SIGN}", "-") or 0)


def test_a_refusal_is_told_in_chinese_before_the_houses_own_words(console: Served) -> None:
    """Goal: reason and way out are read in the reader's language. Method: an unknown counter in a form, and a page that
    is refused whole, in Chinese: reason, field and remedy, then the English detail marked as English.
    """
    words = words_in(Language.ZH)
    say = [words(f"problem.{one}.unknown") for one in ("reason_name", "what_to_do")]
    asked = {"counter": "99999", "side": "buy", "quantity": "1", "lang": "zh-Hant"}
    headers = {"Cookie": f"tsingma={console.cookie('participant')}"}
    text = unescape(console.client.get(WHAT_IF, params=asked, headers=headers).text)
    told = text.partition('id="refused"')[2].partition("</div>")[0]
    assert f"{say[0]} ({words('field.counter')})：{say[1]}" in told
    assert re.search(r'<span lang="en">[^<]*99999', told)
    whole_page = console.get("operator", "/console/instructions?asset=NOTHING&lang=zh-Hant")
    assert whole_page.status_code == 422
    table = unescape(whole_page.text).partition('id="faults"')[2]
    assert say[0] in table
    assert say[1] in table
    assert words("field.asset") in table

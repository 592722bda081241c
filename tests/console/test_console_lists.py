"""Lists as a browser asks for them: filters, also left empty, and every row once along the way from page to page."""

from __future__ import annotations

import re
from html import unescape

import msgspec
import pytest
from api_house import SHARE
from console_house import Served
from story import Story

from tsingma.app.instruction_reads import instructions_of
from tsingma.app.instruction_story import story_of
from tsingma.basics.columns import pack
from tsingma.journal import commands as do
from tsingma.reports.figures import CrossRow
from tsingma.reports.numbers import whole
from tsingma.settlement.orders import ORDER_COLUMNS

ORDERS = 240


def numbers(text: str) -> list[int]:
    """Return the numbers that head the rows of a list."""
    return [int(one) for one in re.findall(r'<th scope="row">(?:<a [^>]*>)?(\d+)', text)]


def test_every_row_is_on_one_page(changing_console: Served) -> None:
    """Goal: paging loses nothing and tells nothing twice. Method: 240 orders more, then along the links to the end."""
    told = Story()
    rows = [
        told.order("A", "delivers", "B", kind="fop", reference=1_000 + k, currency=-1, amount_cents=0)
        for k in range(ORDERS)
    ]
    names = sorted({name for row in rows for name in row})
    packed = {name: pack([row[name] for row in rows], ORDER_COLUMNS[name][0]) for name in names}
    answer = changing_console.service.submit("many", do.SubmitInstructions("test", "A", 0, packed)).result()
    assert type(answer).__name__ == "Accepted"
    found, path = [], "/console/orders?status=waiting"
    while path:
        text = changing_console.get("participant", path).text
        assert len(numbers(text)) <= 100
        found += numbers(text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        path = unescape(following[1]) if following else ""
    assert len(found) == ORDERS + 1  # one waited before
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("participant=&status=&asset=&intended=&cursor=", [0, 1, 2]),
        ("status=matched&cursor=1", [1, 2]),
        ("participant=C", [1]),
        (f"asset={SHARE}&participant=D", [2]),
        ("asset=HKD", [0, 1, 2]),
        ("asset=CNY", []),
        ("intended=2026-01-05", [0, 1, 2]),
        ("intended=2026-01-06", []),
        ("status=settled", []),
        ("reason=lack-of-cash", []),
        ("reason=&status=", [0, 1, 2]),
    ],
)
def test_filters_of_instructions(console: Served, query: str, expected: list[int]) -> None:
    """Goal: a filter keeps what it says, an empty one everything. Method: the three instructions of the house."""
    answer = console.get("operator", f"/console/instructions?{query}")
    assert answer.status_code == 200, answer.text
    assert numbers(answer.text) == expected


@pytest.mark.parametrize(
    ("query", "status"),
    [("asset=NOTHING", 422), ("asset=%3Cb%3E", 400), ("intended=2026-02-30", 400), ("intended=soon", 400),
     ("cursor=-1", 400), ("status=lost", 422), ("reason=nothing", 422), ("reason=%3Cb%3E", 400)],
)  # fmt: skip
def test_filters_that_say_nothing_are_refused(console: Served, query: str, status: int) -> None:
    """Goal: no list pretends to be filtered. Method: unknown and malformed filters."""
    assert console.get("operator", f"/console/instructions?{query}").status_code == status


def test_empty_fields_of_other_lists_are_no_filter(console: Served) -> None:
    """Goal: a form sent as it stands shows the list. Method: every filter form of the menu's pages, sent empty."""
    for path in (
        "orders?status=&participant=&cursor=",
        "journal?who=&cursor=",
        "holdings?participant=",
        "obligations?participant=",
        "positions?participant=",
        "calls?participant=",
        "statements?participant=",
        "margin?participant=&account_class=",
        "margin/what-if?participant=&account_class=",
        "day?participant=",
    ):
        assert console.get("operator", f"/console/{path}").status_code == 200, path


@pytest.mark.parametrize(("size", "pages"), [("", 3), ("25", 3), ("50", 2), ("100", 1)])
def test_accounts_of_the_houses_come_page_by_page(console: Served, size: str, pages: int) -> None:
    """Goal: every account once, without a script. Method: sixty at two houses, along the links; one member's."""
    assert console.get("regulator", "/console/houses").status_code == 200
    desk = console.client.app.state.risk_desk
    made = desk._made
    rows = tuple(
        CrossRow(
            account=f"M{number:02d}/HOUSE", houses=("HKSCC", "HKCC"), alone=1_000, joint=900, called=950, one_pot=800
        )
        for number in range(60)
    )
    desk._made = msgspec.structs.replace(made, crossed=rows)
    try:
        found, path, visited = [], f"/console/houses?size={size}", 0
        while path:
            text = console.get("regulator", path).text
            found += re.findall(r'<th scope="row" class="code">([^<]+)', text)
            following = re.search(r'rel="next" href="([^"]+)"', text)
            path, visited = unescape(following[1]) if following else "", visited + 1
        assert found == [one.account for one in rows]
        assert visited == pages
        text = console.get("regulator", "/console/houses?participant=M07&cursor=").text
        assert re.findall(r'<th scope="row" class="code">([^<]+)', text) == ["M07/HOUSE"]
        assert console.get("regulator", "/console/houses?cursor=999").status_code == 200
        for wrong in ("size=7", "cursor=-1", "participant=%3Cb%3E"):
            assert console.get("regulator", f"/console/houses?{wrong}").status_code == 400
    finally:
        desk._made = made


def test_the_api_keeps_its_list(console: Served) -> None:
    """Goal: the read model without the new filters answers as before. Method: all instructions."""
    found = console.service.read(lambda house, at: instructions_of(house, at, "", "", 0, 10))
    assert [one.instruction for one in found.items] == [0, 1, 2]


def test_a_member_never_reads_how_much_another_lacks(changing_console: Served) -> None:
    """Goal: what others have stays theirs. Method: A is to get more than D has; the page of A, D and the house."""
    told = Story()
    row = told.order(
        "D", "delivers", "A", kind="fop", quantity=10**9, matched=1, counterparty_account=told.account("A")
    )
    packed = {name: pack([value], ORDER_COLUMNS[name][0]) for name, value in row.items()}
    answer = changing_console.service.submit("lacks", do.SubmitInstructions("test", "D", 0, packed)).result()
    assert type(answer).__name__ == "Accepted"
    number = changing_console.service.read(lambda house, _at: len(house.settlement.instructions)) - 1
    story = changing_console.service.read(lambda house, _at: story_of(house, number))
    assert story.freeing is not None
    assert [one.account for one in story.freeing.lacks] == ["D/HOUSE"]
    path = f"/console/instructions/{number}?lang=en"
    seen, known = (unescape(changing_console.get(who, path).text) for who in ("participant", "operator"))
    lack = whole(story.freeing.lacks[0].lack)
    assert f"D/HOUSE lacks {lack}" in known
    assert lack not in seen
    assert "The other side has not enough of the securities yet." in seen

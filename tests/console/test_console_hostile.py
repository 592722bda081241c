"""Whatever the house's own data says is text on every page: names, references and keys that are markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from api_house import commands
from console_house import Served, served
from test_console_base import blocked_parts
from test_console_pages import CASES, OWN

from tsingma.api.permissions import Role
from tsingma.app.session import Session
from tsingma.console.routes import ROUTES
from tsingma.journal import commands as do

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg/onload=alert(3)>{{7*7}}"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A house whose participants, counters and command ids have names made of markup."""
    folder = Path(tmp_path_factory.mktemp("hostile") / "house")
    told = commands()
    first = told[0]
    assert isinstance(first, do.LoadReference)
    book = first.book
    book = msgspec.structs.replace(
        book,
        participants=tuple(msgspec.structs.replace(one, name=MARKUP) for one in book.participants),
        counters=tuple(msgspec.structs.replace(one, name=MARKUP) for one in book.counters),
    )
    with Session.open(folder) as session:
        session.submit([(f"{MARKUP}/{k}", one) for k, one in enumerate([do.LoadReference(book), *told[1:]])])
    with served(folder, more_routes=ROUTES) as running:
        yield running


@pytest.mark.parametrize("name", sorted(name for name in CASES if "statements/{" not in name))
def test_names_made_of_markup_are_text(hostile: Served, name: str) -> None:
    """Goal: no script of the data's. Method: every page; no tag of the markup, nothing the policy would block."""
    answer = hostile.get("operator", CASES[name].path.format(**OWN[Role.OPERATOR]))
    if answer.status_code == 403:
        answer = hostile.get("participant", CASES[name].path.format(**OWN[Role.PARTICIPANT]))
    if "event-stream" in answer.headers["content-type"]:
        return
    assert answer.status_code in (200, 422)
    assert not re.search(r"<script>alert|<img src=x|<svg/onload|onerror=alert\(2\)>[^&]*<", answer.text)
    assert "49" not in re.findall(r"alert\(3\)&gt;(\S*)", answer.text)
    assert blocked_parts(answer) == []


def test_the_markup_is_really_there(hostile: Served) -> None:
    """Goal: the test above can fail. Method: pages that show names and ids have the markup, escaped."""
    for path in ("/console/holdings?participant=A", "/console/instructions/0", "/console/journal"):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile.get("operator", path).text

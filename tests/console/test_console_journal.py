"""The journal on a page: whole for overseers, one's own for members, and nothing of who others are."""

from __future__ import annotations

import re
from itertools import pairwise

from console_house import Served

from tsingma.app.house_feed import tell
from tsingma.app.journal_reads import entries_of


def test_overseers_read_every_record_with_its_chain(console: Served) -> None:
    """Goal: who did what, unbroken. Method: pages of three put together are all records, each joined to the next."""
    found, before = [], 0
    while True:
        page = entries_of(console.service, "", before, 3)
        found += page.items
        if page.next is None:
            break
        before = page.next
    assert [one.sequence for one in found] == list(range(console.service.length(), 0, -1))
    for later, earlier in pairwise(found):
        assert later.previous == earlier.hash
    text = console.get("auditor", "/console/journal").text
    assert all(one.hash in text for one in found)


def test_members_read_what_the_feed_tells_them(console: Served) -> None:
    """Goal: no more than over HTTP. Method: records against the feed's; ids and senders of others are gone."""
    for who in ("A", "C"):
        wanted = [one.sequence for one in tell(console.service, 0, 1_000, who)[1]]
        found = entries_of(console.service, who, 0, 1_000).items
        assert [one.sequence for one in reversed(found)] == wanted
        assert all(one.participant in ("", who) for one in found)
        assert all(bool(one.command_id) == (one.participant == who) for one in found)


def test_one_who_acted_is_found(changing_console: Served) -> None:
    """Goal: what a person did. Method: an act by the person of A over its page, asked for by its name."""
    page = changing_console.get("participant", "/console/instructions/0").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    data = {"csrf": csrf[1], "key": "k-9", "action": "hold"}
    sent = changing_console.call(
        "participant", "POST", "/console/instructions/0/actions", data=data, follow_redirects=False
    )
    assert sent.status_code == 303
    (one,) = entries_of(changing_console.service, "", 0, 100, who="participant").items
    assert (one.command, one.action, one.participant, one.actor) == ("change-instruction", "hold", "A", "participant")
    assert len(one.request) == 64
    assert entries_of(changing_console.service, "", 0, 100, who="nobody").items == []
    other = next(o for o in entries_of(changing_console.service, "B", 0, 5).items if o.sequence == one.sequence)
    assert (other.actor, other.key, other.request, other.command_id, other.participant) == ("", "", "", "", "")

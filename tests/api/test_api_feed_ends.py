"""Feeds and streams of pages end within a second when whoever opened them may not follow any longer.

Method: streams on the other side of ASGI, held open at the end of the journal; then the session ends, the person or the
key is changed in its file. A stream whose owner still may goes on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_house import PASSWORD, SECOND, Served, keys_of, new_private_key, people_of, served

from tsingma.api import feed
from tsingma.api.keys import Keys
from tsingma.api.people import People
from tsingma.api.permissions import Role
from tsingma.console.routes import ROUTES

LOOK_SECONDS = 0.05


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A keys and a people file that the house watches."""
    return {"keys_file": tmp_path / "keys.toml", "people_file": tmp_path / "people.toml"}


def write(file: Path, rows: Any) -> None:
    """Write a keys or people file."""
    told = msgspec.to_builtins(rows)
    name = next(one for one, value in told.items() if isinstance(value, list | tuple))
    lines = [f'{one} = "{value}"' for one, value in told.items() if one != name]
    for row in told[name]:
        lines.append(f"[[{name}]]")
        lines += [f"{field} = {value if field.startswith('valid') else msgspec.json.encode(value).decode()}"
                  for field, value in row.items() if value]  # fmt: skip
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def followed(folder: Path, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A served copy with pages, whose feeds are looked at often."""
    monkeypatch.setattr(feed, "LOOK_SECONDS", LOOK_SECONDS)
    write(files["people_file"], people_of())
    files["keys_file"].write_text('audience = "x"\n', encoding="utf-8")
    with served(folder, people=people_of(), more_routes=ROUTES, **files) as house:
        yield house


class Follower:
    """A client of one stream, on the other side of ASGI."""

    def __init__(self, house: Served, path: str, headers: dict[str, str], query: str = "") -> None:
        self.heard: list[bytes] = []
        self.status = 0
        scope = {
            "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "scheme": "http", "server": ("testserver", 80),
            "client": ("127.0.0.1", 1), "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        }  # fmt: skip
        self._asked, self._whole = False, asyncio.Event()
        self.task = asyncio.ensure_future(house.client.app(scope, self._receive, self._take))

    async def _receive(self) -> Any:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._whole.wait()  # it stays until there is nothing more to take
        return {"type": "http.disconnect"}

    async def _take(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.heard.append(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._whole.set()

    async def began(self) -> None:
        async with asyncio.timeout(20):
            while len(self.heard) < 2:
                await asyncio.sleep(0.01)
        assert self.status == 200, self.heard


async def _sign_in(house: Served, who: str) -> str:
    """Return the cookie of a session, as the sign-in makes it."""
    sessions = house.client.app.dependencies["entrance"].dependency().sessions
    person = sessions.person(who)
    assert person is not None
    return f"tsingma={sessions.begin(person)}"


async def _ends_alone(ended: Follower, stays: Follower, change: Callable[[], None]) -> None:
    """Fail unless a change ends one stream, soon, and leaves the other."""
    await ended.began()
    await stays.began()
    await asyncio.sleep(2 * LOOK_SECONDS)
    assert not ended.task.done()
    change()
    async with asyncio.timeout(10):
        await ended.task
    await asyncio.sleep(2 * LOOK_SECONDS)
    assert not stays.task.done()
    stays.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stays.task


def _changed(people: People, who: str, **changes: Any) -> People:
    return People(person=tuple(msgspec.structs.replace(one, **changes) if one.id == who else one
                               for one in people.person))  # fmt: skip


def test_a_page_hears_nothing_after_signing_out(followed: Served) -> None:
    """Goal: sign-out. Method: two sessions of two people; one signs out as a browser does."""
    entrance = followed.client.app.dependencies["entrance"].dependency()

    async def scene() -> None:
        mine, other = await _sign_in(followed, "operator"), await _sign_in(followed, "auditor")
        streams = [Follower(followed, "/console/changes", {"cookie": cookie}) for cookie in (mine, other)]
        await _ends_alone(*streams, lambda: entrance.sessions.end(mine.removeprefix("tsingma=")))

    asyncio.run(scene())


@pytest.mark.parametrize(
    "changes",
    [{"role": Role.AUDITOR}, {"valid_to": datetime(2026, 1, 2, tzinfo=UTC)}, {"name": "Another"}],
    ids=["role", "locked", "row"],
)
def test_a_page_hears_nothing_after_its_person_was_changed(
    followed: Served, files: dict[str, Path], changes: dict[str, Any]
) -> None:
    """Goal: role change and lock, with nobody asking. Method: the people file, while streams are open."""

    async def scene() -> None:
        mine, other = await _sign_in(followed, "operator"), await _sign_in(followed, "participant")
        streams = [Follower(followed, "/console/changes", {"cookie": cookie}) for cookie in (mine, other)]

        def change() -> None:
            write(files["people_file"], _changed(people_of(), "operator", **changes))
            followed.clock.advance(2 * SECOND)

        await _ends_alone(*streams, change)

    asyncio.run(scene())


def test_a_page_hears_nothing_when_nobody_is_there(followed: Served) -> None:
    """Goal: idle sessions end, with what they hold open. Method: time; the other session is looked at meanwhile."""
    sessions = followed.client.app.dependencies["entrance"].dependency().sessions

    async def scene() -> None:
        mine, other = await _sign_in(followed, "operator"), await _sign_in(followed, "auditor")
        streams = [Follower(followed, "/console/changes", {"cookie": cookie}) for cookie in (mine, other)]

        def change() -> None:
            followed.clock.advance(600 * SECOND)
            assert sessions.caller(other.removeprefix("tsingma=")) is not None
            followed.clock.advance(301 * SECOND)

        await _ends_alone(*streams, change)

    asyncio.run(scene())


@pytest.mark.parametrize("how", ["withdrawn", "rotated", "bound", "another role"])
def test_a_feed_ends_when_its_key_is_changed(followed: Served, files: dict[str, Path], how: str) -> None:
    """Goal: withdrawal and rotation, with nobody asking. Method: the keys file, while feeds are open."""
    keys = keys_of(followed.private)

    def without(one: Any) -> list[Any]:
        if one.id != "participant":
            return [one]
        changes = {"rotated": {"public": new_private_key()["x"]}, "bound": {"certificate": "0" * 64},
                   "another role": {"participant": "D"}}.get(how)  # fmt: skip
        return [] if changes is None else [msgspec.structs.replace(one, **changes)]

    async def scene() -> None:
        end = f"from={followed.service.length()}"
        streams = [
            Follower(followed, "/events", {"authorization": f"Bearer {followed.token(who, lifetime_s=300)}"}, end)
            for who in ("participant", "other")
        ]
        for one in streams:  # at the end of the journal nothing is told before something happens
            async with asyncio.timeout(20):
                while not one.heard:
                    await asyncio.sleep(0.01)
            one.heard.append(b"")

        def change() -> None:
            write(files["keys_file"], Keys(audience=keys.audience, key=tuple(
                row for one in keys.key for row in without(one))))  # fmt: skip
            followed.clock.advance(2 * SECOND)

        await _ends_alone(*streams, change)

    asyncio.run(scene())


def test_a_feed_ends_with_its_token(followed: Served) -> None:
    """Goal: no feed outlives its token by more than a look. Method: a token of a minute and one of five."""

    async def scene() -> None:
        end = f"from={followed.service.length()}"
        streams = [
            Follower(
                followed, "/events", {"authorization": f"Bearer {followed.token('auditor', lifetime_s=life)}"}, end
            )
            for life in (60, 300)
        ]
        for one in streams:
            async with asyncio.timeout(20):
                while not one.heard:
                    await asyncio.sleep(0.01)
            one.heard.append(b"")
        await _ends_alone(*streams, lambda: followed.clock.advance(60 * SECOND))

    asyncio.run(scene())


def test_signing_out_over_http_ends_the_session_that_a_stream_is_of(followed: Served) -> None:
    """Goal: the route does what the stream looks at. Method: in and out as a browser; whether it stands."""
    sessions = followed.client.app.dependencies["entrance"].dependency().sessions
    form = followed.client.get("/console/sign-in").text
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', form)
    assert token is not None
    told = {"csrf": token.group(1), "name": "operator", "password": PASSWORD, "next": ""}
    assert followed.client.post("/console/sign-in", data=told, follow_redirects=False).status_code == 303
    cookie = followed.client.cookies["tsingma"]
    caller = sessions.caller(cookie)
    assert sessions.stands(caller)
    answer = followed.client.post(
        "/console/sign-out", data={"csrf": sessions.form_token(cookie)}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert not sessions.stands(caller)

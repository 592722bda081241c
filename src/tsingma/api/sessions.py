"""Sessions of people who signed in to the console: kept by the server, in memory, bounded, idle and absolute end.

A cookie holds 256 random bits and nothing else; the server keeps its digest. Every sign-in makes a new session and ends
the one before. A restart ends all. Role and participant are read from the people file at each request, so that whoever
is taken out of it, or whose row is changed, is out at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict

import msgspec

from tsingma.api.people import People, Person
from tsingma.api.tokens import Caller
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import Clock

ISSUER = "console"
_SECOND = 1_000_000_000


class SignedIn(msgspec.Struct):
    """A session: whose, as which row of the people file, since when and last seen when (seconds)."""

    person: str
    row: bytes
    began_s: int
    seen_s: int


class Sessions:
    """The sessions of a served house; used from its one event loop."""

    def __init__(self, people: People, clock: Clock, limits: LimitsSection | None = None) -> None:
        """Start without any; ``people`` are who may have one."""
        self._clock, self._limits = clock, limits or LimitsSection()
        self._secret = secrets.token_bytes(32)
        self._open: OrderedDict[bytes, SignedIn] = OrderedDict()  # seen longest ago first
        self.replace(people)

    def replace(self, people: People) -> None:
        """Take other people from now on."""
        self._people = {person.id: person for person in people.person}
        self._subjects = {(one.issuer, one.subject): one.id for one in people.person if one.subject}
        self._rows = {person.id: _digest_of(person) for person in people.person}

    def person(self, name: str) -> Person | None:
        """Return a person who may act now, or None."""
        found = self._people.get(name)
        return found if found is not None and found.is_valid(self._now_s()) else None

    def of_subject(self, issuer: str, subject: str) -> Person | None:
        """Return the person of a subject at a provider who may act now, or None."""
        return self.person(self._subjects.get((issuer, subject), ""))

    def begin(self, person: Person, cookie_before: str = "") -> str:
        """Return the cookie of a new session; that of ``cookie_before`` ends, and the oldest where there are many."""
        self.end(cookie_before)
        now = self._now_s()
        for name in [name for name, one in self._open.items() if self._has_ended(one, now)]:
            del self._open[name]
        own = [name for name, one in self._open.items() if one.person == person.id]
        for name in own[: max(len(own) - self._limits.sessions_of_a_person + 1, 0)]:
            del self._open[name]
        if len(self._open) >= self._limits.sessions:
            self._open.popitem(last=False)
        cookie = secrets.token_urlsafe(32)
        self._open[_digest(cookie)] = SignedIn(person.id, self._rows[person.id], now, now)
        return cookie

    def caller(self, cookie: str, *, seen: bool = True) -> Caller | None:
        """Return who has a session, or None when it has ended or never was.

        ``seen``: somebody did something, so it is not idle; what a page asks for by itself is no such thing.
        """
        name, now = _digest(cookie), self._now_s()
        found = self._open.get(name)
        if found is None:
            return None
        person = self.person(found.person)
        if person is None or self._rows[person.id] != found.row or self._has_ended(found, now):
            del self._open[name]
            return None
        if seen:
            found.seen_s = now
            self._open.move_to_end(name)
        return Caller(
            f"person/{person.id}", f"{ISSUER}/{person.id}", person.role, person.participant, name.hex(),
            found.began_s, found.began_s + self._limits.session_seconds, person.id,
        )  # fmt: skip

    def stands(self, caller: Caller) -> bool:
        """Return whether the session of a caller has not ended, and its person is still what it was then.

        It does not count as somebody being there.
        """
        name = bytes.fromhex(caller.token)
        found = self._open.get(name)
        person = None if found is None else self.person(found.person)
        if found is None or person is None or self._has_ended(found, self._now_s()):
            return False
        return self._rows[person.id] == found.row

    def count(self) -> int:
        """Return how many sessions have not ended; from any thread."""
        now_s = self._now_s()
        return sum(not self._has_ended(one, now_s) for one in list(self._open.values()))

    def end(self, cookie: str) -> None:
        """End a session, if there is one."""
        self._open.pop(_digest(cookie), None)

    def form_token(self, cookie: str) -> str:
        """Return what every form under a cookie must bring along: nobody who cannot read our pages knows it."""
        return hmac.new(self._secret, b"form/" + cookie.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, cookie: str, told: str) -> bool:
        """Return whether a form brought the token of its cookie."""
        return bool(cookie) and hmac.compare_digest(self.form_token(cookie).encode(), told.encode())

    def _has_ended(self, one: SignedIn, now_s: int) -> bool:
        limits = self._limits
        return now_s - one.seen_s >= limits.session_idle_seconds or now_s - one.began_s >= limits.session_seconds

    def _now_s(self) -> int:
        return self._clock.now_ns() // _SECOND


def new_cookie() -> str:
    """Return 256 random bits as text: for forms that are shown before anybody signed in."""
    return secrets.token_urlsafe(32)


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()


def _digest_of(person: Person) -> bytes:
    return hashlib.sha256(msgspec.json.encode(person)).digest()

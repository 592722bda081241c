"""Who is let in, in one place: the desk of tokens, the sessions of people, and the files both are read from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsingma.api.checkers import Checker
from tsingma.api.file_watch import FileWatch
from tsingma.api.keys import Keys, read_keys, require_owners
from tsingma.api.oidc import Provider
from tsingma.api.people import People, read_people, require_members
from tsingma.api.sessions import Sessions
from tsingma.api.sign_in import SignInDesk
from tsingma.api.tokens import Caller, TokenDesk
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import Clock
from tsingma.reference.book import Participant


class Entrance:
    """The desks of a served house; a file that is named is watched, what was read from none holds to the end."""

    def __init__(
        self, keys: Keys, people: People, members: Mapping[str, Participant], clock: Clock,
        *, keys_file: Path | None = None, people_file: Path | None = None, checker: Checker | None = None,
        provider: Provider | None = None, limits: LimitsSection | None = None,
    ) -> None:  # fmt: skip
        """Take keys and people; ``members`` are the participants of the book, ``checker`` is asked for signatures,
        ``provider`` signs people in beside their passwords.

        Raises Rejected: keys or people whose participant the house does not have, or may have no key.
        """
        self._members = members
        require_owners(keys, members, str(keys_file or ""))
        require_members(people, members, str(people_file or ""))
        limits = limits or LimitsSection()
        self.tokens = TokenDesk(keys, clock, checker, used_max=limits.tokens_used_of_a_key)
        self.sessions = Sessions(people, clock, limits)
        self.sign_in, self.provider = SignInDesk(self.sessions, clock, limits), provider
        self._watches = [
            FileWatch(path, take_up, clock)
            for path, take_up in ((keys_file, self._take_keys), (people_file, self._take_people))
            if path is not None
        ]
        self._keys_file, self._people_file = keys_file, people_file

    @property
    def fault(self) -> str:
        """What is wrong with a file that changed, "" when nothing is."""
        return next((watch.fault for watch in self._watches if watch.fault), "")

    def stands(self, caller: Caller) -> bool:
        """Return whether a caller's token or session has not ended, and his row is still what it was then."""
        return self.tokens.stands(caller) if caller.row else self.sessions.stands(caller)

    def may_go_on(self, caller: Caller) -> bool:
        """Return whether what a caller has begun may go on: a token that ends meanwhile was good when it was shown."""
        return self.tokens.knows(caller) if caller.row else self.sessions.stands(caller)

    def look(self) -> None:
        """Take changed files up."""
        for watch in self._watches:
            watch.look()

    async def close(self) -> None:
        """Let go of threads and connections."""
        self.sign_in.close()
        if self.provider is not None:
            await self.provider.close()

    def _take_keys(self) -> None:
        if self._keys_file is not None:
            keys = read_keys(self._keys_file)
            require_owners(keys, self._members, str(self._keys_file))
            self.tokens.replace(keys)

    def _take_people(self) -> None:
        if self._people_file is not None:
            people = read_people(self._people_file)
            require_members(people, self._members, str(self._people_file))
            self.sessions.replace(people)

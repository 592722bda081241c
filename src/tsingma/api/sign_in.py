"""Signing in: a name and a password for a session. Nothing it says tells whether somebody of that name exists."""

from __future__ import annotations

import logging

from tsingma.api.lock_out import LockOut
from tsingma.api.oidc import Provider
from tsingma.api.passwords import PasswordDesk, TooManyAsk
from tsingma.api.sessions import Sessions
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import Clock

LOG = logging.getLogger("tsingma.api")
BUSY_SECONDS = 2


class SignInRefused(Exception):
    """No session: the name or the password is wrong, or (``wait_s`` > 0) the next attempt must wait so many seconds."""

    def __init__(self, wait_s: int = 0) -> None:
        """Keep the seconds."""
        self.wait_s = wait_s
        super().__init__(f"wait {wait_s} s" if wait_s else "wrong name or password")


class SignInDesk:
    """Lets people in; used from the one event loop."""

    def __init__(self, sessions: Sessions, clock: Clock, limits: LimitsSection) -> None:
        """Start with nobody locked out."""
        self.sessions = sessions
        self._lock_out = LockOut(clock, limits)
        self._passwords = PasswordDesk(limits.passwords_waiting)

    async def sign_in(self, name: str, password: str, address: str, cookie_before: str = "") -> str:
        """Return the cookie of a new session; raises SignInRefused.

        The password is checked against a hash whoever is named, so that the time tells nothing either.
        """
        wait = self._lock_out.attempt(name, address)
        if wait:
            raise SignInRefused(wait)
        person = self.sessions.person(name)
        try:
            right = await self._passwords.is_right(person.password if person is not None else "", password)
        except TooManyAsk:
            self._lock_out.not_tried(name, address)
            raise SignInRefused(BUSY_SECONDS) from None
        person = self.sessions.person(name)  # whoever was taken out meanwhile is out
        if not right or person is None:
            LOG.warning("a sign-in was refused")  # whoever mistakes the field types a password as the name
            raise SignInRefused
        self._lock_out.succeeded(name, address)
        return self.sessions.begin(person, cookie_before)

    async def by_provider(
        self, provider: Provider, browser: str, answer: dict[str, str], address: str
    ) -> tuple[str, str]:
        """Return the subject that a browser's answer proves at a provider, and where it goes on.

        Every answer is an errand to the provider, so that they count by address as passwords do. Raises SignInRefused
        with the seconds to wait, ProviderRefused.
        """
        wait = self._lock_out.attempt_from(address)
        if wait:
            raise SignInRefused(wait)
        found = await provider.finish(browser, answer)
        self._lock_out.succeeded_from(address)
        return found

    def close(self) -> None:
        """End the thread that checks passwords."""
        self._passwords.close()

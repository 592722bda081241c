"""Checking passwords: argon2 on one thread, behind a queue of bounded length.

A check takes tens of milliseconds and 64 MiB on purpose (RFC 9106). One thread keeps many sign-ins at once from taking
the memory and the processors of the house; those for which there is no place are told to come back.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tsingma.api.people import PASSWORD_LENGTH_MAX
from tsingma.app.serve_settings import LimitsSection


class TooManyAsk(Exception):
    """So many passwords wait to be checked that another one has no place."""


class PasswordDesk:
    """Checks passwords one after the other."""

    def __init__(self, waiting_max: int = LimitsSection().passwords_waiting) -> None:
        """Start the thread and make the hash that stands for people who are not there."""
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._waiting, self._waiting_max = 0, waiting_max

    async def is_right(self, hashed: str, password: str) -> bool:
        """Return whether a password is that of a hash; "" is the hash of nobody, and checked all the same.

        Raises TooManyAsk. Called from the one event loop, so that the count needs no lock.
        """
        if self._waiting >= self._waiting_max:
            raise TooManyAsk
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._check, hashed, password)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the thread after what it does now."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _check(self, hashed: str, password: str) -> bool:
        try:
            right = self._hasher.verify(hashed or self._nobody, password[:PASSWORD_LENGTH_MAX])
        except (VerificationError, InvalidHashError):
            return False
        return right and bool(hashed) and len(password) <= PASSWORD_LENGTH_MAX

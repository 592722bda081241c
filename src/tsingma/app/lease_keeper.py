"""Renews the lease of an open PostgreSQL house while its writer is busy or idle."""

from __future__ import annotations

import threading
from typing import Protocol

RENEWALS_PER_LEASE = 4


class Leased(Protocol):
    """What the keeper needs of a store."""

    @property
    def lease_seconds(self) -> float:
        """How long the lease lasts without being renewed."""
        ...

    def renew_lease(self) -> bool:
        """Renew the lease; False when it is another's."""
        ...


class LeaseKeeper:
    """A thread that renews a lease four times in its length, until it is closed or the lease is lost.

    A lost lease needs no message to the writer: its next append is refused by the store.
    """

    def __init__(self, store: Leased) -> None:
        """Start renewing."""
        self._store = store
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Block until the lease is lost or the keeper is closed."""
        self._thread.join()

    def lost(self) -> bool:
        """Return whether the lease was lost: it is renewed no more, and nobody has closed the keeper."""
        return not self._stop.is_set() and not self._thread.is_alive()

    def close(self) -> None:
        """Stop renewing; the lease is then let go by the store."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._store.lease_seconds / RENEWALS_PER_LEASE):
            if not self._store.renew_lease():
                return

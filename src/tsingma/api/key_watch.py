"""A keys file that changes while the house is served: what is added or withdrawn holds within a second.

A file that becomes wrong changes nothing: the last whole one holds, the log says why, and the service is not ready
until the file is whole again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from tsingma.api.keys import Keys, read_keys, require_owners
from tsingma.api.tokens import TokenDesk
from tsingma.basics.clock import Clock
from tsingma.basics.rejection import Rejected
from tsingma.reference.book import Participant

LOOK_EVERY_NS = 1_000_000_000
LOG = logging.getLogger("tsingma.api")


class KeyWatch:
    """Looks at a keys file when somebody asks to be let in, at most once a second, and tells the desk what changed."""

    def __init__(self, path: Path, desk: TokenDesk, members: Mapping[str, Participant], clock: Clock) -> None:
        """Start with what the desk has, which was read from ``path``; ``members`` are the participants of the book."""
        self._path, self._desk, self._members, self._clock = path, desk, members, clock
        self._stamp = self._stamp_now()
        self._looked_ns = clock.elapsed_ns()
        self.fault = ""

    def look(self) -> None:
        """Take a changed file up when it is whole."""
        now = self._clock.elapsed_ns()
        if now - self._looked_ns < LOOK_EVERY_NS:
            return
        self._looked_ns = now
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._desk.replace(self._read())
        except Rejected as rejected:
            self.fault = str(rejected.rejections[0])
            LOG.error("the keys file is wrong, the last whole one holds: %s", self.fault)
            return
        self.fault = ""
        LOG.warning("the keys file was read again")

    def _read(self) -> Keys:
        keys = read_keys(self._path)
        require_owners(keys, self._members, str(self._path))
        return keys

    def _stamp_now(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)

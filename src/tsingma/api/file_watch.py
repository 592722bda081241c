"""A file that changes while the house is served: keys or people added or withdrawn hold within a second.

A file that becomes wrong changes nothing: the last whole one holds, the log says why, and the service is not ready
until the file is whole again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from tsingma.basics.clock import Clock
from tsingma.basics.rejection import Rejected

LOOK_EVERY_NS = 1_000_000_000
LOG = logging.getLogger("tsingma.api")


class FileWatch:
    """Looks at a file when somebody asks to be let in, at most once a second, and has it taken up when it changed."""

    def __init__(self, path: Path, take_up: Callable[[], None], clock: Clock) -> None:
        """Start with the file as it is now; ``take_up`` reads it, and raises Rejected when it is wrong."""
        self._path, self._take_up, self._clock = path, take_up, clock
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
            self._take_up()
        except Rejected as rejected:
            self.fault = str(rejected.rejections[0])
            LOG.error("the file is wrong, what was read before holds: %s", self.fault)
            return
        self.fault = ""
        LOG.warning("%s was read again", self._path.name)

    def _stamp_now(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)

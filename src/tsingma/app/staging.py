"""Files that wait to be taken into a served house, kept under the SHA-256 of what is in them.

An act of the operator names a file by its hash. Whoever reads one gets what was put there or nothing: a file that was
changed is refused. What is kept is bounded; the oldest files go first, and can be sent again.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from pathlib import Path

from tsingma.basics.rejection import RejectionReason, refuse

FILES_MAX = 200
BYTES_MAX = 2 * 1024**3
_NAME = re.compile(r"[0-9a-f]{64}")


class Staging:
    """Files in one folder, from any thread; ``None`` for a house that has no place for them."""

    def __init__(self, folder: Path | None) -> None:
        """Keep files in a folder, which is made when the first one comes."""
        self._folder = folder
        self._lock = threading.Lock()

    def put(self, data: bytes) -> str:
        """Keep a file, durably, and return its SHA-256 in hex; raises Rejected (missing, not-allowed: no place)."""
        name = hashlib.sha256(data).hexdigest()
        folder = self._place()
        with self._lock:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                part = folder / f"{name}.part"
                with part.open("wb") as target:
                    target.write(data)
                    target.flush()
                    os.fsync(target.fileno())
                part.replace(folder / name)
                self._make_room(folder, name)
            except OSError as error:
                raise refuse(RejectionReason.NOT_ALLOWED, f"cannot be written: {error.strerror}", file=str(folder),
                             field="acts.staging") from None  # fmt: skip
        return name

    def read(self, name: str) -> bytes:
        """Return the file of a SHA-256 in hex; raises Rejected: missing, conflict (it was changed)."""
        path = self._place() / name
        try:
            data = path.read_bytes() if _NAME.fullmatch(name) else None
        except OSError:
            data = None
        if data is None:
            raise refuse(RejectionReason.MISSING, "no file of this SHA-256 is staged here", field="sha256",
                         subject=name[:64], remedy="send it to POST /day/files")  # fmt: skip
        if hashlib.sha256(data).hexdigest() != name:
            raise refuse(RejectionReason.CONFLICT, "the staged file was changed: it is not what its name says",
                         field="sha256", subject=name, remedy="send it again, and propose again")  # fmt: skip
        return data

    def _place(self) -> Path:
        if self._folder is None:
            raise refuse(RejectionReason.MISSING, "a house on a server has no folder for files", field="acts.staging",
                         remedy="name one in the configuration")  # fmt: skip
        return self._folder

    def _make_room(self, folder: Path, kept: str) -> None:
        """Remove the oldest files beyond the bounds, never the one that just came."""
        found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
        sizes = {path: path.stat() for path in found}
        total = sum(one.st_size for one in sizes.values())
        for path in sorted(found, key=lambda one: (sizes[one].st_mtime_ns, one.name)):
            if len(sizes) <= FILES_MAX and total <= BYTES_MAX:
                return
            if path.name != kept:
                total -= sizes.pop(path).st_size
                path.unlink(missing_ok=True)

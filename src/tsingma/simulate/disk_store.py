"""The production SQLite store on a simulated disk: SQLite asks a virtual file system, and that asks the disk.

The journal is opened in exclusive locking mode, so that the write-ahead log needs no shared memory; everything else of
the store runs as in production. ``apsw`` is imported here only, when a disk is opened.
"""

# ruff: noqa: N802  (names of methods are those SQLite calls)

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.simulate.disk import DISK_ERROR, SECTOR, DiskError, Fault, SimulatedDisk
from tsingma.store.head_mark import mark_path
from tsingma.store.sqlite import SqliteStore

JOURNAL = "house.sqlite"
MARK = mark_path(Path(JOURNAL)).name


def _apsw() -> ModuleType:
    try:
        import apsw
    except ImportError:
        raise refuse(
            RejectionReason.MISSING, "apsw is not installed", field="apsw", remedy="pip install apsw"
        ) from None
    return apsw


class DiskConnection:
    """One connection to the journal on a disk."""

    def __init__(self, disk: SimulatedDisk, page_size: int = 4_096, checkpoint_pages: int = 1_000) -> None:
        """Register a virtual file system for the disk and connect through it.

        ``page_size`` in bytes holds for a journal that is not there yet; a write-ahead log of ``checkpoint_pages``
        is written back to the file.
        """
        apsw = _apsw()
        name = f"tsingma-{id(disk)}"
        self._disk = disk
        self._system = _file_system(apsw, name, disk)
        self.sqlite: Any = apsw.Connection(JOURNAL, vfs=name)
        self._settings = (
            f"page_size = {page_size}",
            "locking_mode = EXCLUSIVE",
            "temp_store = MEMORY",
            f"wal_autocheckpoint = {checkpoint_pages}",
        )

    @staticmethod
    def errors() -> type[Exception]:
        """Return the class of everything SQLite may raise on a simulated disk."""
        error: type[Exception] = _apsw().Error
        return error

    def store(self) -> SqliteStore:
        """Return the production store over this connection; raises what SQLite or the store finds wrong."""
        for setting in self._settings:
            self.sqlite.execute(f"PRAGMA {setting}")
        return SqliteStore.over(self.sqlite, Path(JOURNAL), _MarkFile(self._disk, _apsw()))

    def backup(self) -> SqliteStore:
        """Return a copy of the journal as it stands at one moment, made while the house runs (SQLite's online backup).

        The copy is in memory; raises what SQLite or the store finds wrong.
        """
        copy = _apsw().Connection(":memory:")
        with copy.backup("main", self.sqlite, "main") as under_way:
            under_way.step()
        return SqliteStore.over(copy, Path("backup.sqlite"), _NoMark())

    def close(self) -> None:
        """Let go of the connection, whatever state the disk is in."""
        with suppress(self.errors()):  # when the disk stopped there is nothing left to close in order
            self.sqlite.close(True)
        self._system.unregister()


@contextmanager
def unheard_errors_ignored() -> Iterator[None]:
    """Keep quiet about disk errors that SQLite meets while it clears up: it has nobody to tell them."""
    usual = sys.unraisablehook

    def hook(told: sys.UnraisableHookArgs) -> None:
        if not str(told.exc_value).startswith(DISK_ERROR):
            usual(told)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = usual


class _File:
    """One open file: SQLite's calls become the disk's, and the disk's errors SQLite's."""

    def __init__(self, disk: SimulatedDisk, name: str, apsw: ModuleType) -> None:
        self._disk, self._name, self._apsw = disk, name, apsw

    def xRead(self, amount: int, offset: int) -> bytes:
        return self._disk.read(self._name, amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        with _told(self._apsw):
            self._disk.write(self._name, data, offset)

    def xTruncate(self, size: int) -> None:
        with _told(self._apsw):
            self._disk.truncate(self._name, size)

    def xSync(self, flags: int) -> None:
        with _told(self._apsw):
            self._disk.sync(self._name)

    def xFileSize(self) -> int:
        return self._disk.size(self._name)

    def xLock(self, level: int) -> None:
        """There is one process."""

    def xUnlock(self, level: int) -> None:
        """There is one process."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xClose(self) -> None:
        """Nothing to give back."""


class _MarkFile:
    """The mark of the journal's head on the disk."""

    def __init__(self, disk: SimulatedDisk, apsw: ModuleType) -> None:
        self._disk, self._apsw = disk, apsw

    def read(self) -> bytes:
        return self._disk.read(MARK, self._disk.size(MARK), 0) if self._disk.exists(MARK) else b""

    def write(self, data: bytes, offset: int) -> None:
        self._disk.create(MARK)
        with _told(self._apsw):
            self._disk.write(MARK, data, offset)
            self._disk.sync(MARK)

    def close(self) -> None:
        """Nothing to give back."""


class _NoMark:
    """The mark of a copy: it has none."""

    def read(self) -> bytes:
        return b""

    def write(self, data: bytes, offset: int) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing to give back."""


@contextmanager
def _told(apsw: ModuleType) -> Iterator[None]:
    """Raise the disk's error as SQLite's."""
    try:
        yield
    except DiskError as error:
        kind: type[Exception] = apsw.FullError if error.fault is Fault.FULL else apsw.IOError
        raise kind(str(error)) from None


def _file_system(apsw: ModuleType, name: str, disk: SimulatedDisk) -> Any:
    """Return a registered virtual file system on the disk; the class is made here because its base is lazy."""

    class FileSystem(apsw.VFS):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__(name, base="")

        def xFullPathname(self, file_name: str) -> str:
            return file_name

        def xAccess(self, file_name: str, flags: int) -> bool:
            return disk.exists(file_name)

        def xDelete(self, file_name: str, sync_folder: bool) -> None:
            with _told(apsw):
                disk.delete(file_name, durably=sync_folder)

        def xOpen(self, file_name: Any, flags: list[int]) -> _File:
            title = file_name.filename() if hasattr(file_name, "filename") else str(file_name)
            if not disk.exists(title) and not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError(f"no file {title}")
            disk.create(title)
            flags[1] = flags[0]
            return _File(disk, title, apsw)

    return FileSystem()

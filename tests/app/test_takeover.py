"""A standby takes over under load.

Goal: whatever happens to the writer of a PostgreSQL house, nothing acknowledged is lost, nothing is carried out twice
and there are never two writers. Method: real processes, killed and paused, with a witness outside: the script
``takeover_loop.py`` beside this file; then a business day whose process is killed and whose standby finishes it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from takeover_loop import run

from tsingma.app.inspect import verify_house
from tsingma.app.session import Session
from tsingma.app.standby import open_standby
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main

PYTHON = [sys.executable, "-m", "tsingma.cli.main"]
LIVE = {**os.environ, "PYTHONUNBUFFERED": "1"}


def line(process: subprocess.Popen[str]) -> str:
    """Return the next line a process prints."""
    if process.stdout is None:
        raise ValueError("the process has no pipe")
    return process.stdout.readline()


@pytest.mark.slow
def test_four_takeovers_under_load(new_database: Callable[[], str]) -> None:
    """Goal: takeover on every CI run. Method: two kills and two pauses of a writer with eight producers."""
    assert run(new_database(), rounds=4, seed=20_260_105) == []


@pytest.mark.soak
def test_sixty_takeovers_under_load(new_database: Callable[[], str]) -> None:
    """Goal: takeover at many moments. Method: thirty kills, thirty pauses."""
    assert run(new_database(), rounds=60, seed=1) == []


@pytest.mark.slow
def test_standby_finishes_the_day_of_a_killed_process(new_database: Callable[[], str], tmp_path: Path) -> None:
    """Goal: the day ends in the same books. Method: kill ``day run`` after ten records; a calm folder beside it."""
    url, market = new_database(), tmp_path / "market"
    simulate = ["simulate", "market", "--trades", "1000", "--days", "2", "--seed", "3", "--start", "2026-01-05"]
    assert main([*simulate, "--out", str(market)]) == 0
    assert main(["day", "run", "--house", str(tmp_path / "calm"), "--market", str(market)]) == 0
    command = ["--house", url, "--market", str(market), "--acknowledge"]
    writer = subprocess.Popen([*PYTHON, "day", "run", *command], stdout=subprocess.PIPE, text=True, env=LIVE)
    heard = [line(writer) for _ in range(10)]
    writer.send_signal(signal.SIGSTOP)  # in the middle of the first day, until the standby follows
    standby = subprocess.Popen([*PYTHON, "standby", *command], stdout=subprocess.PIPE, text=True, env=LIVE)
    assert line(standby).startswith("standby at record")
    writer.kill()
    told = standby.communicate(timeout=60)[0]
    writer.communicate()
    assert standby.returncode == 0
    assert "took over as writer 2 at record" in told
    assert all(entry.startswith("ack ") for entry in heard)
    proof, calm = verify_house(url), verify_house(tmp_path / "calm")
    assert proof.faults == []
    assert (proof.state_hash, proof.records, proof.head) == (calm.state_hash, calm.records, calm.head)


def test_only_a_server_has_a_standby(tmp_path: Path) -> None:
    """Goal: a clear refusal. Method: a standby of a folder, a takeover of a folder's house."""
    assert main(["standby", "--house", str(tmp_path)]) == 2
    with pytest.raises(Rejected, match="a standby follows a house on PostgreSQL"):
        open_standby(tmp_path, lambda command_id, sequence: None, 1.0)
    with Session.in_memory() as session, pytest.raises(Rejected, match="only a house on PostgreSQL"):
        session.become_writer()

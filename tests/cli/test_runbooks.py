"""The runbooks are run: every line after ``$`` of each page, in order, in one folder with a small house.

Goal: in the night in which a page is needed, its commands work and end as it says. Method: a market of a day, a house
that ran it, a backup; each line in a shell; the exit code is 0 unless the line says another (``?``: any).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tsingma.cli.main import main

OPERATE = Path(__file__).resolve().parents[2] / "docs" / "operate"
PAGES = sorted(OPERATE.glob("runbook-*.md"))
LINE = re.compile(r"^ +\$ (.*?)(?: +# exit (\S+))?$", re.MULTILINE)
SECONDS_MAX = 120


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with ``market``, ``house`` and ``house.backup``, and the program as a command in ``bin``."""
    folder = tmp_path_factory.mktemp("runbooks")
    simulate = ["simulate", "market", "--trades", "1000", "--days", "1", "--seed", "3", "--start", "2026-01-05"]
    assert main([*simulate, "--out", str(folder / "market")]) == 0
    assert main(["day", "run", "--market", str(folder / "market"), "--house", str(folder / "house")]) == 0
    assert main(["backup", "--house", str(folder / "house"), "--out", str(folder / "house.backup")]) == 0
    (folder / "bin").mkdir()
    for name, started in (("tsingma", "-m tsingma.cli.main"), ("python", "")):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {started} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_there_is_a_page_for_each_case() -> None:
    """Goal: the four cases. Method: names, and that each has commands."""
    assert [page.stem.removeprefix("runbook-") for page in PAGES] == [
        "calendar-wrong", "disk-full", "house-fails", "participant-defaults",
    ]  # fmt: skip
    assert all(len(LINE.findall(page.read_text(encoding="utf-8"))) >= 4 for page in PAGES)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_runbook_works(page: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: no stale command. Method: as the module says; what needs no shell is called here, which is quicker."""
    monkeypatch.chdir(small)
    monkeypatch.setenv("PATH", os.pathsep.join([str(small / "bin"), os.environ["PATH"]]))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2] / "src"))
    for command, expected in LINE.findall(page.read_text(encoding="utf-8")):
        code, told = carry_out(command)
        assert "Traceback" not in told, f"{page.name}: {command}\n{told}"
        if expected != "?":
            assert code == int(expected or 0), f"{page.name}: {command}\n{told}"


def carry_out(command: str) -> tuple[int, str]:
    """Run one line; returns its exit code and what it wrote to the standard error."""
    if command.startswith("tsingma ") and not set(command) & set("$|<>'\"&;`"):
        return main(shlex.split(command)[1:]), ""
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=SECONDS_MAX
    )  # fmt: skip
    return done.returncode, done.stderr

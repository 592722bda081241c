"""Kill the process at random moments of a week, start it again, and compare with what it had acknowledged.

    python tests/app/kill_loop.py --kills 50 --seed 1

Outside witness: this script keeps its own record of every acknowledged command. At the end nothing acknowledged
may be missing from the journal, no command may be there twice, and the state hash must equal that of a run that
was never interrupted. Exit code 1 and one line per finding otherwise.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ACKNOWLEDGED_MAX = 8  # a process gets to acknowledge so many commands at most before it is killed
MOMENT_S = 0.02
PYTHON = [sys.executable, "-m", "tsingma.cli.main"]


def market(folder: Path, trades: int, days: int, seed: int) -> None:
    """Write the simulated market that every run reads."""
    arguments = ["simulate", "market", "--trades", str(trades), "--days", str(days), "--seed", str(seed)]
    subprocess.run(
        [*PYTHON, *arguments, "--start", "2026-01-05", "--out", str(folder)], check=True, capture_output=True
    )


def start(house: Path, folder: Path) -> subprocess.Popen[str]:
    """Start a process that runs every day of the folder and prints each acknowledgement."""
    arguments = ["day", "run", "--house", str(house), "--market", str(folder), "--acknowledge"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}  # what was acknowledged must not sit in a buffer when killed
    return subprocess.Popen(
        [*PYTHON, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )


def acknowledged(text: str, whole: bool) -> dict[str, int]:
    """Return command id -> sequence of each complete ``ack`` line; the last line may be cut when killed."""
    lines = text.split("\n")[:-1] if not whole else text.splitlines()
    return {line.split(" ", 2)[2]: int(line.split(" ", 2)[1]) for line in lines if line.startswith("ack ")}


def journal(house: Path) -> list[tuple[int, str]]:
    """Read sequence and command id straight from the file, without the program under test."""
    connection = sqlite3.connect(house / "house.sqlite")
    try:
        return connection.execute("SELECT sequence, command_id FROM journal ORDER BY sequence").fetchall()
    finally:
        connection.close()


def final_hash(house: Path) -> str:
    """Return what ``tsingma day replay`` says of a house, state hash included."""
    done = subprocess.run(
        [*PYTHON, "day", "replay", "--house", str(house)], capture_output=True, text=True, check=False
    )
    return f"exit {done.returncode}\n{done.stdout}"


def killed_run(house: Path, folder: Path, chance: random.Random, startup_s: float) -> tuple[dict[str, int], bool]:
    """Start a process, kill it, and return what it acknowledged and whether it had ended by itself.

    One in four is killed while it starts and recovers, the others a moment after some acknowledgement: the moment is
    short, so that most kills fall into the carrying out, writing or synchronising of the next command.
    """
    process, heard = start(house, folder), []
    if chance.random() < 0.25:
        time.sleep(chance.uniform(0, startup_s))
    else:
        wanted = chance.randint(1, ACKNOWLEDGED_MAX)
        while len(heard) < wanted and (line := process.stdout.readline()):
            heard.append(line)
        time.sleep(chance.uniform(0, MOMENT_S))
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    heard.append(process.communicate()[0])
    return acknowledged("".join(heard), whole=ended), ended


def run(kills: int, seed: int, trades: int, days: int) -> list[str]:
    """Kill until ``kills`` kills hit a running process; returns one line per finding, empty when all is well.

    A house whose week is done is compared with the calm one, and the loop goes on with a new house.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder, calm = Path(scratch) / "market", Path(scratch) / "calm"
        market(folder, trades, days, seed)
        began = time.monotonic()
        process = start(calm, folder)
        process.stdout.readline()
        startup_s = time.monotonic() - began
        process.communicate()
        wanted, found = final_hash(calm), []
        hit = tries = heard = houses = in_recovery = 0
        while hit < kills and tries < 20 * kills and not found:
            house, witness, ended = Path(scratch) / f"house-{houses}", {}, False
            houses += 1
            while hit < kills and not ended:
                tries += 1
                fresh, ended = killed_run(house, folder, chance, startup_s)
                hit += not ended
                in_recovery += not ended and not fresh
                found += [f"acknowledged twice: {name}" for name in fresh if name in witness]
                witness.update(fresh)
            last = start(house, folder)
            witness.update(acknowledged(last.communicate()[0], whole=True))
            heard += len(witness)
            found += findings(witness, journal(house), final_hash(house), wanted, last.returncode)
            print(f"{hit} kills, {houses} houses, {len(found)} findings", file=sys.stderr, flush=True)
        print(
            f"{hit} kills of a running process ({in_recovery} before it acknowledged anything), {houses} houses, "
            f"{heard} commands acknowledged, seed {seed}",
            flush=True,
        )
        return found + [f"only {hit} of {kills} kills hit a running process"] * (hit < kills)


def findings(
    witness: dict[str, int], records: list[tuple[int, str]], killed: str, calm: str, exit_code: int
) -> list[str]:
    """Compare the witness with the journal and the two final states."""
    ids = [command_id for _, command_id in records]
    found = [f"the last run ended with exit code {exit_code}"] * (exit_code != 0)
    placed = {command_id: sequence for sequence, command_id in records}
    found += [f"acknowledged as {n}, recorded as {placed[name]}: {name}" for name, n in witness.items()
              if placed.get(name, n) != n]  # fmt: skip
    found += [f"acknowledged and missing: {command_id}" for command_id in witness if command_id not in set(ids)]
    found += [f"doubled: {command_id}" for command_id in set(ids) if ids.count(command_id) > 1]
    found += ["sequence numbers have gaps"] * ([number for number, _ in records] != list(range(1, len(records) + 1)))
    found += [f"the killed house differs from the calm one:\n{killed}\n{calm}"] * (killed != calm)
    found += ["the witness heard of no command"] * (not witness)
    return found


def main() -> int:
    """Parse the arguments and run the loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trades", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=3)
    options = parser.parse_args()
    found = run(options.kills, options.seed, options.trades, options.days)
    print("\n".join(found) if found else "nothing acknowledged is missing, nothing is doubled, the state is the same")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

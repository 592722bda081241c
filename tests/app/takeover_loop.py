"""Kill or pause the writer of a PostgreSQL house under load, again and again, and see what its standby makes of it.

    python tests/app/takeover_loop.py --rounds 20 --seed 1

Real processes: a writer with producer threads behind a group commit, and a standby of the same kind. Each round kills
(SIGKILL) or pauses (SIGSTOP, and wakes it after the takeover) the writer at a random moment. This script is the witness
outside: it hears every acknowledgement. At the end nothing acknowledged may be missing, nothing may be there twice, no
record of an earlier writer may stand after one of a later, and a writer that wakes must be refused. Exit code 1 and one
line per finding otherwise; prints how long nobody answered.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import psycopg

sys.path.append(str(Path(__file__).resolve().parents[1]))

from postgres_server import databases, start
from tsingma.app.group_commit import GroupCommit
from tsingma.app.session import Session
from tsingma.app.standby import open_standby, stand_by
from tsingma.basics.clock import SystemClock
from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejected
from tsingma.engine.proof import prove
from tsingma.journal.commands import LoadReference, PostTransfers
from tsingma.simulate.market import simulate_market
from tsingma.store.postgres import PostgresStore

PRODUCERS = 8
LEASE_SECONDS = 1.0
POLL_SECONDS = 0.05
WAIT_SECONDS = 30


def set_up(url: str) -> None:
    """Make a house with a book and deposits."""
    market = simulate_market(1, date(2026, 1, 5), 1, 100)
    with Session.open(url) as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("deposits", market.deposits)


def transfer(session: Session, producer: int, number: int) -> PostTransfers:
    """Return the transfer that belongs to an id: the same one whenever it is sent."""
    ledger = session.house.ledger
    accounts = np.sort(ledger.owner[(ledger.asset == 0) & (ledger.floor == 0)])
    debit, credit = accounts[producer], accounts[(producer + number % 7 + 1) % accounts.size]
    return PostTransfers(
        *(
            pack([value], kind)
            for value, kind in ((debit, "i4"), (credit, "i4"), (0, "i4"), (1 + number % 5, "i8"), (0, "i1"))
        )
    )


def tell(*words: object) -> None:
    """Write one line at once, whole."""
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


def produce(url: str) -> int:
    """Stand by, take over, then let every producer send until this process is ended; 3 when it was refused."""
    with open_standby(url, lambda command_id, sequence: None, LEASE_SECONDS) as session:
        tell("standby")
        taken = stand_by(session, SystemClock(), poll_seconds=POLL_SECONDS)
        tell("writer", taken.epoch, taken.milliseconds)
        session.sequencer.snapshot()  # from which the next standby starts: the journal grows with every round
        first = [last_durable(session, producer) for producer in range(PRODUCERS)]
        refusals: list[str] = []
        with GroupCommit(session.sequencer) as door:

            def send(producer: int) -> None:
                number = first[producer]  # durable, perhaps never acknowledged: sent again, as a client would
                try:
                    while not refusals:
                        name = f"producer-{producer}/{number}"
                        door.submit(name, transfer(session, producer, number)).result()
                        tell("ack", name, time.monotonic_ns())
                        number += 1
                except Rejected as rejected:
                    refusals.append(str(rejected))

            threads = [threading.Thread(target=send, args=(producer,)) for producer in range(PRODUCERS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        tell("refused", refusals[0])
        return 3


def last_durable(session: Session, producer: int) -> int:
    """Return the number of a producer's last durable command, 0 when it has none."""
    low, high = 0, 1
    while session.sequencer.answered(f"producer-{producer}/{high}") is not None:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        known = session.sequencer.answered(f"producer-{producer}/{middle}") is not None
        low, high = (middle, high) if known else (low, middle)
    return low


class Writer:
    """A process under test, and what the witness heard from it."""

    def __init__(self, url: str) -> None:
        """Start it and listen."""
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--produce", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self.heard = threading.Condition()
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def wait_for(self, word: str, count: int = 1) -> list[str]:
        """Return the words of the ``count``-th line that begins with a word, once it was heard."""
        with self.heard:
            matching: list[str] = []

            def there() -> bool:
                matching[:] = [line for line in self.lines if line.startswith(word)]
                return len(matching) >= count

            if not self.heard.wait_for(there, WAIT_SECONDS):
                raise TimeoutError(f"no {word!r} from a writer that said {self.lines[-1:]}")
            return matching[count - 1].split()

    def acknowledged(self) -> list[tuple[str, int]]:
        """Return id and time of every acknowledgement that came whole."""
        with self.heard:
            words = [line.split() for line in self.lines if line.startswith("ack ")]
        return [(entry[1], int(entry[2])) for entry in words if len(entry) == 3]

    def end(self) -> int:
        """Kill the process if it runs, and return its exit code."""
        self.process.kill()
        code = self.process.wait()
        self.listener.join()
        return code

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            with self.heard:
                self.lines.append(line.rstrip("\n"))
                self.heard.notify_all()


def run(url: str, rounds: int, seed: int) -> list[str]:
    """Take over ``rounds`` times; returns one line per finding, empty when all is well."""
    chance = random.Random(seed)
    set_up(url)
    writers = [Writer(url)]
    writers[0].wait_for("ack", 50)
    outages_ms: dict[str, list[int]] = {"SIGKILL": [], "SIGSTOP": []}
    findings = []
    for number in range(rounds):
        current, standby = writers[-1], Writer(url)
        writers.append(standby)
        standby.wait_for("standby")
        current.wait_for("ack", 50)
        time.sleep(chance.uniform(0.05, 0.5))
        kind = "SIGKILL" if number % 2 == 0 else "SIGSTOP"
        struck = time.monotonic_ns()
        current.process.send_signal(getattr(signal, kind))
        first_ack = standby.wait_for("ack")
        outages_ms[kind].append((int(first_ack[2]) - struck) // 1_000_000)
        if kind == "SIGSTOP":
            time.sleep(0.2)
            current.process.send_signal(signal.SIGCONT)
            refused = " ".join(current.wait_for("refused"))
            if current.process.wait(WAIT_SECONDS) != 3:
                findings.append(f"a writer that woke ended with {current.process.returncode}: {refused}")
    writers[-1].wait_for("ack", 50)
    for writer in writers:
        writer.end()
    witness = {name: moment for writer in writers for name, moment in writer.acknowledged()}
    findings += judge(url, set(witness), rounds)
    for kind, spent in outages_ms.items():
        if spent:
            print(f"{kind}: nobody answered for {min(spent)} to {max(spent)} ms, lease {LEASE_SECONDS:g} s: {spent}")
    print(f"{rounds} takeovers, {len(witness)} commands acknowledged, seed {seed}")
    return findings


def judge(url: str, acknowledged: set[str], rounds: int) -> list[str]:
    """Compare what the witness heard with the journal, read without the program under test; then prove the journal."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT sequence, command_id, epoch FROM journal ORDER BY sequence").fetchall()
    ids, epochs = [row[1] for row in rows], [row[2] for row in rows]
    found = [f"acknowledged and missing: {name}" for name in acknowledged - set(ids)]
    found += [f"doubled: {len(ids) - len(set(ids))} ids"] * (len(ids) != len(set(ids)))
    found += ["sequence numbers have gaps"] * ([row[0] for row in rows] != list(range(1, len(rows) + 1)))
    found += ["a record of an earlier writer stands after one of a later"] * (epochs != sorted(epochs))
    found += [f"{len(set(epochs))} writers wrote, {rounds + 2} were expected"] * (len(set(epochs)) != rounds + 2)
    with closing(PostgresStore(url, read_only=True)) as store:
        found += prove(store).faults
    return found


def main() -> int:
    """Parse the arguments; run the loop on a server of its own, or be one of its processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--produce", metavar="URL")
    options = parser.parse_args()
    if options.produce:
        return produce(options.produce)
    with start() as url, databases(url) as make:
        found = run(make(), options.rounds, options.seed)
    print("\n".join(found) if found else "nothing acknowledged is missing, nothing is doubled, one writer at a time")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

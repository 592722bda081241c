"""Long work for a served house: each job runs in a process of its own, which is ended when the job is cancelled.

A job is a task (``module:function``) and its request as bytes. The task takes the request and a Progress and returns
bytes; what it is asked decides what it answers, so that the same request gives the same result. Everything is bounded:
jobs that run, that wait, of one owner, how long one may take, how large a result is and how long it is kept.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, Literal

import msgspec

from tsingma.app.progress import Progress
from tsingma.basics.clock import Clock
from tsingma.basics.rejection import Rejected, RejectionReason, refuse

Task = Callable[[bytes, Progress], bytes]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]

NICENESS = 10  # of a job's process: reads and changes of the house come first
SECOND = 1_000_000_000


class JobLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds: numbers of jobs, seconds one may take and is kept after its end, bytes of one result and of all."""

    running: int = 2
    waiting: int = 16
    of_an_owner: int = 4  # waiting and running
    kept: int = 64
    kept_bytes: int = 256 * 1024 * 1024  # of all results together
    seconds: float = 600.0
    kept_seconds: float = 3_600.0
    result_bytes: int = 16 * 1024 * 1024


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """How a job stands; ``progress`` from 0 to 1 of ``stage``, ``asked`` as it was asked, ``fault`` why it failed."""

    job: int
    kind: str
    state: JobState
    stage: str
    progress: float
    asked: dict[str, Any]
    submitted_at: str
    ended_at: str | None = None
    fault: str = ""


class _Entry:
    """A job with all the board knows of it."""

    def __init__(self, job: Job, owner: str, key: str, task: str, request: bytes) -> None:
        self.job, self.owner, self.key, self.task, self.request = job, owner, key, task, request
        self.process: multiprocessing.process.BaseProcess | None = None
        self.result = b""
        self.ended_ns = 0


class _Stage(msgspec.Struct, tag="stage"):
    name: str
    done: int
    total: int


class _Finished(msgspec.Struct, tag="finished"):
    result: bytes


class _Refused(msgspec.Struct, tag="refused"):
    message: str


_DECODER = msgspec.msgpack.Decoder(_Stage | _Finished | _Refused)


class JobBoard:
    """The jobs of a served house, from any thread; owners see their own only."""

    def __init__(self, clock: Clock, limits: JobLimits | None = None) -> None:
        """Start without jobs. Their numbers go on from the second of the start, so that none comes twice."""
        self.limits = limits or JobLimits()
        self._clock = clock
        self._lock = threading.Lock()
        self._queued, self._closed = threading.Condition(self._lock), False
        self._entries: dict[int, _Entry] = {}
        self._next = clock.now_ns() // SECOND
        self._threads = [threading.Thread(target=self._work, name="jobs", daemon=True)
                         for _ in range(self.limits.running)]  # fmt: skip
        for thread in self._threads:
            thread.start()

    def submit(self, owner: str, key: str, kind: str, task: str, request: bytes, asked: dict[str, Any]) -> Job:
        """Queue a job and return it; an owner's ``key`` names it: the same key and request give the same job again.

        Raises Rejected: limit (too many wait, of all or of this owner), conflict (the key was used for another).
        """
        with self._lock:
            self._forget()
            for entry in self._entries.values():
                if (entry.owner, entry.key) == (owner, key):
                    if (entry.task, entry.request) == (task, request):
                        return entry.job
                    message = "the key was used for another job"
                    raise refuse(RejectionReason.CONFLICT, message, subject=key, remedy="choose a new key")
            self._require_room(owner)
            job = Job(job=self._next, kind=kind, state="queued", stage="waiting", progress=0.0, asked=asked,
                      submitted_at=self._now())  # fmt: skip
            self._next += 1
            self._entries[job.job] = _Entry(job, owner, key, task, request)
            self._queued.notify()
            return job

    def open_count(self) -> int:
        """Return how many jobs of everybody wait or run."""
        with self._lock:
            return sum(entry.job.state in ("queued", "running") for entry in self._entries.values())

    def jobs(self, owner: str) -> list[Job]:
        """Return the jobs of an owner, the newest first."""
        with self._lock:
            self._forget()
            return [entry.job for entry in reversed(self._entries.values()) if entry.owner == owner]

    def job(self, owner: str, number: int) -> Job | None:
        """Return a job; None when there is none of this number, or it is another owner's."""
        entry = self._of(owner, number)
        return None if entry is None else entry.job

    def result(self, owner: str, number: int) -> bytes:
        """Return what a job answered; raises Rejected: unknown (job), not-allowed (it is not done)."""
        entry = self._of(owner, number)
        if entry is None:
            raise refuse(RejectionReason.UNKNOWN, f"there is no job {number}", field="job")
        if entry.job.state != "done":
            remedy = "ask again when its state is done" if entry.job.state in ("queued", "running") else "run it again"
            message = f"the job is {entry.job.state}"
            raise refuse(RejectionReason.NOT_ALLOWED, message, subject=str(number), remedy=remedy)
        return entry.result

    def cancel(self, owner: str, number: int) -> Job:
        """End a job's work and return how it stands; one that has ended stays as it is. Raises Rejected (unknown)."""
        entry = self._of(owner, number)
        if entry is None:
            raise refuse(RejectionReason.UNKNOWN, f"there is no job {number}", field="job")
        with self._lock:
            if entry.job.state in ("queued", "running"):
                self._end(entry, "cancelled")
            if entry.process is not None:
                entry.process.kill()
            return entry.job

    def close(self) -> None:
        """End all work; nothing is taken in afterwards."""
        with self._lock:
            for entry in self._entries.values():
                if entry.job.state in ("queued", "running"):
                    self._end(entry, "cancelled")
                if entry.process is not None:
                    entry.process.kill()
            self._closed = True
            self._queued.notify_all()
        for thread in self._threads:
            thread.join(5.0)

    def _of(self, owner: str, number: int) -> _Entry | None:
        with self._lock:
            self._forget()
            entry = self._entries.get(number)
            return entry if entry is not None and entry.owner == owner else None

    def _require_room(self, owner: str) -> None:
        live = [entry for entry in self._entries.values() if entry.job.state in ("queued", "running")]
        of_owner = sum(entry.owner == owner for entry in live)
        waiting = sum(entry.job.state == "queued" for entry in live)
        if of_owner >= self.limits.of_an_owner or waiting >= self.limits.waiting:
            message = f"{of_owner} jobs of yours have not ended, {waiting} of all wait"
            remedy = f"at most {self.limits.of_an_owner} and {self.limits.waiting}: wait, or cancel one"
            raise refuse(RejectionReason.LIMIT, message, remedy=remedy)

    def _forget(self) -> None:
        """Drop what has been kept long enough, and of what is too much the oldest of whoever has most."""
        oldest = self._clock.now_ns() - int(self.limits.kept_seconds * SECOND)
        for number in [number for number, entry in self._entries.items() if 0 < entry.ended_ns < oldest]:
            del self._entries[number]
        ended = {number: entry.owner for number, entry in self._entries.items() if entry.ended_ns}
        of_owners = Counter(ended.values())
        while len(ended) > self.limits.kept:
            most = of_owners.most_common(1)[0][0]
            number = next(number for number, owner in ended.items() if owner == most)
            of_owners[most] -= 1
            del ended[number], self._entries[number]
        of_bytes = Counter[str]()
        for number, owner in ended.items():
            of_bytes[owner] += len(self._entries[number].result)
        while of_bytes.total() > self.limits.kept_bytes:
            most = of_bytes.most_common(1)[0][0]
            number = next(one for one, owner in ended.items() if owner == most and self._entries[one].result)
            of_bytes[most] -= len(self._entries[number].result)
            del ended[number], self._entries[number]

    def _work(self) -> None:
        while (entry := self._next_queued()) is not None:
            try:
                self._run(entry)
            except OSError as error:  # too many files are open, or too little memory
                with self._lock:
                    self._end(entry, "failed", fault=f"no process could be started: {error.strerror}")

    def _next_queued(self) -> _Entry | None:
        """Return the oldest job that waits, as soon as there is one, now running; None when the board has closed."""
        with self._queued:
            while not self._closed:
                for entry in self._entries.values():
                    if entry.job.state == "queued":
                        entry.job = msgspec.structs.replace(entry.job, state="running", stage="starting")
                        return entry
                self._queued.wait()
        return None

    def _run(self, entry: _Entry) -> None:
        context = multiprocessing.get_context("spawn")  # a forked copy of a threaded process can hang
        ours, theirs = context.Pipe(duplex=False)
        with ours:
            with theirs, self._lock:
                if entry.job.state != "running":  # cancelled meanwhile
                    return
                process = context.Process(target=_carry_out, args=(theirs, entry.task, entry.request), daemon=True)
                process.start()
                entry.process = process
            self._listen(entry, ours)
        process.kill()
        process.join()
        with self._lock:
            entry.process = None

    def _listen(self, entry: _Entry, ours: Connection) -> None:
        """Follow a job to its end; a killed process ends the pipe, which wakes this thread at once."""
        until = self._clock.elapsed_ns() + int(self.limits.seconds * SECOND)
        while entry.job.state == "running":
            left = (until - self._clock.elapsed_ns()) / SECOND
            fault = ""
            try:
                if left > 0 and ours.poll(left):
                    self._take(entry, ours.recv_bytes(self.limits.result_bytes))
                    continue
                fault = f"took longer than {self.limits.seconds:.0f} seconds"
            except EOFError:
                fault = "its process ended: a defect of the house, or too little memory"
            except OSError:
                fault = f"the result is larger than {self.limits.result_bytes} bytes"
            with self._lock:
                self._end(entry, "failed", fault=fault)

    def _take(self, entry: _Entry, data: bytes) -> None:
        told = _DECODER.decode(data)
        with self._lock:
            if entry.job.state != "running":
                return
            if isinstance(told, _Stage):
                part = min(told.done / told.total, 1.0) if told.total > 0 else 0.0
                entry.job = msgspec.structs.replace(entry.job, stage=told.name, progress=part)
            elif isinstance(told, _Finished):
                entry.result = told.result
                self._end(entry, "done")
                self._forget()
            else:
                self._end(entry, "failed", fault=told.message)

    def _end(self, entry: _Entry, state: JobState, *, fault: str = "") -> None:
        """Move a job to its end; whoever calls holds the lock."""
        if entry.job.state not in ("queued", "running"):
            return
        progress = 1.0 if state == "done" else entry.job.progress
        stage = "done" if state == "done" else entry.job.stage
        entry.ended_ns = max(self._clock.now_ns(), 1)
        entry.job = msgspec.structs.replace(entry.job, state=state, stage=stage, progress=progress, fault=fault,
                                            ended_at=self._now())  # fmt: skip

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.now_ns() / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Teller:
    """The progress of a job in its process, told to the board; a board that is gone ends the process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def stage(self, name: str, done: int, total: int) -> None:
        self._pipe.send_bytes(msgspec.msgpack.encode(_Stage(name, done, total)))


def _carry_out(pipe: Connection, task: str, request: bytes) -> None:
    """Carry out a task in the process of a job and tell its outcome; a defect ends the process, which tells it too."""
    os.nice(NICENESS)
    module, _, name = task.partition(":")
    try:
        function: Task = getattr(importlib.import_module(module), name)
        outcome: _Finished | _Refused = _Finished(function(request, _Teller(pipe)))
    except Rejected as rejected:
        first = rejected.rejections[0]
        outcome = _Refused(f"{first.message} ({first.remedy})" if first.remedy else first.message)
    pipe.send_bytes(msgspec.msgpack.encode(outcome))

"""Signatures of tokens, checked in processes of their own: what one costs, the process that serves need not spend.

Requests of one event loop hand in tokens; those that wait together go to a checking process together and come back
together. It gets tokens and public keys, both known to everybody who asks, and answers which key signed what; the
desk judges everything else. Few at a time, and all when a process has ended, are checked where they are.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

import msgspec

from tsingma.api.signatures import Imported, Proof, TokenRefused, imported, proved

FEW = 4  # tokens that wait together and are not worth the way
TOGETHER_MAX = 32  # so that checking one batch goes beside answering the one before
SECONDS_MAX = 5.0  # for a batch; then the process is given up
LOG = logging.getLogger("tsingma.api")
_LENGTH_BYTES = 4
Asked = tuple[dict[str, str] | None, list[str]]  # the keys when they are new, tokens
Found = list[tuple[str, str, bytes] | str]  # a proof, or why it is refused
_ASKED = msgspec.msgpack.Decoder(Asked)
_FOUND = msgspec.msgpack.Decoder(Found)
_Waiting = tuple[str, "asyncio.Future[Proof]"]


class Checker:
    """One checking process and the tokens that wait for it; used by one event loop."""

    def __init__(self) -> None:
        """Start the process; it ends when this end of its socket closes."""
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__], stdin=theirs.fileno(), stdout=subprocess.DEVNULL
            )
        self._socket.setblocking(False)
        self._keys: dict[str, str] = {}
        self._imported: Imported = {}
        self._version, self._told = 0, -1
        self._waiting: list[_Waiting] = []
        self._flushing = self._given_up = False
        self._away: asyncio.Task[None] | None = None  # with one batch at a time; what comes meanwhile goes together

    def replace(self, keys: Mapping[str, str]) -> None:
        """Check by other public keys (base64url, by id) from now on."""
        self._keys, self._imported, self._version = dict(keys), imported(keys), self._version + 1

    async def check(self, token: str) -> Proof:
        """Return which key signed a token and what it says; raises TokenRefused."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Proof] = loop.create_future()
        self._waiting.append((token, future))
        if not self._flushing and self._away is None:
            self._flushing = True
            loop.call_soon(self._flush)  # after all requests that are there now
        return await future

    def close(self) -> None:
        """Let the process end."""
        self._socket.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _flush(self) -> None:
        self._flushing = False
        batch, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
        if len(batch) < FEW or self._given_up or self._process.poll() is not None:
            self._check_here(batch)
        elif batch:
            self._away = asyncio.get_running_loop().create_task(self._exchange(batch))
            return
        if self._waiting:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    async def _exchange(self, batch: list[_Waiting]) -> None:
        """Send a batch, wait for its answer and tell everybody of it."""
        version, keys = self._version, self._keys
        found: Found | None = None
        try:
            asked: Asked = (keys if self._told != version else None, [token for token, _ in batch])
            self._told = version
            async with asyncio.timeout(SECONDS_MAX):
                found = await self._ask(asked)
        except (OSError, EOFError, TimeoutError, msgspec.MsgspecError):  # nothing was found out
            self._given_up = True  # for good: it may yet answer, and the next to ask would take that for theirs
            self._process.kill()
            LOG.error("the process that checks signatures has ended: they are checked here from now on")
        finally:
            self._away = None
            self._flush()
        if found is None or version != self._version or len(found) != len(batch):  # or by keys that hold no more
            self._check_here(batch)
            return
        for (_, future), outcome in zip(batch, found, strict=True):
            _tell(future, TokenRefused(outcome) if isinstance(outcome, str) else Proof(*outcome))

    async def _ask(self, asked: Asked) -> Found:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, _frame(msgspec.msgpack.encode(asked)))
        length = int.from_bytes(await self._receive(_LENGTH_BYTES))
        return _FOUND.decode(await self._receive(length))

    async def _receive(self, length: int) -> bytes:
        loop, data = asyncio.get_running_loop(), b""
        while len(data) < length:
            part = await loop.sock_recv(self._socket, length - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def _check_here(self, waiting: Sequence[_Waiting]) -> None:
        for token, future in waiting:
            try:
                _tell(future, proved(token, self._imported))
            except TokenRefused as refused:
                _tell(future, refused)


def _tell(future: asyncio.Future[Proof], outcome: Proof | TokenRefused) -> None:
    if future.done():
        return
    if isinstance(outcome, TokenRefused):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _frame(data: bytes) -> bytes:
    return len(data).to_bytes(_LENGTH_BYTES) + data


def answer_all(own: socket.socket) -> None:
    """Answer batches of tokens until the other end closes: what the checking process does."""
    keys = imported({})
    with own.makefile("rb") as stream:
        while length := stream.read(_LENGTH_BYTES):
            given, tokens = _ASKED.decode(stream.read(int.from_bytes(length)))
            keys = keys if given is None else imported(given)
            own.sendall(_frame(msgspec.msgpack.encode([_found(token, keys) for token in tokens])))


def _found(token: str, keys: Imported) -> Proof | str:
    try:
        return proved(token, keys)
    except TokenRefused as refused:
        return str(refused)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    with socket.socket(fileno=os.dup(0)) as given_socket:
        answer_all(given_socket)

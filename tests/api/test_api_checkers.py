"""Signatures checked in another process: the same verdicts, whatever becomes of the process.

Method: a real checking process; tokens good and bad in batches of every size, against what is found out in place.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest
from api_house import AUDIENCE, START_S, mint, new_private_key

from tsingma.api import checkers
from tsingma.api.checkers import FEW, TOGETHER_MAX, Checker
from tsingma.api.signatures import Proof, TokenRefused, imported, proved

PAIRS = {name: new_private_key() for name in ("one", "two", "stranger")}
PUBLIC = {name: PAIRS[name]["x"] for name in ("one", "two")}


@pytest.fixture
def checker() -> Iterator[Checker]:
    """A checking process with two keys."""
    started = Checker()
    started.replace(PUBLIC)
    yield started
    started.close()


def tokens() -> list[str]:
    """Return good tokens of two keys, and what is none."""
    good = [mint(PAIRS[name], name, name, AUDIENCE, START_S, 60) for name in ("one", "two", "one")]
    as_another = mint(PAIRS["stranger"], "one", "one", AUDIENCE, START_S, 60)
    unknown = mint(PAIRS["stranger"], "stranger", "x", AUDIENCE, START_S, 60)
    changed = good[0][:-4] + ("AAAA" if good[0][-4:] != "AAAA" else "BBBB")
    return [*good, as_another, unknown, changed, "", "a.b", "a.b.c", "é", "x" * 5_000]


async def all_of(checker: Checker, asked: list[str]) -> list[Proof | str]:
    """Ask for all at once."""
    found = await asyncio.gather(*(checker.check(token) for token in asked), return_exceptions=True)
    return [str(one) if isinstance(one, TokenRefused) else one for one in found]  # type: ignore[misc]


def in_place(asked: list[str]) -> list[Proof | str]:
    """Return what is found out here."""
    keys, found = imported(PUBLIC), []
    for token in asked:
        try:
            found.append(proved(token, keys))
        except TokenRefused as refused:
            found.append(str(refused))
    return found


@pytest.mark.parametrize("times", [1, 3, 60])
def test_verdicts_are_those_found_in_place(checker: Checker, times: int) -> None:
    """Goal: the same proofs and refusals. Method: batches below and above what goes together."""
    asked = tokens() * times
    assert len(asked) > FEW
    assert asyncio.run(all_of(checker, asked)) == in_place(asked)
    if times == 60:
        assert len(asked) > TOGETHER_MAX


def test_few_are_checked_in_place(checker: Checker) -> None:
    """Goal: one request at a time waits for nobody. Method: the process is ended before."""
    checker._process.kill()
    asked = tokens()[:1]
    assert asyncio.run(all_of(checker, asked)) == in_place(asked)


def test_a_process_that_ends_loses_no_verdict(checker: Checker) -> None:
    """Goal: nothing passes unchecked and nobody waits for ever. Method: killed while a batch is there, then again."""

    async def across_the_end() -> list[Proof | str]:
        first = await all_of(checker, tokens())
        waiting = asyncio.gather(*(checker.check(token) for token in asked), return_exceptions=True)
        await asyncio.sleep(0)
        checker._process.kill()
        found = [str(one) if isinstance(one, TokenRefused) else one for one in await waiting]
        assert first[0] == in_place(tokens())[0] or isinstance(first[0], Proof)
        return [*found, *await all_of(checker, asked)]

    asked = tokens()
    assert asyncio.run(across_the_end()) == in_place(asked) * 2


def test_a_withdrawn_key_proves_nothing_from_then_on(checker: Checker) -> None:
    """Goal: other keys hold at once. Method: a key is replaced while a batch waits, and after it."""

    async def across_the_change() -> list[Proof | str]:
        await all_of(checker, asked)
        waiting = asyncio.gather(*(checker.check(token) for token in asked), return_exceptions=True)
        await asyncio.sleep(0)
        checker.replace({"two": PAIRS["two"]["x"], "one": PAIRS["stranger"]["x"]})
        found = [str(one) if isinstance(one, TokenRefused) else one for one in await waiting]
        return [*found, *await all_of(checker, asked)]

    asked = [mint(PAIRS["one"], "one", "one", AUDIENCE, START_S, 60) for _ in range(FEW)]
    found = asyncio.run(across_the_change())
    assert all(isinstance(one, str) for one in found)


def test_a_late_answer_is_nobodys(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: nobody gets another's identity. Method: the process stops, is given up, and answers when others ask."""
    monkeypatch.setattr(checkers, "SECONDS_MAX", 0.3)
    process = checker._process
    monkeypatch.setattr(process, "kill", lambda: process.send_signal(signal.SIGCONT))  # it ends later than it should

    async def across_the_pause() -> list[Proof | str]:
        process.send_signal(signal.SIGSTOP)
        return [*await all_of(checker, ones), *await all_of(checker, twos)]

    ones, twos = ([mint(PAIRS[name], name, name, AUDIENCE, START_S, 60)] * FEW for name in ("one", "two"))
    assert asyncio.run(across_the_pause()) == in_place([*ones, *twos])

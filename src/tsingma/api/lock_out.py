"""Lock-out: after some wrong passwords in a row each further one must wait, twice as long each time.

It counts by the name that was typed, whether somebody has it or not, and by address, so that it tells nothing about who
exists. An attempt counts as failed from its beginning: many at once get no more of them. Memory is bounded; the name
that failed longest ago is forgotten first.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict

import msgspec

from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import Clock

FORGOTTEN_SECONDS = 24 * 3600
_IPV6_NETWORK = 64  # bits that one customer usually has to himself
_SECOND = 1_000_000_000


class _Failures(msgspec.Struct):
    count: int
    last_s: int


class _Table:
    """Failures by a name, bounded."""

    def __init__(self, free: int, limits: LimitsSection) -> None:
        self._free, self._limits = free, limits
        self._of: OrderedDict[bytes, _Failures] = OrderedDict()

    def wait_s(self, name: bytes, now_s: int) -> int:
        """Return the seconds until the next attempt is heard."""
        found = self._of.get(name)
        if found is None or now_s - found.last_s >= FORGOTTEN_SECONDS or found.count < self._free:
            return 0
        pause = min(1 << min(found.count - self._free, 20), self._limits.lock_out_seconds)
        return max(found.last_s + pause - now_s, 0)

    def failed(self, name: bytes, now_s: int) -> None:
        """Count one more."""
        found = self._of.pop(name, None)
        count = found.count if found is not None and now_s - found.last_s < FORGOTTEN_SECONDS else 0
        self._of[name] = _Failures(count + 1, now_s)
        if len(self._of) > self._limits.lock_out_remembered:
            self._of.popitem(last=False)

    def take_one_back(self, name: bytes) -> None:
        """Count one less."""
        found = self._of.get(name)
        if found is not None and found.count > 1:
            found.count -= 1
        else:
            self.forget(name)

    def forget(self, name: bytes) -> None:
        """Start again from none."""
        self._of.pop(name, None)


class LockOut:
    """Who must wait before the next attempt; used from one thread."""

    def __init__(self, clock: Clock, limits: LimitsSection | None = None) -> None:
        """Start knowing nobody; names and as many addresses are remembered, many people may share an address."""
        self._clock, limits = clock, limits or LimitsSection()
        self._names = _Table(limits.wrong_passwords_of_a_name, limits)
        self._addresses = _Table(limits.wrong_passwords_of_an_address, limits)

    def attempt(self, name: str, address: str) -> int:
        """Return 0 when an attempt may be made, which counts as failed from now on, else the seconds to wait."""
        now_s = self._clock.now_ns() // _SECOND
        who, where = _digest(name.casefold()), _digest(_network(address))
        wait = max(self._names.wait_s(who, now_s), self._addresses.wait_s(where, now_s))
        if not wait:
            self._names.failed(who, now_s)
            self._addresses.failed(where, now_s)
        return wait

    def attempt_from(self, address: str) -> int:
        """Return 0 when an attempt without a name may be made from an address, else the seconds to wait."""
        now_s, where = self._clock.now_ns() // _SECOND, _digest(_network(address))
        wait = self._addresses.wait_s(where, now_s)
        if not wait:
            self._addresses.failed(where, now_s)
        return wait

    def succeeded_from(self, address: str) -> None:
        """Forget one attempt of an address."""
        self._addresses.take_one_back(_digest(_network(address)))

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of a name, and this one attempt of the address: others from there stay counted."""
        self._names.forget(_digest(name.casefold()))
        self._addresses.take_one_back(_digest(_network(address)))

    def not_tried(self, name: str, address: str) -> None:
        """Take an attempt back whose password was never looked at."""
        self._names.take_one_back(_digest(name.casefold()))
        self._addresses.take_one_back(_digest(_network(address)))


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, _IPV6_NETWORK), strict=False)) if found.version == 6 else address


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

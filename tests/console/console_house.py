"""The house of the interface's tests with the console's pages on it, and people who have signed in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "api"))

import api_house
from api_house import OWNER, PASSWORD, people_of, sign_in, write_house, write_prices
from litestar.testing import TestClient

from tsingma.api.permissions import Role

ROLES = tuple(Role)
LANGUAGES = ("en", "zh-Hant")


@dataclass
class Served(api_house.Served):
    """A served house whose pages are asked for with the cookie of a person, named by the role (or "other", of B)."""

    cookies: dict[str, str] = field(default_factory=dict)

    def cookie(self, who: str) -> str:
        """Return the cookie of a person's session, signed in when first asked for."""
        if who not in self.cookies:
            browser = TestClient(self.client.app)  # another browser; entered, it would shut the house down at its end
            answer = sign_in(browser, who)
            assert answer.status_code == 303, answer.text
            self.cookies[who] = browser.cookies["tsingma"]
        return self.cookies[who]

    def call(self, who: str | None, method: str, path: str, **more: Any) -> Any:
        """Send a request: to pages as the person ``who``, elsewhere with a token of the key ``who``."""
        if who is None or not path.startswith("/console"):
            return super().call(who, method, path, **more)
        headers = dict(more.pop("headers", {}))
        headers["Cookie"] = "; ".join([f"tsingma={self.cookie(str(who))}", *filter(None, [headers.get("Cookie")])])
        return self.client.request(method, path, headers=headers, **more)


@contextmanager
def served(folder: Path | str, **settings: Any) -> Iterator[Served]:
    """Serve a house in process; ``settings`` go to the application."""
    with api_house.served(folder, people=people_of(), **settings) as running:
        yield Served(**vars(running))


__all__ = ["LANGUAGES", "OWNER", "PASSWORD", "ROLES", "Served", "served", "sign_in", "write_house", "write_prices"]

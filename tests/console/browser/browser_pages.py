"""Somebody at a browser: opens pages of the console, reads them, presses keys; and what they must not meet."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tsingma.console.language import Language, Words, words_in

# No sandbox: tests run as root in containers. The others keep Chromium from talking to its maker.
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-default-apps", "--disable-extensions", "--hide-scrollbars",
)  # fmt: skip
SETTLED_MS = 30_000  # of a machine that does much else


class Visitor:
    """A window with a page of the console in it; ``complaints`` is what no page may cause."""

    def __init__(self, context: Any, address: str, language: str) -> None:
        """Watch the console of the browser, errors of pages, and every request."""
        self.context, self.language = context, language
        self.words: Words = words_in(Language(language))
        self.complaints: list[str] = []
        self._home = urlsplit(address).netloc
        self.page = context.new_page()
        self.page.set_default_timeout(SETTLED_MS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Any) -> None:
        there = urlsplit(request.url)
        if there.scheme not in ("data", "blob") and there.netloc != self._home:
            self.complaints.append(f"a request to {request.url}")

    def open(self, path: str, status: int = 200) -> Visitor:
        """Open an address of the console in the visitor's language."""
        answer = self.page.goto(path, wait_until="load")
        assert answer is not None
        assert answer.status == status, (path, answer.status, self.heading())
        assert self.page.locator("html").get_attribute("lang") == self.language
        return self

    def follow(self, name: str, within: str = "body") -> Visitor:
        """Follow the link of this name."""
        self.page.locator(within).get_by_role("link", name=name, exact=True).first.click()
        self.page.wait_for_load_state("load")
        return self

    def heading(self) -> str:
        """Return the heading of the page."""
        return str(self.page.locator("h1").first.inner_text())

    def text(self, place: str = "main") -> str:
        """Return the words of a part of the page."""
        return str(self.page.locator(place).first.inner_text())

    def rows(self, caption: str) -> list[list[str]]:
        """Return the cells of the body of the table with this caption."""
        found = self.page.locator("table").filter(has=self.page.locator("caption", has_text=caption)).first
        return [row.locator("th, td").all_inner_texts() for row in found.locator("tbody tr").all()]

    def ask(self, button: str, asked: str) -> None:
        """Press a form's button and wait until its answer is there, in its place or as a page: ``asked`` is in the
        address then.
        """
        self.page.get_by_role("button", name=button).first.click()
        self.page.wait_for_url(lambda address: asked in address)
        self.page.wait_for_load_state("load")
        self.page.locator("#answer:not([aria-busy])").first.wait_for()

"""The frame of every page: headers, languages, themes, files, refusals; whole without a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from console_house import LANGUAGES, ROLES, Served

from tsingma.api.permissions import Role
from tsingma.console.language import Language, words_in
from tsingma.console.static_files import assets


def test_the_start_page_for_everybody_in_both_languages(console: Served) -> None:
    """Goal: each role sees its menu in its language, as of the record. Method: every role by every language."""
    for role in ROLES:
        for language in LANGUAGES:
            answer = console.get(role, f"/console?lang={language}")
            words = words_in(Language(language))
            assert answer.status_code == 200
            assert f'<html lang="{language}"' in answer.text
            assert words("page.home.title") in answer.text
            assert words(f"role.{role}") in answer.text
            assert 'id="as-of"' in answer.text


def policy_of(answer: Any) -> dict[str, str]:
    """Return the directives of an answer's Content-Security-Policy."""
    parts = answer.headers["content-security-policy"].split(";")
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in parts)}


@pytest.mark.parametrize("path", ["/console", "/console/nowhere", "/console/assets/0000000000000000/console.css"])
@pytest.mark.parametrize("who", ["operator", None])
def test_every_page_forbids_what_is_not_ours(console: Served, path: str, who: str | None) -> None:
    """Goal: an injected script or frame does nothing, on refusals too. Method: headers; a fresh nonce each time."""
    first, second = console.get(who, path), console.get(who, path)
    policy = policy_of(first)
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert re.fullmatch(r"'nonce-[\w-]{20,}'", policy["script-src"])
    assert policy["script-src"] != policy_of(second)["script-src"]
    assert (policy["frame-ancestors"], policy["base-uri"], policy["form-action"]) == ("'none'", "'none'", "'self'")
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["x-content-type-options"] == "nosniff"


class Inline(HTMLParser):
    """Collects what a strict policy would block."""

    def __init__(self, nonce: str) -> None:
        super().__init__()
        self.nonce, self.found = nonce, []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.found.append(tag)
        if tag == "script" and (given.get("nonce") != self.nonce or "src" not in given):
            self.found.append(tag)
        if any(name.startswith(("data-hx-", "hx-")) for name in given) and self.nonce not in (
            given.get("hx-nonce"), given.get("data-hx-nonce"),
        ):  # fmt: skip
            self.found.append(f"{tag} without hx-nonce")


def blocked_parts(answer: Any) -> list[str]:
    """Return tags of a page that its own policy would block."""
    parser = Inline(policy_of(answer)["script-src"].removeprefix("'nonce-").removesuffix("'"))
    parser.feed(answer.text)
    return list(parser.found)


def test_no_page_has_what_its_policy_blocks(console: Served) -> None:
    """Goal: scripts by address with the nonce only, no style in the text. Method: parse the pages."""
    for path in ("/console", "/console/nowhere"):
        assert blocked_parts(console.get("operator", path)) == []


def test_language_and_theme_are_kept(console: Served) -> None:
    """Goal: asked once, kept by the browser, nowhere else. Method: the cookie, then a request with it; nonsense."""
    client = console.client
    answer = console.get("auditor", "/console?lang=zh-Hant&theme=dark")
    kept = answer.headers.get_list("set-cookie")
    assert len(kept) == 2
    assert all("HttpOnly" in one and "SameSite=lax" in one and "Path=/console" in one for one in kept)
    client.cookies.clear()
    cookies = "tsingma-language=zh-Hant; tsingma-theme=dark"
    answer = console.get("auditor", "/console", headers={"Cookie": cookies})
    assert '<html lang="zh-Hant" data-theme="dark">' in answer.text
    answer = console.get("auditor", '/console?lang=%22%3E%3Cscript%3E&theme="onload=', headers={"Cookie": "x=y"})
    assert '<html lang="en" data-theme="auto">' in answer.text
    assert "set-cookie" not in answer.headers
    client.cookies.clear()


def test_switches_keep_what_was_asked_escaped(console: Served) -> None:
    """Goal: changing the language keeps the rest of the address and lets nothing in. Method: a hostile parameter."""
    answer = console.get("operator", "/console?x=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&lang=en")
    assert "<script>alert" not in answer.text
    assert "/console?x=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E&amp;lang=zh-Hant" in answer.text
    console.client.cookies.clear()


def test_files_are_immutable_and_only_they_are_served(console: Served) -> None:
    """Goal: the address holds the hash, other addresses hold nothing. Method: each file; wrong hash; ways out."""
    for name, known in assets().items():
        answer = console.client.get(f"/console/assets/{known.digest}/{name}")
        assert answer.status_code == 200
        assert answer.content == known.content
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    digest = assets()["console.css"].digest
    for path in (
        f"{'0' * 16}/console.css", f"{digest}/charts.css", f"{digest}/../page.py", f"{digest}/%2e%2e/page.py",
        f"{digest}/..%2fpage.py", f"{digest}//etc/passwd", f"{digest}/vendored/VENDORED.md",
    ):  # fmt: skip
        assert console.client.get(f"/console/assets/{path}").status_code in (400, 404), path


def test_refusals_are_pages_with_the_statuses_of_the_interface(console: Served) -> None:
    """Goal: people read why; who has not signed in is told nothing. Method: no cookie, a token, other ways."""
    for who in ({}, {"Authorization": f"Bearer {console.token('operator')}"}, {"Cookie": "tsingma=x"}):
        answer = console.client.get("/console", headers=who, follow_redirects=False)
        assert (answer.status_code, answer.text) == (303, "")
        assert answer.headers["location"] == "/console/sign-in?next=%2Fconsole"
    refused = console.client.post("/console/sign-in", data={"name": "x"})
    assert refused.status_code == 403
    assert words_in(Language.EN)("problem.title.403") in refused.text
    assert 'id="as-of"' not in refused.text
    assert console.get("operator", "/console/nowhere").status_code == 404
    assert console.call("operator", "POST", "/console").status_code == 405
    assert console.call(Role.PARTICIPANT, "DELETE", "/console").status_code == 405


def test_the_interface_still_describes_itself_without_pages(console: Served) -> None:
    """Goal: pages are for people. Method: no path of the console in the description."""
    paths = console.client.get("/openapi/openapi.json").json()["paths"]
    assert paths
    assert not [path for path in paths if path.startswith("/console")]

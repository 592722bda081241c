"""Words have one source, whole in both languages, with the terms of the glossary; templates have none of their own."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path
from typing import get_args

import pytest

pytest.importorskip("jinja2")

from tsingma.api.permissions import Role
from tsingma.basics.rejection import InvariantBroken, RejectionReason
from tsingma.console.language import WORDS_FOLDER, Language, language_of, words_in
from tsingma.console.page import TEMPLATES_FOLDER
from tsingma.journal.commands import Command
from tsingma.links.rule_rows import QuotaKind
from tsingma.settlement.instruction import KINDS, ORIGINS, PRIORITIES, REASONS, STATUSES
from tsingma.settlement.orders import ORDER_STATUSES
from tsingma.settlement.timetable import timetable

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"
TEMPLATES = sorted(TEMPLATES_FOLDER.rglob("*.html"))
JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.S)
SPOKEN = ("alt", "aria-label", "aria-description", "placeholder", "title", "label", "value", "content")


def _name(path: Path) -> str:
    return path.relative_to(TEMPLATES_FOLDER).as_posix()


def bare_words(template: str) -> list[str]:
    """Return letters that a template itself would put before a reader: between tags, or in attributes read aloud."""
    text = JINJA.sub("\x00", template)
    found = [
        match[2]
        for match in re.finditer(r'\s([a-z-]+)="([^"]*)"', text)
        if match[1] in SPOKEN and re.search(r"[^\W\d_]", match[2])
    ]
    outside = re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->|<[^>]*>", " ", text, flags=re.S)
    return found + re.findall(r"[^\W\d_]+", outside)


# Hidden values that a form sends, and words of HTML itself: nobody reads them on the page.
UNREAD = {"width=device-width, initial-scale=1", "light dark"}


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_no_template_has_bare_text(path: Path) -> None:
    """Goal: every word comes from the words. Method: letters outside tags and in attributes that are read aloud."""
    text = re.sub(r'<(input type="(?:hidden|checkbox)"|option|button)(?=[\s>])[^>]*>', " ", path.read_text("utf-8"))
    assert [one for one in bare_words(text) if one not in UNREAD] == []


def test_bare_text_is_found() -> None:
    """Goal: the test above can fail. Method: templates with a bare word in each place."""
    assert bare_words("<p>{{ t('a') }} said</p>") == ["said"]
    assert bare_words('<img alt="a picture">') == ["a picture"]
    assert bare_words("<p>甚麼</p>") == ["甚麼"]
    assert bare_words('<p class="lead">{# note #}{{ t("a.b") }}: 12</p>') == []


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_every_key_that_a_template_names_has_words(path: Path) -> None:
    """Goal: no page fails for want of words. Method: whole keys in calls of t against the table, openings by prefix."""
    keys = words_in(Language.EN).keys()
    text = path.read_text("utf-8")
    for key, joined in re.findall(r'\bt\("([^"]+)"( ~)?', text):
        found = any(one.startswith(key) for one in keys) if joined else key in keys
        assert found, f"{path.name}: no words for '{key}'"


def test_both_languages_say_everything_with_the_same_places() -> None:
    """Goal: nothing is said in one language only. Method: keys, emptiness, places to fill, the script used."""
    english, chinese = words_in(Language.EN), words_in(Language.ZH)
    assert english.keys() == chinese.keys()
    for key in sorted(english.keys()):
        one, other = (words._table[key] for words in (english, chinese))
        assert one.strip()
        assert other.strip(), key
        places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (one, other)]
        assert places[0] == places[1], key
        if "language_name" not in key:
            assert not re.search(r"[\u4e00-\u9fff]", one), f"{key}: Chinese in the English words"


def test_terms_are_those_of_the_glossary() -> None:
    """Goal: the pages speak as code and documents do. Method: every term against the rows of the glossary."""
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", GLOSSARY.read_text("utf-8"), re.M))
    terms = tomllib.loads((WORDS_FOLDER / "terms.toml").read_text("utf-8"))["term"]
    assert terms
    for key, pair in terms.items():
        assert rows.get(pair["en"]) == pair["zh"], f"term.{key} is not in docs/glossary.md like this"


def test_words_that_are_a_term_are_the_glossarys() -> None:
    """Goal: one Chinese word a concept on all pages. Method: words that are a term, also in the plural, against it."""
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", GLOSSARY.read_text("utf-8"), re.M))
    terms = {english.lower(): chinese for english, chinese in rows.items()}
    english, chinese = words_in(Language.EN), words_in(Language.ZH)
    found = {}
    for key in sorted(english.keys() - {"base.language_name.en"}):
        told = english._table[key].lower().rstrip(".")
        for one in (told, told.removesuffix("s")):
            if one in terms and chinese._table[key] != terms[one]:
                found[key] = (one, chinese._table[key], terms[one])
    assert found == {}


def test_everything_the_house_enumerates_has_words() -> None:
    """Goal: no code where people read. Method: commands, statuses, kinds, reasons, steps against words."""
    names = {
        "command": [str(one.__struct_config__.tag) for one in get_args(Command)],
        "status": STATUSES, "order_status": ORDER_STATUSES, "kind": KINDS, "kind_in_full": KINDS,
        "reason": [one.replace(" ", "-") for one in REASONS], "origin": [one.replace(" ", "-") for one in ORIGINS],
        "priority": PRIORITIES, "step": [step.name for step in timetable()], "quota": list(QuotaKind),
        "role": list(Role),
    }  # fmt: skip
    keys = words_in(Language.ZH).keys()
    assert [f"{group}.{one}" for group, all_of in names.items() for one in all_of if f"{group}.{one}" not in keys] == []


def test_a_key_without_words_is_a_defect() -> None:
    """Goal: a page never shows a key. Method: ask for one that nobody wrote, and leave a place empty."""
    words = words_in(Language.EN)
    with pytest.raises(InvariantBroken, match="nonsense"):
        words("nonsense")
    with pytest.raises(InvariantBroken, match="record"):
        words("base.as_of", day="x")


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "found"),
    [
        ("", "", "", "en"),
        ("zh-Hant", "en", "en", "zh-Hant"),
        ("", "zh-Hant", "en", "zh-Hant"),
        ("xx", "yy", "zh-HK,zh;q=0.9,en;q=0.8", "zh-Hant"),
        ("", "", "fr, en;q=0.5, zh-TW;q=0.7", "zh-Hant"),
        ("", "", "zh;q=0, en;q=0.1", "en"),
        ("", "", "de-DE", "en"),
        ("", "", "zh;q=" + "9" * 5000 + ",,;;=,\x00", "en"),
    ],
)
def test_whose_language_it_is(asked: str, kept: str, accepted: str, found: str) -> None:
    """Goal: asked for, else kept, else what the browser accepts first. Method: cases, with nonsense among them."""
    assert language_of(asked, kept, accepted) == found


def test_every_reason_of_a_refusal_has_words_and_a_way_out() -> None:
    """Goal: no refusal is told in code. Method: the reasons of the house against the words of both languages."""
    for language in Language:
        words = words_in(language)
        for reason in RejectionReason:
            assert words(f"problem.reason_name.{reason}")
            assert words(f"problem.what_to_do.{reason}")

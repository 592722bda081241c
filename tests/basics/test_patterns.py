"""Patterns of whole texts: the same for Python, msgspec and JSON Schema."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.patterns import whole

PARTS = ["[A-Z0-9-]{1,16}", "([A-Z]{3})?", "a|ab", r"[^\x00-\x1f]*", "[a-z]*"]


@pytest.mark.parametrize("part", PARTS)
@given(text=st.text(st.sampled_from("ABCab1-\n\r\x00"), max_size=20))
def test_it_is_what_fullmatch_finds(part: str, text: str) -> None:
    """Goal: all of the text or nothing. Method: drawn texts with line feeds, searched for and held to ``fullmatch``."""
    wanted = re.fullmatch(part, text) is not None
    assert (re.search(whole(part), text) is not None) is wanted
    try:
        found = msgspec.convert(text, Annotated[str, msgspec.Meta(pattern=whole(part))]) == text
    except msgspec.ValidationError:
        found = False
    assert found is wanted


def test_json_schema_takes_it_alike() -> None:
    """Goal: the description says what the house does. Method: a validator of JSON Schema, with a line feed behind."""
    validators = pytest.importorskip("jsonschema_rs")
    for text, fits in (("AB-1", True), ("AB-1\n", False), ("\nAB", False), ("", False), ("A" * 17, False)):
        assert validators.Draft202012Validator({"pattern": whole("[A-Z0-9-]{1,16}")}).is_valid(text) is fits

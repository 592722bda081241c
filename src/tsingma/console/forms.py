"""What forms of a page send: fields as text, each once; whoever repeats one or sends a file is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.exceptions import ClientException

from tsingma.api.problems import Fault, FaultsFound
from tsingma.basics.rejection import RejectionReason

FIELD_LENGTH_MAX = 4_000
KEY_FIELD, KEY_LENGTH_MAX = "key", 100
_KEY_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


async def form_of(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """Return the fields of a form, trimmed; raises 400 for what no page of ours sends."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _FORM_TYPES:
        raise ClientException("this takes a form")
    found: dict[str, str] = {}
    for name, value in (await request.form()).multi_items():
        if name in found or not isinstance(value, str) or len(value) > FIELD_LENGTH_MAX:
            raise ClientException("a field is there twice, too long, or a file")
        found[name] = value.strip()
    return found


def key_of(form: Mapping[str, str]) -> str:
    """Return the name of the change that a form carries (the API's Idempotency-Key); raises 422 without a good one."""
    key = form.get(KEY_FIELD, "")
    if not 0 < len(key) <= KEY_LENGTH_MAX or not _KEY_LETTERS.issuperset(key):
        raise wrong_field(KEY_FIELD, "the form has no name of its change", "load the page again")
    return key


def whole_number(form: Mapping[str, str], field: str, default: int = 0) -> int:
    """Return a field as a whole number, thousands apart or not; "" is ``default``. Raises 422 for anything else."""
    text = form.get(field, "").replace(",", "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise wrong_field(field, "is no whole number", "digits only", form.get(field, ""))
    return int(text)


def wrong_field(field: str, detail: str, remedy: str = "", value: str = "") -> FaultsFound:
    """Return what to raise for a field that is wrong."""
    return FaultsFound([Fault(RejectionReason.MALFORMED, detail, field, value, remedy=remedy)])

"""Files that pages load: style, scripts, charts. Their address holds the hash of their content, so they never change.

Only what lies in ``assets`` when the process starts is served, by its exact name; an address is never a path on disk.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter

from tsingma.api.guard import open_to_all
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import InvariantBroken

ASSETS_FOLDER = Path(__file__).parent / "assets"
PATH = "/console/assets"
_DIGEST_LENGTH = 16
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_FOR_EVER = "public, max-age=31536000, immutable"  # a year (RFC 9111 and RFC 8246)


class Asset(msgspec.Struct, frozen=True):
    """A file with its content, hash and media type."""

    content: bytes
    digest: str
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Return every file that is served, by its name under ``assets``."""
    found = {}
    for path in sorted(ASSETS_FOLDER.rglob("*")):
        if path.suffix in _MEDIA_TYPES:
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
            found[path.relative_to(ASSETS_FOLDER).as_posix()] = Asset(content, digest, _MEDIA_TYPES[path.suffix])
    return found


def address(name: str) -> str:
    """Return the address of a file by its name under ``assets``; raises InvariantBroken when there is none."""
    known = assets().get(name)
    if known is None:
        raise InvariantBroken(f"no file '{name}' in assets")
    return f"{PATH}/{known.digest}/{name}"


@get(
    "/assets/{digest:str}/{name:path}",
    opt=open_to_all(),
    sync_to_thread=False,
    include_in_schema=False,
    media_type="application/octet-stream",
)
def asset(
    digest: Annotated[str, PathParameter(pattern=whole("[0-9a-f]{16}"))],
    name: Annotated[str, PathParameter(max_length=80)],
) -> Response[bytes]:
    """Return a file whose content has the hash in its address."""
    known = assets().get(name.lstrip("/"))
    if known is None or known.digest != digest:
        raise NotFoundException("there is no such file")
    headers = {"Cache-Control": _FOR_EVER, "X-Content-Type-Options": "nosniff"}
    return Response(known.content, media_type=known.media_type, headers=headers)

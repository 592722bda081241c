"""Bodies of requests: decoded in one go into the type of the route, strictly, so that no value is taken for another.

A body that is deeper than its type is refused where it first goes too deep; nothing is built of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.enums import ScopeType
from litestar.exceptions import ClientException
from litestar.types import Scope

from tsingma.api.budget import held

_DECODER = "decoder"
DETAIL_LENGTH_MAX = 500


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON is what the route's type says, or 400; what was sent leaves its hash."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body in parts, each only after there was room for it: all at once where its length was told.

        Raises NoRoom, 413, 400 when its client goes away.
        """
        hold, total = held(), 0
        told, most = self.content_length or 0, self.route_handler.resolve_request_max_body_size()
        if hold is not None and (most is None or told <= most):
            hold.cover(told)
        async for part in super().stream():
            total += len(part)
            if hold is not None:
                hold.cover(total)
            yield part

    async def body(self) -> bytes:
        """Return the body, and keep the hash of the request."""
        found = await super().body()
        if "request_hash" not in self.state:
            self.state.request_hash = request_hash(self.scope, found)
        return found

    async def form(self) -> FormMultiDict:
        """Return the fields of a form; the whole of it is read first, so that its hash is of the whole."""
        await self.body()
        return await super().form()

    async def json(self) -> Any:
        """Return the body as the type that the route states; raises 400 with what is wrong and where."""
        return decode_body(self.route_handler.opt, await self.body())


def decode_body(opt: Mapping[str, Any], body: bytes) -> Any:
    """Return a body as the type that a route states in ``opt``; raises 400 with what is wrong and where."""
    decoder = opt.get(_DECODER)
    if not isinstance(decoder, msgspec.json.Decoder):
        raise ClientException("this route takes no body")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ClientException(f"the body is no such JSON: {str(error)[:DETAIL_LENGTH_MAX]}") from None


def request_hash(scope: Scope, body: bytes) -> bytes:
    """Return SHA-256 over method, space, path and query as they were sent, line feed and body (32 bytes)."""
    method = scope["method"] if scope["type"] == ScopeType.HTTP else "GET"
    target = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
    query = scope["query_string"]
    told = b"".join((method.encode(), b" ", target, b"?" if query else b"", query, b"\n"))
    total = hashlib.sha256(told)
    total.update(body)
    return total.digest()


def body_of(kind: Any) -> dict[str, msgspec.json.Decoder[Any]]:
    """Return what a route states about its body."""
    return {_DECODER: msgspec.json.Decoder(kind)}

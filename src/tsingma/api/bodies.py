"""Bodies of requests: decoded in one go into the type of the route, strictly, so that no value is taken for another.

A body that is deeper than its type is refused where it first goes too deep; nothing is built of it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import ClientException

_DECODER = "decoder"
DETAIL_LENGTH_MAX = 500


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON is what the route's type says, or 400; what was sent leaves its hash."""

    async def body(self) -> bytes:
        """Return the body, and keep the hash of the request."""
        found = await super().body()
        if "request_hash" not in self.state:
            self.state.request_hash = request_hash(self, found)
        return found

    async def json(self) -> Any:
        """Return the body as the type that the route states; raises 400 with what is wrong and where."""
        decoder = self.route_handler.opt.get(_DECODER)
        if not isinstance(decoder, msgspec.json.Decoder):
            raise ClientException("this route takes no body")
        try:
            return decoder.decode(await self.body())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ClientException(f"the body is no such JSON: {str(error)[:DETAIL_LENGTH_MAX]}") from None


def request_hash(request: Request[Any, Any, Any], body: bytes) -> bytes:
    """Return SHA-256 over method, space, path and query as they were sent, line feed and body (32 bytes)."""
    target = (request.scope.get("raw_path") or request.scope["path"].encode()).partition(b"?")[0]
    query = request.scope["query_string"]
    told = b"".join((request.method.encode(), b" ", target, b"?" if query else b"", query, b"\n"))
    total = hashlib.sha256(told)
    total.update(body)
    return total.digest()


def body_of(kind: Any) -> dict[str, msgspec.json.Decoder[Any]]:
    """Return what a route states about its body."""
    return {_DECODER: msgspec.json.Decoder(kind)}

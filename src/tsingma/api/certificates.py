"""Certificates of clients: TLS checks them against the authority that the house trusts, a key may be bound to one.

A row of the keys file that names a ``certificate`` (SHA-256 of its DER form, hexadecimal) makes the key good over a
connection that has shown that very certificate, and over no other: whoever steals the private key needs the one of the
certificate too. It is the binding of RFC 8705, section 3, kept by the house instead of in the token. A certificate
alone is nobody: a change has to be signed. People's browsers and unbound keys need none.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

from tsingma.api.bounded_http import BoundedProtocol

_EXTENSION = "tls"
_FINGERPRINT = "client_cert_sha256"


class CertificateProtocol(BoundedProtocol):
    """HTTP on one connection, each request of which knows the certificate that the client has shown."""

    fingerprint = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the fingerprint of the certificate, if one was shown; TLS has verified it by now."""
        super().connection_made(transport)
        connection = transport.get_extra_info("ssl_object")
        shown = connection.getpeercert(binary_form=True) if connection is not None else None
        self.fingerprint = fingerprint_of(shown) if shown else ""

    def on_message_begin(self) -> None:
        """Tell the request of it, as an extension of its scope."""
        super().on_message_begin()
        if self.fingerprint:
            self.scope.setdefault("extensions", {})[_EXTENSION] = {_FINGERPRINT: self.fingerprint}


def fingerprint_of(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate in DER form, hexadecimal."""
    return hashlib.sha256(certificate).hexdigest()


def certificate_of(scope: Mapping[str, Any]) -> str:
    """Return the fingerprint of the certificate that a request came with, "" when it came with none."""
    told = (scope.get("extensions") or {}).get(_EXTENSION) or {}
    return str(told.get(_FINGERPRINT, ""))

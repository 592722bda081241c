"""Files that may be packed (gzip): unpacked up to a bound, so that a small file cannot fill the memory."""

from __future__ import annotations

import gzip
import io
import zlib

from tsingma.basics.rejection import RejectionReason, refuse

MAGIC = b"\x1f\x8b"


def unpacked(data: bytes, bytes_max: int, *, file: str, packed: bool = False) -> bytes:
    """Return the content of bytes that may be gzip; ``packed`` says that they must be.

    Raises Rejected: malformed (damaged or cut short), limit (more than ``bytes_max`` bytes, packed or not).
    """
    if packed or data.startswith(MAGIC):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
                data = stream.read(bytes_max + 1)
        except (OSError, EOFError, zlib.error) as error:
            message = f"damaged gzip file, or cut short: {error}"
            raise refuse(RejectionReason.MALFORMED, message, file=file, remedy="send it again") from None
    if len(data) > bytes_max:
        message = f"{len(data)} bytes or more, {bytes_max} at most"
        raise refuse(RejectionReason.LIMIT, message, file=file, remedy="split the file")
    return data

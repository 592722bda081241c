"""Logs: one JSON object a line on the standard error, with the id of the request, and without secrets.

Whatever logs, ours or a library's, goes through the same last step: fields that are called like a secret are masked,
and so is what looks like one inside any text (tokens, private keys, hashes of passwords, passwords in URLs, cookies).
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog

MASK = "(secret)"
_NAMED = re.compile(
    r"(authorization|cookie|passw|secret|token|private|credential|csrf|session_?id|api_?key|^d\Z)", re.IGNORECASE
)
_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", MASK),
        (r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+", rf"\1 {MASK}"),
        (r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*", MASK),  # a token in any place
        (r"\$argon2[a-z]*\$[^\s\"']+", MASK),
        (r"([a-z][a-z0-9+.-]*://[^\s:/@\"']+):[^\s/@\"']+@", rf"\1:{MASK}@"),
        (r"((?:set-)?cookie\"?\s*[:=]\s*)[^\r\n]+", rf"\1{MASK}"),
        (r"([\"']?\b(?:d|password|passwd|secret|client_secret|token|private_key|authorization)\b[\"']?\s*[:=]\s*[b]?)"
         r"(\"[^\"]*\"|'[^']*'|[^\s,;&}\"']+)", rf"\1{MASK}"),
    )
)  # fmt: skip
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


def start_logs(level: str, stream: TextIO | None = None) -> None:
    """Send everything that is logged from ``level`` ("debug" to "error") on to a stream, the standard error."""
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _more,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            mask,
            structlog.processors.JSONRenderer(default=repr, ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def mask(_logger: Any, _name: str, event: Any) -> dict[str, Any]:
    """Return a log entry without secrets, however deep they are."""
    return {name: _masked(value, name) for name, value in event.items()}


def _more(_logger: Any, _name: str, event: Any) -> Any:
    """Add the fields that a record of the standard library was given as ``extra``."""
    record = event.get("_record")
    if record is not None:
        event.update({name: value for name, value in record.__dict__.items() if name not in _OWN and name[0] != "_"})
    return event


def _masked(value: Any, name: str = "") -> Any:
    if name and _NAMED.search(name):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): _masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else repr(value)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text

"""Reading the settings of ``tsingma serve``: defaults, then one TOML file, then the environment, then the command line.

Whatever is not known or not within its limits is refused, all of it at once, with file, line, field and remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tsingma.app.serve_settings import LimitsSection, ServeSettings
from tsingma.app.session import on_a_server
from tsingma.basics.documents import parse_toml, read_bounded
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.store.postgres import without_password

FILE_BYTES_MAX = 256 * 1024
PREFIX = "TSINGMA_"
FILE_VARIABLE = "TSINGMA_CONFIG"  # names the file where no option does
OTHER_VARIABLES = (FILE_VARIABLE, "TSINGMA_FONTS", "TSINGMA_PICTURES")  # no settings of serving: read by reports, tests
MASK = "(secret)"

_TABLE = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]")
_Given = dict[tuple[str, str], tuple[Any, str, int]]  # section and field: value, where it was given, line (0: none)


class Setting(msgspec.Struct, frozen=True):
    """One value in force, as it may be printed, and where it comes from."""

    field: str
    value: object
    source: str


class Effective(msgspec.Struct, frozen=True):
    """Settings in force and, for every field, the source of its value."""

    settings: ServeSettings
    sources: dict[str, str]

    def told(self) -> list[Setting]:
        """Return every setting for a reader, without secrets."""
        return [
            Setting(f"{section}.{field.name}", _masked(field, getattr(getattr(self.settings, section), field.name)),
                    self.sources[f"{section}.{field.name}"])
            for section, field in _fields()
        ]  # fmt: skip


def read_config(
    file: Path | None, environment: Mapping[str, str], options: Mapping[str, object] | None = None
) -> Effective:
    """Return the settings in force; ``options`` are those of the command line by ``section.field``.

    ``file`` may be named by ``TSINGMA_CONFIG`` instead. Relative paths of the file are taken from its folder. Raises
    Rejected with every fault found: missing (file), malformed (TOML, a value of another type), unknown (section, field,
    variable), out-of-range (a value beyond its limits), conflict (settings that contradict), limit (size of the file).
    """
    named = environment.get(FILE_VARIABLE, "")
    file = file or (Path(named) if named else None)
    faults: list[Rejection] = []
    given: _Given = {}
    if file is not None:
        given.update(_of_file(file, faults))
    given.update(_of_environment(environment, faults))
    for name, value in (options or {}).items():
        section, _, field = name.partition(".")
        given[section, field] = (value, "command line", 0)
    settings, sources = _settle(given, file, faults)
    if not faults:
        faults.extend(_contradictions(settings))
    if faults:
        raise Rejected(*faults)
    return Effective(settings, sources)


def _fields() -> Iterator[tuple[str, msgspec.structs.FieldInfo]]:
    for section in msgspec.structs.fields(ServeSettings):
        for field in msgspec.structs.fields(section.type):
            yield section.name, field


def _mark(field: msgspec.structs.FieldInfo, name: str) -> bool:
    """Return whether a field's type carries a mark: it is a secret, a path, may be a URL."""
    return any(
        isinstance(one, msgspec.Meta) and bool((one.extra or {}).get(name))
        for one in getattr(field.type, "__metadata__", ())
    )


def _masked(field: msgspec.structs.FieldInfo, value: object) -> object:
    if _mark(field, "secret"):
        return MASK if value else ""
    return without_password(value) if _mark(field, "url") and isinstance(value, str) else value


def _of_file(file: Path, faults: list[Rejection]) -> _Given:
    """Return what a file gives; adds unknown tables and fields to ``faults``."""
    text, tables = _parsed(file)
    known = {section: {field.name for one, field in _fields() if one == section} for section, _ in _fields()}
    given: _Given = {}
    for section, values in tables.items():
        line = _line(text, section) or _line(text, "", section)
        if section not in known:
            remedy = f"known tables are {', '.join(known)}"
            faults.append(_fault(RejectionReason.UNKNOWN, "no such table", file, line, section, remedy))
        elif not isinstance(values, dict):
            faults.append(_fault(RejectionReason.MALFORMED, "is no table", file, line, section, f"write [{section}]"))
        else:
            for field, value in values.items():
                line = _line(text, section, field)
                if field in known[section]:
                    given[section, field] = (value, str(file), line)
                    continue
                remedy = f"known fields are {', '.join(sorted(known[section]))}"
                name = f"{section}.{field}"
                faults.append(_fault(RejectionReason.UNKNOWN, "no such field", file, line, name, remedy))
    return given


def _parsed(file: Path) -> tuple[str, dict[str, Any]]:
    data = read_bounded(file, FILE_BYTES_MAX, remedy="check --config")
    tables = parse_toml(data, file=str(file))
    return data.decode("utf-8-sig"), tables


def _of_environment(environment: Mapping[str, str], faults: list[Rejection]) -> _Given:
    known = {f"{PREFIX}{section}_{field.name}".upper(): (section, field.name) for section, field in _fields()}
    given: _Given = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES:
            continue
        if name not in known:
            remedy = "unset it, or see tsingma serve config for the names there are"
            faults.append(_fault(RejectionReason.UNKNOWN, "no such variable", None, 0, name, remedy))
            continue
        given[known[name]] = (environment[name], "environment", 0)
    return given


def _settle(given: _Given, file: Path | None, faults: list[Rejection]) -> tuple[ServeSettings, dict[str, str]]:
    """Return settings and sources of what was given; values that do not fit are added to ``faults``."""
    built: dict[str, dict[str, Any]] = {}
    sources = {}
    for section, field in _fields():
        name = f"{section}.{field.name}"
        sources[name] = "default"
        if (section, field.name) not in given:
            continue
        value, source, line = given[section, field.name]
        in_file = source not in ("environment", "command line")
        try:
            found = msgspec.convert(value, field.type, strict=in_file)
        except msgspec.ValidationError as error:
            shown = MASK if _mark(field, "secret") or _mark(field, "url") else repr(value)[:80]
            reason = RejectionReason.OUT_OF_RANGE if isinstance(value, int | float) else RejectionReason.MALFORMED
            message = f"{shown} will not do: {error}"
            place = Path(source) if in_file else None
            label = name if in_file else f"{name} ({source})"
            faults.append(_fault(reason, message, place, line, label, "tsingma serve config prints what is in force"))
            continue
        if in_file and file is not None and found and _mark(field, "path") and not on_a_server(found):
            found = str(file.parent / found)
        built.setdefault(section, {})[field.name] = found
        sources[name] = f"{source}:{line}" if line else source
    kinds = {one.name: one.type for one in msgspec.structs.fields(ServeSettings)}
    return ServeSettings(**{section: kinds[section](**values) for section, values in built.items()}), sources


def _contradictions(settings: ServeSettings) -> Iterator[Rejection]:
    if bool(settings.tls.certificate) != bool(settings.tls.private_key):
        yield _fault(
            RejectionReason.CONFLICT, "a certificate and its private key belong together", None, 0, "tls",
            "give tls.certificate and tls.private_key, or neither",
        )  # fmt: skip
    named = settings.provider
    if named.issuer and not (named.client_id and named.redirect.endswith("/console/sign-in/return")):
        yield _fault(
            RejectionReason.CONFLICT, "a provider needs what it knows the house as, and where people come back", None,
            0, "provider", "give provider.client_id and provider.redirect, ending in /console/sign-in/return",
        )  # fmt: skip
    if settings.tls.client_ca and not settings.tls.certificate:
        yield _fault(
            RejectionReason.CONFLICT, "clients show certificates over TLS only", None, 0, "tls.client_ca",
            "give tls.certificate and tls.private_key too",
        )  # fmt: skip
    if settings.standby.enabled and settings.house.place and not on_a_server(settings.house.place):
        yield _fault(
            RejectionReason.CONFLICT, "a standby follows a house on PostgreSQL; a folder has one process", None, 0,
            "standby.enabled", "give house.place a postgresql:// URL, or leave the standby out",
        )  # fmt: skip
    if settings.metrics.port and settings.metrics.port == settings.listen.port:
        yield _fault(
            RejectionReason.CONFLICT, "the port of the interface itself", None, 0, "metrics.port", "choose another"
        )
    yield from _contradicting_limits(settings.limits)


def _contradicting_limits(limits: LimitsSection) -> Iterator[Rejection]:
    """Tell of bounds of one that are beyond those of all."""
    largest = max(limits.body_bytes, limits.bulk_body_bytes)
    if limits.body_budget_bytes < 2 * largest:
        yield _fault(
            RejectionReason.CONFLICT, f"a body may have {largest} bytes, and nobody has more than half of the budget",
            None, 0, "limits.body_budget_bytes", f"give it {2 * largest} or more",
        )  # fmt: skip
    for one, of_all in (
        ("changes_waiting_of_one", "changes_waiting"), ("lists_of_a_key", "lists_at_once"),
        ("feeds_of_a_key", "feeds"), ("sessions_of_a_person", "sessions"), ("session_idle_seconds", "session_seconds"),
        ("job_result_bytes", "job_results_bytes"),
    ):  # fmt: skip
        if getattr(limits, one) > (bound := getattr(limits, of_all)):
            yield _fault(
                RejectionReason.CONFLICT, f"is more than limits.{of_all} ({bound})", None, 0, f"limits.{one}",
                f"lower it, or raise limits.{of_all}",
            )  # fmt: skip


def _line(text: str, section: str, field: str = "") -> int:
    """Return the line of a table's header, or of a field in it; 0 when it is written in a way not looked for."""
    at = ""
    key = re.compile(rf"\s*\"?{re.escape(field)}\"?\s*=") if field else None
    for number, line in enumerate(text.splitlines(), 1):
        header = _TABLE.match(line)
        if header is not None:
            at = header.group(1)
            if key is None and at == section:
                return number
        elif key is not None and at == section and key.match(line):
            return number
    return 0


def _fault(reason: RejectionReason, message: str, file: Path | None, line: int, field: str, remedy: str) -> Rejection:
    return Rejection(reason=reason, message=message, file=str(file or ""), line=line, field=field, remedy=remedy)

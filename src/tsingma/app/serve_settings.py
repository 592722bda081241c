"""How a house is served: one frozen structure of sections and fields, each with its default and its limits.

``serve_config`` reads it from a file, the environment and the command line. A section is a structure here and a table
in the file; a field is a value of it, in the environment ``TSINGMA_SECTION_FIELD``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

PATH: dict[str, Any] = {"path": True}  # of a file or folder: relative to where the configuration file lies
SECRET: dict[str, Any] = {"secret": True}  # never printed, never logged

Text = Annotated[str, Meta(max_length=1_000)]
File = Annotated[str, Meta(max_length=1_000, extra=PATH)]
Count = Annotated[int, Meta(ge=1, le=10_000)]
MIB = 1024 * 1024
_BYTES_MAX = 256 * MIB  # what one command may have in the journal


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class HouseSection(_Section, frozen=True, kw_only=True):
    """Which house, and how long its writer's lease lasts on PostgreSQL (seconds)."""

    place: Annotated[str, Meta(max_length=1_000, extra={**PATH, "url": True})] = ""
    lease_seconds: Annotated[float, Meta(ge=0.5, le=3_600)] = 10.0


class ListenSection(_Section, frozen=True, kw_only=True):
    """Where it answers; other addresses than this machine's need ``tls``."""

    address: Annotated[str, Meta(min_length=1, max_length=255)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8080


class TlsSection(_Section, frozen=True, kw_only=True):
    """PEM files of the server's certificate and its private key, both or none; and of who signs clients' certificates.

    With ``client_ca`` clients may show certificates, to which keys can be bound; one that is not good ends the
    connection.
    """

    certificate: File = ""
    private_key: File = ""
    client_ca: File = ""


class KeysSection(_Section, frozen=True, kw_only=True):
    """The keys file: whose tokens are accepted."""

    file: File = ""


class PeopleSection(_Section, frozen=True, kw_only=True):
    """The people file: who may sign in to the console; empty: nobody."""

    file: File = ""


class ProviderSection(_Section, frozen=True, kw_only=True):
    """OpenID Connect provider of people: its issuer, what it knows the house as, and where it sends people back.

    ``redirect`` is the house's address with the path ``/console/sign-in/return``; without ``issuer`` there is none.
    """

    issuer: Text = ""
    client_id: Text = ""
    client_secret: Annotated[str, Meta(max_length=1_000, extra=SECRET)] = ""
    redirect: Text = ""


class ActsSection(_Section, frozen=True, kw_only=True):
    """Minutes after which an act of the operator lapses that no second person has decided; where files for acts wait.

    ``staging`` is a folder; empty: ``staged`` in the folder of the house, and none for a house on a server.
    """

    expiry_minutes: Annotated[int, Meta(ge=1, le=1_440)] = 30
    staging: File = ""


class MarketSection(_Section, frozen=True, kw_only=True):
    """Folder of prices and history that questions of margin are answered from; empty: none."""

    folder: File = ""


class LimitsSection(_Section, frozen=True, kw_only=True):
    """Bounds of what is served: connections, bodies, changes, lists, feeds, sessions, sign-ins, jobs.

    Numbers are counts unless their names say ``bytes`` or ``seconds``. ``body_budget_bytes`` is what all bodies that
    are read or wait for the writer may have together; one owner of keys has at most as much of it as stays free.
    """

    connections: Annotated[int, Meta(ge=1, le=100_000)] = 1_024
    body_bytes: Annotated[int, Meta(ge=1_024, le=_BYTES_MAX)] = MIB
    bulk_body_bytes: Annotated[int, Meta(ge=1_024, le=_BYTES_MAX)] = 32 * MIB
    body_budget_bytes: Annotated[int, Meta(ge=1_024, le=64 * 1_024 * MIB)] = 256 * MIB
    keep_alive_seconds: Annotated[int, Meta(ge=1, le=600)] = 5
    shut_down_seconds: Annotated[int, Meta(ge=1, le=600)] = 5
    changes_waiting: Annotated[int, Meta(ge=1, le=50_000)] = 2_048
    changes_waiting_of_one: Annotated[int, Meta(ge=1, le=50_000)] = 512
    questions_at_once: Annotated[int, Meta(ge=1, le=64)] = 2
    questions_waiting: Count = 14
    lists_at_once: Count = 8
    lists_of_a_key: Count = 2
    feeds: Annotated[int, Meta(ge=1, le=100_000)] = 512
    feeds_of_a_key: Annotated[int, Meta(ge=1, le=100_000)] = 16
    tokens_used_of_a_key: Annotated[int, Meta(ge=1_000, le=10_000_000)] = 500_000
    sessions: Annotated[int, Meta(ge=1, le=100_000)] = 2_000
    sessions_of_a_person: Count = 5
    session_idle_seconds: Annotated[int, Meta(ge=60, le=24 * 3_600)] = 15 * 60
    session_seconds: Annotated[int, Meta(ge=60, le=24 * 3_600)] = 8 * 3_600
    sign_in_seconds: Annotated[int, Meta(ge=30, le=3_600)] = 600
    passwords_waiting: Count = 16
    wrong_passwords_of_a_name: Count = 4
    wrong_passwords_of_an_address: Count = 20
    lock_out_seconds: Annotated[int, Meta(ge=1, le=24 * 3_600)] = 900
    lock_out_remembered: Annotated[int, Meta(ge=100, le=1_000_000)] = 20_000
    jobs_running: Annotated[int, Meta(ge=1, le=64)] = 2
    jobs_waiting: Count = 16
    jobs_of_an_owner: Count = 4
    jobs_kept: Count = 64
    job_seconds: Annotated[float, Meta(gt=0, le=24 * 3_600)] = 600.0
    job_kept_seconds: Annotated[float, Meta(gt=0, le=7 * 24 * 3_600)] = 3_600.0
    job_result_bytes: Annotated[int, Meta(ge=1_024, le=_BYTES_MAX)] = 16 * MIB
    job_results_bytes: Annotated[int, Meta(ge=1_024, le=64 * 1_024 * MIB)] = 256 * MIB


class LogSection(_Section, frozen=True, kw_only=True):
    """Level below which nothing is logged; ``info`` adds a line for every request, without who asked or for what."""

    level: Literal["debug", "info", "warning", "error"] = "warning"


class MetricsSection(_Section, frozen=True, kw_only=True):
    """A port of this machine alone on which metrics are read without a token; 0: only ``/metrics``, with a token."""

    port: Annotated[int, Meta(ge=0, le=65_535)] = 0


class StandbySection(_Section, frozen=True, kw_only=True):
    """Whether to follow the writer of a house on PostgreSQL until it is gone, and how often to look."""

    enabled: bool = False
    poll_ms: Annotated[int, Meta(ge=1, le=60_000)] = 100


class ServeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything ``tsingma serve`` can be told."""

    house: HouseSection = HouseSection()
    listen: ListenSection = ListenSection()
    tls: TlsSection = TlsSection()
    keys: KeysSection = KeysSection()
    people: PeopleSection = PeopleSection()
    provider: ProviderSection = ProviderSection()
    acts: ActsSection = ActsSection()
    market: MarketSection = MarketSection()
    limits: LimitsSection = LimitsSection()
    log: LogSection = LogSection()
    metrics: MetricsSection = MetricsSection()
    standby: StandbySection = StandbySection()

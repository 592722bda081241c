"""The default-fund notice of a declared default: what was lost, which layer bore it, and what that takes from whom.

A participant is told what every layer bore and its own part of it; the house's own list names everybody. HKD cents.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.reports.official.books import Addressee, books_report
from tsingma.reports.official.model import Bar, Cell, Chart, Column, Figure, Kind, Report, Section, Table
from tsingma.reports.official.words import Speaker, speaker


class NoticeLayer(msgspec.Struct, frozen=True, kw_only=True):
    """One layer of a fund: what it had, what it bore, and who bore it."""

    fund: str
    kind: str
    available: int
    used: int
    borne_by: dict[str, int]


class NoticeContribution(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant has to contribute to a fund now, has pledged of it, and owes of an assessment."""

    participant: str
    fund: str
    required: int
    pledged: int
    assessed_open: int


class DefaultNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A default for a notice: whose it is, how it stands, what is owed, layers and contributions."""

    whose: Addressee
    number: int
    defaulter: str
    status: str
    ground: str
    declared_at: str
    owed: int
    written_off: bool
    layers: tuple[NoticeLayer, ...]
    contributions: tuple[NoticeContribution, ...]


def default_report(notice: DefaultNotice, language: str, *, whole: bool) -> Report:
    """Return the notice for one participant, or (``whole``) the house's own list.

    Raises Rejected (unknown) for a participant that has no part in it, InvariantBroken where layers do not add up.
    """
    for layer in notice.layers:
        if layer.used != sum(layer.borne_by.values()):
            raise InvariantBroken(f"{layer.fund}: {layer.kind} bore {layer.used}, its parts do not add up to that")
    code = notice.whose.code
    mine = {one.participant for one in notice.contributions} | {notice.defaulter}
    if not whole and code not in mine:
        raise refuse(
            RejectionReason.UNKNOWN, f"'{code}' has no part in default {notice.number}", field="participant",
            remedy=f"one of {', '.join(sorted(mine)[:10])}",
        )  # fmt: skip
    say = speaker(language)
    lead = say("default.lead").format(
        defaulter=notice.defaulter, when=notice.declared_at, ground=say(f"default_ground.{notice.ground}")
    )
    sections = (
        Section(heading=say("default.layers"), lead=lead, tables=(_layers(notice, say, whole=whole),),
                chart=_chart(notice, say)),
        Section(heading=say("default.contributions"), lead=say("default.contributions_lead"),
                tables=(_contributions(notice, say, whole=whole),)),
    )  # fmt: skip
    status = say(f"default_status.{notice.status}")
    title = say("default.title").format(number=notice.number, status=status)
    notes = (say("default.order_note"), *((say("default.written_off"),) if notice.written_off else ()))
    return books_report(
        "default", title, notice.whose, say, language, _figures(notice, say, whole=whole), sections, notes
    )


def _borne(notice: DefaultNotice) -> int:
    return sum(layer.used for layer in notice.layers)


def _own(notice: DefaultNotice) -> int:
    return sum(layer.borne_by.get(notice.whose.code, 0) for layer in notice.layers)


def _figures(notice: DefaultNotice, say: Speaker, *, whole: bool) -> tuple[Figure, ...]:
    found = [
        Figure(say("default.borne"), _cents(_borne(notice))),
        Figure(say("default.owed"), _cents(notice.owed)),
    ]
    return tuple(found) if whole else (Figure(say("default.own"), _cents(_own(notice))), *found)


def _cents(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def _layers(notice: DefaultNotice, say: Speaker, *, whole: bool) -> Table:
    columns = (
        Column(say("default.fund"), Kind.CODE), Column(say("default.layer")),
        Column(say("default.available"), Kind.MONEY), Column(say("default.used"), Kind.MONEY),
        *(() if whole else (Column(say("default.own"), Kind.MONEY),)),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for layer in notice.layers:
        row: tuple[Cell, ...] = (layer.fund, say(f"default_layer.{layer.kind}"), layer.available, layer.used)
        rows.append(row if whole else (*row, layer.borne_by.get(notice.whose.code, 0)))
    foot: tuple[Cell, ...] = (say("frame.total"), "", None, _borne(notice))
    return Table(
        name="layers", caption="", columns=columns, rows=tuple(rows),
        foot=(foot if whole else (*foot, _own(notice)),),
    )  # fmt: skip


def _contributions(notice: DefaultNotice, say: Speaker, *, whole: bool) -> Table:
    columns = (
        Column(say("frame.participant"), Kind.CODE), Column(say("default.fund"), Kind.CODE),
        Column(say("default.required"), Kind.MONEY), Column(say("default.pledged"), Kind.MONEY),
        Column(say("default.taken"), Kind.MONEY), Column(say("default.assessed_open"), Kind.MONEY),
    )  # fmt: skip
    rows = []
    for one in notice.contributions:
        if whole or one.participant == notice.whose.code:
            layers = [layer for layer in notice.layers if layer.fund == one.fund]
            taken = sum(layer.borne_by.get(one.participant, 0) for layer in layers) - one.assessed_open
            rows.append((one.participant, one.fund, one.required, one.pledged, taken, one.assessed_open))
    return Table(name="contributions", caption="", columns=columns, rows=tuple(rows))


def _chart(notice: DefaultNotice, say: Speaker) -> Chart | None:
    bars = [
        Bar(f"{layer.fund} {say(f'default_layer.{layer.kind}')}", (layer.used,), _cents(layer.used))
        for layer in notice.layers
        if layer.used
    ]
    return Chart((say("default.used"),), tuple(bars)) if bars else None

"""The terms of one participant as a TOML file; every number is read exactly and every unknown key is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from tsingma.basics.documents import parse_toml
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.basics.rounding import EXPONENT_MAX
from tsingma.margin.hkscc.terms import ParticipantTerms, PositionLimit, check_terms

_REQUIRED = (
    "margin_multiplier",
    "margin_credit",
    "credit_risk_addon",
    "ad_hoc_addon",
    "tier_p_floor",
    "min_tick",
    "hedge_instrument",
)
_OPTIONAL = ("ipo", "position_limit", "flat_rate_groups", "tail_means")
_LIMIT_REQUIRED = ("liquid_capital", "multiplier", "addon_rate")


def read_participant(data: bytes, *, file: str = "participant.toml") -> ParticipantTerms:
    """Return the terms of a participant, or raise Rejected naming file and field.

    Optional: ``ipo``, ``[position_limit]`` (none for a custodian), its ``cap``, ``[flat_rate_groups]`` and
    ``[tail_means.hvar]`` with ``[tail_means.svar]``. Everything else must be given.
    """
    document = parse_toml(data, file=file, exact=True)
    _Keys(file).check("", document, _REQUIRED, _OPTIONAL)
    return check_terms(_Reader(file).terms(document), file=file)


class _Keys:
    def __init__(self, file: str) -> None:
        self._file = file

    def check(
        self, path: str, table: Mapping[str, object], required: Collection[str], optional: Collection[str]
    ) -> None:
        """Refuse unknown and missing keys of a table."""
        known = [*required, *optional]
        unknown = [key for key in table if key not in known]
        if unknown:
            raise refuse(
                RejectionReason.UNKNOWN,
                "unknown key",
                file=self._file,
                field=path + unknown[0],
                remedy=f"known keys are {', '.join(known)}",
            )
        missing = [key for key in required if key not in table]
        if missing:
            raise refuse(
                RejectionReason.MISSING, "is not given", file=self._file, field=path + missing[0], remedy="add the key"
            )


class _Reader:
    def __init__(self, file: str) -> None:
        self._file = file

    def terms(self, document: Mapping[str, object]) -> ParticipantTerms:
        """Return the terms; the keys were checked before."""
        means = self._table(document, "tail_means")
        _Keys(self._file).check("tail_means.", means, (), ("hvar", "svar"))
        return ParticipantTerms(
            margin_multiplier_e10=self._scaled(document, "margin_multiplier"),
            margin_credit=self._whole(document, "margin_credit"),
            credit_risk_addon=self._whole(document, "credit_risk_addon"),
            ad_hoc_addon=self._whole(document, "ad_hoc_addon"),
            tier_p_floor_e10=self._scaled(document, "tier_p_floor"),
            min_tick_e10=self._scaled(document, "min_tick"),
            hedge_instrument=self._text(document["hedge_instrument"], "hedge_instrument"),
            ipo=self._codes(document.get("ipo", [])),
            position_limit=self._limit(document),
            flat_rate_groups={
                code: self._text(group, f"flat_rate_groups.{code}")
                for code, group in self._table(document, "flat_rate_groups").items()
            },
            tail_means_hvar=self._means(means, "hvar"),
            tail_means_svar=self._means(means, "svar"),
        )

    def _limit(self, document: Mapping[str, object]) -> PositionLimit | None:
        if "position_limit" not in document:
            return None
        table = self._table(document, "position_limit")
        _Keys(self._file).check("position_limit.", table, _LIMIT_REQUIRED, ("cap",))
        path = "position_limit."
        return PositionLimit(
            liquid_capital=self._whole(table, "liquid_capital", path),
            multiplier_e10=self._scaled(table, "multiplier", path),
            addon_rate_e10=self._scaled(table, "addon_rate", path),
            cap=self._whole(table, "cap", path) if "cap" in table else None,
        )

    def _means(self, means: Mapping[str, object], name: str) -> dict[str, Decimal]:
        path = f"tail_means.{name}."
        table = self._table(means, name, "tail_means.")
        return {group: self._decimal(table, group, path) for group in table}

    def _table(self, parent: Mapping[str, object], key: str, path: str = "") -> Mapping[str, object]:
        value = parent.get(key, {})
        if not isinstance(value, dict):
            raise self._bad(path + key, "is no table", f"write [{path}{key}]")
        return value

    def _decimal(self, table: Mapping[str, object], key: str, path: str = "") -> Decimal:
        value = table[key]
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
            raise self._bad(path + key, f"{value!r} is no number", "write a plain number, without quotes")
        if abs(Decimal(value).adjusted()) > EXPONENT_MAX:
            raise self._bad(path + key, "is beyond all bounds", "write a plain number")
        return Decimal(value)

    def _scaled(self, table: Mapping[str, object], key: str, path: str = "") -> int:
        scaled = self._decimal(table, key, path).scaleb(10)
        if scaled != scaled.to_integral_value() or abs(scaled) > 10**18:
            raise self._bad(path + key, "has more than 10 decimals, or is too large", "round it")
        return int(scaled)

    def _whole(self, table: Mapping[str, object], key: str, path: str = "") -> int:
        value = self._decimal(table, key, path)
        if value != value.to_integral_value() or abs(value) > 10**15:
            raise self._bad(path + key, f"{value} is no whole number of HKD", "write whole HKD")
        return int(value)

    def _text(self, value: object, field: str) -> str:
        if not isinstance(value, str) or not value:
            raise self._bad(field, f"{value!r} is no text", "write it in quotes")
        return value

    def _codes(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self._bad("ipo", "is no list", 'write ipo = ["1876"]')
        return tuple(self._text(code, "ipo") for code in value)

    def _bad(self, field: str, message: str, remedy: str) -> Rejected:
        return refuse(RejectionReason.MALFORMED, message, file=self._file, field=field, remedy=remedy)

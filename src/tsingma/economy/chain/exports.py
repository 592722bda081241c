"""What is in a country's exports: domestic and foreign value added, and what crosses borders twice.

Exports of a group of regions are split by four published methods whose common part agrees: Koopman-Wang-Wei 2014 (AER
104(2)), Wang-Wei-Zhu 2013 (NBER 19677), Borin-Mancini 2023 and Miroudot-Ye 2021. With ``L`` the inverse within the
exporter and ``B~`` the world inverse without the exporter's sales of inputs abroad:

    domestic content   v_s B_ss E      domestic value added   v_s L_ss E        domestic double counting   the rest
    foreign content    v_t B_ts E      foreign value added    v_t B~_ts E       foreign double counting    the rest

Wang-Wei-Zhu count as foreign value added only what the direct importer uses up: v_t B_ts (Y_sr + A_sr L_rr Y_rr).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.accounting import coefficients, leontief_inverse, value_added_share
from tsingma.economy.chain.table import Bool, Float64, Table


class ExportContent(msgspec.Struct, frozen=True, kw_only=True):
    """Gross exports of one exporter and what is in them, in the table's unit."""

    gross_exports: float
    domestic_content: float
    domestic_value_added: float
    value_added_exports: float  # absorbed abroad
    reflection: float  # domestic value added that comes home
    domestic_double_counting: float
    foreign_content: float
    foreign_value_added: float  # Borin-Mancini by source, Miroudot-Ye
    foreign_double_counting: float
    foreign_value_added_used_by_importer: float  # Wang-Wei-Zhu
    foreign_double_counting_wang_wei_zhu: float
    chain_participation: float  # Borin-Mancini: exports less what crosses one border only
    backward_participation: float
    forward_participation: float
    forward_participation_oecd: float  # domestic value added in the exports of others
    foreign_one_border: float  # Miroudot-Ye, world perspective: crossed one border before it is exported
    foreign_more_borders: float


def export_content(
    table: Table, exporter: Sequence[str], countries: Sequence[Sequence[str]] | None = None
) -> ExportContent:
    """Return what is in the exports of a group of regions (sales among them are not exports).

    ``countries`` are groups of regions that count as one country abroad (an OECD table splits China and Mexico);
    regions in none stand alone. Raises Rejected: an unknown region, or a group that is the whole world.
    """
    regions, _ = table.shape
    inside = rows_of(table, exporter)
    if inside.all():
        raise refuse(RejectionReason.OUT_OF_RANGE, "the exporter is the whole world", field="exporter")
    home = np.zeros(regions, np.bool_)
    home[[table.region(name) for name in exporter]] = True
    share, inputs, inverse = value_added_share(table), coefficients(table), leontief_inverse(table)
    exports = table.intermediate[inside][:, ~inside].sum(axis=1) + table.final[inside][:, ~home].sum(axis=1)
    within = np.linalg.inv(np.eye(int(inside.sum())) - inputs[inside][:, inside])
    cut = inputs.copy()
    cut[np.ix_(inside, ~inside)] = 0.0
    apart = np.linalg.inv(np.eye(inputs.shape[0]) - cut)

    content = (share[:, None] * inverse)[:, inside] @ exports
    domestic_value_added = float(share[inside] @ within @ exports)
    foreign_value_added = float((share[:, None] * apart)[np.ix_(~inside, inside)].sum(axis=0) @ exports)
    absorbed = float((share[inside] @ inverse[inside] @ table.final[:, ~home]).sum())
    partners = partners_of(table, home, countries)
    used = _used_by_importer(table, inputs, inside, partners)
    foreign_origin = (share[:, None] * inverse)[np.ix_(~inside, inside)].sum(axis=0)
    domestic, foreign, gross = float(content[inside].sum()), float(content[~inside].sum()), float(exports.sum())
    double = domestic - domestic_value_added
    participation = gross - float(share[inside] @ within @ used)
    one_border = float(_one_border(share, inputs, inside, partners) @ within @ exports)
    return ExportContent(
        gross_exports=gross,
        domestic_content=domestic,
        domestic_value_added=domestic_value_added,
        value_added_exports=absorbed,
        reflection=domestic_value_added - absorbed,
        domestic_double_counting=double,
        foreign_content=foreign,
        foreign_value_added=foreign_value_added,
        foreign_double_counting=foreign - foreign_value_added,
        foreign_value_added_used_by_importer=float(foreign_origin @ used),
        foreign_double_counting_wang_wei_zhu=foreign - float(foreign_origin @ used),
        chain_participation=participation,
        backward_participation=double + foreign,
        forward_participation=participation - double - foreign,
        forward_participation_oecd=_in_exports_of_others(table, share, inverse, inside, partners),
        foreign_one_border=one_border,
        foreign_more_borders=foreign - one_border,
    )


def rows_of(table: Table, names: Sequence[str]) -> Bool:
    """Return which rows [NJ] belong to these regions; raises Rejected for an unknown one."""
    rows = np.zeros(len(table.output), np.bool_)
    for name in names:
        start = table.region(name) * len(table.sectors)
        rows[start : start + len(table.sectors)] = True
    return rows


def partners_of(table: Table, home: Bool, countries: Sequence[Sequence[str]] | None) -> list[tuple[Bool, Bool]]:
    """Return the other countries, each as its rows [NJ] and its regions [N]."""
    named = [list(group) for group in countries or ()]
    known = {name for group in named for name in group}
    groups = named + [[name] for name in table.regions if name not in known]
    outside = [[name for name in group if not home[table.region(name)]] for group in groups]
    return [(rows, rows.reshape(table.shape)[:, 0]) for rows in (rows_of(table, group) for group in outside if group)]


def _used_by_importer(table: Table, inputs: Float64, inside: Bool, partners: Sequence[tuple[Bool, ...]]) -> Float64:
    """Return the exports of each cell of the exporter that the direct importer uses up: Y_sr + A_sr L_rr Y_rr."""
    used = np.zeros(int(inside.sum()))
    for rows, users in partners:
        within = np.linalg.inv(np.eye(int(rows.sum())) - inputs[np.ix_(rows, rows)])
        own_use = table.final[np.ix_(rows, users)].sum(axis=1)
        used += table.final[np.ix_(inside, users)].sum(axis=1) + inputs[np.ix_(inside, rows)] @ within @ own_use
    return used


def _one_border(
    share: Float64,
    inputs: Float64,
    inside: Bool,
    partners: Sequence[tuple[Bool, ...]],
) -> Float64:
    """Return v_t L_tt A_ts over all partners t: foreign value added in inputs bought from where it was made."""
    total = np.zeros(int(inside.sum()))
    for rows, _ in partners:
        within = np.linalg.inv(np.eye(int(rows.sum())) - inputs[np.ix_(rows, rows)])
        total += share[rows] @ within @ inputs[np.ix_(rows, inside)]
    return total


def _in_exports_of_others(
    table: Table,
    share: Float64,
    inverse: Float64,
    inside: Bool,
    partners: Sequence[tuple[Bool, ...]],
) -> float:
    total = 0.0
    for rows, users in partners:
        sold = table.intermediate[np.ix_(rows, ~rows)].sum(axis=1) + table.final[np.ix_(rows, ~users)].sum(axis=1)
        total += float(share[inside] @ inverse[np.ix_(inside, rows)] @ sold)
    return total

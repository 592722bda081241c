"""Gross exports by where their value comes from and ends up: the nine terms of Koopman, Wang and Wei, the sixteen of
Wang, Wei and Zhu.

With A the input coefficients, B the world inverse, L_rr = (I - A_rr)^-1 within a country, Y final use, E exports, X
output. Koopman, Wang and Wei 2014, AER 104(2), equation 36:

    1 v_s B_ss Y_sr    2 v_s B_sr Y_rr    3 v_s B_sr Y_rt                       value added exports
    4 v_s B_sr Y_rs    5 v_s B_sr A_rs L_ss Y_ss                                comes home
    6 v_s B_sr A_rs L_ss E_s                                                    domestic double counting
    7 v_t B_ts Y_sr    8 v_t B_ts A_sr L_rr Y_rr    9 v_t B_ts A_sr L_rr E_r    foreign content

Wang, Wei and Zhu 2013, NBER 19677, by importer r; t and u are third countries:

    1 v_s B_ss # Y_sr
    2 to 5     v_s L_ss # A_sr (B_rr Y_rr, B_rt Y_tt, B_rr Y_rt, B_rt Y_tu)     absorbed abroad
    6 to 8     v_s L_ss # A_sr (B_rr Y_rs, B_rt Y_ts, B_rs Y_ss)                comes home
    9, 10      v_s L_ss # A_sr B_rs Y_st, (v_s B_ss - v_s L_ss) # A_sr X_r      domestic double counting
    11 to 13   v_r B_rs # (Y_sr, A_sr L_rr Y_rr, A_sr L_rr E_r)                 the importer's own value
    14 to 16   v_t B_ts # (the same)                                            that of third countries
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.accounting import coefficients, leontief_inverse, value_added_share
from tsingma.economy.chain.exports import partners_of, rows_of
from tsingma.economy.chain.table import Bool, Float64, Table

TERMS_KOOPMAN_WANG_WEI, TERMS_WANG_WEI_ZHU = 9, 16


def nine_terms(table: Table, exporter: Sequence[str], countries: Sequence[Sequence[str]] | None = None) -> Float64:
    """Return the nine terms [9] of a group of regions, in the table's unit; they add up to its gross exports.

    Groups are as in :func:`~tsingma.economy.chain.exports.export_content`; raises Rejected as it does.
    """
    own = rows_of(table, exporter)
    if own.all():
        raise refuse(RejectionReason.OUT_OF_RANGE, "the exporter is the whole world", field="exporter")
    home = own.reshape(table.shape)[:, 0]
    share, inputs, inverse = value_added_share(table), coefficients(table), leontief_inverse(table)
    within = _within(inputs, own)
    origin = (share[:, None] * inverse)[np.ix_(~own, own)].sum(axis=0)  # foreign value in a unit of own output
    exports = table.intermediate[np.ix_(own, ~own)].sum(axis=1) + table.final[np.ix_(own, ~home)].sum(axis=1)
    used_at_home = table.final[np.ix_(own, home)].sum(axis=1)
    terms = np.zeros(TERMS_KOOPMAN_WANG_WEI)
    for rows, users in partners_of(table, home, countries):
        bought = table.final[np.ix_(own, users)].sum(axis=1)
        through = share[own] @ inverse[np.ix_(own, rows)]
        others = ~users & ~home
        back = inputs[np.ix_(rows, own)] @ within
        sold = inputs[np.ix_(own, rows)] @ _within(inputs, rows)
        abroad = table.intermediate[np.ix_(rows, ~rows)].sum(axis=1) + table.final[np.ix_(rows, ~users)].sum(axis=1)
        terms += [
            share[own] @ inverse[np.ix_(own, own)] @ bought,
            through @ table.final[np.ix_(rows, users)].sum(axis=1),
            through @ table.final[np.ix_(rows, others)].sum(axis=1),
            through @ table.final[np.ix_(rows, home)].sum(axis=1),
            through @ back @ used_at_home,
            through @ back @ exports,
            origin @ bought,
            origin @ sold @ table.final[np.ix_(rows, users)].sum(axis=1),
            origin @ sold @ abroad,
        ]
    return terms


def sixteen_terms(
    table: Table, exporter: Sequence[str], countries: Sequence[Sequence[str]] | None = None
) -> dict[tuple[str, ...], Float64]:
    """Return the sixteen terms [16] of exports to each importing country, added up over sectors.

    They add up to gross exports to it. Groups and refusals are those of :func:`nine_terms`.
    """
    own = rows_of(table, exporter)
    if own.all():
        raise refuse(RejectionReason.OUT_OF_RANGE, "the exporter is the whole world", field="exporter")
    home = own.reshape(table.shape)[:, 0]
    share, inputs, inverse = value_added_share(table), coefficients(table), leontief_inverse(table)
    partners = partners_of(table, home, countries)
    use = np.zeros((3, len(table.output)))  # final use at home of the maker, by the exporter, by others
    use[1] = table.final[:, home].sum(axis=1)
    for rows, users in partners:
        use[0, rows] = table.final[np.ix_(rows, users)].sum(axis=1)
    use[0, own], use[1, own] = use[1, own], 0.0
    use[2] = table.final.sum(axis=1) - use[0] - use[1]
    at_home = share[own] @ _within(inputs, own)
    around = share[own] @ inverse[np.ix_(own, own)] - at_home
    value = (share[:, None] * inverse)[:, own]
    found = {}
    for rows, users in partners:
        third = ~rows & ~own
        bought, sold = table.final[np.ix_(own, users)].sum(axis=1), inputs[np.ix_(own, rows)]
        through, within = at_home @ sold @ inverse[rows], sold @ _within(inputs, rows)
        abroad = table.intermediate[np.ix_(rows, ~rows)].sum(axis=1) + table.final[np.ix_(rows, ~users)].sum(axis=1)
        ends = (bought, within @ use[0, rows], within @ abroad)
        mine, others = value[rows].sum(axis=0), value[third].sum(axis=0)
        names = tuple(name for name, chosen in zip(table.regions, users, strict=True) if chosen)
        found[names] = np.array([
            (at_home + around) @ bought,
            *(through[where] @ use[kind, where] for kind, where in ((0, rows), (0, third), (2, rows), (2, third))),
            *(through[where] @ use[kind, where] for kind, where in ((1, rows), (1, third), (0, own), (2, own))),
            around @ sold @ table.output[rows],
            *(mine @ end for end in ends),
            *(others @ end for end in ends),
        ])  # fmt: skip
    return found


def _within(inputs: Float64, rows: Bool) -> Float64:
    return np.asarray(np.linalg.inv(np.eye(int(rows.sum())) - inputs[np.ix_(rows, rows)]), np.float64)

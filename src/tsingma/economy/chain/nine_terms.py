"""The nine terms of Koopman, Wang and Wei (2014, AER 104(2), equation 36): gross exports by where value ends up.

With A the input coefficients, B the world inverse, L_rr = (I - A_rr)^-1 within a country, Y final use, E exports:

    1 v_s B_ss Y_sr    2 v_s B_sr Y_rr    3 v_s B_sr Y_rt                       value added exports
    4 v_s B_sr Y_rs    5 v_s B_sr A_rs L_ss Y_ss                                comes home
    6 v_s B_sr A_rs L_ss E_s                                                    domestic double counting
    7 v_t B_ts Y_sr    8 v_t B_ts A_sr L_rr Y_rr    9 v_t B_ts A_sr L_rr E_r    foreign content
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.accounting import coefficients, leontief_inverse, value_added_share
from tsingma.economy.chain.exports import partners_of, rows_of
from tsingma.economy.chain.table import Bool, Float64, Table

TERMS = 9


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
    terms = np.zeros(TERMS)
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


def _within(inputs: Float64, rows: Bool) -> Float64:
    return np.asarray(np.linalg.inv(np.eye(int(rows.sum())) - inputs[np.ix_(rows, rows)]), np.float64)

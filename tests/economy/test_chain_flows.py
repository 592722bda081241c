"""Goal: flows between countries and layers are the table's own sales. Method: sums against the table, and a twin."""

from __future__ import annotations

import numpy as np

from tsingma.economy.chain.flows import FINAL, chain_flows
from tsingma.economy.chain.stylised import stylised_chain


def test_flows_of_a_layer_add_up_to_its_output() -> None:
    chain = stylised_chain()
    table = chain.table
    rows = chain_flows(chain, table, table)
    output = table.output.reshape(table.shape)
    for country in dict.fromkeys(chain.country_of.values()):
        for layer in ("upstream", "midstream", "downstream"):
            made = output[np.ix_(chain.regions_of(country), chain.sectors_of(layer))].sum()
            sold = sum(row.before for row in rows if (row.seller, row.layer) == (country, layer))
            assert abs(sold - made) <= 1e-9 * max(made, 1.0)


def test_flows_match_a_plain_sum_cell_by_cell() -> None:
    chain = stylised_chain()
    table = chain.table
    rows = {(row.seller, row.layer, row.buyer, row.use): row for row in chain_flows(chain, table, table)}
    sectors = table.sectors
    for seller, layer, buyer, use in (
        ("KOR", "upstream", "USA", "upstream"), ("CHN", "downstream", "CHN", FINAL), ("TWN", "upstream", "JPN", "rest"),
    ):  # fmt: skip
        total = 0.0
        for i in chain.regions_of(seller):
            for k in chain.sectors_of(layer):
                row = i * len(sectors) + k
                for n in chain.regions_of(buyer):
                    if use == FINAL:
                        total += float(table.final[row, n])
                    else:
                        total += sum(
                            float(table.intermediate[row, n * len(sectors) + j]) for j in chain.sectors_of(use)
                        )
        found = rows[seller, layer, buyer, use]
        assert abs(found.before - total) <= 1e-12 * max(total, 1.0)
        assert found.after == found.before

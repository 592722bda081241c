"""Published figures that the chain's accounts and equilibria are held against, with their sources."""

from __future__ import annotations

import msgspec

GROSS, DOMESTIC, ADDED = "gross_exports", "domestic_content", "domestic_value_added"
ABSORBED, HOME, TWICE = "value_added_exports", "reflection", "domestic_double_counting"
FOREIGN, FOREIGN_ADDED, FOREIGN_TWICE = "foreign_content", "foreign_value_added", "foreign_double_counting"
USED, USED_TWICE = "foreign_value_added_used_by_importer", "foreign_double_counting_wang_wei_zhu"
CHAIN, BACK, FORWARD, OECD = (
    "chain_participation", "backward_participation", "forward_participation", "forward_participation_oecd"
)  # fmt: skip
ONE, MORE = "foreign_one_border", "foreign_more_borders"
ALL = (GROSS, DOMESTIC, ADDED, ABSORBED, HOME, TWICE, FOREIGN, FOREIGN_ADDED, FOREIGN_TWICE, USED, USED_TWICE)
PARTICIPATION = (CHAIN, BACK, FORWARD, OECD)


class PublishedExports(msgspec.Struct, frozen=True):
    """What is in the exports of a group of regions, as printed to 0.01; ``members`` are added up one by one instead."""

    name: str
    exporter: tuple[str, ...]
    figures: dict[str, float]
    members: tuple[tuple[str, ...], ...] = ()


class PublishedWelfare(msgspec.Struct, frozen=True):
    """One row of Caliendo and Parro's Table 2, percent to 0.01."""

    region: str
    welfare: float
    terms_of_trade: float
    volume_of_trade: float
    real_wage: float


CHINA, MEXICO = ("CHN", "CN1", "CN2"), ("MEX", "MX1", "MX2")

# exvatools 0.9.0 (CRAN), tests of make_exvadec: methods bm_src, bm_snk, my, wwz and oecd on its ICIO test table.
EXVATOOLS = (
    PublishedExports("ESP", ("ESP",), dict(zip(
        (*ALL, *PARTICIPATION, ONE, MORE),
        (4666.96, 2165.17, 1880.60, 1624.18, 256.41, 284.58, 2501.78, 2176.21, 325.58, 854.62, 1647.16,
         4034.25, 2786.36, 1247.89, 3047.87, 1015.98, 1485.80), strict=True))),
    PublishedExports("CHN", CHINA, dict(zip(
        (*ALL, *PARTICIPATION),
        (8575.51, 4409.66, 3469.40, 3117.58, 351.82, 940.27, 4165.85, 3273.60, 892.25, 1563.79, 2602.05,
         7260.12, 5106.11, 2154.01, 4838.28), strict=True))),
    PublishedExports("NAFTA", (*MEXICO, "USA"), dict(zip(
        (*ALL, *PARTICIPATION),
        (10485.40, 6127.84, 4613.26, 3639.16, 974.09, 1514.58, 4357.56, 3276.30, 1081.26, 1714.09, 2643.47,
         8656.71, 5872.14, 2784.57, 5671.20), strict=True))),
    PublishedExports("MEX + USA", (*MEXICO, "USA"), dict(zip(
        (*ALL, *PARTICIPATION),
        (13087.74, 6149.93, 5070.13, 4547.65, 522.48, 1079.80, 6937.81, 5732.88, 1204.93, 2743.65, 4194.16,
         11063.59, 8017.61, 3045.97, 7158.68), strict=True)), members=(MEXICO, ("USA",))),
    PublishedExports("EU27", ("ESP", "FRA"), dict(zip(
        (GROSS, ADDED, TWICE, ONE, MORE), (7577.09, 3114.35, 807.03, 1648.26, 2007.45), strict=True))),
)  # fmt: skip

# decompr 6.4.0 (CRAN), tests on its leather table: first and last cell of value added by origin.
DECOMPR = {
    "exports": (28.522781, 34.743819),
    "output": (66.753618, 96.783168),
    "final demand": (24.334582, None),
}
# Upstreamness of the leather table: pinned here, not published.
LEATHER_UPSTREAMNESS = (2.0984, 2.1769, 1.6311, 2.1071, 2.1802, 1.8393, 1.9896, 2.1018, 1.7588)

# Caliendo and Parro 2015, REStud 82(1), Table 2: welfare in the abstract; parts as recomputed by three public codes.
CALIENDO_PARRO = (
    PublishedWelfare("Mexico", 1.31, -0.41, 1.72, 1.72),
    PublishedWelfare("Canada", -0.06, -0.11, 0.04, 0.32),
    PublishedWelfare("USA", 0.08, 0.04, 0.04, 0.11),
)

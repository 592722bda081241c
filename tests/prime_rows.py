"""Rows of HKEX's Risk Parameter File of 4 March 2019, retyped as facts (risk arrays per long contract)."""

from __future__ import annotations

from typing import Any

HSI = {
    "multiplier": 50, "psr": 1720, "vsr": 0.07, "extreme_multiplier": 3, "extreme_cover": 0.3, "risk_exponent": 1,
    "look_ahead_days": 1, "rate": 0, "underlying_price": 28_885, "days_to_expiry": 24,
}  # fmt: skip
HSI_APRIL = HSI | {"underlying_price": 28_921, "days_to_expiry": 56}
HHI = HSI | {"psr": 679, "risk_exponent": 0, "underlying_price": 11_575}
MET = HSI | {
    "multiplier": 500,
    "psr": 7.296,
    "vsr": 0.09,
    "risk_exponent": 0,
    "underlying_price": 60.80,
    "rate": 0.0145,
}
TCH = MET | {"multiplier": 100, "psr": 20.808, "vsr": 0.10, "underlying_price": 346.80}

# id, parameters, right, strike, settlement price, implied volatility, the sixteen values
OPTIONS: list[tuple[str, dict[str, Any], str, float, float, float, str]] = [
    ("HSI Mar 28000 C", HSI, "C", 28_000, 1065, 0.173095,
     "-7890 6950 -29620 -20020 10630 29610 -53850 -48370 25470 44470 -79880 -77000 36510 51120 -74700 15970"),
    ("HSI Mar 28000 P", HSI, "P", 28_000, 187, 0.176159,
     "-7930 7080 -910 8930 -18110 900 3600 9300 -31930 -12920 6310 9350 -49520 -34750 2800 -61320"),
    ("HSI Mar 28200 P", HSI, "P", 28_200, 234, 0.172704,
     "-8510 8210 -490 11010 -19910 -210 4770 11610 -35070 -17080 7990 11690 -53950 -41220 3510 -63620"),
    ("HSI Mar 29000 C", HSI, "C", 29_000, 419, 0.160200,
     "-9610 10550 -25430 -6750 2320 18550 -44900 -31520 10570 20650 -67440 -59400 15720 20930 -69390 6280"),
    ("HSI Mar 29000 P", HSI, "P", 29_000, 541, 0.162576,
     "-9600 10560 3250 21990 -26310 -9970 12490 26050 -46670 -36380 18680 26930 -70110 -64720 8110 -71010"),
    ("HSI Mar 30000 C", HSI, "C", 30_000, 107, 0.155250,
     "-7160 4870 -16360 1860 -1200 5320 -29300 -8270 2270 5350 -46060 -27960 4060 5350 -59070 1600"),
    ("HSI Apr 28000 C", HSI_APRIL, "C", 28_000, 1331, 0.176824,
     "-13920 13160 -33610 -11160 3590 33530 -55260 -37890 18720 48690 -78560 -65820 31410 58350 -71270 19890"),
    ("HHI Mar 11400 C", HHI, "C", 11_400, 344, 0.209948,
     "-3651 4030 -11022 -4613 2510 10447 -19461 -14752 7398 14383 -28778 -25651 11051 16284 -28021 5159"),
    ("MET Mar 60 C", MET, "C", 60, 4.25, 0.616929,
     "-230 310 -971 -451 405 928 -1810 -1338 926 1396 -2734 -2327 1334 1721 -2785 637"),
    ("MET Mar 60 P", MET, "P", 60, 3.41, 0.617809,
     "-231 310 243 773 -811 -283 621 1096 -1500 -1037 915 1326 -2314 -1928 500 -2652"),
    ("TCH Mar 350 C", TCH, "C", 350, 9.16, 0.295696,
     "-324 368 -689 5 -15 621 -1108 -463 240 776 -1577 -1019 442 859 -1517 274"),
]  # fmt: skip
FUTURES: list[tuple[str, dict[str, Any], list[int]]] = [
    ("HSI", HSI, [28_670, 57_330, 86_000, 77_400]),
    ("HHI", HHI, [11_317, 22_633, 33_950, 30_555]),
    ("A50", HHI | {"psr": 3330, "multiplier": 1}, [1110, 2220, 3330, 2997]),
    ("CUS", HHI | {"psr": 9410, "multiplier": 1}, [3137, 6273, 9410, 8469]),
    ("TCH", HHI | {"psr": 2030, "multiplier": 1}, [677, 1353, 2030, 1827]),
]


def row(index: int) -> tuple[dict[str, Any], list[int]]:
    """Return the fields of an option series and its sixteen published values."""
    name, parameters, right, strike, settlement, volatility, values = OPTIONS[index]
    style = "european-futures" if name[:3] in ("HSI", "HHI") else "american-spot"
    fields = {"id": name, "kind": "option", "style": style, "right": right, "strike": strike} | parameters
    fields |= {"settlement_price": settlement, "implied_vol": volatility}
    return fields, [int(value) for value in values.split()]

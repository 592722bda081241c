"""PRiME parameters as SPAN records: the way back from what the house knows to a file."""

from __future__ import annotations

from collections.abc import Mapping

from tsingma.margin.prime.commodity import E4, Commodity, Contract, PrimeParameters, ShortOptionMethod
from tsingma.messages.span_file import Record, Value


def span_records(
    parameters: PrimeParameters, exponents: Mapping[str, int], *, exchange: str = "HKF", created: str = ""
) -> tuple[Record, ...]:
    """Return the records of these parameters: header, exchange, commodities, tiers, charges, spreads, arrays.

    ``exponents`` gives the risk exponent of each combined commodity (0 when absent); ``created`` is CCYYMMDDhhmm.
    """
    header: dict[str, Value] = {
        "complex": exchange, "business_date": parameters.business_date, "settlement": "S", "timing": "F",
        "creation_date": created[:8], "creation_time": created[8:], "format": "U2", "function": "CLR", "account": "A",
        "account_type": "CLR",
    }  # fmt: skip
    records = [
        Record("0 ", {name: value for name, value in header.items() if value}),
        Record("1 ", {"exchange": exchange}),
    ]
    for commodity in parameters.commodities.values():
        contracts = [one for one in parameters.contracts.values() if one.commodity == commodity.code]
        records += _commodity_records(commodity, contracts, exponents.get(commodity.code, 0), exchange)
    for rule in parameters.intercommodity:
        fields: dict[str, Value] = {"group": exchange, "priority": rule.priority, "credit_rate": rule.credit_rate_e4}
        for place, leg in enumerate(rule.legs, 1):
            fields |= {
                f"exchange_{place}": exchange,
                f"code_{place}": leg.commodity,
                f"ratio_{place}": leg.ratio_e4,
                f"side_{place}": leg.side.value,
            }
        records.append(Record("6 ", fields))
    for contract in parameters.contracts.values():
        records += _array_records(contract, exponents.get(contract.commodity, 0), exchange)
    return tuple(records)


def _commodity_records(commodity: Commodity, contracts: list[Contract], exponent: int, exchange: str) -> list[Record]:
    unit = 10**exponent
    head: dict[str, Value] = {
        "exchange": exchange, "code": commodity.code, "risk_exponent": exponent, "currency": commodity.currency,
        "margin_style": "P" if commodity.premium_style else "F",
    }  # fmt: skip
    for place, kind in enumerate(sorted({one.kind for one in contracts}), 1):
        head |= {f"commodity_{place}": commodity.code, f"kind_{place}": kind.value}
    records = [Record("2 ", head)]
    tiers: dict[str, Value] = {"code": commodity.code, "method": "10"}
    for place, tier in enumerate(commodity.tiers, 1):
        tiers |= {f"tier_{place}": tier.number, f"start_{place}": tier.first_month, f"end_{place}": tier.last_month}
    records.append(Record("3 ", tiers))
    charges: dict[str, Value] = {"code": commodity.code, "months": len(commodity.spot)}
    for place, charge in enumerate(commodity.spot, 1):
        charges |= {
            f"number_{place}": place,
            f"month_{place}": charge.month,
            f"per_spread_{place}": charge.per_spread_delta // unit,
            f"outright_{place}": charge.per_outright_delta // unit,
        }
    charges["short_option_minimum"] = commodity.short_option_minimum // unit
    charges["short_option_method"] = int(commodity.short_option_method or ShortOptionMethod.CALLS_AND_PUTS)
    records.append(Record("4 ", charges))
    for rule in commodity.intermonth:
        spread: dict[str, Value] = {
            "code": commodity.code, "method": "10", "priority": rule.priority, "legs": len(rule.legs),
            "charge": rule.charge // unit,
        }  # fmt: skip
        for place, leg in enumerate(rule.legs, 1):
            spread |= {
                f"leg_{place}": place,
                f"tier_{place}": leg.tier,
                f"delta_{place}": leg.ratio_e4 // E4,
                f"side_{place}": leg.side.value,
            }
        records.append(Record("C ", spread))
    return records


def _array_records(contract: Contract, exponent: int, exchange: str) -> list[Record]:
    unit = 10**exponent
    key: dict[str, Value] = {
        "exchange": exchange, "commodity": contract.commodity, "underlying": contract.commodity,
        "kind": contract.kind.value, "futures_month": contract.month,
    }  # fmt: skip
    if contract.is_option:
        key |= {
            "right": contract.right, "month": contract.month,
            "strike": contract.strike_e4 // (E4 if exponent else E4 // 100),
        }  # fmt: skip
    first = key | {f"array_{place}": contract.array[place - 1] // unit for place in range(1, 10)}
    second = key | {f"array_{place}": contract.array[place + 8] // unit for place in range(1, 8)}
    second |= {"delta": contract.delta_e4, "settlement_price": contract.settlement_price_e4 // (E4 // 100)}
    return [Record("81", first), Record("82", second)]

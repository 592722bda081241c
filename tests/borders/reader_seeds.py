"""Every reader of files that come from outside, each with files that it takes.

A reader is called with bytes; those that want a path get a file. Families are those of the soak: XML, CSV, SPAN, TOML,
JSONL, RPF01 and MT54x.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "messages"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

import msgspec
from iso_samples import business_file, document
from story import Story

from hkscc_example import PARAMETERS, PARTICIPANT, POSITIONS
from prime_books import hsi_parameters
from tsingma.basics.money import CURRENCIES
from tsingma.messages import default_files, fund_files, link_files
from tsingma.messages.batch_file import read_batch
from tsingma.messages.book_file import read_books
from tsingma.messages.chain_tables import read_icio
from tsingma.messages.contract_file import read_contracts
from tsingma.messages.curve_file import read_curves
from tsingma.messages.custody_file import read_custody_commands
from tsingma.messages.derivative_files import read_series_list
from tsingma.messages.economic_files import Dates, read_columns, read_json_series
from tsingma.messages.index_file import read_closes
from tsingma.messages.instance_file import read_instance
from tsingma.messages.instruction_file import read_instructions
from tsingma.messages.iso20022.orders import read_orders
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages
from tsingma.messages.market_files import read_book, read_closing, read_deposits
from tsingma.messages.mt54x import read_orders as read_mt54x
from tsingma.messages.participant_file import read_participant
from tsingma.messages.payment_file import read_payments
from tsingma.messages.positions import read_dated_positions, read_positions
from tsingma.messages.prices import read_prices
from tsingma.messages.quote_file import read_quotes
from tsingma.messages.register_file import read_register
from tsingma.messages.rpf01 import read_parameters
from tsingma.messages.series_file import read_series
from tsingma.messages.series_positions import read_series_positions
from tsingma.messages.span_contracts import span_records
from tsingma.messages.span_file import prime_parameters, read_records, write_records
from tsingma.messages.standing_file import read_standings
from tsingma.messages.trade_file import HEADER as TRADE_HEADER
from tsingma.messages.trade_file import read_trades

TESTS = Path(__file__).resolve().parents[1]
EXAMPLES = TESTS.parents[0] / "examples"


@dataclass(frozen=True)
class Reader:
    """A reader: its family, what it makes of bytes, and files it takes."""

    family: str
    read: Callable[[bytes, Path], Any]
    seeds: tuple[bytes, ...]


def of_path(read: Callable[..., Any], suffix: str, *more: Any) -> Callable[[bytes, Path], Any]:
    """Return a reader of bytes for one that wants a file."""

    def from_file(data: bytes, folder: Path) -> Any:
        file = folder / f"input{suffix}"
        file.write_bytes(data)
        return read(file, *more)

    return from_file


def of_bytes(read: Callable[..., Any], *more: Any) -> Callable[[bytes, Path], Any]:
    """Return a reader of bytes as all are called."""
    return lambda data, _folder: read(data, *more)


def of_text(read: Callable[..., Any], *more: Any) -> Callable[[bytes, Path], Any]:
    """Return a reader of bytes for one that wants text: bytes that are none are given in Latin-1."""
    return lambda data, _folder: read(data.decode("latin-1"), *more)


def csv(header: object, *rows: str) -> bytes:
    """Return a file of a header and rows."""
    first = header if isinstance(header, str) else ",".join(header)  # type: ignore[call-overload]
    return "\n".join([first, *rows, ""]).encode()


@cache
def readers() -> dict[str, Reader]:
    """Return all readers by name."""
    return {**_csv_of_margin(), **_csv_of_the_house(), **_csv_of_links(), **_others(), **_toml()}


def _csv_of_margin() -> dict[str, Reader]:
    from tsingma.messages import (
        book_file,
        contract_file,
        curve_file,
        positions,
        quote_file,
        series_file,
        series_positions,
    )

    future = "F1,future,,,,20000,,,,,1500,50,,,2,0.35,0"
    option = "O1,option,european-spot,call,20000,20000,30,1,0.2,0.05,1500,50,0.03,410,2,0.35,0"
    rows = {
        "books": (read_books, csv(book_file.COLUMNS, "A,HKSCC,stock,700.HK,1000000,,", "A,SEOCH,call,HSI,-5,1.0,30")),
        "contracts": (read_contracts, csv(contract_file.COLUMNS,
                      "S1,swap,HKD,2026-01-05,5Y,par,12,ACT/365F,3,0.03,,", "B1,bond,HKD,,6M,0.03,6,,,,,")),
        "curves": (read_curves, csv(curve_file.COLUMNS, "2026-01-05,HKD,1M,0.03", "2026-01-05,HKD,1Y,0.031",
                                    "2026-01-06,HKD,1M,0.03", "2026-01-06,HKD,1Y,0.031")),
        "quotes": (read_quotes, csv(quote_file.COLUMNS, "2026-01-05,HKD,deposit,3M,0.03,,",
                                    "2026-01-05,HKD,swap,5Y,0.031,12,ACT/365F")),
        "series": (read_series, csv(series_file.COLUMNS, future, option)),
        "series-positions": (read_series_positions, csv(series_positions.COLUMNS, "F1,10,0", "O1,0,5")),
        "positions": (read_positions, POSITIONS),
        "dated-positions": (read_dated_positions, csv(positions.DATED_COLUMNS,
                            "5,1000,80000,81000,HKD,2026-01-05,2026-01-07,HK")),
        "assets": (default_files.read_assets, csv(default_files.ASSET_COLUMNS, "A1,cash,1000,0.01", "A2,bond,5,")),
        "calls": (default_files.read_taker_calls, csv(default_files.TAKER_COLUMNS, "T1,100")),
        "close-outs": (default_files.read_close_outs, csv(default_files.HOUSE_COLUMNS, "hkscc,100,-5,", "seoch,5,6,7")),
        "close-out-rows": (default_files.read_close_out_rows,
                           csv(default_files.CLOSE_OUT_COLUMNS, "A/HOUSE,700,B/HOUSE,310.5", "A/HOUSE,F1,C/HOUSE,9")),
        "lots": (default_files.read_lots, csv(default_files.LOT_COLUMNS, "L1,100,A|B")),
        "bids": (default_files.read_bids, csv(default_files.BID_COLUMNS, "L1,A,100")),
        "members": (default_files.read_members, csv(default_files.MEMBER_COLUMNS, "A,100,50")),
        "exposures": (fund_files.read_exposures, csv(fund_files.EXPOSURE_COLUMNS, "2026-01-05,S1,A,G,100,50")),
        "keys-of-a-fund": (fund_files.read_keys, csv(fund_files.KEY_COLUMNS, "2026-01-05,A,100")),
        "lodged": (fund_files.read_lodged, csv(fund_files.LODGED_COLUMNS, "A,hkscc,cash,100")),
        "standings": (read_standings, csv(("account", "house", "time", "margin", "marks", "lodged", "limit"),
                                          "A,hkscc,09:00,100,5,90,")),
        "register": (read_register, csv(("token", "wallet", "face_cents"), "T,W,100")),
    }  # fmt: skip
    return {name: Reader("csv", of_bytes(read), (seed,)) for name, (read, seed) in rows.items()}


def _csv_of_the_house() -> dict[str, Reader]:
    from tsingma.messages import batch_file, index_file, instruction_file, market_files, payment_file

    told = Story()
    book = told.house.resolved
    share, counter = next(iter(book.securities)), book.book.counters[0].code
    orders = csv((*instruction_file.REQUIRED, "isin", "currency", "amount"),
                 f"1,A/HOUSE,deliver,B,dvp,100,2026-01-05,2026-01-07,{share},HKD,1000.00")  # fmt: skip
    trades = csv(TRADE_HEADER, f"2026-01-05,1,09:30:00,{counter},A,HOUSE,B,HOUSE,100,10.0000,CNS,")
    deposits = csv(market_files.DEPOSIT_HEADER, "A,HOUSE,HKD,1000", f"B,HOUSE,{share},5")
    closing = csv(market_files.CLOSING_HEADER, *(f"price,{one.code},10.5" for one in book.book.counters),
                  *(f"rate,{money},1.08" for money in CURRENCIES))  # fmt: skip
    prices = csv("Date,0001.HK,0005.HK", *(f"2026-01-{day:02d},{50 + day}.5,60.25" for day in range(5, 10)))
    rows = {
        "instructions": (read_instructions, orders, (book,)),
        "trades": (read_trades, trades, (book,)),
        "deposits": (read_deposits, deposits, (book,)),
        "closing": (read_closing, closing, (book,)),
        "prices": (read_prices, prices, ()),
        "index": (read_closes, csv(index_file.COLUMNS, "2026-01-05,1,2.5,10", "2026-01-06,1,,10"), ()),
        "batch": (read_batch, csv(batch_file.FIELDS, f"1,A/HOUSE,B/HOUSE,{share},100,HKD,1000,0,0"), (book,)),
        "series-list": (read_series_list, csv(
            "id,house,kind,underlying,multiplier,strike,expiry", "HSIF6,hkcc,future,HSI,50,,2026-01-29"), ()),
        "economic-series": (read_columns, b"day,a,b\n2026-01-05,1.5,2\n2026-01-06,,3\n", (Dates.DAY, "day")),
        "icio": (read_icio, b",A_X,B_X,A_HFCE,B_HFCE,OUT\nA_X,1,2,3,4,10\nB_X,2,3,4,5,14\nTLS,1,1,0,0,2\n"
                            b"VA,6,8,0,0,14\nOUT,10,14,7,9,40\n", ()),
    }  # fmt: skip
    found = {name: Reader("csv", of_path(read, ".csv", *more), (seed,)) for name, (read, seed, more) in rows.items()}
    payments = csv(payment_file.COLUMNS, "1,A,B,HKD,100.00,normal,,,,", "2,B,A,HKD,5.00,,,,,")
    found["payments"] = Reader("csv", of_bytes(read_payments, book), (payments,))
    return found


def _csv_of_links() -> dict[str, Reader]:
    orders = csv(link_files.ORDER_COLUMNS, "09:30:00,buy,O1,P1,1,,600000,100,10.5", "09:31:00,trade,O1,,,,,100,10.4")
    return {
        "link-orders": Reader("csv", lambda data, _: link_files.read_orders(data, link_files.Names()), (orders,)),
        "flows": Reader("csv", of_bytes(link_files.read_flows), (csv(link_files.FLOW_COLUMNS, "09:30:00,1,1,100"),)),
        "holdings": Reader("csv", lambda data, _: link_files.read_holdings(data, link_files.Names()),
                           (csv(link_files.HOLDING_COLUMNS, "P1,1,600000,100"),)),
        "link-accounts": Reader("csv", lambda data, _: link_files.read_accounts(data, link_files.Names()),
                                (csv(link_files.ACCOUNT_COLUMNS, "1,P1"),)),
        "clients": Reader("csv", lambda data, _: link_files.read_clients(data, link_files.Names()),
                          (csv(link_files.CLIENT_COLUMNS, "P1,7"),)),
    }  # fmt: skip


def _others() -> dict[str, Reader]:
    book = Story().house.resolved
    directory = Directory(book)
    span = write_records(span_records(hsi_parameters(), {"HSI": 1}, created="201903042100"))
    text = (EXAMPLES / "renminbi_bond.sh").read_text(encoding="utf-8")
    lines = tuple(found.encode() for found in re.findall(r"<<'LINES'\n(.*?)\nLINES", text, re.DOTALL))
    instance = (
        b'{"format":"tsingma-settlement-1","instructions":1,"accounts":3}\n{"account":["c",0],"balance":100,"line":5}\n'
        b'{"account":["s",1,0],"balance":10,"collateral":2}\n{"account":["c",1],"balance":0}\n'
        b'{"seller":1,"buyer":0,"isin":0,"quantity":10,"cash":50,"priority":1}\n'
    )
    mt = (
        b"{1:F01ALPHHKHHAXXX0000000000}{2:I543TSNGHKHHAXXXN}{4:\n:16R:GENL\n:20C::SEME//17\n:23G:NEWM\n:16S:GENL\n"
        b":16R:TRADDET\n:98A::SETT//20260105\n:98A::TRAD//20260102\n:35B:ISIN KYG875721634\n:16S:TRADDET\n:16R:FIAC\n"
        b":36B::SETT//UNIT/100,\n:97A::SAFE//A/HOUSE\n:16S:FIAC\n:16R:SETDET\n:22F::SETR//TRAD\n:16R:SETPRTY\n"
        b":95R::REAG/TSINGMA/B\n:16S:SETPRTY\n:16R:AMT\n:19A::SETT//HKD30000,00\n:16S:AMT\n:16S:SETDET\n-}"
    )
    return {
        "iso20022": Reader("xml", of_bytes(read_messages), (document(), business_file(document(), document()))),
        "iso20022-orders": Reader("xml", of_bytes(read_orders, directory), (document(),)),
        "span": Reader("span", lambda data, _: prime_parameters(read_records(data), {"HSI": 50}, file="x"), (span,)),
        "rpf01": Reader("rpf01", lambda data, _: read_parameters(data, partial=True), (PARAMETERS,)),
        "custody-commands": Reader("jsonl", of_path(read_custody_commands, ".jsonl", book), lines),
        "instance": Reader("jsonl", of_path(read_instance, ".jsonl"), (instance,)),
        "book": Reader("jsonl", of_path(read_book, ".json"), (msgspec.json.encode(book.book),)),
        "json-series": Reader(
            "jsonl",
            of_path(read_json_series, ".json", "x", ("a", "day"), ("a", "value")),
            (b'{"a":{"day":["2026-01-05","2026-01-06"],"value":[1.5,null]}}',),
        ),
        "mt54x": Reader("mt54x", of_text(read_mt54x, directory), (mt,)),
    }


def _toml() -> dict[str, Reader]:
    from tsingma.api.keys import read_keys
    from tsingma.app.economy_chain import read_scenario as read_chain_scenario
    from tsingma.app.serve_config import read_config
    from tsingma.economy.path import from_toml
    from tsingma.economy.scenario import parse_scenario
    from tsingma.links.rule_file import read_rules, shipped_links
    from tsingma.stress.scenario import parse_scenarios

    rules = files("tsingma.links").joinpath("rules")
    economy = files("tsingma.reference").joinpath("data", "scenarios")
    scenarios = tuple(one.read_bytes() for one in economy.iterdir() if one.name.endswith(".toml"))
    chain = files("tsingma.economy.chain").joinpath("scenarios")
    chains = tuple(one.read_bytes() for one in chain.iterdir() if one.name.endswith(".toml"))
    page = (TESTS.parent / "docs" / "api.md").read_text(encoding="utf-8")
    keys = "\n".join(line[4:] for line in page[page.index("    audience =") :].partition("\n\n##")[0].splitlines())
    path = (
        b'name = "p"\ndates = ["2026-01-31", "2026-02-28"]\n[likelihood]\nkind = "plausibility"\nvalue = 0.5\n'
        b'basis = "b"\n[provenance]\nmodel = "m"\nscenario = "s"\ncalibration = "c"\nuncertainty = "u"\n[[shocks]]\n'
        b'name = "x"\nday = "2026-01-31"\nsize = 0.1\nunit = "share"\nwhy = "w"\nsource = "s"\n[[indicators]]\n'
        b'name = "equity.y"\nunit = "index level"\nvalues = [1.0, 2.0]\n'
    )
    stress = files("tsingma.stress").joinpath("data", "scenarios.toml").read_bytes()
    config = b'[house]\nplace = "house"\n[listen]\naddress = "127.0.0.1"\nport = 9000\n[limits]\nconnections = 10\n'
    return {
        "link-rules": Reader("toml", of_bytes(read_rules), tuple(rules.joinpath(f"{one}.toml").read_bytes()
                                                                 for one in shipped_links())),
        "participant": Reader("toml", of_bytes(read_participant), (PARTICIPANT,)),
        "keys": Reader("toml", of_path(read_keys, ".toml"), (keys.encode(),)),
        "config": Reader("toml", of_path(read_config, ".toml", {}), (config,)),
        "stress-scenarios": Reader("toml", of_text(lambda text: parse_scenarios(text, file="x")), (stress,)),
        "economy-scenario": Reader("toml", of_text(parse_scenario), scenarios),
        "chain-scenario": Reader("toml", of_path(lambda file: read_chain_scenario(str(file)), ".toml"), chains),
        "path": Reader("toml", of_text(from_toml), (path,)),
    }  # fmt: skip

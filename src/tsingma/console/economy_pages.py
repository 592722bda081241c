"""Pages of the economist: the value chain, the renminbi abroad, stocks against homes, and the claim register."""

from __future__ import annotations

from datetime import date
from typing import Any

from litestar import Response, get

from tsingma.api.bench import Bench
from tsingma.api.guard import access
from tsingma.api.permissions import Action, Resource
from tsingma.app import economy_questions as ask
from tsingma.app.economy_chain import read_scenario, scenario_names
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.console.figures import BRIEF_LANGUAGE, grounds_of, sections_of
from tsingma.console.giving import Paged, Working
from tsingma.console.page import Page
from tsingma.console.sliders import Slider, number_asked, step_of
from tsingma.economy.claims import Claim, Result
from tsingma.economy.property.duty import PropertyKind, notches
from tsingma.economy.register import statements
from tsingma.economy.scenario import shipped_scenarios
from tsingma.reports.economy_chain_brief import chain_sections
from tsingma.reports.economy_fan_brief import indicator_text, run_sections
from tsingma.reports.economy_figures import ChainFigures, RunFigures
from tsingma.reports.economy_names import name_of
from tsingma.reports.numbers import fixed

CHAIN_ORDER = ("summary", "k", "flows", "dividends", "days", "leakage", "why", "levers", "notes")
FIRST_CHAIN, FIRST_RENMINBI, FIRST_PROPERTY = "hbm-stop", "renminbi-opening", "homes-baseline"
OWN = "own"  # value of the button that takes the scenario's levers instead of the form's
HEADLINES = {
    "renminbi": ("share.payments", "share.trade_finance", "share.reserves", "pool.deposits", "rate.CNH"),
    "property": ("home_price.RVD", "equity.HSI", "volume.home_sales", "flow.southbound", "gap.six_months"),
}
PRICE_FIRST, PRICE_MAX = 12_000_000, 10_000_000_000
DUTY_DAY = date(2026, 6, 30)  # where the models start
_ALL = "all"


@get("/economy/chain", opt=access(Resource.ECONOMY_RUNS, Action.READ), sync_to_thread=True)
def chain(page: Paged, bench: Working) -> Response[str]:
    """Show a scenario of the value chain: income, both arms of the K, flows, dividends, the days after."""
    language = BRIEF_LANGUAGE[page.language]
    query = {name: str(value) for name, value in page.request.query_params.items()}
    sector, _, country = query.get("maker", "hbm:KOR").partition(":")
    months = number_asked(query, "months", 1, ask.MONTHS_MAX)
    part = number_asked(query, "part", 100 * ask.PRODUCTIVITY_LEAST, 100)
    question = ask.ChainQuestion(
        scenario=query.get("scenario", FIRST_CHAIN), sector=sector, country=country,
        months=3 if months is None else round(months), part=1.0 if part is None else part / 100,
    )  # fmt: skip
    with bench.place():
        found = ask.ask_chain(question)
    return page.render(
        "chain.html", found=found, question=question, choke=ask.CHOKE, points=ask.choke_points(),
        scenarios=_chains(page),
        sliders=_choke_sliders(page, question), sections=sections_of(chain_sections(found, language), CHAIN_ORDER),
        grounds=grounds_of(found.grounds, language), headline=_chain_headline(page, found, language),
        name=lambda one: name_of(one, language), title=_chain_title(page, found, question, language),
    )  # fmt: skip


def _chains(page: Page) -> list[tuple[str, str]]:
    chinese = BRIEF_LANGUAGE[page.language] == "zh"
    read = [read_scenario(name) for name in scenario_names()]
    return [(name, one.chinese if chinese else one.english) for name, one in read]


def _chain_title(page: Page, found: ChainFigures, question: ask.ChainQuestion, language: str) -> str:
    if question.scenario != ask.CHOKE:
        return found.title_zh if language == "zh" else found.title
    return page.words("chain.stopped", maker=name_of(f"{question.country} {question.sector}", language))


def _choke_sliders(page: Page, question: ask.ChainQuestion) -> list[Slider]:
    t = page.words
    return [
        Slider(name="months", label=t("chain.months"), unit=t("chain.months_unit"), low=1, high=ask.MONTHS_MAX, step=1,
               value=question.months),
        Slider(name="part", label=t("chain.part"), unit=t("chain.part_unit"), low=100 * ask.PRODUCTIVITY_LEAST,
               high=100, step=5, value=round(100 * question.part, 4)),
    ]  # fmt: skip


def _chain_headline(page: Page, found: ChainFigures, language: str) -> list[tuple[str, str, str]]:
    """Return label, value and note of the two largest falls or gains of income, the widest K and the days lost."""
    t = page.words
    ranked = sorted(found.countries, key=lambda one: -abs(one.real_income))[:2]
    rows = [
        (t("chain.income", country=name_of(one.country, language)), f"{fixed(one.real_income, 3, sign=True)} %",
         "" if one.low is None or one.high is None else
         t("chain.income_note", low=fixed(one.low, 3, sign=True), high=fixed(one.high, 3, sign=True)))
        for one in ranked
    ]  # fmt: skip
    widest = sorted(found.spread, key=lambda one: -abs(one.k))[:2]
    rows.extend(
        (t("chain.k_of", country=name_of(arm.country, language)), fixed(arm.k, 4, sign=True), t("chain.k_note"))
        for arm in widest
    )
    if found.days is not None:
        rows.append((t("chain.lost"), fixed(found.days.world_lost_days, 2), t("chain.lost_note")))
    return rows


@get("/economy/renminbi", opt=access(Resource.ECONOMY_RUNS, Action.READ), sync_to_thread=True)
def renminbi(page: Paged, bench: Working) -> Response[str]:
    """Show the renminbi abroad under policies of the form and an offshore pool of a size."""
    return _run_page(page, bench, "renminbi", FIRST_RENMINBI)


@get("/economy/property", opt=access(Resource.ECONOMY_RUNS, Action.READ), sync_to_thread=True)
def stocks_and_homes(page: Paged, bench: Working) -> Response[str]:
    """Show stocks against homes under a duty, rates and supply of the form, and the duty on one home."""
    query = {name: str(value) for name, value in page.request.query_params.items()}
    price = number_asked(query, "price", 1, PRICE_MAX)
    day = _day_asked(query.get("on", ""))
    whole = PRICE_FIRST if price is None else round(price)
    duty = ask.duty_of_home(whole, day)
    edges = notches(day, PropertyKind.RESIDENTIAL)
    return _run_page(page, bench, "property", FIRST_PROPERTY, duty=duty, edges=edges, price=whole, on=day)


def _day_asked(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else DUTY_DAY
    except ValueError:
        raise refuse(RejectionReason.MALFORMED, "is no date", field="on", remedy="YYYY-MM-DD") from None


def _run_page(page: Page, bench: Bench, model: str, first: str, **values: Any) -> Response[str]:
    language = BRIEF_LANGUAGE[page.language]
    query = {name: str(value) for name, value in page.request.query_params.items()}
    question = _run_question(query, model, first)
    with bench.place():
        found = ask.ask_run(model, question)
    shipped = shipped_scenarios(model)
    return page.render(
        f"{model}.html", found=found, question=question, sliders=_lever_sliders(page, model, question),
        scenarios=[(name, one.chinese if language == "zh" else one.english) for name, one in shipped.items()],
        sections=sections_of(run_sections(found, language), ("summary", "fans")),
        grounds=grounds_of(found.grounds, language),
        headline=_run_headline(page, model, found, language), title=found.title_zh if language == "zh" else found.title,
        **values,
    )  # fmt: skip


def _run_question(query: dict[str, str], model: str, first: str) -> ask.RunQuestion:
    """Return what an address asks; raises Rejected naming the field of a number that will not do."""
    scenario = query.get("scenario", first)
    if query.get("values") == OWN:
        return ask.RunQuestion(scenario=scenario)
    asked = {one.name: number_asked(query, one.name, one.low, one.high) for one in ask.lever_ranges(model)}
    given = tuple((name, value) for name, value in asked.items() if value is not None)
    times = number_asked(query, "pool", *ask.POOL_TIMES) if model == "renminbi" else None
    stocks = number_asked(query, "stocks", *ask.STOCKS_PERCENT) if model == "property" else None
    return ask.RunQuestion(
        scenario=scenario, levers=given or None, pool_times=1.0 if times is None else times,
        stocks_percent=0.0 if stocks is None else stocks,
    )  # fmt: skip


def _lever_sliders(page: Page, model: str, question: ask.RunQuestion) -> list[Slider]:
    """Return the slider of the pool or of stocks, then one a lever of the model, where the run has them."""
    t, language = page.words, BRIEF_LANGUAGE[page.language]
    stands = dict(question.levers) if question.levers is not None else ask.levers_of(model, question.scenario)
    if model == "renminbi":
        first = Slider(
            name="pool", label=t("renminbi.pool"), unit=t("stress.times"), low=ask.POOL_TIMES[0],
            high=ask.POOL_TIMES[1], step=0.25, value=question.pool_times, note=t("renminbi.pool_note"),
        )  # fmt: skip
    else:
        first = Slider(name="stocks", label=t("property.stocks"), unit=t("stress.percent"), low=ask.STOCKS_PERCENT[0],
                       high=ask.STOCKS_PERCENT[1], step=1, value=question.stocks_percent)  # fmt: skip
    return [first] + [
        Slider(
            name=one.name, label=t.or_as_it_is(f"lever_name.{one.name}", name_of(one.name, language)), unit="",
            note=t(f"lever.{one.name}"), low=one.low, high=one.high, step=step_of(one.low, one.high),
            value=stands.get(one.name, 0.0),
        )
        for one in ask.lever_ranges(model)
    ]  # fmt: skip


def _run_headline(page: Page, model: str, found: RunFigures, language: str) -> list[tuple[str, str, str]]:
    """Return label, median at the end and note (start, band) of the indicators that tell most."""
    rows = []
    fans = {one.indicator: one for one in found.fans}
    for name in HEADLINES[model]:
        fan = fans[name]
        text, middle = indicator_text(fan.unit), len(fan.levels) // 2
        note = page.words("renminbi.band_note", start=text(fan.values[middle][0]), low=text(fan.values[0][-1]),
                          high=text(fan.values[-1][-1]))  # fmt: skip
        unit = name_of(fan.unit, language)
        sign = " %" if "%" in unit else ""
        rows.append((name_of(name, language), f"{text(fan.values[middle][-1])}{sign}", note))
    return rows


@get("/economy/claims", opt=access(Resource.ECONOMY_RUNS, Action.READ), sync_to_thread=True)
def claims(page: Paged, bench: Working) -> Response[str]:
    """Show the claim register: each statement, its test, what was found, and whether that supports it."""
    with bench.place():
        report = ask.claims_of_models()
    query = page.request.query_params
    result, form = str(query.get("result", _ALL)), str(query.get("form", _ALL))
    forms = {one.id: one.form for one in statements()}
    shown = [one for one in report.claims if result in (_ALL, _slug(one.result)) and form in (_ALL, forms[one.id])]
    return page.render(
        "claims.html", claims=shown, total=len(report.claims), results=[_ALL, *map(_slug, Result)],
        counts={_slug(one): report.count[str(one)] for one in Result}, forms_offered=[_ALL, *report.forms],
        result=result, form=form, form_of=forms, slug=_slug, kind_of=_kind,
        chinese=BRIEF_LANGUAGE[page.language] == "zh",
    )  # fmt: skip


def _slug(result: Result) -> str:
    return str(result).replace(" ", "_")


def _kind(claim: Claim) -> str:
    return str(claim.kind)


ROUTES = (chain, renminbi, stocks_and_homes, claims)

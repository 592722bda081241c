"""Pages of the supervisor: the houses side by side, and the served book under moves that are set by hand."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from tsingma.api.guard import access
from tsingma.api.permissions import Action, Resource
from tsingma.api.reads import Code
from tsingma.app.stress_questions import CHOSEN, HouseSide, Standing, StressQuestion, by_hand
from tsingma.basics.patterns import whole
from tsingma.console.figures import BRIEF_LANGUAGE, sections_of
from tsingma.console.giving import Desk, Paged, Working
from tsingma.console.instructions import Number0
from tsingma.console.page import Page
from tsingma.console.sliders import Slider, limits_of, number_asked
from tsingma.reports.numbers import short_in
from tsingma.reports.stress_brief import calls_chart, scenario_section
from tsingma.reports.stress_figures import StressFigures
from tsingma.reports.style import COMPONENT_COLOURS
from tsingma.reports.svg import BarRow, Segment, bars, legend
from tsingma.stress.scenario import Scenario, shipped_scenarios

SIZES = (25, 50, 100)  # accounts a page
Size = Annotated[str, QueryParameter(pattern=whole("(25|50|100)?"))]
PERCENT = 100.0
OWN = "own"  # value of the button that takes the scenario's moves instead of the form's
FIRST_SHOWN = "replay-1987"
# Parameter in the address, field of the question, units of the parameter in one of the field.
_MOVES = (
    ("index", "index_return", PERCENT),
    ("volatility", "volatility_ratio", 1.0),
    ("renminbi", "renminbi_return", PERCENT),
    ("correlation", "correlation", 1.0),
    ("horizon", "horizon_days", 1.0),
)


@get("/houses", opt=access(Resource.HOUSES, Action.READ), sync_to_thread=True)
def houses(
    page: Paged, risk: Desk, bench: Working, participant: Code = "", cursor: Number0 = "", size: Size = ""
) -> Response[str]:
    """Show what each clearing house calls, has and holds open, and what one portfolio would ask, account by account.

    ``cursor`` is how many accounts come before the page, those that save most first; ``size`` how many it has.
    """
    with bench.place():
        standing = risk.standing()
    rows = [one for one in standing.crossed if not participant or one.account.partition("/")[0] == participant]
    start, count = int(cursor or 0), int(size or SIZES[0])
    say = page.words.or_as_it_is
    sides = [*standing.sides, _total(standing, page.words("houses.total"))]
    return page.render(
        "houses.html", standing=standing, sides=sides, chart=_houses_chart(page, standing),
        crossed=rows[start : start + count], all_crossed=len(standing.crossed),
        matching=len(rows), start=start, size=count, sizes=SIZES,
        following=start + count if start + count < len(rows) else None, participant=participant,
        shocks=[say(f"houses.shock.{one}", one) for one in standing.fund_shocks],
        saved=sum(one.credit for one in standing.sides),
        lacking=max(standing.required - standing.pledged, 0),
    )  # fmt: skip


def _total(standing: Standing, name: str) -> HouseSide:
    """Return all houses as one column; members of several funds are counted in each."""
    numbers = {
        field: sum(getattr(one, field) for one in standing.sides)
        for field in HouseSide.__struct_fields__
        if field != "house"
    }
    return HouseSide(house=name, **numbers)


def _houses_chart(page: Page, standing: Standing) -> str:
    t, (joint, saved) = page.words, COMPONENT_COLOURS[:2]
    language = BRIEF_LANGUAGE[page.language]
    rows = [
        BarRow(one.house, (Segment(one.joint, joint, f"{t('houses.joint')} {short_in(language, one.joint)}"),
                           Segment(one.credit, saved, f"{t('houses.credit')} {short_in(language, one.credit)}")),
               short_in(language, one.margin), marker=one.fund)
        for one in standing.sides
    ]  # fmt: skip
    keys = [(joint, t("houses.joint")), (saved, t("houses.credit")), ("tick-key", t("houses.fund"))]
    return bars("houses-chart", t("houses.chart"), t("houses.chart_text"), rows) + legend(keys)


@get("/stress", opt=access(Resource.STRESS_RUNS, Action.READ), sync_to_thread=True)
def stress(page: Paged, risk: Desk, bench: Working) -> Response[str]:
    """Show a scenario through the house, its moves those of the form."""
    question = _question({name: str(value) for name, value in page.request.query_params.items()})
    with bench.place():
        standing, found = risk.standing(), risk.ask(question)
    language = BRIEF_LANGUAGE[page.language]
    title = found.title_zh if language == "zh" else found.title
    made = [("answer-of-it", title, scenario_section(found, language))]
    return page.render(
        "stress.html", found=found, scenarios=_offered(page), chosen=question.scenario, standing=standing,
        sliders=_sliders(page, found, question), sections=sections_of(made), calls=calls_chart(found, language),
        to_find=sum(one.gains + one.securities for one in found.liquidity if one.currency == "HKD"),
        title=title,
    )  # fmt: skip


def _question(query: dict[str, str]) -> StressQuestion:
    """Return what an address asks; raises Rejected naming the field of a number that will not do."""
    scenario, limits = query.get("scenario", FIRST_SHOWN), limits_of("stress")
    liquid = number_asked(query, "liquid", limits["liquid"].low, limits["liquid"].high) or 0.0
    if query.get("values") == OWN:
        return StressQuestion(scenario=scenario, liquid_times=liquid)
    asked = {
        field: None
        if (value := number_asked(query, name, limits[name].low, limits[name].high)) is None
        else value / scale
        for name, field, scale in _MOVES
    }
    if scenario == CHOSEN:
        for name, field, scale in _MOVES:
            asked[field] = limits[name].value / scale if asked[field] is None else asked[field]
    days = asked.pop("horizon_days")
    return StressQuestion(
        scenario=scenario, liquid_times=liquid, horizon_days=None if days is None else round(days), **asked
    )


def _offered(page: Page) -> list[tuple[str, str]]:
    """Return the scenarios of the form: identifier and title."""

    def title(one: Scenario) -> str:
        return one.title_zh if BRIEF_LANGUAGE[page.language] == "zh" else one.title

    return [(one.id, title(one)) for one in (*shipped_scenarios(), by_hand())]


def _sliders(page: Page, found: StressFigures, question: StressQuestion) -> list[Slider]:
    """Return the sliders where the run has them; the shock behind a scenario may move what nobody set."""
    stands = {
        "index": found.index_return * PERCENT, "volatility": found.volatility_ratio,
        "renminbi": found.renminbi_return * PERCENT, "correlation": found.correlation,
        "horizon": float(found.horizon_days), "liquid": question.liquid_times,
    }  # fmt: skip
    words = {"percent": "stress.percent", "times": "stress.times", "days": "stress.days", "part": "stress.part"}
    return [
        Slider(
            name=name, label=page.words(f"stress.{name}"), unit=page.words(words[one.unit]), low=one.low, high=one.high,
            step=one.step, value=round(min(max(stands[name], one.low), one.high), 2),
        )
        for name, one in limits_of("stress").items()
    ]  # fmt: skip


ROUTES = (houses, stress)

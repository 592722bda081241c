"""The economic brief: whole in both languages, to scale, nothing fetched, the same bytes, refusals."""

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree

import msgspec
import pytest

from tsingma.app.economy_run import causes_of, find_scenario, run_scenario
from tsingma.basics.rejection import Rejected
from tsingma.economy.ensemble import Fan
from tsingma.economy.path import Unit
from tsingma.economy.property.model import INDICATORS as PROPERTY
from tsingma.reports.economy_brief import render_economy_brief
from tsingma.reports.economy_words import INDICATORS, WORDS
from tsingma.reports.fan_chart import fan_chart

DAYS = (date(2026, 6, 30), date(2026, 7, 31), date(2026, 8, 31))


def _fan(**changes: object) -> Fan:
    rows = ((9.0, 8.0, 6.0), (10.0, 9.5, 9.0), (10.0, 10.0, 10.0), (10.0, 10.5, 11.0), (11.0, 12.0, 16.0))
    fields = {"indicator": "equity.HSI", "unit": Unit.INDEX, "dates": DAYS, "levels": (0.05, 0.25, 0.5, 0.75, 0.95)}
    return Fan(**{**fields, "values": rows, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("model", "name"), [("property", "replay-1997"), ("renminbi", "offshore-squeeze")])
def test_a_brief_in_both_languages(model: str, name: str) -> None:
    """Goal: one file, no script, no request. Method: both languages of one run; title, charts, causes, sources."""
    found = run_scenario(find_scenario(name, model), model, replications=200)
    causes = causes_of(found.scenario, model)
    for language, title in (("en", found.scenario.english), ("zh", found.scenario.chinese)):
        text = render_economy_brief(found.scenario, found.path, found.fans, causes, language)
        assert text == render_economy_brief(found.scenario, found.path, found.fans, causes, language)
        assert f"<h1>{title}</h1>" in text
        assert "<script" not in text
        assert not re.search(r"(src|href)=\"(?!#)", text)
        assert text.count('class="chart"') >= len(found.fans) - 2
        assert all(shock.source.split(";")[0][:20] in text for shock in found.path.shocks)
        assert WORDS[language]["together"] in text
        for chart in re.findall(r"<svg class=\"chart\".*?</svg>\n.*?</svg>", text, re.S):
            ElementTree.fromstring(chart)


def test_every_indicator_has_words() -> None:
    """Goal: no raw name in a brief. Method: indicators of both models are in both languages."""
    renminbi = run_scenario(find_scenario("renminbi-jump", "renminbi"), "renminbi", replications=2).path.names()
    for language in ("en", "zh"):
        assert set(PROPERTY) | set(renminbi) <= set(INDICATORS[language])


def test_a_fan_is_drawn_to_scale() -> None:
    """Goal: the picture is the figures. Method: the lowest value at the foot, the highest at the top, days to scale."""
    text = fan_chart("f", "title", "words", _fan(), ("16", "6"))
    outer = re.search(r'class="r4" points="([^"]+)"', text)
    assert outer is not None
    points = [tuple(map(float, pair.split(","))) for pair in outer.group(1).split()]
    assert (1000.0, 0.0) in points
    assert (1000.0, 200.0) in points
    assert points[1][0] == pytest.approx(1000 * 31 / 62)
    assert "2026-08-31" in text


def test_wrong_briefs_are_refused() -> None:
    """Goal: no empty picture. Method: no fan, an unknown language, a fan without its bands."""
    found = run_scenario(find_scenario("homes-baseline", "property"), "property", replications=20)
    causes = causes_of(msgspec.structs.replace(found.scenario, replications=20), "property")
    with pytest.raises(Rejected, match="no fan"):
        render_economy_brief(found.scenario, found.path, (), causes)
    with pytest.raises(Rejected, match="no language 'fr'"):
        render_economy_brief(found.scenario, found.path, found.fans, causes, "fr")
    with pytest.raises(ValueError, match="lacks levels"):
        fan_chart("f", "t", "w", _fan(levels=(0.1, 0.2, 0.5, 0.8, 0.9)), ("16", "6"))

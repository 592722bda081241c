"""Pictures of the console in the README: made here, of the house of these tests, when ``TSINGMA_PICTURES=1`` asks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from browser_pages import Visitor
from browser_png import size_of, with_palette

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "pictures"
WIDTH, BYTES_MAX = 1280, 250_000
DRAWN_BYTES_MIN = 40_000  # of a page with something on it; an empty one has a tenth
# Name, who looks, address, what is moved to the top ("": the page as it opens), height.
PICTURES = {
    "console-day": ("operator", "/console/day", "", 900),
    "console-margin": ("participant", "/console/margin?account_class=HOUSE", "", 980),
    "console-stress": ("regulator", "/console/stress?scenario=replay-1987", "", 980),
    "console-chain": ("regulator", "/console/economy/chain?scenario=hbm-stop", "#flows .pair", 800),
}


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_pictures_show_what_the_console_shows(visit: Callable[..., Visitor], name: str) -> None:
    """Goal: no picture of something else. Method: with TSINGMA_PICTURES=1 each page opens, is drawn, and is kept."""
    if os.environ.get("TSINGMA_PICTURES") != "1":
        pytest.skip("pictures are made when TSINGMA_PICTURES=1 asks for them")
    who, path, place, height = PICTURES[name]
    visitor = visit(who, height=height).open(path)
    if place:
        visitor.page.evaluate(f"document.querySelector('{place}').scrollIntoView()")
        visitor.page.evaluate("window.scrollBy(0, -12)")
    taken = visitor.page.screenshot()
    assert size_of(taken) == (WIDTH, height)
    assert len(taken) > DRAWN_BYTES_MIN
    (FOLDER / f"{name}.png").write_bytes(with_palette(taken))


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_pictures_are_kept_small(name: str) -> None:
    """Goal: the README loads quickly. Method: width and bytes of the files kept."""
    data = (FOLDER / f"{name}.png").read_bytes()
    assert size_of(data)[0] == WIDTH
    assert len(data) < BYTES_MAX

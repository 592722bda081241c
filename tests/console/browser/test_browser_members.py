"""Stories of the operator, a participant and a custodian in Chromium: both languages, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from browser_house import CLIENT_SELLS, LACKED, OWNERS, Site
from browser_pages import Visitor

Visit = Callable[..., Visitor]
WAYS = [(language, scripts) for language in ("en", "zh-Hant") for scripts in (True, False)]


def number(text: str) -> int:
    """Return the whole number of a cell; an empty one is nothing."""
    return int(text.replace(",", "").replace("\u2212", "-").replace("–", "0") or 0)


def cents(text: str) -> int:
    """Return the cents of an amount of Hong Kong dollars."""
    return number(text.replace("HK$", "").replace(".", ""))


def lacking(visitor: Visitor) -> str:
    """Return the number of the instruction that lacks its shares, from the list on the page."""
    rows = visitor.page.locator("table tbody tr").all()
    return next(row.locator("th").inner_text() for row in rows if f"{LACKED:,}" in row.inner_text())


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_the_operator_finds_a_fail_its_reason_and_its_remedy(visit: Visit, language: str, scripts: bool) -> None:
    """Goal: from the day to why in two steps. Method: the night has run; of what did not settle, one delivery lacks
    fifty million shares; its page says which account lacks what and what brings it.
    """
    operator = visit("operator", language=language, scripts=scripts).open("/console")
    words = operator.words
    operator.follow(words("page.day.title"), ".menu")
    assert words("step.night-1-everything") in operator.text()
    assert words("reason.lack-of-securities") in operator.text()
    operator.follow(words("page.instructions.title"), ".menu")
    number = lacking(operator)
    operator.follow(number)
    told = operator.text("section[aria-labelledby=why]")
    assert f"{OWNERS['participant']}/HOUSE" in told
    assert words("story.remedy_stock", account=f"{OWNERS['participant']}/HOUSE") in told
    assert (
        operator.page.get_by_role("button", name=words("act.hold"), exact=True).count() == 0
    )  # it is the parties' act
    past = operator.rows(words("story.past"))
    assert any(words("outcome.tried") in cell for row in past for cell in row)


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_a_participant_holds_and_releases_its_own_and_sees_no_others(
    visit: Visit, language: str, scripts: bool
) -> None:
    """Goal: a member acts on what is its own alone. Method: its instruction held and released by forms; lists hold its
    lines only; an address of another's is not there, another's books are refused.
    """
    member = visit("participant", language=language, scripts=scripts).open("/console/instructions")
    words, me = member.words, OWNERS["participant"]
    for row in member.page.locator("table tbody tr").all():
        assert me in row.inner_text()
    number = lacking(member)
    member.follow(number)
    for act, after in (("hold", "on-hold"), ("release", "matched")):
        member.page.get_by_role("button", name=words(f"act.{act}"), exact=True).click()
        member.page.locator("h1", has_text=words(f"status.{after}")).wait_for()
    member.open("/console/holdings")
    assert all(row.locator("th").inner_text().startswith(f"{me}/") for row in member.page.locator("tbody tr").all())
    for path, status in ((f"/console/holdings?participant={OWNERS['other']}", 403), ("/console/instructions/0", 404),
                         ("/console/houses", 403), ("/console/stress", 403)):  # fmt: skip
        member.open(path, status)
        assert member.words(f"problem.title.{status}") in member.heading()
    member.complaints.clear()  # the browser reports the statuses itself


@pytest.mark.parametrize(("language", "scripts"), [("en", False), ("zh-Hant", True)])
def test_a_custodian_finds_its_clients_fails_holdings_and_events(visit: Visit, language: str, scripts: bool) -> None:
    """Goal: what fails and why, what clients hold, what issuers give, in a minute; no margin calls. Method: from the
    day by the reason to the instruction and its remedy; the table of stock; a dividend of 78 cents on 10,000 shares.
    """
    keeper = visit("custodian", language=language, scripts=scripts).open("/console")
    words = keeper.words
    assert keeper.page.locator(".menu").get_by_text(words("page.calls.title"), exact=True).count() == 0
    keeper.follow(words("page.holdings.title"), ".menu")
    rows = keeper.page.locator("tbody tr").all()
    assert rows
    for row in rows:
        cells = row.locator("th, td").all_inner_texts()
        assert cells[0].startswith(f"{OWNERS['custodian']}/")
    keeper.follow(words("page.day.title"), ".menu")
    keeper.follow(words("reason.lack-of-securities"), "main")
    told = keeper.page.locator("table tbody tr").all()
    assert len(told) == 1
    assert f"{CLIENT_SELLS:,}" in told[0].inner_text()
    told[0].locator("th a").click()
    keeper.page.wait_for_load_state("load")
    assert "50,000" in keeper.text("section[aria-labelledby=why]")
    keeper.follow(words("page.corporate_actions.title"), ".menu")
    assert words("events.kind.cash-dividend") in keeper.text()
    entitled = keeper.rows(words("events.stands"))
    assert [(row[0].split("/")[0], row[1], row[4]) for row in entitled] == [
        (OWNERS["custodian"], "10,000", "HK$7,800.00")
    ]
    keeper.open("/console/calls", 403)
    keeper.complaints.clear()


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_a_participant_understands_its_margin_and_asks_what_if(visit: Visit, language: str, scripts: bool) -> None:
    """Goal: what is called and why, down to the tail, then what a trade would do. Method: houses add up to the joint
    call; positions to the shortfall; a future sold in the form moves HKCC's figure; nothing is booked.
    """
    member = visit("participant", language=language, scripts=scripts).open("/console")
    words = member.words
    member.follow(words("page.margin.title"), ".menu")
    page = member.page
    page.select_option("#by-class", "HOUSE")
    page.locator("main form button").first.click()
    page.wait_for_url("**account_class=HOUSE**")
    rows = member.rows(words("margin.houses"))
    assert {row[0] for row in rows} == {"HKSCC", "HKCC", "SEOCH"}
    total = (
        page.locator("table").filter(has=page.locator("caption", has_text=words("margin.houses"))).locator("tfoot td")
    )
    for place in (1, 3):
        assert sum(number(row[place]) for row in rows) == number(total.nth(place - 1).inner_text())
    assert page.locator("main svg.chart").count() >= 2
    assert len(member.rows(words("margin.tail"))) > 1
    as_of = member.text("#as-of")
    page.locator("main").get_by_role("link", name=words("margin.ask_what_if")).click()
    page.locator("input[name=factor]").first.fill("INDEX")
    page.locator("input[name=notional]").first.fill("-50000000")
    if not scripts:
        page.get_by_role("button", name=words("what_if.ask")).click()
    else:
        page.keyboard.press("Tab")  # leaving the field asks
    page.locator("#changes").wait_for()
    changed = {row[0]: row[3] for row in member.rows(words("what_if.table"))}
    assert number(changed["HKCC"].replace("+", "")) != 0
    assert changed["HKSCC"] == "0"
    assert member.open("/console/margin").text("#as-of") == as_of


@pytest.mark.parametrize(("language", "scripts"), [("en", False), ("zh-Hant", True)])
def test_a_participant_finds_what_to_pledge(visit: Visit, language: str, scripts: bool) -> None:
    """Goal: a short call comes with the cheapest pledge. Method: its call lacks money; what is proposed is of its own
    money, counts for at least what lacks, and pledges nothing.
    """
    member = visit("participant", language=language, scripts=scripts).open("/console")
    words = member.words
    member.follow(words("page.calls.title"), ".menu")
    short = [row for row in member.rows(words("books.calls")) if words("books.short") in row[1]]
    (lacks,) = [cents(row[4]) for row in short]
    account = short[0][0]
    pledges = member.rows(words("books.pledges_of", account=account))
    assert {row[1] for row in pledges} == {"HKD", "USD"}
    assert lacks <= sum(cents(row[5]) for row in pledges) < lacks + 100 * len(pledges)
    assert cents(member.rows(words("books.calls"))[0][3]) < lacks


@pytest.mark.parametrize(("language", "scripts"), [("en", True), ("zh-Hant", False)])
def test_an_order_is_sent_meets_its_other_side_and_stands_in_the_journal(
    visit: Visit, served_week: Site, language: str, scripts: bool
) -> None:
    """Goal: from a form to the journal. Method: a member delivers, its counterparty receives, each by its page; one
    instruction comes of it; the auditor reads who sent both, each record's hash resting on that of the one before.
    """
    isin, reference = served_week.service.book.securities[1], "7001" if scripts else "7002"
    for who, side, to in (("participant", "deliver", "other"), ("other", "receive", "participant")):
        sender = visit(who, language=language, scripts=scripts).open("/console/send")
        words, page = sender.words, sender.page
        page.select_option("#side", side)
        for name, value in (
            ("reference", reference),
            ("counterparty", OWNERS[to]),
            ("isin", isin),
            ("quantity", "300"),
            ("amount", "12,345.60"),
            ("trade_date", "2026-01-06"),
            ("intended_date", "2026-01-07"),
        ):
            page.fill(f"#{name}", value)
        page.select_option("#currency", "HKD")
        page.get_by_role("button", name=words("send.send")).click()
        page.wait_for_url(lambda address: "/console/send" not in address)
    sender.open("/console/orders")
    row = page.locator("table tbody tr", has_text=f"({reference})")
    number = row.get_by_role("link").inner_text()
    assert words("order_status.matched") in row.inner_text()
    auditor = visit("auditor", language=language, scripts=scripts).open("/console")
    auditor.follow(words("page.journal.title"), ".menu")
    rows = auditor.page.locator("table tbody tr").all()[:6]
    last = rows[0].inner_text()
    assert OWNERS["other"] in last
    assert words("story.title", number=number) in last
    proofs = [one.locator("dd").all_text_contents() for one in rows]
    for newer, older in pairwise(proofs):
        assert newer[1] == older[0]


@pytest.mark.parametrize(("language", "scripts"), [("en", True), ("zh-Hant", False)])
def test_two_operators_run_a_step_together(visit: Visit, language: str, scripts: bool) -> None:
    """Goal: nobody acts for the house alone. Method: one proposes the next step and cannot approve it; a second person
    sees it, approves, and the day has moved; the page says who decided.
    """
    first = visit("operator", language=language, scripts=scripts).open("/console/approvals")
    words = first.words
    form = first.page.locator("form", has=first.page.locator("input[name=step]"))
    step = form.locator("input[name=step]").input_value()
    named = words(f"step.{step}")
    form.get_by_role("button").click()
    pending = first.page.locator("table").first.locator("tbody tr", has_text=named)
    pending.wait_for()
    assert pending.get_by_role("button", name=words("approvals.approve")).count() == 0
    second = visit("operator-2", language=language, scripts=scripts).open("/console")
    second.follow(words("page.approvals.title"), ".menu")
    waiting = second.page.locator("table").first.locator("tbody tr", has_text=named)
    waiting.get_by_role("button", name=words("approvals.approve")).click()
    done = second.page.locator("table").last.locator("tbody tr", has_text=named)
    done.get_by_text(words("approvals.status.approved")).wait_for()
    assert "operator-2" in done.inner_text()
    second.open("/console/day")
    moved = second.page.locator("tr", has_text=named).first
    assert words("day.step_state.done") in moved.inner_text()


def test_the_day_moves_by_itself_where_scripts_run(visit: Visit) -> None:
    """Goal: a page of the day is live. Method: a member holds its instruction while the operator's page is open, and
    releases it again; the operator's page tells both unasked.
    """
    operator = visit("operator").open("/console/day")
    words = operator.words
    on_hold = operator.page.locator("table tr", has_text=words("status.on-hold")).locator("td").first
    assert on_hold.inner_text() == "0"
    member = visit("participant").open("/console/instructions")
    member.follow(lacking(member))
    for act, told in (("hold", "1"), ("release", "0")):
        member.page.get_by_role("button", name=words(f"act.{act}"), exact=True).click()
        on_hold.get_by_text(told, exact=True).wait_for()

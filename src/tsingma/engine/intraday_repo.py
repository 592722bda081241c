"""Commands on intraday repo: draw and pay back, or earmark paper for what payments draw by themselves."""

from __future__ import annotations

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import Handlers, House
from tsingma.engine.payments import paper, require_time
from tsingma.engine.resources import require_account, require_own
from tsingma.journal.payment_commands import DrawIntradayRepo, EarmarkPaper, RepayIntradayRepo, WithdrawPaper
from tsingma.journal.payment_events import IntradayRepoDrawn, IntradayRepoRepaid, PaperEarmarked, PaperWithdrawn
from tsingma.settlement.gross_money.systems import open_bits, repo_terms

AMOUNT_MAX = 2**53


def draw_repo(house: House, command: DrawIntradayRepo) -> IntradayRepoDrawn:
    """Lend money against paper of the participant, within the hours of its currency."""
    _check(house, command)
    if not 0 < command.cents <= AMOUNT_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, "an amount that cannot be lent", field="cents")
    number = house.money.repos.draw(
        house.ledger, house.internal.bank, paper(house), command.account, command.currency, command.security,
        command.quantity, command.cents, house.position.day,
    )  # fmt: skip
    return IntradayRepoDrawn(number)


def repay_repo(house: House, command: RepayIntradayRepo) -> IntradayRepoRepaid:
    """Pay a standing repo back."""
    require_time(house, command.time_s)
    repos, number = house.money.repos, command.repo
    if not 0 <= number < len(repos):
        raise refuse(RejectionReason.UNKNOWN, f"there is no repo {number}", field="repo")
    require_own(house, command.participant, int(repos.table["account"][number]))
    if repos.table["repaid_day"][number]:
        raise refuse(RejectionReason.NOT_ALLOWED, "it is paid back already", field="repo", subject=str(number))
    terms = repo_terms(to_date(house.position.day))
    if not repos.repay(house.ledger, house.internal.bank, number, house.position.day, terms):
        cents, interest = repos.due(number, house.position.day, terms)
        raise refuse(RejectionReason.INSUFFICIENT, f"{cents} and {interest} of interest are due", field="repo")
    cents, interest = (int(repos.table[name][number]) for name in ("cents", "interest_cents"))
    return IntradayRepoRepaid(number, cents, interest)


def earmark_paper(house: House, command: EarmarkPaper) -> PaperEarmarked:
    """Pledge paper of the participant for repo that comes by itself."""
    _check(house, command)
    repos = house.money.repos
    line = repos.earmark(
        house.ledger, paper(house), command.account, command.currency, command.security, command.quantity
    )
    house.ledger.row(command.account, command.currency)
    return PaperEarmarked(line, int(repos.lines.table["worth"][line]))


def withdraw_paper(house: House, command: WithdrawPaper) -> PaperWithdrawn:
    """Free earmarked paper."""
    require_time(house, command.time_s)
    repos, line = house.money.repos, command.line
    if not 0 <= line < len(repos.lines):
        raise refuse(RejectionReason.UNKNOWN, f"there is no earmark {line}", field="line")
    require_own(house, command.participant, int(repos.lines.table["account"][line]))
    repos.withdraw(house.ledger, line, house.position.day)
    return PaperWithdrawn(line)


def _check(house: House, command: DrawIntradayRepo | EarmarkPaper) -> None:
    """Refuse a repo of others, of what is not known, or outside the hours of its currency."""
    require_time(house, command.time_s)
    require_account(house, command.account, "account")
    require_own(house, command.participant, command.account)
    if not 0 <= command.currency < len(CURRENCIES):
        raise refuse(RejectionReason.UNKNOWN, f"no currency {command.currency}", field="currency")
    if not 0 <= command.security < len(house.resolved.securities):
        raise refuse(RejectionReason.UNKNOWN, f"no security {command.security}", field="security")
    if not 0 < command.quantity <= AMOUNT_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, "an amount that cannot be lent", field="quantity")
    if not open_bits(to_date(house.position.day), command.time_s) >> command.currency & 1:
        raise refuse(RejectionReason.NOT_ALLOWED, "the system is closed at that time", field="time_s")
    if command.time_s != house.money.clock_s or house.money.day != house.position.day:
        raise refuse(
            RejectionReason.NOT_ALLOWED, f"the time is {house.money.clock_s}", field="time_s",
            remedy="run payments to that time first",
        )  # fmt: skip


HANDLERS: Handlers = {
    DrawIntradayRepo: draw_repo,
    RepayIntradayRepo: repay_repo,
    EarmarkPaper: earmark_paper,
    WithdrawPaper: withdraw_paper,
}

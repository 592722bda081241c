"""Accounts in paths: which participant's and class's, and whether the caller reaches them."""

from __future__ import annotations

from typing import Annotated

from litestar.params import PathParameter

from tsingma.api.guard import Reach
from tsingma.app.house_service import HouseService
from tsingma.basics.patterns import whole
from tsingma.reference.book import AccountClass

Participant = Annotated[str, PathParameter(pattern=whole("[A-Z0-9-]{1,16}"))]


def require_account(service: HouseService, reach: Reach, participant: str, account_class: AccountClass) -> str:
    """Return the participant of an account; raises 403 for another's, 404 for an account that there is not."""
    mine = reach.participant(participant)
    known = service.read(lambda house, _at: (mine, account_class) in house.resolved.account_index)
    reach.require(frozenset((mine,)) if known else frozenset(), f"account {participant}/{account_class}")
    return mine

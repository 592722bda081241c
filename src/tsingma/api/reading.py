"""Parameters that many routes read: pages, filters, numbers; and the problems of reads as of a moment."""

from __future__ import annotations

from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tsingma.api.guard import Reach
from tsingma.api.problems import responses
from tsingma.app.house_reads import LIMIT_MAX
from tsingma.app.house_service import HouseService
from tsingma.basics.patterns import whole

NUMBER_MAX = 2**31
Service = NamedDependency[HouseService]
Reached = NamedDependency[Reach]
Cursor = Annotated[
    int, QueryParameter(ge=0, le=NUMBER_MAX, description="where the page starts: the `next` of the last")
]
Limit = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="items on the page at most")]
Code = Annotated[
    str, QueryParameter(pattern=whole("[A-Z0-9-]{0,16}"), description="a participant; empty: all within reach")
]
Status = Annotated[str, QueryParameter(pattern=whole("[a-z-]{0,16}"), description="only in this status; empty: in any")]
MOMENT = responses(404, 409, 413, 422, 429)  # of routes that answer as of a moment
Number = Annotated[int, PathParameter(ge=0, le=NUMBER_MAX)]

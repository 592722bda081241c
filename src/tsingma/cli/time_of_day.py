"""The option ``--at``: a time of the business day, as the files write it."""

from __future__ import annotations

import click

from tsingma.basics.rejection import Rejected

NIGHT = 47  # hours of money systems: 29:00 is five next morning


def second_of_day(at: str, hour_max: int = 23) -> int | None:
    """Return HH:MM or HH:MM:SS as a second of the business day, None for none.

    Raises click.BadParameter: anything else, or an hour past ``hour_max``.
    """
    from tsingma.messages.payment_file import read_time

    try:
        second = read_time(at) if at else None
    except Rejected as rejected:
        fault = rejected.rejections[0]
        raise click.BadParameter(f"{fault.message}: {fault.remedy}", param_hint="--at") from None
    if second is not None and second >= (hour_max + 1) * 3600:
        raise click.BadParameter(f"{at!r} is no time of day: hours run to {hour_max}", param_hint="--at")
    return second

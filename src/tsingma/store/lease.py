"""The right to write a PostgreSQL house: one row with an epoch, so that there are never two writers.

A writer takes the lease by raising the epoch, and every append checks, in its own transaction and under a lock on
the row, that the epoch is still its own. A writer that was paused finds another epoch when it wakes and is refused.
The lease lapses when it is not renewed in time, or at once when the holder's connection is gone. All times are the
server's, so the clocks of the machines that run the house do not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsingma.basics.rejection import Rejected, RejectionReason, refuse

if TYPE_CHECKING:
    import psycopg

LEASE_SECONDS = 10.0  # longer than the longest single command keeps a writer from renewing
TERMINATE_WAIT_MS = 5_000

_STANDING = """
SELECT epoch, holder, expires_at <= clock_timestamp() AS lapsed, backend_is_there
FROM lease, LATERAL (
    SELECT EXISTS (
        SELECT FROM pg_stat_activity AS activity
        WHERE activity.pid = lease.backend AND activity.backend_start = lease.backend_start
    ) AS backend_is_there
) AS holding
"""
_TERMINATE = """
SELECT pg_terminate_backend(activity.pid, %s)
FROM lease JOIN pg_stat_activity AS activity
    ON activity.pid = lease.backend AND activity.backend_start = lease.backend_start
WHERE lease.epoch = %s AND activity.pid <> pg_backend_pid()
"""
_TAKE = """
UPDATE lease SET
    epoch = epoch + 1,
    holder = %s,
    backend = pg_backend_pid(),
    backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()),
    duration = make_interval(secs => %s),
    expires_at = clock_timestamp() + make_interval(secs => %s)
WHERE epoch = %s
RETURNING epoch
"""
_RENEW = "UPDATE lease SET expires_at = clock_timestamp() + duration WHERE epoch = %s"
_RELEASE = "UPDATE lease SET expires_at = '-infinity', holder = 'nobody' WHERE epoch = %s"


def take(connection: psycopg.Connection, holder: str, seconds: float) -> int | None:
    """Take the lease for this connection and return its epoch; None while another writer holds it.

    What a lapsed holder's connection still has under way is ended first, so that it neither commits later nor keeps
    the row locked. Of several that try at once one succeeds: the epoch that was seen must still stand.
    """
    standing = connection.execute(_STANDING).fetchone()
    if standing is None:
        raise refuse(RejectionReason.MALFORMED, "the house has no lease row", remedy="restore it from a backup")
    epoch, _, lapsed, backend_is_there = standing
    if not lapsed and backend_is_there:
        return None
    connection.execute(_TERMINATE, (TERMINATE_WAIT_MS, epoch)).fetchall()
    taken = connection.execute(_TAKE, (holder, seconds, seconds, epoch)).fetchone()
    return None if taken is None else int(taken[0])


def renew(connection: psycopg.Connection, epoch: int) -> bool:
    """Make the lease run anew; False when another writer has taken it."""
    return connection.execute(_RENEW, (epoch,)).rowcount == 1


def release(connection: psycopg.Connection, epoch: int) -> None:
    """Let the lease go, when it is still ours."""
    connection.execute(_RELEASE, (epoch,))


def taken_over(place: str) -> Rejected:
    """Return the refusal of a writer that lost its lease."""
    return refuse(
        RejectionReason.NOT_ALLOWED,
        "another process has taken over this house: nothing of this batch was written",
        file=place,
        remedy="stop this process; start it again as a standby",
    )

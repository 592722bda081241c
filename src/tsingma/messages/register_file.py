"""A register of holders as a file (CSV): what a custodian or registrar says who holds, to be compared with a ledger."""

from __future__ import annotations

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.rows import read_rows

COLUMNS = ("token", "wallet", "face_cents")


def read_register(data: bytes, *, file: str = "register.csv") -> dict[str, dict[str, int]]:
    """Return face in cents by token and wallet; raises Rejected with file, line and field, also for a holder twice."""
    register: dict[str, dict[str, int]] = {}
    for line, row in read_rows(data, file, COLUMNS, numbers=("face_cents",)):
        holders = register.setdefault(row["token"], {})
        if row["wallet"] in holders or int(row["face_cents"]) < 0:
            twice = row["wallet"] in holders
            raise refuse(
                RejectionReason.DUPLICATE if twice else RejectionReason.OUT_OF_RANGE,
                f"{row['wallet']} is listed twice" if twice else "a holding is not negative",
                file=file,
                line=line,
                field="wallet" if twice else "face_cents",
            )
        holders[row["wallet"]] = int(row["face_cents"])
    return register

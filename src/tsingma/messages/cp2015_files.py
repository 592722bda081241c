"""The supplement of Caliendo and Parro (2015) as it is published: tab-separated numbers without a header.

Files: ``B.txt``, ``GO.txt`` (40 x 31), ``IO.txt`` (31 blocks of 40 x 40), ``T.txt`` (20), ``tariffs1993.txt``,
``tariffs2005.txt`` and ``xbilat1993.txt`` (20 blocks of 31 importers x 31 exporters; trade in thousands of USD).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.caliendo_parro import REGIONS, SECTORS, TRADABLES, Supplement
from tsingma.economy.chain.table import Float64

THOUSAND = 1_000.0
N, J, T = len(REGIONS), len(SECTORS), TRADABLES


def read_cp2015(folder: Path) -> Supplement:
    """Return the supplement's arrays; raises Rejected naming the file that is missing, no numbers, or of another
    size.
    """
    return Supplement(
        value_added_share=_read(folder / "B.txt", (J, N)),
        output=_read(folder / "GO.txt", (J, N)),
        inputs=_read(folder / "IO.txt", (N * J, J)).reshape(N, J, J),
        theta=_read(folder / "T.txt", (T,)),
        tariff_before=_read(folder / "tariffs1993.txt", (T * N, N)).reshape(T, N, N),
        tariff_after=_read(folder / "tariffs2005.txt", (T * N, N)).reshape(T, N, N),
        trade=_read(folder / "xbilat1993.txt", (T * N, N)).reshape(T, N, N) * THOUSAND,
    )


def _read(path: Path, shape: tuple[int, ...]) -> Float64:
    try:
        values: Float64 = np.loadtxt(path, dtype=np.float64)
    except OSError:
        remedy = "the folder of the supplement, with B, GO, IO, T, tariffs1993, tariffs2005 and xbilat1993 (.txt)"
        raise refuse(RejectionReason.MISSING, "cannot be read", file=str(path), remedy=remedy) from None
    except ValueError as error:
        raise refuse(RejectionReason.MALFORMED, f"holds no plain numbers: {error}", file=str(path)) from None
    if values.shape != shape or not np.isfinite(values).all():
        message = f"is {values.shape} numbers, {shape} expected, all finite"
        raise refuse(RejectionReason.MALFORMED, message, file=str(path))
    return values

"""The waterfall: in what order resources bear a defaulter's loss, every layer a row.

HKEX's official order could not be read; the standard one (CPMI-IOSCO) is the default: the defaulter's collateral and
fund contribution, the house's own part, the survivors' contributions, assessments up to a multiple, and what is left
uncovered. A waterfall is data: another order is another list of layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction

import msgspec

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.margin.joint.allocation import share_out


class LayerKind(StrEnum):
    """Whose money a layer is."""

    DEFAULTER_COLLATERAL = "defaulter-collateral"
    DEFAULTER_CONTRIBUTION = "defaulter-contribution"
    HOUSE = "house"
    SURVIVOR_CONTRIBUTIONS = "survivor-contributions"
    ASSESSMENTS = "assessments"
    UNCOVERED = "uncovered"


STANDARD_ORDER = (
    LayerKind.DEFAULTER_COLLATERAL,
    LayerKind.DEFAULTER_CONTRIBUTION,
    LayerKind.HOUSE,
    LayerKind.SURVIVOR_CONTRIBUTIONS,
    LayerKind.ASSESSMENTS,
)


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What is there: collateral and contributions by participant, the house's part, assessments as a multiple (e4)."""

    collateral: Mapping[str, int]
    contributions: Mapping[str, int]
    house_part: int
    assessment_e4: int = 10_000


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One row: what the layer holds, what it bears, and who bears it (whole HKD)."""

    kind: LayerKind
    available: int
    used: int
    borne_by: dict[str, int]


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """A loss through all layers; ``uncovered`` is what nothing bears."""

    defaulters: tuple[str, ...]
    loss: int
    layers: tuple[Layer, ...]
    uncovered: int


def waterfall(
    losses: Mapping[str, int], resources: Resources, order: Sequence[LayerKind] = STANDARD_ORDER
) -> Waterfall:
    """Return how the close-out losses of defaulters (positive) are borne.

    A defaulter's collateral bears its own loss alone; what is left over goes back and does not help another's loss.
    Raises Rejected for no defaulter, a negative loss, a participant without resources on file, a layer twice.
    """
    if not losses:
        raise refuse(RejectionReason.MISSING, "there is no defaulter", field="losses")
    for name, loss in losses.items():
        if name not in resources.collateral or name not in resources.contributions:
            raise refuse(RejectionReason.UNKNOWN, "has no collateral or contribution on file", subject=name)
        if loss < 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{loss} is negative", field="loss", subject=name)
    if len(set(order)) != len(order) or LayerKind.UNCOVERED in order:
        raise refuse(RejectionReason.CONFLICT, "a layer stands twice, or the uncovered rest is named", field="order")
    left = dict(losses)
    layers = [_layer(kind, left, resources) for kind in order]
    rest, total = sum(left.values()), sum(losses.values())
    if sum(layer.used for layer in layers) + rest != total:
        raise InvariantBroken("the layers do not add up to the loss")
    return Waterfall(defaulters=tuple(losses), loss=total, layers=tuple(layers), uncovered=rest)


def _layer(kind: LayerKind, left: dict[str, int], resources: Resources) -> Layer:
    """Let one layer bear what it can of ``left``."""
    if kind in (LayerKind.DEFAULTER_COLLATERAL, LayerKind.DEFAULTER_CONTRIBUTION):
        stock = resources.collateral if kind is LayerKind.DEFAULTER_COLLATERAL else resources.contributions
        borne = {name: min(loss, stock[name]) for name, loss in left.items()}
        for name, amount in borne.items():
            left[name] -= amount
        available = sum(stock[name] for name in left)
        return Layer(kind=kind, available=available, used=sum(borne.values()), borne_by=borne)
    if kind is LayerKind.HOUSE:
        holders = {"house": resources.house_part}
    else:
        scale = resources.assessment_e4 if kind is LayerKind.ASSESSMENTS else 10_000
        holders = {
            name: amount * scale // 10_000 for name, amount in resources.contributions.items() if name not in left
        }
    available, needed = sum(holders.values()), sum(left.values())
    used = min(available, needed)
    names = sorted(holders)
    ceilings = [holders[name] for name in names]
    parts = share_out(used, [Fraction(ceiling) for ceiling in ceilings], ceilings) if used else (0,) * len(names)
    _relieve(left, used)
    return Layer(kind=kind, available=available, used=used, borne_by=dict(zip(names, parts, strict=True)))


def _relieve(left: dict[str, int], used: int) -> None:
    """Take a mutual layer's payment off the losses, in proportion."""
    names = sorted(left)
    losses = [left[name] for name in names]
    if used:
        for name, part in zip(names, share_out(used, [Fraction(loss) for loss in losses], losses), strict=True):
            left[name] -= part

"""Why a margin figure is what it is: a tree whose parts add up to it (design invariant 10)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import msgspec

from tsingma.basics.rejection import InvariantBroken
from tsingma.basics.rounding import divide_half_away

Number = int | Fraction


class TailScenario(msgspec.Struct, frozen=True):
    """One of the averaged worst scenarios: its number in the file (from 1), its profit or loss, its label if known."""

    index: int
    profit_hkd: int
    label: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """One figure in HKD: how it was computed, from which inputs, and the parts whose sum it is."""

    component: str
    amount: Number
    formula: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    parts: tuple[Explanation, ...] = ()
    tail: tuple[TailScenario, ...] = ()

    def find(self, component: str) -> Explanation:
        """Return the first node of that name, depth first; raises KeyError when there is none."""
        for node in self.walk():
            if node.component == component:
                return node
        raise KeyError(component)

    def walk(self) -> Iterable[Explanation]:
        """Yield this node and all below it, depth first."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def to_dict(self) -> dict[str, object]:
        """Return the tree as plain JSON values: whole amounts as integers, others as decimal strings."""
        tree: dict[str, object] = {"component": self.component, "amount": plain(self.amount)}
        if self.formula:
            tree["formula"] = self.formula
        if self.inputs:
            tree["inputs"] = dict(self.inputs)
        if self.tail:
            tree["tail"] = [
                {"scenario": one.index, "profit_hkd": one.profit_hkd, "label": one.label} for one in self.tail
            ]
        if self.parts:
            tree["parts"] = [part.to_dict() for part in self.parts]
        return tree


def explain(
    component: str,
    amount: Number,
    formula: str = "",
    inputs: Iterable[tuple[str, object]] = (),
    parts: Iterable[Explanation] = (),
    tail: Iterable[TailScenario] = (),
) -> Explanation:
    """Return a node; raises InvariantBroken when it has parts and their sum is not exactly its amount."""
    kept = tuple(parts)
    if kept and sum((Fraction(part.amount) for part in kept), Fraction(0)) != amount:
        total = sum((Fraction(part.amount) for part in kept), Fraction(0))
        raise InvariantBroken(f"{component} is {amount} but its parts add up to {total}")
    return Explanation(component, amount, formula, tuple((n, _text(v)) for n, v in inputs), kept, tuple(tail))


def rounded(exact: Number) -> int:
    """Return the exact amount rounded to whole HKD, halves away from zero (the guide rounds -37.5 to -38)."""
    fraction = Fraction(exact)
    if fraction.denominator == 1:
        return fraction.numerator
    return divide_half_away(fraction.numerator, fraction.denominator)


def with_rounding(parts: Iterable[Explanation], amount: Number) -> list[Explanation]:
    """Return the parts and, where they do not already sum to ``amount``, one last part named ``rounding``.

    The difference must be a rounding, at most half a dollar; more is InvariantBroken.
    """
    kept = list(parts)
    difference = Fraction(amount) - sum((Fraction(part.amount) for part in kept), Fraction(0))
    if abs(difference) * 2 > 1:
        raise InvariantBroken(f"parts miss {amount} by {difference}, more than a rounding")
    if difference:
        kept.append(Explanation("rounding", difference, "to whole HKD, halves away from zero"))
    return kept


def plain(amount: Number) -> int | str:
    """Return an int where the amount is whole, else its decimal text with up to ten decimals."""
    fraction = Fraction(amount)
    if fraction.denominator == 1:
        return fraction.numerator
    scaled = divide_half_away(fraction.numerator * 10**10, fraction.denominator)
    return format(Decimal(scaled).scaleb(-10).normalize(), "f")


def _text(value: object) -> str:
    if isinstance(value, Fraction):
        return str(plain(value))
    return str(value)
